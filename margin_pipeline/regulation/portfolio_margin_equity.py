"""Minimum equity of portfolio margin accounts and of pattern day traders, and who else would be eligible, as regulatory lines.

Belongs here: FINRA 4210(g)(1) and (g)(4), 4210(f)(8)(B). Not here: margin of these accounts (`margin`), other lines of margin
accounts (`finra`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from margin_pipeline.parameters.finra import FinraRules, finra_rules
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, known

EXEMPT_ENTITIES = frozenset({"broker_dealer", "futures_exchange_member"})
"""Eligible participants without a minimum of their own: 4210(g)(4)(A) and (B)."""
DAY_TRADER = "pattern_day_trader"
"""Entity figure that is 1 where the broker holds the account to be a pattern day trader's."""
OWN_MINIMUM = "portfolio_margin_minimum_equity"
"""Entity figure with the minimum of the broker's plan of monitoring, e.g. 150,000 dollars without monitoring during the day."""


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """A line of every portfolio: equity of a portfolio margin account against its minimum, or whether a margin account would be eligible.

    A pattern day trader has a line about its equity besides.

    Notes
    -----
    The minimum is 5,000,000 dollars where the account holds unlisted derivatives (it has a netting set), else that of the broker's plan of
    monitoring, 100,000 unless the entity figure portfolio_margin_minimum_equity says more; a broker-dealer or member of a futures exchange
    has none. 4210(f)(8)(B)(iv): a pattern day trader needs 25,000 dollars, as long as that rule is in force; (g)(13): not a portfolio
    margin account of at least 5,000,000.
    """
    rules = finra_rules(inputs.as_of)
    found = [_line(inputs, portfolio, rules) for portfolio in inputs.portfolios]
    traders = [portfolio for portfolio in inputs.portfolios if inputs.entity_numbers(portfolio).get(DAY_TRADER) == 1]
    return found + [_day_trader(inputs, portfolio, rules) for portfolio in traders]


def _line(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: FinraRules) -> RegulatoryLine:
    name, base, account = (str(portfolio[key]) for key in ("portfolio_id", "base_currency", "account_type"))
    is_portfolio_margin = account == "portfolio_margin"
    item = "portfolio_margin_minimum_equity" if is_portfolio_margin else "portfolio_margin_eligibility"

    def line(status: str, **rest: Any) -> RegulatoryLine:
        return RegulatoryLine(
            name, "portfolio", "finra", item, base, status, rules.portfolio_margin_equity_reference, rules.version, **rest
        )

    if reason := _why_not(inputs, portfolio, rules):
        return line("not_applicable", reason=reason)
    unlisted = bool(inputs.of_portfolio("netting_sets", name))
    given = inputs.entity_figures(portfolio, "USD").get(OWN_MINIMUM)
    least = rules.portfolio_margin_minimum_equity_usd if given is None else max(given, rules.portfolio_margin_minimum_equity_usd)
    dollars = max(least, rules.portfolio_margin_minimum_equity_unlisted_usd) if unlisted else least
    value, limit = known(portfolio["equity"]), known(dollars * inputs.rate("USD", base))
    found = {"minimum_equity_usd": known(dollars), "holds_unlisted_derivatives": unlisted}
    status = at_least(value, limit)
    if status == "undetermined":
        return line(status, value=value, reason=f"equity, or the exchange rate of USD to {base}", inputs=found)
    if is_portfolio_margin:
        return line(status, value=value, limit_value=limit, inputs=found)
    return line("information", value=value, limit_value=limit, inputs={**found, "would_be_eligible": status == "pass"})


def _day_trader(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: FinraRules) -> RegulatoryLine:
    """Equity of a pattern day trader against its minimum."""
    name, base, account = (str(portfolio[key]) for key in ("portfolio_id", "base_currency", "account_type"))

    def line(status: str, **rest: Any) -> RegulatoryLine:
        item = "pattern_day_trader_minimum_equity"
        return RegulatoryLine(name, "portfolio", "finra", item, base, status, rules.day_trading_reference, rules.version, **rest)

    if reason := _not_an_account(portfolio, rules):
        return line("not_applicable", reason=reason)
    least = rules.day_trading_minimum_equity_usd
    if least is None:
        return line("not_applicable", reason="no rule of pattern day traders is in force on this date")
    rate = inputs.rate("USD", base)
    value, limit, exempt = known(portfolio["equity"]), known(least * rate), known(rules.day_trading_exempt_equity_usd * rate)
    if value is None or limit is None or exempt is None:
        return line("undetermined", value=value, reason=f"equity, or the exchange rate of USD to {base}")
    if account == "portfolio_margin" and value >= exempt:
        return line("not_applicable", reason=f"a portfolio margin account of at least {rules.day_trading_exempt_equity_usd:,.0f} dollars")
    return line(at_least(value, limit), value=value, limit_value=limit, inputs={"minimum_equity_usd": least})


def _not_an_account(portfolio: Mapping[Any, Any], rules: FinraRules) -> str | None:
    account, jurisdiction = (str(portfolio[key] or "") for key in ("account_type", "jurisdiction"))
    if account not in rules.account_types:
        return f"account type {account} is not a margin account"
    if jurisdiction not in ("", "nan", "None", "<NA>", *rules.jurisdictions):
        return f"jurisdiction {jurisdiction}: the rule is for accounts at US broker-dealers"
    return None


def _why_not(inputs: RegulatoryInputs, portfolio: Mapping[Any, Any], rules: FinraRules) -> str | None:
    if reason := _not_an_account(portfolio, rules):
        return reason
    entity = str(portfolio["entity_type"] or "")
    if inputs.as_of < rules.portfolio_margin_applies_from:
        return f"portfolio margin starts on {rules.portfolio_margin_applies_from}"
    return f"entity type {entity} is eligible without a minimum of its own" if entity in EXEMPT_ENTITIES else None
