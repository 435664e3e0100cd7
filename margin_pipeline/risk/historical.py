"""Value at risk, expected shortfall and Euler components from scenarios.

Belongs here: statistics of simulated profits. Not here: how the profits come about (`scenarios`, `revaluation`).

Conventions: losses positive; n scenarios of equal weight; profits ascending, rank k = ceil(n(1 − c) − 1e-9) counted from 1;
VaR = −profit of rank k; ES = −mean of the profits at or below it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

_ACCEPTED_SUM = (0.5, 2.0)
"""Kernel components are rescaled by at most this; otherwise the kernel is too wide for this tail and is narrowed."""
_NARROWINGS = 30


@dataclass(frozen=True)
class TailRisk:
    """Value at risk and expected shortfall of m books, base currency, losses positive."""

    value_at_risk: Floats
    expected_shortfall: Floats


@dataclass(frozen=True)
class Components:
    """Parts of a portfolio's figures by strategy, base currency; they add up to the portfolio's value at risk and expected shortfall."""

    value_at_risk: Floats
    expected_shortfall: Floats


def tail_rank(scenarios: int, confidence: float) -> int:
    """Rank k, counted from 1, of the profit whose loss is the value at risk."""
    return max(1, math.ceil(scenarios * (1 - confidence) - 1e-9))


def tail_risk(profit: Floats, confidence: float) -> TailRisk:
    """Value at risk and expected shortfall of each row.

    Parameters
    ----------
    profit : (m, n) base currency, n >= 1 scenarios.
    confidence : fraction.
    """
    threshold = np.partition(profit, tail_rank(profit.shape[1], confidence) - 1, axis=1)[:, tail_rank(profit.shape[1], confidence) - 1]
    tail = profit <= threshold[:, None]
    mean = np.where(tail, profit, 0.0).sum(axis=1) / tail.sum(axis=1)
    # Adding 0 turns a loss of −0 into 0.
    return TailRisk(-threshold + 0.0, -mean + 0.0)


def components(strategy_profit: Floats, portfolio_profit: Floats, confidence: float) -> Components:
    """Euler components of value at risk and expected shortfall.

    Parameters
    ----------
    strategy_profit : (s, n) base currency; the rows add up to `portfolio_profit`.
    portfolio_profit : (n,) base currency.
    confidence : fraction.

    Notes
    -----
    The component of the value at risk is the strategy's expected loss given that the portfolio loses its value at risk (Tasche
    1999); estimated with a Gaussian kernel around that scenario (Gouriéroux, Laurent and Scaillet 2000, "Sensitivity analysis of
    values at risk"; Epperlein and Smillie 2006, "Cracking VaR with kernels"), bandwidth by Silverman's rule, and rescaled to the
    total. Far in the tail that kernel reaches into smaller losses: where the sum is not within a factor of two of the total, the
    bandwidth is halved until it is; in the limit the value-at-risk scenario alone decides, which adds up by itself. That of the
    expected shortfall is the mean loss over the tail.
    """
    risk = tail_risk(portfolio_profit[None, :], confidence)
    value_at_risk = float(risk.value_at_risk[0])
    tail = portfolio_profit <= -value_at_risk
    shortfall = -strategy_profit[:, tail].mean(axis=1) + 0.0
    width = bandwidth(portfolio_profit)
    for _ in range(_NARROWINGS):
        weight = _kernel(portfolio_profit, -value_at_risk, width)
        estimate = -(strategy_profit @ weight)
        total = estimate.sum()
        if value_at_risk != 0 and _ACCEPTED_SUM[0] <= total / value_at_risk <= _ACCEPTED_SUM[1]:
            return Components(estimate * (value_at_risk / total), shortfall)
        width /= 2
    at = portfolio_profit == -value_at_risk
    return Components(-strategy_profit[:, at].mean(axis=1) + 0.0, shortfall)


def standard_error(profit: Floats, confidence: float, horizon_days: int = 1) -> float:
    """Standard error of the value at risk of one book, base currency.

    Parameters
    ----------
    profit : (n,) base currency.
    confidence : fraction.
    horizon_days : scenarios that overlap by this count for one: n / h of them are taken as independent.

    Notes
    -----
    √(c(1 − c)/n) / f, the asymptotic error of a sample quantile (Kendall and Stuart, The Advanced Theory of Statistics, vol. 1;
    Jorion, Value at Risk), with the density f at the quantile from a Gaussian kernel of Silverman's bandwidth.
    """
    quantile = -float(tail_risk(profit[None, :], confidence).value_at_risk[0])
    at = density(profit, quantile)
    if at == 0:
        return 0.0
    independent = max(len(profit) / horizon_days, 1.0)
    return float(np.sqrt(confidence * (1 - confidence) / independent) / at)


def density(profit: Floats, quantile: float) -> float:
    """Density of (n,) profits at a profit, one a base currency, from a Gaussian kernel of Silverman's bandwidth; 0 where nothing moves."""
    width = bandwidth(profit)
    if width == 0:
        return 0.0
    return float(np.exp(-(((profit - quantile) / width) ** 2) / 2).mean() / (width * np.sqrt(2 * np.pi)))


def bandwidth(profit: Floats) -> float:
    """Silverman's bandwidth 0.9·min(s, IQR/1.34)·n^(−1/5) (Density Estimation, 1986, eq. 3.31); s alone where the quartiles coincide."""
    deviation = float(profit.std(ddof=1)) if len(profit) > 1 else 0.0
    low, high = np.quantile(profit, [0.25, 0.75])
    spread = float(high - low) / 1.34
    return 0.9 * (min(deviation, spread) if spread > 0 else deviation) * len(profit) ** -0.2


def _kernel(profit: Floats, centre: float, width: float) -> Floats:
    """Weights that add up to 1; the scenarios at the centre alone where the width is 0."""
    if width == 0:
        weight = (profit == centre).astype(float)
    else:
        weight = np.exp(-(((profit - centre) / width) ** 2) / 2)
    return weight / weight.sum()
