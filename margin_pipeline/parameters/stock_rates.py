"""Margin rates of stock in force on a date, as frozen records.

Belongs here: reading and checking reg_t.yaml and pattern_day_trading.yaml. Not here: computing a requirement (`margin`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force

NUMBERS = (
    "initial", "initial_short", "long_maintenance", "short_maintenance", "short_floor_per_share", "low_price", "low_price_rate",
    "low_price_floor_per_share", "leveraged_cap", "boxed", "minimum_equity_usd",
)  # fmt: skip
"""Values of the file that are numbers."""

REFERENCES = ("initial_reference", "long_reference", "short_reference", "minimum_reference")


@dataclass(frozen=True)
class StockRates:
    """Rates of stock in force on one date; fractions of market value, US dollars a share.

    Attributes
    ----------
    initial : initial margin of long stock.
    long_maintenance : maintenance margin of long stock.
    short_maintenance : maintenance margin of short stock beyond its proceeds.
    short_floor_per_share : US dollars a share; least maintenance of short stock at `low_price` or more.
    low_price : US dollars a share; below it short stock needs `low_price_rate`.
    low_price_floor_per_share : US dollars a share; least maintenance of short stock below `low_price`.
    initial_short : initial margin of short stock beyond its proceeds.
    low_price_rate : maintenance margin of short stock below `low_price`.
    leveraged_cap : most that rate times leverage factor comes to.
    boxed : long and short of the same security, fraction of the long value.
    minimum_equity_usd : US dollars; least initial equity of a margin account.
    label : file and version.
    initial_reference, long_reference, short_reference, minimum_reference : rule and paragraph.
    """

    initial: float
    long_maintenance: float
    short_maintenance: float
    short_floor_per_share: float
    low_price: float
    low_price_floor_per_share: float
    initial_short: float = 0.5
    low_price_rate: float = 1.0
    leveraged_cap: float = 1.0
    boxed: float = 0.05
    minimum_equity_usd: float = 2000.0
    label: str = ""
    initial_reference: str = ""
    long_reference: str = ""
    short_reference: str = ""
    minimum_reference: str = ""

    def __post_init__(self) -> None:
        """Refuse rates that no rule can mean."""
        fractions = (self.initial, self.initial_short, self.long_maintenance, self.short_maintenance, self.boxed, self.low_price_rate)
        dollars = (self.short_floor_per_share, self.low_price, self.low_price_floor_per_share, self.minimum_equity_usd)
        if not all(0 <= rate <= 1 for rate in fractions) or not all(amount >= 0 for amount in dollars):
            raise ParameterError(f"{self.label}: rates must be in [0, 1] and dollar amounts at least 0")


@dataclass(frozen=True)
class DayTradingRules:
    """Leverage of pattern day traders on one date.

    Attributes
    ----------
    label : file and version.
    reference : rule and paragraph, or what took its place.
    in_force : whether the rule applies; otherwise the ordinary requirement of stock does, and the leverages mean nothing.
    open_leverage : value over requirement while the market is open and not about to close.
    closed_leverage : the same at any other time.
    """

    label: str
    reference: str
    in_force: bool
    open_leverage: float = 1.0
    closed_leverage: float = 1.0

    def __post_init__(self) -> None:
        """Refuse leverages that no rule can mean."""
        if not self.open_leverage >= self.closed_leverage >= 1:
            raise ParameterError(f"{self.label}: leverages must satisfy open >= closed >= 1")


def stock_rates(as_of: dt.date) -> StockRates:
    """Rates of stock in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("reg_t", as_of)
    v = found.values
    numbers: dict[str, Any] = {name: float(v[name]) for name in NUMBERS}
    references: dict[str, Any] = {name: str(v[name]) for name in REFERENCES}
    return StockRates(**numbers, **references, label=found.label)


def day_trading_rules(as_of: dt.date) -> DayTradingRules:
    """Rule of pattern day traders on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("pattern_day_trading", as_of)
    v = found.values
    if not v["in_force"]:
        return DayTradingRules(label=found.label, reference=str(v["reference"]), in_force=False)
    leverages = (float(v["open_leverage"]), float(v["closed_leverage"]))
    return DayTradingRules(found.label, str(v["reference"]), True, *leverages)
