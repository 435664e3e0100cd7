"""Net capital of broker-dealers in the United States, as regulatory lines.

Belongs here: ratios of Rule 15c3-1, when notice is due, what may be withdrawn. Not here: computing net capital, haircuts
(`equity_haircut`), the amounts (`parameters`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.net_capital import NetCapitalRules, net_capital_rules
from margin_pipeline.regulation.equity_haircut import haircut_line
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, at_most, known

ENTITY = "broker_dealer"
FIGURES = ("net_capital", "aggregate_indebtedness", "aggregate_debits", "minimum_net_capital")
NEVER_NEGATIVE = FIGURES[1:]
RISK_MARGIN = "customer_risk_margin"
"""Entity figure of a broker-dealer that is a futures commission merchant: risk margin of the accounts that it carries."""


@dataclass(frozen=True)
class Firm:
    """A broker-dealer: its figures in US dollars, None where missing, and what its standard asks.

    Attributes
    ----------
    capital, debts, debits : net capital, aggregate indebtedness and aggregate debits.
    dollars : dollar minimum.
    is_alternative : whether the alternative standard was elected.
    multiple : greatest indebtedness over net capital.
    lacking : what is missing, in words; None: nothing.
    """

    name: str
    capital: float | None
    debts: float | None
    debits: float | None
    dollars: float | None
    is_alternative: bool
    multiple: float
    lacking: str | None

    def by_standard(self, debits_share: float, multiple: float) -> float | None:
        """Net capital that debits or indebtedness ask for at a share or multiple."""
        if self.is_alternative:
            return None if self.debits is None else debits_share * self.debits
        return None if self.debts is None else self.debts / multiple

    def required(self, rules: NetCapitalRules) -> float | None:
        """The greater of the dollar minimum and that of the standard."""
        of_standard = self.by_standard(rules.debits_share, self.multiple)
        return None if self.dollars is None or of_standard is None else max(self.dollars, of_standard)


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every broker-dealer of the United States, in US dollars; any other portfolio has one line that says why not.

    Notes
    -----
    17 CFR 240.15c3-1(a): net capital of at least the greater of the dollar minimum and that of its standard. Aggregate indebtedness
    standard: indebtedness at most 15 times net capital (8 in the first year, entity figure first_year = 1). Alternative standard (entity
    figure alternative_standard = 1): at least 2 % of aggregate debits, and never less than the dollars of that standard. 17a-11: notice
    when indebtedness exceeds 12 times net capital, or net capital falls below 5 % of debits, or below 120 % of the minimum. 15c3-1(e):
    what is withdrawn must leave 120 % of the dollar minimum, and a tenth of indebtedness or 5 % of debits. Net capital that is zero or
    negative breaks every ratio. 17 CFR 1.17: a futures commission merchant (entity figure customer_risk_margin) needs 8 % of that.
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
    figures, numbers = inputs.entity_figures(portfolio, "USD"), inputs.entity_numbers(portfolio)
    firm = _firm(str(portfolio["portfolio_id"]), figures, numbers, rules)
    required = firm.required(rules)
    excess = None if firm.capital is None or required is None else firm.capital - required
    minimum = {
        "dollar_minimum": firm.dollars,
        "minimum_of_standard": firm.by_standard(rules.debits_share, firm.multiple),
        "standard": "alternative" if firm.is_alternative else "basic",
    }
    own = [
        _line(
            firm.name, "net_capital", at_least(firm.capital, required), rules.minimum_reference, rules, value=firm.capital,
            limit_value=required, reason=firm.lacking if excess is None else None, inputs=minimum,
        ),
        _debits_line(firm, rules) if firm.is_alternative else _indebtedness_line(firm, rules),
        _notice_line(firm, required, rules),
        _information(firm, "excess_net_capital", excess, rules.minimum_reference, rules),
        _withdrawal_line(firm, rules),
        haircut_line(inputs, portfolio, rules),
    ]  # fmt: skip
    return [*own, _futures_line(firm, figures, rules)] if RISK_MARGIN in figures else own


def _firm(name: str, figures: Mapping[str, float], numbers: Mapping[str, float], rules: NetCapitalRules) -> Firm:
    capital, debts, debits, given = (
        None if figure in NEVER_NEGATIVE and figures.get(figure, 0.0) < 0 else known(figures.get(figure)) for figure in FIGURES
    )
    is_alternative = numbers.get("alternative_standard") == 1
    dollars: float | None = rules.alternative_minimum_dollars if is_alternative else rules.minimum_dollars
    if "minimum_net_capital" in figures:
        least = rules.alternative_minimum_dollars if is_alternative else rules.least_minimum_dollars
        dollars = None if given is None else max(given, least)
    multiple = rules.indebtedness_multiple_first_year if numbers.get("first_year") == 1 else rules.indebtedness_multiple
    return Firm(name, capital, debts, debits, dollars, is_alternative, multiple, _lacking(figures, is_alternative))


def _lacking(figures: Mapping[str, float], is_alternative: bool) -> str | None:
    """What the lines lack: a figure, its exchange rate, or a figure that can be."""
    needed = ["net_capital", "aggregate_debits" if is_alternative else "aggregate_indebtedness"]
    used = [*needed, "minimum_net_capital"]
    found = [f"entity figure {figure}" for figure in needed if figure not in figures]
    found += [f"exchange rate of entity figure {figure} to USD" for figure in used if math.isnan(figures.get(figure, 0.0))]
    found += [
        f"entity figure {figure} that is not negative" for figure in used if figure in NEVER_NEGATIVE and figures.get(figure, 0.0) < 0
    ]
    return "; ".join(found) or None


def _indebtedness_line(firm: Firm, rules: NetCapitalRules) -> RegulatoryLine:
    """Aggregate indebtedness over net capital; without net capital there is no ratio, and the limit is broken by any debt."""
    ratio = None if firm.capital is None or firm.debts is None or firm.capital <= 0 else firm.debts / firm.capital
    status, reason = at_most(ratio, firm.multiple), firm.lacking if ratio is None else None
    if firm.capital is not None and firm.debts is not None and firm.capital <= 0:
        status, reason = "breach", "there is no net capital"
    inputs = {"net_capital": firm.capital, "aggregate_indebtedness": firm.debts}
    return _line(
        firm.name, "aggregate_indebtedness_ratio", status, rules.indebtedness_reference, rules, unit="ratio", value=ratio,
        limit_value=firm.multiple, reason=reason, inputs=inputs,
    )  # fmt: skip


def _debits_line(firm: Firm, rules: NetCapitalRules) -> RegulatoryLine:
    """Net capital over aggregate debits; without debits the dollar minimum alone counts."""
    inputs = {"net_capital": firm.capital, "aggregate_debits": firm.debits}
    shared: dict[str, Any] = {"unit": "ratio", "inputs": inputs}
    item, reference = "net_capital_to_debits", rules.debits_reference
    if firm.debits == 0:
        return _line(firm.name, item, "not_applicable", reference, rules, reason="no aggregate debits", **shared)
    ratio = None if firm.capital is None or firm.debits is None else firm.capital / firm.debits
    status, reason = at_least(ratio, rules.debits_share), firm.lacking if ratio is None else None
    return _line(firm.name, item, status, reference, rules, value=ratio, limit_value=rules.debits_share, reason=reason, **shared)


def _notice_line(firm: Firm, required: float | None, rules: NetCapitalRules) -> RegulatoryLine:
    """Net capital below which the regulator is to be told."""
    by_standard = firm.by_standard(rules.notice_debits_share, rules.notice_indebtedness_multiple)
    warned = None if required is None or by_standard is None else max(rules.notice_minimum_multiple * required, by_standard)
    status = at_least(firm.capital, warned)
    reason = "notice is due (17a-11)" if status == "breach" else firm.lacking if status == "undetermined" else None
    return _line(firm.name, "early_warning", status, rules.notice_reference, rules, value=firm.capital, limit_value=warned, reason=reason)


def _withdrawal_line(firm: Firm, rules: NetCapitalRules) -> RegulatoryLine:
    """Equity capital that may be withdrawn, advanced or lent: what exceeds the net capital that has to be left."""
    by_standard = firm.by_standard(rules.withdrawal_debits_share, rules.withdrawal_indebtedness_multiple)
    left = None if firm.dollars is None or by_standard is None else max(rules.withdrawal_minimum_multiple * firm.dollars, by_standard)
    value = None if firm.capital is None or left is None else max(firm.capital - left, 0.0)
    return _information(firm, "withdrawable_net_capital", value, rules.withdrawal_reference, rules, {"net_capital_to_be_left": left})


def _futures_line(firm: Firm, figures: Mapping[str, float], rules: NetCapitalRules) -> RegulatoryLine:
    """Net capital of a futures commission merchant against its share of the risk margin of the accounts that it carries."""
    item, share = "futures_net_capital", rules.futures_risk_margin_share
    if share is None:
        reason = "the requirement by risk margin starts on 2004-09-30"
        return _line(firm.name, item, "not_applicable", rules.futures_reference, rules, reason=reason)
    margin = known(figures[RISK_MARGIN])
    limit = None if margin is None else max(rules.futures_minimum_dollars, share * margin)
    status = at_least(firm.capital, limit)
    lacking = [] if firm.capital is not None else [str(firm.lacking)]
    lacking += [] if margin is not None else [f"exchange rate of entity figure {RISK_MARGIN} to USD"]
    inputs = {RISK_MARGIN: margin, "dollar_minimum": rules.futures_minimum_dollars}
    return _line(
        firm.name, item, status, rules.futures_reference, rules, value=firm.capital, limit_value=limit,
        reason="; ".join(lacking) or None, inputs=inputs,
    )  # fmt: skip


def _information(
    firm: Firm, item: str, value: float | None, reference: str, rules: NetCapitalRules, inputs: Mapping[str, object] | None = None
) -> RegulatoryLine:
    status, reason = ("undetermined", firm.lacking) if value is None else ("information", None)
    return _line(firm.name, item, status, reference, rules, value=value, reason=reason, inputs=inputs or {})


def _line(name: str, item: str, status: str, reference: str, rules: NetCapitalRules, unit: str = "USD", **rest: Any) -> RegulatoryLine:
    return RegulatoryLine(name, "entity", "sec_15c3_1", item, unit, status, reference, rules.version, **rest)
