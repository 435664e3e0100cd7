"""Tests of major swap participants in the United States, as regulatory lines.

Belongs here: substantial positions and counterparty exposure. Not here: the dealing threshold (`clearing_thresholds`), the amounts
(`parameters`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from margin_pipeline.parameters.major_participants import MajorParticipantRules, OutwardExposure, major_participant_rules
from margin_pipeline.regulation.clearing_thresholds import regime_of
from margin_pipeline.regulation.exact_sums import group_sums
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, known

CURRENT, POTENTIAL = "average_outward_exposure", "average_potential_outward_exposure"
"""Entity figures, with _<category> at their end for one category: daily averages over the calendar quarter, US dollars."""
ITEM = "major_swap_participant"
CONSEQUENCE = "at or above the threshold: registration as a major swap participant, unless a swap dealer"


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every portfolio of the United States that has over-the-counter derivatives, and a line why not of any other.

    Notes
    -----
    17 CFR 1.3: a substantial position is a daily average current uncollateralized outward exposure over a calendar quarter of at least
    1 billion dollars in a major category (3 billion in rates), or together with potential outward exposure of at least 2 (6) billion,
    hedges of commercial risk left out; substantial counterparty exposure is 5, or 8 billion, over all swaps. The averages are entity
    figures. Where none of them is given there is one undetermined line, with the exposure of the day among its inputs; else a line for
    each test, undetermined where its figure is missing. A line at or above its threshold is `breach`: an obligation follows, which its
    reason names.
    """
    rules = major_participant_rules(inputs.as_of)
    day = None if not rules.applies else outward_exposures(inputs.table("netting_sets"), inputs.table("otc_trades"), inputs.usd_rates)
    return [line for portfolio in inputs.portfolios for line in _lines(inputs, portfolio, rules, day or {})]


def outward_exposures(netting_sets: pd.DataFrame, otc_trades: pd.DataFrame, usd_rates: Mapping[str, float]) -> dict[str, float]:
    """Value that uncleared netting sets owe, US dollars, before collateral, by netting set.

    Parameters
    ----------
    netting_sets : columns netting_set_id and is_cleared.
    otc_trades : columns netting_set_id, market_value and currency.
    usd_rates : US dollars for one unit, by currency.

    Returns
    -------
    -(sum of market values) where that is positive, else 0; NaN where a value or a rate is missing.
    """
    cleared = netting_sets["is_cleared"].astype(object)
    open_sets = netting_sets.loc[~cleared.where(cleared.notna(), False).astype(bool), "netting_set_id"].astype(str)
    rates = otc_trades["currency"].astype(str).map({**usd_rates, "USD": 1.0}).astype("float64")
    values = (otc_trades["market_value"].astype("float64") * rates).to_numpy()
    codes, names = pd.factorize(otc_trades["netting_set_id"].astype(str), sort=True)
    totals = {str(name): float(total) for name, total in zip(names, group_sums(values, codes, len(names)), strict=True)}
    return {name: 0.0 if (owed := -totals.get(name, 0.0)) < 0 else owed for name in open_sets}


def _lines(
    inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: MajorParticipantRules, owed: Mapping[str, float]
) -> list[RegulatoryLine]:
    name = str(portfolio["portfolio_id"])

    def line(item: str, status: str, reference: str, **rest: Any) -> RegulatoryLine:
        return RegulatoryLine(name, "entity", "cftc", item, "USD", status, reference, rules.version, **rest)

    figures = inputs.entity_figures(portfolio, "USD")
    given = any(figure.startswith((CURRENT, POTENTIAL)) for figure in figures)
    if reason := _why_not(inputs, portfolio, rules, given):
        return [line(ITEM, "not_applicable", rules.participant_reference, reason=reason)]
    if not given:
        reason = f"entity figures {CURRENT} and {POTENTIAL}, and those of each category"
        day = known(_of_the_day(inputs, portfolio, owed))
        return [line(ITEM, "undetermined", rules.participant_reference, reason=reason, inputs={"outward_exposure_of_the_day": day})]
    tests = [
        (f"substantial_position_{category}", f"_{category}", amounts, rules.position_reference)
        for category, amounts in rules.substantial_position.items()
    ]
    tests.append(("substantial_counterparty_exposure", "", rules.counterparty_exposure, rules.exposure_reference))
    return [
        line(found_item, reference=reference, **found)
        for item, suffix, amounts, reference in tests
        for found_item, found in _pair(item, suffix, amounts, figures).items()
    ]


def _why_not(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: MajorParticipantRules, given: bool) -> str | None:
    if regime_of(portfolio) != "cftc":
        return f"jurisdiction {portfolio['jurisdiction']}"
    if not rules.applies:
        return "not in force yet on this date"
    if not given and not inputs.of_portfolio("netting_sets", str(portfolio["portfolio_id"])):
        return "no over-the-counter derivatives: no netting set, and no average is given"
    return None


def _pair(item: str, suffix: str, amounts: OutwardExposure, figures: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Both tests of a category: current exposure, and current and potential exposure together."""
    current, potential = f"{CURRENT}{suffix}", f"{POTENTIAL}{suffix}"
    return {
        item: _test((current,), amounts.current, figures),
        f"{item}_with_potential": _test((current, potential), amounts.with_potential, figures),
    }


def _test(names: tuple[str, ...], limit: float, figures: Mapping[str, float]) -> dict[str, Any]:
    """Sum of figures against an amount that must not be reached; undetermined where one is missing or negative."""
    missing = [f"entity figure {figure}" for figure in names if figure not in figures]
    missing += [f"exchange rate of entity figure {figure} to USD" for figure in names if math.isnan(figures.get(figure, 0.0))]
    missing += [f"entity figure {figure} that is not negative" for figure in names if figures.get(figure, 0.0) < 0]
    inputs = {figure: known(figures.get(figure)) for figure in names}
    if missing:
        return {"status": "undetermined", "limit_value": limit, "reason": "; ".join(missing), "inputs": inputs}
    value = math.fsum(figures[figure] for figure in names)
    status, reason = ("breach", CONSEQUENCE) if value >= limit else ("pass", None)
    return {"status": status, "value": value, "limit_value": limit, "reason": reason, "inputs": inputs}


def _of_the_day(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], owed: Mapping[str, float]) -> float:
    """What the uncleared netting sets owe beyond the collateral given for them, US dollars; collateral that is not said counts as none."""
    rate = inputs.rate(str(portfolio["base_currency"]), "USD")
    exposures = []
    for row in inputs.of_portfolio("netting_sets", str(portfolio["portfolio_id"])):
        name = str(row["netting_set_id"])
        if name in owed:
            variation, initial = (known(row[column]) or 0.0 for column in ("variation_margin", "initial_margin_posted"))
            exposures.append(max(owed[name] - rate * (max(-variation, 0.0) + initial), 0.0) if owed[name] == owed[name] else math.nan)
    return math.fsum(exposures) if rate == rate else math.nan
