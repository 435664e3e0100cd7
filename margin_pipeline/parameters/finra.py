"""Rules of margin accounts at US broker-dealers in force on a date, as a frozen record.

Belongs here: reading finra.yaml. Not here: computing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class FinraRules:
    """Minimum equity and maintenance of margin accounts.

    Attributes
    ----------
    version : parameter file and version.
    minimum_equity_usd : US dollars.
    account_types, jurisdictions : accounts that the rules apply to.
    portfolio_margin_applies_from : first day on which customers could have portfolio margin.
    portfolio_margin_minimum_equity_usd : least equity of a portfolio margin account, US dollars.
    portfolio_margin_minimum_equity_unlisted_usd : least equity of one with unlisted derivatives, US dollars.
    day_trading_minimum_equity_usd : least equity of a pattern day trader, US dollars; None: no such rule.
    day_trading_exempt_equity_usd : equity from which on a portfolio margin account is free of it, US dollars.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_equity_usd: float
    account_types: frozenset[str]
    jurisdictions: frozenset[str]
    portfolio_margin_applies_from: dt.date
    portfolio_margin_minimum_equity_usd: float
    portfolio_margin_minimum_equity_unlisted_usd: float
    day_trading_minimum_equity_usd: float | None
    day_trading_exempt_equity_usd: float
    minimum_equity_reference: str
    maintenance_reference: str
    portfolio_margin_reference: str
    initial_reference: str
    portfolio_margin_equity_reference: str
    day_trading_reference: str


def finra_rules(as_of: dt.date) -> FinraRules:
    """Rules of margin accounts in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("finra", as_of)
    v = found.values
    day_trading = v["day_trading_minimum_equity_usd"]
    return FinraRules(
        version=RuleVersion(found.label, found.effective_date),
        minimum_equity_usd=float(v["minimum_equity_usd"]),
        account_types=frozenset(v["account_types"]),
        jurisdictions=frozenset(v["jurisdictions"]),
        portfolio_margin_applies_from=v["portfolio_margin_applies_from"],
        portfolio_margin_minimum_equity_usd=float(v["portfolio_margin_minimum_equity_usd"]),
        portfolio_margin_minimum_equity_unlisted_usd=float(v["portfolio_margin_minimum_equity_unlisted_usd"]),
        day_trading_minimum_equity_usd=None if day_trading is None else float(day_trading),
        day_trading_exempt_equity_usd=float(v["day_trading_exempt_equity_usd"]),
        minimum_equity_reference=str(v["minimum_equity_reference"]),
        maintenance_reference=str(v["maintenance_reference"]),
        portfolio_margin_reference=str(v["portfolio_margin_reference"]),
        initial_reference=str(v["initial_reference"]),
        portfolio_margin_equity_reference=str(v["portfolio_margin_equity_reference"]),
        day_trading_reference=str(v["day_trading_reference"]),
    )
