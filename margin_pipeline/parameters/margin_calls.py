"""When margin calls are due on a date, as a frozen record.

Belongs here: reading and checking margin_calls.yaml. Not here: amounts (`decisions`), sessions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class MarginCallRules:
    """Days to meet a call, sessions after the date of the figures.

    Attributes
    ----------
    version : parameter file and version.
    payment_period_days : Regulation T calls, and purchases in cash accounts.
    maintenance_days : calls of margin accounts for maintenance and least equity: the house's days, never more than the rule's.
    portfolio_margin_days : the same of portfolio margin accounts.
    exchange_days : calls of futures accounts.
    uncleared_days, uncleared_references : by regime of uncleared derivatives.
    day_trading_minimum_equity_usd : US dollars that a day trading account must have; None: no such rule.
    *_reference : rule and paragraph.
    """

    version: RuleVersion
    payment_period_days: int
    maintenance_days: int
    portfolio_margin_days: int
    exchange_days: int
    uncleared_days: Mapping[str, int]
    uncleared_references: Mapping[str, str]
    day_trading_minimum_equity_usd: float | None
    initial_reference: str
    account_reference: str
    cash_reference: str
    maintenance_reference: str
    portfolio_margin_reference: str
    minimum_equity_reference: str
    day_trading_reference: str
    exchange_reference: str
    contract_reference: str


REFERENCES = [name for name in MarginCallRules.__dataclass_fields__ if name.endswith("_reference")]


def margin_call_rules(as_of: dt.date) -> MarginCallRules:
    """Rules of margin calls in force on a date.

    Raises
    ------
    ParameterError : no version in force, or days that no rule can mean.
    """
    found = in_force("margin_calls", as_of)
    v = found.values
    house, least = v["house_maintenance_days"], v["day_trading_minimum_equity_usd"]
    days: dict[str, Any] = {name: int(v[name]) for name in ("payment_period_days", "portfolio_margin_days", "exchange_days")}
    references: dict[str, Any] = {name: str(v[name]) for name in REFERENCES}
    days["maintenance_days"] = min(int(v["maintenance_days"]), int(v["maintenance_days"] if house is None else house))
    uncleared = {str(name): int(count) for name, count in v["uncleared_days"].items()}
    if min(*days.values(), *uncleared.values()) < 0:
        raise ParameterError(f"{found.label}: days must be at least 0")
    return MarginCallRules(
        version=RuleVersion(found.label, found.effective_date),
        uncleared_days=uncleared,
        uncleared_references={str(name): str(text) for name, text in v["uncleared_references"].items()},
        day_trading_minimum_equity_usd=None if least is None else float(least),
        **days,
        **references,
    )
