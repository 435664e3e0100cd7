"""Volatility of daily returns, exponentially weighted, with the floors that regulation knows.

Belongs here: variances of single symbols. Not here: correlation, and margin from volatility.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from margin_pipeline.market.weights import NEGLIGIBLE_VARIANCE, effective_observations, exponential_weights
from margin_pipeline.parameters.estimation import EstimationSettings

Floats = npt.NDArray[np.float64]


def weighted_variance(returns: Floats, weights: Floats) -> Floats:
    """Unbiased weighted variance of each column about its weighted mean; gaps take no part.

    Parameters
    ----------
    returns : (t, n), NaN = missing.
    weights : (t,), >= 0, of any sum.

    Returns
    -------
    (n,); NaN with fewer than two observations. The sum of squares is divided by sum w (1 - sum w² / (sum w)²), which is the
    usual n - 1 for equal weights (and what `pandas.Series.ewm(...).var()` does).
    """
    present = ~np.isnan(returns)
    total = weights @ present
    filled = np.where(present, returns, 0.0)
    mean = np.divide(weights @ filled, total, out=np.zeros_like(total), where=total > 0)
    squares = weights @ np.where(present, filled - mean, 0.0) ** 2
    effective = effective_observations(weights, present)
    enough = present.sum(axis=0) >= 2
    degrees = total * (1.0 - np.divide(1.0, effective, out=np.ones_like(total), where=effective > 0))
    variance = np.divide(squares, degrees, out=np.full(returns.shape[1], np.nan), where=enough & (degrees > 0))
    return np.where(variance <= NEGLIGIBLE_VARIANCE, 0.0, variance)


def annual_volatility(returns: Floats, settings: EstimationSettings) -> Floats:
    """Annualised volatility of each column: exponentially weighted over the window, not below the floor of the settings.

    Parameters
    ----------
    returns : (t, n) daily log returns, newest last; NaN = missing. Rows older than the window serve the floor only.
    settings : half-life, window, floor, days of a year.

    Returns
    -------
    (n,) fractions; NaN with fewer than `min_observations` returns in the window.

    Notes
    -----
    Commission Delegated Regulation (EU) No 153/2013, article 28(1): a procyclicality margin buffer apart, either (b) at least
    25 % weight on stressed observations, or (c) requirements not lower than with volatility over a ten-year look-back. A floor
    never lowers a volatility. The stressed observations are the `stressed_window` consecutive sessions with the greatest
    variance in the history given.
    """
    recent = returns[-settings.window :]
    weights = exponential_weights(len(recent), settings.half_life)
    variance = weighted_variance(recent, weights)
    history = returns[-settings.long_look_back :]
    if settings.volatility_floor == "stressed_weight":
        stressed = _greatest_variance(history, settings.stressed_window, settings.min_observations)
        variance = np.fmax(variance, (1.0 - settings.stressed_weight) * variance + settings.stressed_weight * stressed)
    elif settings.volatility_floor == "long_look_back":
        variance = np.fmax(variance, weighted_variance(history, np.ones(len(history))))
    enough = np.isfinite(recent).sum(axis=0) >= settings.min_observations
    return np.where(enough, np.sqrt(settings.annualisation_days * variance), np.nan)


def _greatest_variance(returns: Floats, window: int, least: int) -> Floats:
    """(n,) greatest unbiased variance over runs of `window` rows; a run with fewer than `least` returns does not count."""
    present = np.isfinite(returns)
    filled = np.where(present, returns, 0.0)
    width = min(window, len(returns))
    count, total, squares = (_rolling_sum(x, width) for x in (present.astype(np.float64), filled, filled**2))
    runs = np.full(count.shape, -np.inf)
    np.divide(squares - total**2 / np.maximum(count, 1.0), count - 1.0, out=runs, where=count >= least)
    greatest = runs.max(axis=0, initial=-np.inf)
    return np.where(np.isfinite(greatest), np.maximum(greatest, 0.0), np.nan)


def _rolling_sum(x: Floats, width: int) -> Floats:
    cumulated = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    return cumulated[width:] - cumulated[:-width] if width else np.zeros((0, x.shape[1]))
