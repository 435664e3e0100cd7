"""Gaussian (delta-normal) value at risk and its Euler attribution to strategies.

Belongs here: closed forms for jointly normal returns with mean 0. Not here: simulated scenarios (`historical`), estimates of covariance.

With portfolio exposures P = Σₛ wₛ, covariance Σ of daily returns, σ² = P'ΣP and z the normal quantile of the confidence c:
VaR = z·σ·√h, ES = σ·√h·φ(z)/(1 − c), component of s = wₛ'ΣP/σ times the same factor; the components add up to the total because
Σₛ wₛ'ΣP = σ² (Euler; Tasche 1999, "Risk contributions and performance measurement"; McNeil, Frey and Embrechts, section 8.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class DailyDeviations:
    """Standard deviations of one day's profit, base currency.

    Attributes
    ----------
    portfolio : (portfolios,) of the portfolio.
    strategy : (strategies,) of each strategy on its own.
    without_strategy : (strategies,) of the portfolio without the strategy.
    component : (strategies,) Euler component of the portfolio's; those of a portfolio add up to it, all 0 where it is 0.
    """

    portfolio: Floats
    strategy: Floats
    without_strategy: Floats
    component: Floats


def value_at_risk_factor(confidence: float, horizon_days: int) -> float:
    """Value at risk for a daily standard deviation of 1: exact normal quantile times √h."""
    from scipy.special import ndtri  # here: costs start-up time that most commands need not pay

    return float(ndtri(confidence) * np.sqrt(horizon_days))


def expected_shortfall_factor(confidence: float, horizon_days: int) -> float:
    """Expected shortfall for a daily standard deviation of 1: φ(z)/(1 − c)·√h (McNeil, Frey and Embrechts, example 2.14)."""
    from scipy.special import ndtri

    density = np.exp(-(ndtri(confidence) ** 2) / 2) / np.sqrt(2 * np.pi)
    return float(density / (1 - confidence) * np.sqrt(horizon_days))


def daily_deviations(
    exposure: Floats, portfolio_of: npt.NDArray[np.int64], portfolios: int, correlation: Floats, volatility: Floats
) -> DailyDeviations:
    """Standard deviations of portfolios, strategies and their parts.

    Parameters
    ----------
    exposure : (strategies, factors) base currency for a relative move of 1.
    portfolio_of : (strategies,) row of the portfolio of each strategy, ascending.
    portfolios : number of portfolios.
    correlation : (factors, factors), positive semi-definite.
    volatility : (factors,) standard deviation of one day's return, fraction.

    Notes
    -----
    Float64 on the CPU throughout. Variances that rounding makes negative are 0.
    """
    weighted = exposure * volatility
    total = np.zeros((portfolios, exposure.shape[1]))
    np.add.at(total, portfolio_of, weighted)
    product, total_product = weighted @ correlation, total @ correlation
    variance = np.sum(total * total_product, axis=1)
    own_total, own_product = total[portfolio_of], total_product[portfolio_of]
    # A portfolio of one strategy leaves exactly nothing without it: the first factor is then exactly 0.
    rest = np.sum((own_total - weighted) * (own_product - product), axis=1)
    deviation = np.sqrt(np.maximum(variance, 0.0))
    covariance = np.sum(weighted * own_product, axis=1)
    own_deviation = deviation[portfolio_of]
    component = np.divide(covariance, own_deviation, out=np.zeros_like(covariance), where=own_deviation > 0)
    return DailyDeviations(
        portfolio=deviation,
        strategy=np.sqrt(np.maximum(np.sum(weighted * product, axis=1), 0.0)),
        without_strategy=np.sqrt(np.maximum(rest, 0.0)),
        component=component,
    )
