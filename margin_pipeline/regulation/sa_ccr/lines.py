"""Exposures to counterparties as regulatory lines: each netting set with its steps, portfolios and the firm.

Belongs here: the lines. Not here: the figures (`tables`), capital for them (`basel`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from margin_pipeline.parameters.sa_ccr import SaCcrRules, sa_ccr_rules
from margin_pipeline.regulation.inputs import FIRM, FIRM_CURRENCY, RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, known
from margin_pipeline.regulation.sa_ccr.classification import ASSET_CLASSES

NO_NETTING_SET = "no netting set of derivatives"
TOTAL = "exposure_at_default"
Row = Mapping[Any, Any]


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every portfolio and of the firm, all for information.

    Parameters
    ----------
    inputs : tables of the date; reads portfolios and sa_ccr_netting_sets.

    Returns
    -------
    Per netting set value, collateral, replacement cost, add-on and add-on of each asset class in it, multiplier, potential future exposure
    and exposure at default; per portfolio the total exposure at default; of the firm the total in US dollars. A total is undetermined
    where a part is. A portfolio without netting sets, and any before the approach was in force, has one line that says so.
    """
    rules = sa_ccr_rules(inputs.as_of)
    found: list[RegulatoryLine] = []
    totals: list[tuple[str, float | None]] = []
    for portfolio in inputs.portfolios:
        name, base = str(portfolio["portfolio_id"]), str(portfolio["base_currency"])
        sets = inputs.of_portfolio("sa_ccr_netting_sets", name) if rules.applies else []
        for row in sets:
            found += netting_set_lines(name, base, row, rules)
        parts = {str(row["netting_set_id"]): known(row["exposure_at_default"]) for row in sets}
        found.append(_total_line(name, "portfolio", base, parts, rules))
        if sets:
            total = found[-1].value
            totals.append((name, None if total is None else known(total * inputs.rate(base, FIRM_CURRENCY))))
    return [*found, _total_line(FIRM, "firm", FIRM_CURRENCY, dict(totals), rules)]


def netting_set_lines(portfolio_id: str, base: str, row: Row, rules: SaCcrRules) -> list[RegulatoryLine]:
    """Lines of one netting set.

    Parameters
    ----------
    portfolio_id, base : portfolio and its currency.
    row : row of sa_ccr_netting_sets.
    rules : approach in force.
    """
    explanation = json.loads(row["explanation"]) if isinstance(row["explanation"], str) else dict(row["explanation"])
    classes = [name for name in ASSET_CLASSES if name in explanation["trades_by_class"]]
    cost, add_on, share, whole = (
        rules.replacement_cost_reference, rules.add_on_reference, rules.multiplier_reference, rules.exposure_reference,
    )  # fmt: skip
    by_class = [f"add_on_{name}" for name in classes]
    margined = ["threshold", "minimum_transfer_amount", "net_independent_collateral"] if row["is_margined"] else []
    items: list[tuple[str, str, Sequence[str]]] = [
        ("value", cost, ["trades"]),
        ("collateral", cost, ["net_independent_collateral"]),
        ("replacement_cost", cost, ["value", "collateral", *margined]),
        *((item, add_on, ["margin_period_of_risk_days"]) for item in by_class),
        ("add_on", add_on, by_class),
        ("multiplier", share, ["value", "collateral", "add_on"]),
        ("potential_future_exposure", share, ["multiplier", "add_on"]),
        (TOTAL, whole, ["replacement_cost", "potential_future_exposure", "unmargined_exposure_at_default"]),
    ]
    found = []
    for item, reference, used in items:
        inputs: dict[str, object] = {name: known(row[name]) for name in used}
        if item == TOTAL:
            inputs |= {"alpha": rules.alpha, "explanation": explanation}
        unit = "ratio" if item == "multiplier" else base
        value, missing, place = known(row[item]), str(row["missing"]), str(row["netting_set_id"])
        status, reason = ("undetermined", missing) if value is None else ("information", None)
        line = RegulatoryLine(portfolio_id, "portfolio", "sa_ccr", item, unit, status, reference, rules.version, value=value, reason=reason)
        found.append(replace(line, netting_set_id=place, inputs=inputs))
    return found


def _total_line(portfolio_id: str, scope: str, unit: str, parts: Mapping[str, float | None], rules: SaCcrRules) -> RegulatoryLine:
    """Total exposure at default: undetermined where a part is, not applicable where there is none or no rule."""
    status, value, reason = "information", None, None
    if not rules.applies:
        status, reason = "not_applicable", f"the approach starts on {rules.applies_from}"
    elif not parts:
        status, reason = "not_applicable", NO_NETTING_SET
    elif unknown := [name for name, part in parts.items() if part is None]:
        what = "netting set" if scope == "portfolio" else "portfolio"
        status, reason = "undetermined", f"exposure at default of {what} " + ", ".join(unknown)
    else:
        value = sum(part for part in parts.values() if part is not None)
    line = RegulatoryLine(portfolio_id, scope, "sa_ccr", TOTAL, unit, status, rules.exposure_reference, rules.version, value=value)
    return replace(line, reason=reason, inputs=parts)
