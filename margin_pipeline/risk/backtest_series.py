"""Value at risk of past days, each made with what was known before the day.

Belongs here: from series of profits to series of value at risk and exceptions. Not here: how profits come about (`backtest`), tests.

Conventions
-----------
- Series end on the newest day. NaN stands before the first profit of a portfolio only.
- The value at risk of a day uses profits of earlier days alone; that of one day, not scaled.
- A loss equal to the value at risk is no exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from margin_pipeline.market.volatility import weighted_variance
from margin_pipeline.market.weights import exponential_weights
from margin_pipeline.risk.gaussian import value_at_risk_factor
from margin_pipeline.risk.historical import tail_rank

Floats = npt.NDArray[Any]

ROUNDING = 1e-12
"""Part of the gross exposure that a loss may exceed the value at risk by without being an exception: the rounding of sums."""


def previous_profits(profit: Floats, window: int, days: int) -> Floats:
    """Profits before each of the newest days.

    Parameters
    ----------
    profit : (t,) daily profits.
    window : profits before a day.
    days : newest days wanted, at most t.

    Returns
    -------
    (days, window) view, oldest first; NaN where there is no earlier profit.
    """
    padded = np.concatenate([np.full(window, np.nan), profit[:-1]])
    return sliding_window_view(padded, window)[len(profit) - days :][:days]


def gaussian_series(
    profit: Floats, confidences: Sequence[float], days: int, window: int, half_life: float, min_window: int
) -> npt.NDArray[np.float64]:
    """Gaussian value at risk of each portfolio on each of the newest days.

    Parameters
    ----------
    profit : (m, t) daily profits at the deltas of today, base currency.
    confidences : (k,) fractions.
    days : newest days wanted.
    window, half_life : profits before a day that are used, and after how many a profit weighs half.
    min_window : least profits.

    Returns
    -------
    (k, m, days) base currency, loss positive; NaN with fewer profits.

    Notes
    -----
    Exact normal quantile times the exponentially weighted standard deviation of the profits. With the same weights it is the
    √(P'ΣP) of `gaussian`: the profits are P'r, and weighted variance is bilinear, so no covariance has to be made for any day.
    """
    weights = exponential_weights(window, half_life)
    deviation = np.full((len(profit), min(days, profit.shape[1])), np.nan)
    for row, own in enumerate(profit):
        before = previous_profits(own, window, deviation.shape[1])
        deviation[row] = np.sqrt(weighted_variance(before.T, weights))
        deviation[row, _count(before) < min_window] = np.nan
    return np.array([value_at_risk_factor(confidence, 1) for confidence in confidences])[:, None, None] * deviation


def historical_series(profit: Floats, confidences: Sequence[float], days: int, window: int, min_window: int) -> npt.NDArray[np.float64]:
    """Value at risk of each portfolio on each of the newest days by historical simulation.

    Parameters
    ----------
    profit : (m, t) daily profits of today's positions, base currency.
    confidences, days, window, min_window : as for `gaussian_series`.

    Returns
    -------
    (k, m, days) base currency, loss positive: the order statistic of `historical` among the profits before the day; NaN with fewer.
    """
    found = np.full((len(confidences), len(profit), min(days, profit.shape[1])), np.nan)
    every_rank = np.array([[tail_rank(n, c) if n else 1 for n in range(window + 1)] for c in confidences]) - 1
    for row, own in enumerate(profit):
        before = previous_profits(own, window, found.shape[2])
        count = _count(before)
        ranks = every_rank[:, count]
        # Missing profits are sorted to the end, where no rank reaches.
        ordered = np.partition(before, np.unique(ranks), axis=1)
        value = -np.take_along_axis(ordered, ranks.T, axis=1).T
        found[:, row] = np.where(count >= min_window, value + 0.0, np.nan)
    return found


def exceptions(profit: Floats, value_at_risk: Floats, gross_exposure: Floats) -> npt.NDArray[np.bool_]:
    """Days on which the loss was greater than the value at risk.

    Parameters
    ----------
    profit, value_at_risk : (m, days) base currency; NaN: no exception.
    gross_exposure : (m,) base currency, for what is rounding.
    """
    return np.asarray(-profit > value_at_risk + ROUNDING * gross_exposure[:, None], dtype=bool)


def _count(windows: Floats) -> npt.NDArray[np.int64]:
    return np.asarray((~np.isnan(windows)).sum(axis=1), dtype=np.int64)
