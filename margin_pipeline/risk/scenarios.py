"""Joint returns of risk factors over past horizons: the scenarios of historical simulation.

Belongs here: aligned histories without gaps, returns over several days. Not here: positions and their profit.

Conventions
-----------
- The calendar is that of the estimates (`market.returns`): sessions on which at least half of the series that trade have a close.
- Where a factor has no close on a session its price is taken as unchanged, and its move since the last close counts on the
  session of its next close. Nothing is known before its first close: portfolios that hold it have scenarios from then on only.
- Horizons over a day overlap: one scenario ends on each session.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.market.returns import CURRENCY_PREFIX, ReturnMatrix, log_returns
from margin_pipeline.parameters.risk import RiskSettings

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class FactorHistory:
    """Daily log returns of risk factors on one calendar.

    Attributes
    ----------
    factors : names of the columns, ascending.
    log_returns : (t, n), newest last; NaN only before the first return of a factor.
    observations : (n,) returns that end in a close of the factor, count.
    sessions : (t,) datetime64, the days on which the returns end.
    """

    factors: pd.Index
    log_returns: Floats
    observations: npt.NDArray[np.int64]
    sessions: npt.NDArray[np.datetime64]


def factor_history(
    prices: pd.DataFrame, fx_rates: pd.DataFrame, held: Collection[str], exclude: Collection[str], settings: RiskSettings, as_of: dt.date
) -> FactorHistory:
    """Daily history of the held risk factors, long enough for the window of scenarios.

    Parameters
    ----------
    prices, fx_rates : histories resolved up to the date; all series, since they make the calendar.
    held : names of the risk factors wanted.
    exclude : symbols that are not risk factors (options).
    settings : window, horizons and share of the calendar.
    as_of : business date; the newest return ends on it or on the last session before.

    Returns
    -------
    FactorHistory of the held factors that have any return, so n may be smaller than the number of held factors.
    """
    window = settings.historical_window + max(settings.horizons_days) - 1
    matrix = log_returns(prices, fx_rates, as_of, window=window, exclude=exclude, calendar_share=settings.calendar_share)
    names = pd.Index(matrix.symbols, dtype=object)
    kept = np.flatnonzero(names.isin(list(held)))
    values = matrix.values[:, kept] if len(matrix.dates) else np.full((0, len(kept)), np.nan)
    gappy = np.flatnonzero(np.isnan(values).any(axis=0))
    observed = ~np.isnan(values)
    if len(gappy) and len(matrix.dates):
        bridged, closes = _bridged(matrix, values[:, gappy], names[kept[gappy]], prices, fx_rates)
        values[:, gappy], observed[:, gappy] = bridged, closes
    some = observed.any(axis=0)
    return FactorHistory(names[kept[some]], values[:, some], observed[:, some].sum(axis=0), matrix.dates)


def horizon_returns(history: FactorHistory, horizon_days: int, window: int) -> Floats:
    """Simple returns over a horizon, one scenario a session.

    Parameters
    ----------
    history : daily log returns.
    horizon_days : sessions that a scenario spans; scenarios overlap.
    window : scenarios kept, the newest.

    Returns
    -------
    (s, n), s <= window, oldest first; NaN where the factor had no return yet.
    """
    daily = history.log_returns
    if len(daily) < horizon_days:
        return np.full((0, daily.shape[1]), np.nan)
    # Sums of h rows rather than differences of running sums: equal days then give exactly equal scenarios.
    sums = np.zeros((len(daily) - horizon_days + 1, daily.shape[1]))
    for lag in range(horizon_days):
        sums += daily[lag : lag + len(sums)]
    return np.expm1(sums[-window:])


def _bridged(
    matrix: ReturnMatrix, values: Floats, names: pd.Index, prices: pd.DataFrame, fx_rates: pd.DataFrame
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Returns that span gaps put on the session that ends them; 0 within; and which returns end in a close."""
    rates = pd.DataFrame({"date": fx_rates["date"], "symbol": CURRENCY_PREFIX + fx_rates["currency"], "close": fx_rates["usd_rate"]})
    rows = pd.concat([prices[["date", "symbol", "close", "adjusted_close"]], rates.assign(adjusted_close=np.nan)], ignore_index=True)
    rows = rows[rows["symbol"].isin(names)]
    sessions = pd.DatetimeIndex(matrix.dates)
    at, column = sessions.get_indexer(pd.DatetimeIndex(rows["date"])), names.get_indexer(pd.Index(rows["symbol"]))
    close, last = _changes(rows["close"].to_numpy(float), at, column, values.shape)
    adjusted, last_adjusted = _changes(rows["adjusted_close"].to_numpy(float), at, column, values.shape)
    spanning = np.where(~np.isnan(adjusted) & (last == last_adjusted), adjusted, close)
    found = np.where(np.isnan(values), spanning, values)
    ends_in_close = ~np.isnan(found)
    started = np.maximum.accumulate(ends_in_close, axis=0)
    return np.where(ends_in_close, found, np.where(started, 0.0, np.nan)), ends_in_close


def _changes(prices: Floats, at: npt.NDArray[Any], column: npt.NDArray[Any], shape: tuple[int, ...]) -> tuple[Floats, npt.NDArray[Any]]:
    """Log change of each price since the last one, and the row of that last one (-1 where there is none)."""
    level = np.full(shape, np.nan)
    usable = (at >= 0) & (prices > 0) & np.isfinite(prices)
    level[at[usable], column[usable]] = np.log(prices[usable])
    rows = np.arange(shape[0])[:, None]
    newest = np.maximum.accumulate(np.where(np.isnan(level), -1, rows), axis=0)
    last = np.vstack([np.full((1, shape[1]), -1), newest[:-1]])
    previous = np.where(last >= 0, np.take_along_axis(level, np.maximum(last, 0), axis=0), np.nan)
    return level - previous, last
