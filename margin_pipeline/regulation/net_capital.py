"""Net capital of broker-dealers in the United States, as regulatory lines.

Belongs here: ratios of Rule 15c3-1 and when notice is due. Not here: computing net capital or haircuts, the amounts (`parameters`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from margin_pipeline.parameters.net_capital import NetCapitalRules, net_capital_rules
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, at_most, known

ENTITY = "broker_dealer"
FIGURES = ("net_capital", "aggregate_indebtedness", "aggregate_debits", "minimum_net_capital")


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every broker-dealer of the United States, in US dollars; any other portfolio has one line that says why not.

    Notes
    -----
    17 CFR 240.15c3-1(a): net capital of at least the greater of the dollar minimum and that of its standard. Aggregate indebtedness
    standard: indebtedness at most 15 times net capital (8 in the first year, entity figure first_year = 1). Alternative standard (entity
    figure alternative_standard = 1): at least 2 % of aggregate debits. 17a-11: notice when indebtedness exceeds 12 times net capital, or
    net capital falls below 5 % of debits, or below 120 % of the minimum. Net capital that is zero or negative breaks every ratio.
    """
    rules = net_capital_rules(inputs.as_of)
    found: list[RegulatoryLine] = []
    for portfolio in inputs.portfolios:
        reason = _why_not(portfolio)
        if reason:
            name = str(portfolio["portfolio_id"])
            found.append(_line(name, "net_capital", "not_applicable", rules.minimum_reference, rules, reason=reason))
        else:
            found += _broker_dealer(inputs, portfolio, rules)
    return found


def _why_not(portfolio: Mapping[Any, Any]) -> str | None:
    entity, jurisdiction = portfolio["entity_type"], portfolio["jurisdiction"]
    if entity is None or entity != entity or str(entity) != ENTITY:
        return "entity type is not given" if entity is None or entity != entity else f"entity type {entity} is not a broker-dealer"
    if jurisdiction is not None and jurisdiction == jurisdiction and str(jurisdiction) not in ("", "US"):
        return f"jurisdiction {jurisdiction}: the rule is for broker-dealers of the United States"
    return None


def _broker_dealer(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: NetCapitalRules) -> list[RegulatoryLine]:
    name = str(portfolio["portfolio_id"])
    figures, numbers = inputs.entity_figures(portfolio, "USD"), inputs.entity_numbers(portfolio)
    capital, debts, debits, minimum = (known(figures.get(figure)) for figure in FIGURES)
    alternative = numbers.get("alternative_standard") == 1
    dollars = minimum if "minimum_net_capital" in figures else rules.minimum_dollars
    of_standard = _of_standard(debts, debits, alternative, numbers, rules)
    required = None if dollars is None or of_standard is None else max(dollars, of_standard)
    lacking = _lacking(figures, alternative)
    own = [
        _line(
            name, "net_capital", at_least(capital, required), rules.minimum_reference, rules, value=capital, limit_value=required,
            reason=lacking if capital is None or required is None else None,
            inputs={"dollar_minimum": dollars, "minimum_of_standard": of_standard, "standard": "alternative" if alternative else "basic"},
        ),
        _debits_line(name, capital, debits, lacking, rules)
        if alternative
        else _indebtedness_line(name, capital, debts, numbers, lacking, rules),
        _notice_line(name, capital, debts, debits, required, alternative, lacking, rules),
    ]  # fmt: skip
    excess = None if capital is None or required is None else capital - required
    status = "undetermined" if excess is None else "information"
    own.append(
        _line(name, "excess_net_capital", status, rules.minimum_reference, rules, value=excess, reason=lacking if excess is None else None)
    )
    return own


def _of_standard(
    debts: float | None, debits: float | None, alternative: bool, numbers: Mapping[str, float], rules: NetCapitalRules
) -> float | None:
    """Net capital that the standard of the firm asks for."""
    if alternative:
        return None if debits is None else rules.debits_share * debits
    return None if debts is None else debts / _multiple(numbers, rules)


def _multiple(numbers: Mapping[str, float], rules: NetCapitalRules) -> float:
    return rules.indebtedness_multiple_first_year if numbers.get("first_year") == 1 else rules.indebtedness_multiple


def _lacking(figures: Mapping[str, float], alternative: bool) -> str | None:
    """What the lines lack: a figure, or its exchange rate."""
    needed = ["net_capital", "aggregate_debits" if alternative else "aggregate_indebtedness"]
    found = [f"entity figure {figure}" for figure in needed if figure not in figures]
    found += [f"exchange rate of entity figure {figure} to USD" for figure in FIGURES if math.isnan(figures.get(figure, 0.0))]
    return "; ".join(found) or None


def _indebtedness_line(
    name: str, capital: float | None, debts: float | None, numbers: Mapping[str, float], lacking: str | None, rules: NetCapitalRules
) -> RegulatoryLine:
    """Aggregate indebtedness over net capital; without net capital there is no ratio, and the limit is broken by any debt."""
    limit = _multiple(numbers, rules)
    ratio = None if capital is None or debts is None or capital <= 0 else debts / capital
    status, reason = at_most(ratio, limit), lacking
    if capital is not None and debts is not None and capital <= 0:
        status, reason = "breach", "there is no net capital"
    inputs = {"net_capital": capital, "aggregate_indebtedness": debts}
    return _line(
        name, "aggregate_indebtedness_ratio", status, rules.indebtedness_reference, rules, unit="ratio", value=ratio, limit_value=limit,
        reason=reason if status in ("undetermined", "breach") else None, inputs=inputs,
    )  # fmt: skip


def _debits_line(name: str, capital: float | None, debits: float | None, lacking: str | None, rules: NetCapitalRules) -> RegulatoryLine:
    """Net capital over aggregate debits; without debits the dollar minimum alone counts."""
    reference, inputs = rules.debits_reference, {"net_capital": capital, "aggregate_debits": debits}
    if debits == 0:
        return _line(
            name, "net_capital_to_debits", "not_applicable", reference, rules, unit="ratio", reason="no aggregate debits", inputs=inputs
        )
    ratio = None if capital is None or debits is None else capital / debits
    status = at_least(ratio, rules.debits_share)
    return _line(
        name, "net_capital_to_debits", status, reference, rules, unit="ratio", value=ratio, limit_value=rules.debits_share,
        reason=lacking if status == "undetermined" else None, inputs=inputs,
    )  # fmt: skip


def _notice_line(
    name: str, capital: float | None, debts: float | None, debits: float | None, required: float | None, alternative: bool,
    lacking: str | None, rules: NetCapitalRules,
) -> RegulatoryLine:  # fmt: skip
    """Net capital below which the regulator is to be told."""
    warned = None
    if required is not None:
        by_standard = rules.notice_debits_share * (debits or 0.0) if alternative else (debts or 0.0) / rules.notice_indebtedness_multiple
        warned = max(rules.notice_minimum_multiple * required, by_standard)
    status = at_least(capital, warned)
    reason = "notice is due (17a-11)" if status == "breach" else lacking if status == "undetermined" else None
    return _line(name, "early_warning", status, rules.notice_reference, rules, value=capital, limit_value=warned, reason=reason)


def _line(name: str, item: str, status: str, reference: str, rules: NetCapitalRules, unit: str = "USD", **rest: Any) -> RegulatoryLine:
    return RegulatoryLine(name, "entity", "sec_15c3_1", item, unit, status, reference, rules.version, **rest)
