"""Capital buffers and what may be distributed while they are not full.

Belongs here: CET1 left after the minimums against the buffers. Not here: the ratios (`lines`), sizes of buffers (`parameters`).
"""

from __future__ import annotations

from margin_pipeline.parameters.basel import BaselRules
from margin_pipeline.regulation.basel.capital import BankFigures
from margin_pipeline.regulation.basel.line_form import NOT_YET, Form
from margin_pipeline.regulation.line import RegulatoryLine, at_least

NEEDED = ("cet1", "tier1", "total_capital", "risk_weighted_assets")
QUARTERS = ((0.25, 0.0), (0.5, 0.2), (0.75, 0.4), (1.0, 0.6))
"""RBC30.4: up to this share of the combined buffer, included, that share of earnings may be distributed."""


def buffer_lines(form: Form, figures: BankFigures, rules: BaselRules) -> list[RegulatoryLine]:
    """Conservation buffer, combined buffer and the share of earnings that may be distributed.

    Parameters
    ----------
    form : portfolio of the lines.
    figures : figures of the bank; countercyclical_buffer_rate is needed (0 where there is none), systemic_buffer_rate is that of a bank
        that was designated as systemically important: without it there is none.
    rules : rules in force.

    Returns
    -------
    Three lines. RBC30.2: CET1 left after the minimums, min(cet1 - 4.5 %, tier1 - 6 %, total - 8 %), at least 2.5 %; the combined buffer
    adds the countercyclical one (during its phase-in at most what the date allows, BCBS 189, paragraph 150) and the systemic one (RBC40).
    A buffer below its limit restricts distributions.
    """
    items = (
        ("capital_conservation_buffer", rules.buffer_reference),
        ("combined_buffer", rules.combined_buffer_reference),
        ("maximum_distribution_ratio", rules.distribution_reference),
    )
    if rules.conservation_buffer is None:
        return [form.line(item, reference, "not_applicable", reason=NOT_YET) for item, reference in items]
    left, missing = capital_left(figures, rules)
    inputs: dict[str, object] = {name: figures.amount[name] for name in NEEDED} | {"covers": figures.covers}
    limit = rules.conservation_buffer
    first = form.line(items[0][0], items[0][1], at_least(left, limit), value=left, limit_value=limit, reason=missing, inputs=inputs)
    rate = figures.amount["countercyclical_buffer_rate"]
    if rules.greatest_countercyclical_buffer is not None:
        rate = min(rate, rules.greatest_countercyclical_buffer)
    systemic = figures.amount.get("systemic_buffer_rate", 0.0)
    lacking = figures.reason("countercyclical_buffer_rate", "systemic_buffer_rate")
    combined = None if lacking else rules.conservation_buffer + rate + systemic
    reason = "; ".join(text for text in (missing, lacking) if text) or None
    inputs |= {"conservation": rules.conservation_buffer, "countercyclical": rate, "systemic": systemic}
    second = form.line(items[1][0], items[1][1], at_least(left, combined), value=left, limit_value=combined, reason=reason, inputs=inputs)
    share = None if left is None or combined is None else distributable(left, combined)
    status = "undetermined" if share is None else "information"
    third = form.line(items[2][0], items[2][1], status, value=share, reason=reason, inputs={"left": left, "combined_buffer": combined})
    return [first, second, third]


def capital_left(figures: BankFigures, rules: BaselRules) -> tuple[float | None, str | None]:
    """CET1 over risk-weighted assets that no minimum uses, and what is missing for it."""
    missing = figures.reason(*NEEDED)
    assets = figures.amount["risk_weighted_assets"]
    if missing or not assets > 0:
        return None, missing or "the denominator is zero"
    minimums = (rules.minimum_cet1_ratio, rules.minimum_tier1_ratio, rules.minimum_total_capital_ratio)
    return min(figures.amount[name] / assets - (minimum or 0.0) for name, minimum in zip(NEEDED[:3], minimums, strict=True)), None


def distributable(left: float, combined: float) -> float:
    """Share of earnings that may be distributed with `left` of a combined buffer: 0, 20, 40 or 60 % by quarter, all above it.

    Parameters
    ----------
    left : CET1 left after the minimums, fraction of risk-weighted assets.
    combined : combined buffer, fraction, > 0.
    """
    return next((share for upper, share in QUARTERS if left <= upper * combined), 1.0)
