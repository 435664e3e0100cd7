"""What a margin model takes and gives.

Belongs here: the rates in force, the requirement, reasons for a missing one. Not here: any rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from margin_pipeline.margin.tiers import Schedule
from margin_pipeline.parameters.margin_models import AssetClassRates, FuturesRules
from margin_pipeline.parameters.option_rates import OptionRates
from margin_pipeline.parameters.stock_rates import StockRates

Array = np.ndarray


@dataclass(frozen=True)
class Terms:
    """Rates in force on the date.

    Attributes
    ----------
    as_of : business date.
    stock, options, asset_classes, futures : rates and rules.
    given_rates : (initial, maintenance) by asset class from margin_rates, which replace the shipped ones.
    exchange : futures margins in force, indexed by root.
    schedules : margin schedules in force, by name.
    usd : US dollars for one unit of each currency.
    intraday : whether intraday exchange rates apply.
    at : instant that they apply to; None: after the close.
    """

    as_of: dt.date
    stock: StockRates
    options: OptionRates
    asset_classes: AssetClassRates
    futures: FuturesRules
    given_rates: Mapping[str, tuple[float, float]]
    exchange: pd.DataFrame
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
    missing : (n,) what is missing or inadmissible, None where nothing is.
    explanation : (n,) JSON objects.
    """

    initial: Array
    maintenance: Array
    missing: Array
    explanation: pd.Series


@dataclass
class Reasons:
    """Collects what is missing, row by row; several reasons of a row are joined."""

    length: int
    _found: dict[int, list[str]] = field(default_factory=dict)

    def add(self, where: Array, text: Callable[[int], str]) -> None:
        """Add `text(row)` to the rows where the (n,) condition holds."""
        for row in np.flatnonzero(where).tolist():
            known = self._found.setdefault(row, [])
            reason = text(row)
            if reason not in known:
                known.append(reason)

    def texts(self) -> Array:
        """(n,) reasons; None where there is none."""
        missing = np.full(self.length, None, dtype=object)
        for row, found in self._found.items():
            missing[row] = "; ".join(found)
        return missing


def number(book: pd.DataFrame, column: str) -> Array:
    """A column of the book as (n,) float64."""
    return book[column].to_numpy(dtype=np.float64)


def truth(condition: pd.Series) -> Array:
    """A condition on a column as (n,) booleans; missing values do not meet it."""
    return condition.fillna(False).to_numpy(dtype=bool)


def price_missing(book: pd.DataFrame, reasons: Reasons, as_of: dt.date, needed: Array | None = None) -> None:
    """Add the positions that need a price and have none."""
    gap = np.isnan(number(book, "price"))
    symbols = book["symbol"].to_numpy(dtype=object)
    reasons.add(gap if needed is None else gap & needed, lambda row: f"price of {symbols[row]} {as_of}")


def exchange_rate_missing(book: pd.DataFrame, reasons: Reasons, as_of: dt.date, needed: Array | None = None) -> None:
    """Add the positions that need the rate into base currency and have none."""
    gap = np.isnan(number(book, "fx_rate"))
    own, base = book["currency"].to_numpy(dtype=object), book["base_currency"].to_numpy(dtype=object)
    reasons.add(gap if needed is None else gap & needed, lambda row: f"exchange rate of {own[row]} into {base[row]} {as_of}")


def finished(initial: Array, maintenance: Array, reasons: Reasons, explanation: pd.Series) -> Requirement:
    """Requirement whose amounts are empty wherever something is missing."""
    missing = reasons.texts()
    gap = missing != None  # noqa: E711 - element by element
    return Requirement(np.where(gap, np.nan, initial), np.where(gap, np.nan, maintenance), missing, explanation)
