"""Capital ratios, conservation buffer and leverage ratio of a bank, as regulatory lines.

Belongs here: the ratios and what is missing for them. Not here: minimums and risk weights (`parameters`), risk weighting (`credit_risk`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion
from margin_pipeline.parameters.basel import BaselRules, basel_rules
from margin_pipeline.regulation.credit_risk import risk_weights
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, known

COVERAGE = "standardised credit risk of the exposures given; no market, operational, CVA or counterparty risk"
"""What the risk-weighted assets of these lines are made of."""
NOT_YET = "the minimum of Basel III is not in force yet on this date"
REASONS_SHOWN = 5


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of the entity behind every portfolio."""
    rules = basel_rules(inputs.as_of)
    found: list[RegulatoryLine] = []
    for portfolio in inputs.portfolios:
        figures = None
        if str(portfolio["entity_type"]) == "bank":
            name = str(portfolio["portfolio_id"])
            own = inputs.frame_of("entity_figures", name), inputs.frame_of("exposures", name)
            figures = bank_figures(portfolio, *own, inputs.usd_rates, rules)
        found += basel_lines(portfolio, figures, rules)
    return found


@dataclass(frozen=True)
class BankFigures:
    """Figures of one bank in base currency, NaN where missing, and why.

    Attributes
    ----------
    cet1, tier1, total_capital, other_leverage_exposure : as given in entity_figures.
    risk_weighted_assets, exposures : sums over the credit exposures, weighted and plain.
    missing : reason by name of the figure.
    """

    cet1: float
    tier1: float
    total_capital: float
    other_leverage_exposure: float
    risk_weighted_assets: float
    exposures: float
    missing: Mapping[str, str]

    def reason(self, *names: str) -> str | None:
        """What is missing of some figures, None when they are all there."""
        found = [self.missing[name] for name in names if name in self.missing]
        return "; ".join(found) or None


def bank_figures(
    portfolio: Mapping[Any, Any], entity_figures: pd.DataFrame, exposures: pd.DataFrame, rates: Mapping[str, float], rules: BaselRules
) -> BankFigures:
    """Figures of one bank.

    Parameters
    ----------
    portfolio : row of portfolios.
    entity_figures, exposures : rows of this portfolio.
    rates : US dollars by currency.
    rules : rules in force.
    """
    base = str(portfolio["base_currency"])
    missing: dict[str, str] = {}
    given = dict(zip(entity_figures["figure"], _converted(entity_figures, "value", base, rates), strict=True))
    currency = dict(zip(entity_figures["figure"], entity_figures["currency"], strict=True))
    figures = {}
    for name in ("cet1", "tier1", "total_capital", "other_leverage_exposure"):
        figures[name] = float(given.get(name, np.nan))
        if name not in given:
            missing[name] = f"entity figure {name}"
        elif np.isnan(figures[name]):
            missing[name] = f"exchange rate of {currency[name]} to {base}"
    amount = _converted(exposures, "amount", base, rates)
    weight, reasons = risk_weights(exposures, rules.risk_weights)
    lacking = sorted({f"exchange rate of {c} to {base}" for c in exposures["currency"][np.isnan(amount)]})
    if exposures.empty:
        lacking = ["credit exposures: none given"]
    if lacking:
        missing["exposures"] = "; ".join(lacking)
    lacking = lacking + sorted(r for r in reasons if r is not None)
    if lacking:
        more = f"; and {len(lacking) - REASONS_SHOWN} more" if len(lacking) > REASONS_SHOWN else ""
        missing["risk_weighted_assets"] = "; ".join(lacking[:REASONS_SHOWN]) + more
    return BankFigures(
        **figures,
        risk_weighted_assets=np.nan if "risk_weighted_assets" in missing else float((amount * weight).sum()),
        exposures=np.nan if "exposures" in missing else float(amount.sum()),
        missing=missing,
    )


def basel_lines(portfolio: Mapping[Any, Any], figures: BankFigures | None, rules: BaselRules) -> list[RegulatoryLine]:
    """Lines of one portfolio: risk-weighted assets, three capital ratios, conservation buffer, leverage ratio.

    Parameters
    ----------
    portfolio : row of portfolios.
    figures : figures of the bank, None where the entity is no bank.
    rules : rules in force.

    Returns
    -------
    Lines of scope entity. RBC20.1: CET1, Tier 1 and total capital over risk-weighted assets at least 4.5, 6 and 8 %. RBC30.2: CET1 left
    after these minimums, min(cet1 - 4.5 %, tier1 - 6 %, total - 8 %), at least 2.5 %; below it distributions are restricted. LEV20: Tier 1
    over on-balance exposures plus other_leverage_exposure at least 3 %. The denominator of the capital ratios covers credit risk of the
    exposures given only, so a ratio here is an upper bound of the ratio that is filed.
    """
    if figures is None:
        entity = portfolio["entity_type"]
        who = "entity type is not given" if pd.isna(entity) or str(entity) == "" else f"entity type {entity} is not a bank"
        return [_line(portfolio, item, "not_applicable", reference, rules, reason=who) for item, reference, _ in _items(rules)]
    return [_assets_line(portfolio, figures, rules), *_ratio_lines(portfolio, figures, rules)]


def _converted(rows: pd.DataFrame, column: str, base: str, rates: Mapping[str, float]) -> np.ndarray:
    return rows[column].to_numpy(dtype=float) * conversion(rows["currency"], pd.Series(base, index=rows.index, dtype="str"), rates)


def _items(rules: BaselRules) -> list[tuple[str, str, float | None]]:
    """Line items with their reference and limit; None: no limit, or not in force yet."""
    return [
        ("credit_risk_weighted_assets", rules.credit_risk_reference, None),
        ("cet1_ratio", rules.capital_reference, rules.minimum_cet1_ratio),
        ("tier1_ratio", rules.capital_reference, rules.minimum_tier1_ratio),
        ("total_capital_ratio", rules.capital_reference, rules.minimum_total_capital_ratio),
        ("capital_conservation_buffer", rules.buffer_reference, rules.conservation_buffer),
        ("leverage_ratio", rules.leverage_reference, rules.minimum_leverage_ratio),
    ]


def _line(portfolio: Mapping[Any, Any], item: str, status: str, reference: str, rules: BaselRules, **rest: Any) -> RegulatoryLine:
    unit = str(portfolio["base_currency"]) if item == "credit_risk_weighted_assets" else "ratio"
    return RegulatoryLine(str(portfolio["portfolio_id"]), "entity", "basel", item, unit, status, reference, rules.version, **rest)


def _assets_line(portfolio: Mapping[Any, Any], figures: BankFigures, rules: BaselRules) -> RegulatoryLine:
    reason = figures.reason("risk_weighted_assets")
    status = "undetermined" if reason else "information"
    inputs = {"covers": COVERAGE, "exposures": figures.exposures}
    item, reference, _ = _items(rules)[0]
    value = known(figures.risk_weighted_assets)
    return _line(portfolio, item, status, reference, rules, value=value, reason=reason, inputs=inputs)


def _ratio_lines(portfolio: Mapping[Any, Any], figures: BankFigures, rules: BaselRules) -> list[RegulatoryLine]:
    capital = {"cet1_ratio": figures.cet1, "tier1_ratio": figures.tier1, "total_capital_ratio": figures.total_capital}
    assets = figures.risk_weighted_assets
    ratio = {item: _ratio(amount, assets) for item, amount in capital.items()}
    ratio["leverage_ratio"] = _ratio(figures.tier1, figures.exposures + figures.other_leverage_exposure)
    limits = {item: limit for item, _, limit in _items(rules)}
    ratio["capital_conservation_buffer"] = min(
        (ratio[item] - (limits[item] or 0.0) for item in capital), key=lambda left: (not np.isnan(left), left)
    )
    needed: dict[str, tuple[str, ...]] = {item: (item.removesuffix("_ratio"), "risk_weighted_assets") for item in capital}
    needed["capital_conservation_buffer"] = ("cet1", "tier1", "total_capital", "risk_weighted_assets")
    needed["leverage_ratio"] = ("tier1", "exposures", "other_leverage_exposure")
    lines = []
    for item, reference, limit in _items(rules)[1:]:
        if limit is None:
            lines.append(_line(portfolio, item, "not_applicable", reference, rules, reason=NOT_YET))
            continue
        missing = figures.reason(*needed[item])
        value = None if missing else known(ratio[item])
        reason = missing or (None if value is not None else "the denominator is zero")
        inputs = {name: getattr(figures, name) for name in needed[item]} | ({} if item == "leverage_ratio" else {"covers": COVERAGE})
        status = at_least(value, limit)
        lines.append(_line(portfolio, item, status, reference, rules, value=value, limit_value=limit, reason=reason, inputs=inputs))
    return lines


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else np.nan
