"""Cornish-Fisher value at risk from moments, and its Euler attribution.

Belongs here: moments of profits, the expansion, its domain, components. Not here: where profits come from (`historical_method`).

With mean μ, standard deviation σ, skewness s and excess kurtosis k of the profit and z the normal quantile of 1 − c, the quantile of
the profit is μ + σ·w(z), w(z) = z + (z² − 1)s/6 + (z³ − 3z)k/24 − (2z³ − 5z)s²/36 (Cornish and Fisher 1937; Zangari 1996). The
expected shortfall is the mean of these quantiles over the tail. The expansion is a distribution only where w rises (Maillard 2012,
"A user's guide to the Cornish Fisher expansion"); where it does not there is no figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]
BEYOND_THE_QUANTILE = 1.0
"""Standard normal deviations beyond the quantile, on both sides, within which the expansion has to rise."""


@dataclass(frozen=True)
class Moments:
    """Population moments of the profits of m books over n scenarios.

    Attributes
    ----------
    mean, deviation : (m,) base currency.
    skewness, excess_kurtosis : (m,) 0 for a book that never moves.
    """

    mean: Floats
    deviation: Floats
    skewness: Floats
    excess_kurtosis: Floats


@dataclass(frozen=True)
class Quantile:
    """The expansion at a confidence; value = −(mean + deviation·(base + skew·s + kurtosis·k + squared_skew·s²)).

    Attributes
    ----------
    base, skew, kurtosis, squared_skew : coefficients.
    """

    base: float
    skew: float
    kurtosis: float
    squared_skew: float

    def of(self, moments: Moments) -> Floats:
        """(m,) standardised quantile, or mean of the quantiles of the tail."""
        s, k = moments.skewness, moments.excess_kurtosis
        return np.asarray(self.base + self.skew * s + self.kurtosis * k + self.squared_skew * s**2)

    def loss(self, moments: Moments) -> Floats:
        """(m,) value at risk or expected shortfall, base currency, losses positive."""
        return -(moments.mean + moments.deviation * self.of(moments)) + 0.0


def value_at_risk_expansion(confidence: float) -> Quantile:
    """Coefficients of the quantile."""
    from scipy.special import ndtri  # here: costs start-up time that most commands need not pay

    z = float(ndtri(1 - confidence))
    return Quantile(z, (z**2 - 1) / 6, (z**3 - 3 * z) / 24, -(2 * z**3 - 5 * z) / 36)


def expected_shortfall_expansion(confidence: float) -> Quantile:
    """Coefficients of the mean quantile of the tail: Hermite polynomials integrate to the one below, ∫Heₙφ = −Heₙ₋₁(z)φ(z)."""
    from scipy.special import ndtri

    z = float(ndtri(1 - confidence))
    density = float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)) / (1 - confidence)
    return Quantile(-density, -z * density / 6, -(z**2 - 1) * density / 24, (2 * z**2 - 1) * density / 36)


def moments(profit: Floats) -> Moments:
    """Moments of each row of (m, n) profits, base currency."""
    mean = profit.mean(axis=1)
    centred = profit - mean[:, None]
    # A constant profit has deviations of rounding only.
    centred[np.ptp(profit, axis=1) == 0] = 0.0
    squared = centred**2
    deviation = np.sqrt(squared.mean(axis=1))
    scale = np.where(deviation > 0, deviation, 1.0)
    skewness = (squared * centred).mean(axis=1) / scale**3
    kurtosis = (squared**2).mean(axis=1) / scale**4 - np.where(deviation > 0, 3.0, 0.0)
    return Moments(mean, deviation, skewness, kurtosis)


def is_in_domain(found: Moments, confidence: float) -> npt.NDArray[np.bool_]:
    """(m,) whether the expansion rises from one deviation beyond the quantile of the confidence to the same on the other side.

    Notes
    -----
    w'(z) = 1 − k/8 + 5s²/36 + zs/3 + z²(k/8 − s²/6) is to be positive. Maillard's domain is the same for all z; it leaves out every
    book with a trace of negative excess kurtosis, for what happens ten or twenty deviations away.
    """
    from scipy.special import ndtri

    s, k = found.skewness, found.excess_kurtosis
    end = abs(float(ndtri(1 - confidence))) + BEYOND_THE_QUANTILE
    constant, linear, squared = 1 - k / 8 + 5 * s**2 / 36, s / 3, k / 8 - s**2 / 6
    lowest = np.divide(-linear, 2 * squared, out=np.zeros_like(s), where=squared > 0)
    places = (-end, end, np.clip(lowest, -end, end))
    return np.asarray(np.all([constant + linear * z + squared * z**2 > 0 for z in places], axis=0))


def components(strategy_profit: Floats, expansion: Quantile) -> Floats:
    """Euler components of the figure of the portfolio: derivatives in the size of each strategy.

    Parameters
    ----------
    strategy_profit : (s, n) base currency; the rows add up to the profit of the portfolio.
    expansion : of the figure.

    Returns
    -------
    (s,) base currency; they add up to the figure, since mean and deviation are homogeneous of degree 1, skewness and kurtosis of 0.

    Notes
    -----
    By covariance, co-skewness and co-kurtosis of the strategy with the portfolio (Boudt, Peterson and Croux 2008, "Estimation and
    decomposition of downside risk for portfolios with non-normal returns").
    """
    total = strategy_profit.sum(axis=0)
    whole = moments(total[None, :])
    mean, deviation = strategy_profit.mean(axis=1), float(whole.deviation[0])
    if deviation == 0:
        return -mean + 0.0
    s, k = float(whole.skewness[0]), float(whole.excess_kurtosis[0])
    score = (total - total.mean()) / deviation
    centred = (strategy_profit - mean[:, None]) / deviation
    n = len(total)
    of_deviation = centred @ score / n
    of_skewness = 3 * (centred @ score**2 / n - s * of_deviation)
    of_kurtosis = 4 * (centred @ score**3 / n - (k + 3) * of_deviation)
    shape = (expansion.skew + 2 * expansion.squared_skew * s) * of_skewness + expansion.kurtosis * of_kurtosis
    return -(mean + deviation * (float(expansion.of(whole)[0]) * of_deviation + shape)) + 0.0
