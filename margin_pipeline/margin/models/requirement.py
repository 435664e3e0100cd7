"""What a margin model takes and gives.

Belongs here: the rates in force, the requirement, reasons for a missing one. Not here: any rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.exchange import ExchangeMargins
from margin_pipeline.margin.tiers import Schedule
from margin_pipeline.parameters.margin_models import AssetClassRates, FuturesRules
from margin_pipeline.parameters.option_rates import OptionRates
from margin_pipeline.parameters.stock_rates import DayTradingRules, StockRates

Array = np.ndarray


@dataclass(frozen=True)
class Terms:
    """Rates in force on the date.

    Attributes
    ----------
    as_of : business date.
    stock, day_trading, options, asset_classes, futures : rates and rules.
    given_rates : (initial, maintenance) by asset class from margin_rates, which replace the shipped ones.
    exchange : futures margins in force.
    schedules : margin schedules in force, by name.
    usd : US dollars for one unit of each currency.
    intraday : whether intraday rates and rules apply.
    at : instant that they apply to; None: after the close.
    """

    as_of: dt.date
    stock: StockRates
    day_trading: DayTradingRules
    options: OptionRates
    asset_classes: AssetClassRates
    futures: FuturesRules
    given_rates: Mapping[str, tuple[float, float]]
    exchange: ExchangeMargins
    schedules: Mapping[str, Schedule]
    usd: Mapping[str, float]
    intraday: bool = False
    at: dt.datetime | None = None


@dataclass(frozen=True)
class Requirement:
    """What n positions need on their own.

    Attributes
    ----------
    initial, maintenance : (n,) base currency; NaN where something is missing.
    missing : what is missing or inadmissible, by row; rows without a reason are left out.
    explanation : gives (n,) JSON objects; called once, and only by who wants to read them.
    """

    initial: Array
    maintenance: Array
    missing: Mapping[int, str]
    explanation: Callable[[], pd.Series]


@dataclass
class Reasons:
    """Collects what is missing, row by row; several reasons of a row are joined."""

    length: int
    _found: dict[int, list[str]] = field(default_factory=dict)

    def add(self, where: Array, text: Callable[[int], str]) -> None:
        """Add `text(row)` to the rows where the (n,) condition holds."""
        for row in where.nonzero()[0].tolist():
            self.add_to(row, text(row))

    def add_to(self, row: int, reason: str) -> None:
        """Add a reason to one row, once."""
        known = self._found.setdefault(row, [])
        if reason not in known:
            known.append(reason)

    def by_row(self) -> dict[int, str]:
        """Reasons of the rows that have any."""
        return {row: "; ".join(found) for row, found in self._found.items()}

    def texts(self) -> Array:
        """(n,) reasons; None where there is none."""
        missing = np.full(self.length, None, dtype=object)
        for row, text in self.by_row().items():
            missing[row] = text
        return missing


def number(frame: pd.DataFrame, column: str) -> Array:
    """A column of a frame as (n,) float64."""
    return frame[column].to_numpy(dtype=np.float64)


def truth(condition: pd.Series) -> Array:
    """A condition on a column as (n,) booleans; missing values do not meet it."""
    return condition.fillna(False).to_numpy(dtype=bool)


def price_missing(book: Book, reasons: Reasons, as_of: dt.date, needed: Array | None = None) -> None:
    """Add the positions that need a price and have none."""
    gap, symbol = np.isnan(book.number("price")), book.text("symbol")
    reasons.add(gap if needed is None else gap & needed, lambda row: f"price of {symbol[row]} {as_of}")


def underlying_price_missing(book: Book, reasons: Reasons, as_of: dt.date, needed: Array) -> None:
    """Add the options that need the close of their underlying and have none."""
    gap, underlying = np.isnan(book.number("underlying_close")), book.text("underlying")
    reasons.add(gap & needed, lambda row: f"price of {underlying[row]} {as_of}")


def exchange_rate_missing(book: Book, reasons: Reasons, as_of: dt.date, needed: Array | None = None) -> None:
    """Add the positions that need the rate into base currency and have none."""
    gap, own, base = np.isnan(book.number("fx_rate")), book.text("currency"), book.text("base_currency")
    reasons.add(gap if needed is None else gap & needed, lambda row: f"exchange rate of {own[row]} into {base[row]} {as_of}")


def dollar_rate_missing(book: Book, reasons: Reasons, as_of: dt.date, needed: Array) -> None:
    """Add the positions whose rule has dollar amounts that cannot be converted."""
    gap, own = np.isnan(book.number("dollars")), book.text("currency")
    reasons.add(gap & needed, lambda row: f"exchange rate of {own[row]} into USD {as_of}")


def finished(initial: Array, maintenance: Array, reasons: Reasons, explanation: Callable[[], pd.Series]) -> Requirement:
    """Requirement whose amounts are empty wherever something is missing."""
    return without(Requirement(initial, maintenance, {}, explanation), reasons.by_row())


def without(requirement: Requirement, missing: Mapping[int, str]) -> Requirement:
    """The requirement with these reasons in place of its own, and no amounts where there is one."""
    if not missing:
        return replace(requirement, missing={})
    rows = np.fromiter(missing, dtype=np.int64)
    initial, maintenance = requirement.initial.copy(), requirement.maintenance.copy()
    initial[rows], maintenance[rows] = np.nan, np.nan
    return replace(requirement, initial=initial, maintenance=maintenance, missing=missing)
