"""Minimum equity, maintenance and initial margin of margin accounts at US broker-dealers, as regulatory lines.

Belongs here: what is compared with what, and to whom it applies. Not here: the margins themselves (`margin`), the amounts (`parameters`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from margin_pipeline.parameters.finra import FinraRules, finra_rules
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, at_least, known

METHOD_OF_ACCOUNT = {"reg_t": "strategy_based", "portfolio_margin": "portfolio_margin"}
"""Method of portfolio_margins that the rule means, by account type."""


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Lines of every portfolio, with the parts of the margin that they are about among their inputs."""
    rules = finra_rules(inputs.as_of)
    found: list[RegulatoryLine] = []
    for portfolio in inputs.portfolios:
        name = str(portfolio["portfolio_id"])
        by_method = {str(row["method"]): row for row in inputs.of_portfolio("portfolio_margins", name)}
        usd_to_base = inputs.rate("USD", str(portfolio["base_currency"]))
        own = finra_lines(portfolio, by_method, usd_to_base, rules, inputs.as_of)
        found += _with_components(own, inputs.of_portfolio("portfolio_margin_components", name))
    return found


def finra_lines(
    portfolio: Mapping[Any, Any], margins: Mapping[str, Mapping[Any, Any]], usd_to_base: float, rules: FinraRules, as_of: dt.date
) -> list[RegulatoryLine]:
    """Lines of one portfolio.

    Parameters
    ----------
    portfolio : row of portfolios.
    margins : its rows of portfolio_margins by method.
    usd_to_base : base currency for one US dollar, NaN where unknown.
    rules : rules in force.
    as_of : business date.

    Returns
    -------
    Lines minimum_equity, maintenance_margin and initial_margin, in base currency. They apply to margin accounts at US broker-dealers: an
    account without a jurisdiction is taken for one.
    """
    account = str(portfolio["account_type"])
    reason = _why_not(portfolio, rules)
    method = METHOD_OF_ACCOUNT.get(account, "strategy_based")
    margin = margins.get(method)
    maintenance_reference = rules.portfolio_margin_reference if account == "portfolio_margin" else rules.maintenance_reference
    maintenance_reason, initial_reason = reason, reason
    if reason is None and account == "portfolio_margin":
        initial_reason = "12 CFR 220.1(b)(3)(i): Regulation T does not apply to portfolio margin accounts"
        if as_of < rules.portfolio_margin_applies_from:
            maintenance_reason = f"portfolio margin starts on {rules.portfolio_margin_applies_from}"
    return [
        _not_applicable(portfolio, "minimum_equity", rules.minimum_equity_reference, reason, rules)
        if reason
        else _minimum_equity(portfolio, margin, usd_to_base, rules),
        _not_applicable(portfolio, "maintenance_margin", maintenance_reference, maintenance_reason, rules)
        if maintenance_reason
        else _maintenance(portfolio, margin, method, maintenance_reference, rules),
        _not_applicable(portfolio, "initial_margin", rules.initial_reference, initial_reason, rules)
        if initial_reason
        else _initial(portfolio, margin, method, rules),
    ]


def _why_not(portfolio: Mapping[Any, Any], rules: FinraRules) -> str | None:
    account, jurisdiction = str(portfolio["account_type"]), portfolio["jurisdiction"]
    if account not in rules.account_types:
        return f"account type {account} is not a margin account"
    if not pd.isna(jurisdiction) and str(jurisdiction) not in ("", *rules.jurisdictions):
        return f"jurisdiction {jurisdiction}: the rule is for accounts at US broker-dealers"
    return None


def _line(portfolio: Mapping[Any, Any], item: str, status: str, reference: str, rules: FinraRules, **rest: Any) -> RegulatoryLine:
    unit = str(portfolio["base_currency"])
    return RegulatoryLine(str(portfolio["portfolio_id"]), "portfolio", "finra", item, unit, status, reference, rules.version, **rest)


def _not_applicable(portfolio: Mapping[Any, Any], item: str, reference: str, reason: str | None, rules: FinraRules) -> RegulatoryLine:
    return _line(portfolio, item, "not_applicable", reference, rules, reason=reason)


def _minimum_equity(
    portfolio: Mapping[Any, Any], margin: Mapping[Any, Any] | None, usd_to_base: float, rules: FinraRules
) -> RegulatoryLine:
    """Equity against $2,000, or what was bought where that costs less.

    The initial margin contains the rule already: it is never below the smaller of $2,000 and the cost of the securities. So the smaller
    of $2,000 and the initial margin is never more than the rule asks, and less only where the positions need less than $2,000 anyway.
    """
    equity = known(portfolio["equity"])
    most = known(rules.minimum_equity_usd * usd_to_base)
    initial = None if margin is None else known(margin["initial_margin"])
    limit = most if most is None or initial is None else min(most, initial)
    status = at_least(equity, limit)
    reason = None
    if most is None:
        reason = f"exchange rate of USD to {portfolio['base_currency']}"
    elif initial is None and status == "breach":
        status, reason = "undetermined", "initial margin, which may be below the amount of the rule"
    inputs = {"minimum_equity_usd": rules.minimum_equity_usd, "usd_to_base": known(usd_to_base), "initial_margin": initial}
    figures = {"value": equity, "limit_value": limit, "reason": reason, "inputs": inputs}
    return _line(portfolio, "minimum_equity", status, rules.minimum_equity_reference, rules, **figures)


def _maintenance(
    portfolio: Mapping[Any, Any], margin: Mapping[Any, Any] | None, method: str, reference: str, rules: FinraRules
) -> RegulatoryLine:
    """margin_equity against the maintenance margin of the method that the account is under."""
    if margin is None or known(margin["maintenance_margin"]) is None:
        why = _missing(margin, method)
        return _line(portfolio, "maintenance_margin", "undetermined", reference, rules, reason=why, inputs={"method": method})
    value, limit = known(margin["margin_equity"]), known(margin["maintenance_margin"])
    status = at_least(value, limit)
    reason = f"margin equity of method {method}" if status == "undetermined" else None
    inputs = {"method": method, "margin_equity": value, "maintenance_margin": limit}
    return _line(portfolio, "maintenance_margin", status, reference, rules, value=value, limit_value=limit, reason=reason, inputs=inputs)


def _initial(portfolio: Mapping[Any, Any], margin: Mapping[Any, Any] | None, method: str, rules: FinraRules) -> RegulatoryLine:
    """Initial margin, for information: it binds when a position is opened, not afterwards."""
    value = None if margin is None else known(margin["initial_margin"])
    status = "undetermined" if value is None else "information"
    reason = _missing(margin, method) if value is None else None
    return _line(portfolio, "initial_margin", status, rules.initial_reference, rules, value=value, reason=reason, inputs={"method": method})


def _missing(margin: Mapping[Any, Any] | None, method: str) -> str:
    """Why a method has no margin, from its list of what is missing."""
    if margin is None:
        return f"no margin by method {method}"
    listed = margin["missing"]
    listed = json.loads(listed) if isinstance(listed, str) else listed
    return "; ".join(str(item) for item in listed) if isinstance(listed, list) and listed else f"margin by method {method}"


def _with_components(lines: list[RegulatoryLine], components: list[dict[Any, Any]]) -> list[RegulatoryLine]:
    """The lines, with the parts of the margin that they are about among their inputs."""
    completed = []
    for line in lines:
        column = {"maintenance_margin": "maintenance_margin", "initial_margin": "initial_margin"}.get(line.line_item)
        method = line.inputs.get("method")
        parts = {str(row["component"]): known(row[column]) for row in components if column and row["method"] == method}
        completed.append(dataclasses.replace(line, inputs={**line.inputs, "components": dict(sorted(parts.items()))}) if parts else line)
    return completed
