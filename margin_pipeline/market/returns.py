"""Returns of symbols and currencies on one calendar.

Belongs here: from price histories to a matrix of returns. Not here: estimates from them.

The calendar. Symbols trade on different days, and a return must span the same days for all of them. A date is a session when
at least a given part (one half) of the symbols that trade then has a close; a symbol trades from its first to its last close
in the history. Closes on other dates are left out: a coin that trades at weekends gets one return from Friday to Monday, and
a holiday of one exchange leaves a gap in its own symbols only. A return needs closes on two consecutive sessions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

CURRENCY_PREFIX = "fx:"
"""Currency factors are named `fx:EUR`: the return of one unit in US dollars."""


@dataclass(frozen=True)
class ReturnMatrix:
    """Daily log returns, one row a session, one column a symbol.

    Attributes
    ----------
    dates : (t,) datetime64, sessions on which the returns end, ascending.
    symbols : (n,) names of the columns, ascending.
    values : (t, n) log returns; NaN where either close is missing.
    """

    dates: npt.NDArray[np.datetime64]
    symbols: tuple[str, ...]
    values: Floats

    @property
    def simple(self) -> Floats:
        """(t, n) simple returns."""
        return np.expm1(self.values)


def log_returns(
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
    window: int | None = None,
    exclude: Collection[str] = (),
    calendar_share: float = 0.5,
) -> ReturnMatrix:
    """Daily log returns of all symbols with prices and of all currencies with rates.

    Parameters
    ----------
    prices : columns date, symbol, close, adjusted_close; one row a date and symbol. Both closes of a return are adjusted
        ones where both are there, else plain ones. Prices that are not positive count as missing.
    fx_rates : columns date, currency, usd_rate; one row a date and currency. The dollar has no factor.
    as_of : later dates are not used.
    window : returns kept, newest last; None: all.
    exclude : symbols left out. Symbols named like a currency factor are left out too.
    calendar_share : part of the symbols that trade at the time that must have a close on a session, in (0, 1].

    Returns
    -------
    ReturnMatrix; without any session it has no rows.

    Raises
    ------
    ValueError : a date and symbol, or a date and currency, comes twice.
    """
    closes = _price_table(prices["date"], prices["symbol"], prices["close"], as_of)
    adjusted = _price_table(prices["date"], prices["symbol"], prices["adjusted_close"], as_of)
    rates = _price_table(fx_rates["date"], CURRENCY_PREFIX + fx_rates["currency"].astype("str"), fx_rates["usd_rate"], as_of)
    unwanted = {*exclude, *(name for name in closes.symbols if name.startswith(CURRENCY_PREFIX))}
    closes, adjusted = closes.without(unwanted), adjusted.without(unwanted)
    rates = rates.without({CURRENCY_PREFIX + "USD"})
    sessions = _sessions(closes if closes.symbols else rates, calendar_share)
    if window is not None:
        sessions = sessions[-(window + 1) :]
    of_symbols, of_adjusted = _differences(closes, sessions), _differences(adjusted, sessions)
    np.copyto(of_symbols, of_adjusted, where=~np.isnan(of_adjusted))
    names = (*closes.symbols, *rates.symbols)
    order = sorted(range(len(names)), key=names.__getitem__)
    values = np.hstack([of_symbols, _differences(rates, sessions)])[:, order]
    return ReturnMatrix(sessions[1:], tuple(names[i] for i in order), values)


@dataclass(frozen=True)
class _PriceTable:
    """Prices with one row a date and one column a symbol, both ascending; NaN where there is none."""

    dates: npt.NDArray[np.datetime64]
    symbols: tuple[str, ...]
    values: Floats

    def without(self, unwanted: Collection[str]) -> _PriceTable:
        kept = [i for i, name in enumerate(self.symbols) if name not in unwanted]
        return (
            self if len(kept) == len(self.symbols) else _PriceTable(self.dates, tuple(self.symbols[i] for i in kept), self.values[:, kept])
        )


def _price_table(date: pd.Series, symbol: pd.Series, price: pd.Series, as_of: dt.date) -> _PriceTable:
    rows, dates = pd.factorize(date.to_numpy(dtype="datetime64[ns]"), sort=True)
    columns, symbols = pd.factorize(symbol, sort=True)
    if len(rows) and np.bincount(rows * len(symbols) + columns).max() > 1:
        row, column = divmod(int(np.bincount(rows * len(symbols) + columns).argmax()), len(symbols))
        raise ValueError(f"{symbols[column]} has more than one price on {np.datetime_as_string(dates[row], 'D')}")
    given = price.to_numpy(dtype=np.float64)
    values = np.full((len(dates), len(symbols)), np.nan)
    values[rows, columns] = np.where((given > 0) & np.isfinite(given), given, np.nan)
    known = int(np.searchsorted(dates, np.datetime64(as_of), side="right"))
    return _PriceTable(dates[:known], tuple(str(name) for name in symbols), values[:known])


def _sessions(prices: _PriceTable, share: float) -> npt.NDArray[np.datetime64]:
    """Dates on which at least a share of the symbols that trade then has a price, ascending."""
    present = ~np.isnan(prices.values)
    begun = np.logical_or.accumulate(present, axis=0)
    not_over = np.logical_or.accumulate(present[::-1], axis=0)[::-1]
    seen, trading = present.sum(axis=1), (begun & not_over).sum(axis=1)
    return prices.dates[(seen > 0) & (seen >= share * trading - 1e-9)]


def _differences(prices: _PriceTable, sessions: npt.NDArray[np.datetime64]) -> Floats:
    """(sessions - 1, n) differences of the logarithms from session to session."""
    row = np.searchsorted(prices.dates, sessions)
    found = row < len(prices.dates)
    found[found] = prices.dates[row[found]] == sessions[found]
    log_prices = np.full((len(sessions), len(prices.symbols)), np.nan)
    log_prices[found] = np.log(prices.values[row[found]])
    return np.diff(log_prices, axis=0)
