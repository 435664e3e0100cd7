"""Early exercise boundary of American puts and the premium that follows from it.

Belongs here: the numerical method, for puts with strike 1. Not here: calls, options on futures, cases without a single boundary
(`american_options` brings every option into this form).

The method is that of Andersen, Lake and Offengenden, "High performance American option pricing" (Journal of Computational Finance 20(1),
2016): the boundary is a polynomial in √τ through Chebyshev nodes, after the transformation ln²(B/X); a fixed point iteration brings its
nodes to the integral equation of the boundary; the premium of early exercise is one more integral (Kim 1990).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

BOUNDARY_NODES = 10
"""Chebyshev nodes of the boundary, without that at expiry."""
INTEGRAL_NODES = 10
"""Gauss-Legendre nodes of the integrals in the equation of the boundary."""
ITERATIONS = 7
"""Fixed point steps; one more changes values by less than the nodes' own error."""
PREMIUM_NODES = 28
"""Gauss-Legendre nodes of the premium."""
_LEAST_STEP = 0.2
"""Least distance of the first guess from the boundary at expiry, in units of volatility·√τ."""


@dataclass(frozen=True)
class PutTerms:
    """What the value of n puts with strike 1 depends on, each (n,): spot in strikes, rate, yield, volatility > 0 and years > 0.

    There must be one boundary: rate > 0, or rate 0 with a yield below 0.
    """

    spot: Array
    rate: Array
    dividend_yield: Array
    volatility: Array
    years: Array


@dataclass(frozen=True)
class Premium:
    """Premium of early exercise and its derivatives in the spot, each (n,), in strikes; `exercised` where exercise now is best."""

    value: Array
    slope: Array
    curvature: Array
    exercised: Array


@dataclass(frozen=True)
class _Nodes:
    """Constants of the method: no option enters them."""

    root_time: Array
    half: Array
    weight: Array
    to_inner: Array
    premium_half: Array
    premium_weight: Array
    to_premium: Array


@lru_cache(maxsize=1)
def _nodes() -> _Nodes:
    """Nodes, weights and interpolation matrices.

    With v = τ·(1+y)²/4 for the time since the point u = τ−v of the boundary, y in [−1, 1], the integrands are smooth at v = 0, and the
    places √u/√τ at which the boundary is wanted are the same for all options.
    """
    extremes = np.cos(np.pi * np.arange(BOUNDARY_NODES + 1) / BOUNDARY_NODES)
    root_time = (1 + extremes[:-1]) / 2
    y, weight = np.polynomial.legendre.leggauss(INTEGRAL_NODES)
    premium_y, premium_weight = np.polynomial.legendre.leggauss(PREMIUM_NODES)
    half, premium_half = (1 + y) / 2, (1 + premium_y) / 2
    inner = root_time[:, None] * np.sqrt(1 - half**2)[None, :]
    to_inner = _interpolation(extremes, 2 * inner.ravel() - 1)[:, :-1]
    to_premium = _interpolation(extremes, 2 * np.sqrt(1 - premium_half**2) - 1)[:, :-1]
    return _Nodes(root_time, half, weight, to_inner, premium_half, premium_weight, to_premium)


def _interpolation(nodes: Array, places: Array) -> Array:
    """(places, nodes) barycentric weights of the polynomial through Chebyshev points of the second kind (Trefethen 2013, theorem 5.2)."""
    signs = (-1.0) ** np.arange(len(nodes))
    signs[[0, -1]] /= 2
    distance = places[:, None] - nodes[None, :]
    hit = np.abs(distance) < 1e-14
    weights = signs / np.where(hit, 1.0, distance)
    weights = np.where(hit.any(axis=1, keepdims=True), hit.astype(float), weights)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def early_exercise_premium(terms: PutTerms) -> Premium:
    """Premium of the right to exercise early, of puts with strike 1 and one exercise boundary.

    Returns
    -------
    Premium : value >= 0 up to rounding; where `exercised`, the value of the put is 1 − spot and the other arrays have no meaning.

    Notes
    -----
    ∫₀^T [r·e^(−rv)·N(−d₋) − q·S·e^(−qv)·N(−d₊)] dv, d± = (ln(S/B(T−v)) + (r−q)v)/(σ√v) ± σ√v/2 (Kim 1990), and its
    derivatives in S at the boundary as it is, which S does not move.
    """
    from scipy.special import ndtr  # here: costs start-up time that most commands need not pay

    nodes = _nodes()
    log_limit, log_boundary = exercise_boundary(terms)
    spot, rate, dividend_yield, volatility, years = (x[:, None] for x in vars(terms).values())
    distance = (log_boundary - log_limit[:, None]) ** 2
    log_then = log_limit[:, None] - np.sqrt(np.maximum(distance @ nodes.to_premium.T, 0.0))
    time = years * nodes.premium_half**2
    weight = years * nodes.premium_half * nodes.premium_weight
    spread = volatility * np.sqrt(time)
    lower = (np.log(spot) - log_then + (rate - dividend_yield) * time) / spread - spread / 2
    upper = lower + spread
    strike_leg, spot_leg = np.exp(-rate * time), np.exp(-dividend_yield * time)
    paid = dividend_yield * spot_leg
    kernel = strike_leg * (rate - dividend_yield * np.exp(log_then)) * _density(lower) / (spot * spread)
    exercise = ndtr(-upper)
    value = rate * strike_leg * ndtr(-lower) - spot * paid * exercise
    slope = -kernel - paid * exercise
    curvature = kernel * (lower / spread + 1) / spot + paid * _density(upper) / (spot * spread)
    totals = [(x * weight).sum(axis=1) for x in (value, slope, curvature)]
    return Premium(totals[0], totals[1], totals[2], np.log(terms.spot) <= log_boundary[:, 0])


def _density(x: Array) -> Array:
    return np.asarray(np.exp(-x * x / 2) / np.sqrt(2 * np.pi))


def exercise_boundary(terms: PutTerms) -> tuple[Array, Array]:
    """Price at or below which exercise is best, of puts with strike 1.

    Returns
    -------
    (n,) logarithm of the boundary just before expiry, X = min(1, r/q); (n, k) logarithm of the boundary at the nodes, the first of them
    with the whole time to expiry.

    Notes
    -----
    Fixed point system B of the paper: B(τ) = e^(−(r−q)τ)·N(τ, B)/D(τ, B). The first guess has the shape of Bjerksund and
    Stensland (1993): from X towards the boundary of a perpetual put, which bounds every step.
    """
    log_limit, log_perpetual = _log_limits(terms)
    least, most = log_perpetual[:, None], log_limit[:, None]
    equation = _equation(terms)
    log_boundary = np.clip(_first_guess(log_limit, log_perpetual, equation.drift, equation.spread), least, most)
    for _ in range(ITERATIONS):
        following = _step(equation, log_boundary, log_limit)
        log_boundary = np.clip(np.where(np.isfinite(following), following, log_boundary), least, most)
    return log_limit, log_boundary


def _log_limits(terms: PutTerms) -> tuple[Array, Array]:
    """Logarithms of the boundary just before expiry and of that of a perpetual put (Merton 1973); −∞: there is none."""
    rate, dividend_yield, variance = terms.rate, terms.dividend_yield, terms.volatility**2
    limit = np.where(dividend_yield > rate, rate / np.where(dividend_yield > rate, dividend_yield, 1.0), 1.0)
    limit = np.where(rate > 0, limit, 1.0)
    half_drift = (rate - dividend_yield) / variance - 0.5
    root = np.sqrt(half_drift**2 + 2 * rate / variance)
    # Of the two forms of the negative root the one without cancellation.
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.minimum(np.where(half_drift > 0, -half_drift - root, -2 * rate / variance / (root - half_drift)), 0.0)
        log_perpetual = np.log(power / (power - 1))
    return np.log(limit), np.minimum(log_perpetual, np.log(limit))


def _first_guess(log_limit: Array, log_perpetual: Array, drift: Array, spread: Array) -> Array:
    """(n, k) logarithm of the boundary of Bjerksund and Stensland (1993), of the call that mirrors the put."""
    first, last = np.exp(-log_limit)[:, None], np.exp(-log_perpetual)[:, None]
    away = np.maximum(2 * spread - drift, _LEAST_STEP * spread)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        trigger = first - (last - first) * np.expm1(-away / ((last - first) * first))
    return -np.log(np.where(np.isfinite(trigger), trigger, first + away / first))


@dataclass(frozen=True)
class _Equation:
    """What no step changes of the equation of the boundary: at its nodes (n, k), and at the nodes of their integrals (n, k, m)."""

    drift: Array
    spread: Array
    inner_drift: Array
    inner_spread: Array
    strike_weight: Array
    spot_weight: Array


def _equation(terms: PutTerms) -> _Equation:
    nodes = _nodes()
    rate, dividend_yield = terms.rate[:, None, None], terms.dividend_yield[:, None, None]
    carry = (terms.rate - terms.dividend_yield)[:, None]
    time = terms.years[:, None] * nodes.root_time**2
    spread = terms.volatility[:, None] * np.sqrt(time)
    passed = time[:, :, None] * nodes.half**2
    left = time[:, :, None] - passed
    weight = time[:, :, None] * (nodes.half * nodes.weight)
    inner_spread = spread[:, :, None] * nodes.half
    return _Equation(
        drift=carry * time,
        spread=spread,
        inner_drift=carry[:, :, None] * passed - inner_spread**2 / 2,
        inner_spread=inner_spread,
        strike_weight=rate * np.exp(rate * left) * weight,
        spot_weight=dividend_yield * np.exp(dividend_yield * left) * weight,
    )


def _step(equation: _Equation, log_boundary: Array, log_limit: Array) -> Array:
    """One fixed point step of the logarithm of the boundary, (n, k)."""
    from scipy.special import ndtr

    distance = (log_boundary - log_limit[:, None]) ** 2
    below_limit = np.sqrt(np.maximum(distance @ _nodes().to_inner.T, 0.0)).reshape(equation.inner_spread.shape)
    lower = ((log_boundary - log_limit[:, None])[:, :, None] + below_limit + equation.inner_drift) / equation.inner_spread
    at_expiry = (log_boundary + equation.drift) / equation.spread - equation.spread / 2
    above = ndtr(at_expiry) + (equation.strike_weight * ndtr(lower)).sum(axis=2)
    below = ndtr(at_expiry + equation.spread) + (equation.spot_weight * ndtr(lower + equation.inner_spread)).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(above / below) - equation.drift)
