"""Binomial trees, slow and certain: checks of formulas, and options that no formula covers.

Belongs here: the tree. Not here: approximations (`american_options`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.market.option_pricing import option_sign

Array = npt.NDArray[Any]

_FARTHEST_STRIKE = 6.0
"""Distance of the strike, in standard deviations, from which the tree is centred on the forward: its nodes would miss the spot."""
_VALUES_A_CHUNK = 500_000


@dataclass(frozen=True)
class TreeResult:
    """Value, delta and gamma of n options, each (n,), per unit of the underlying."""

    value: Array
    delta: Array
    gamma: Array


def binomial_value(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_american: npt.ArrayLike,
    *,
    steps: int = 801,
) -> Array:
    """Value of options of either exercise style by the tree of Leisen and Reimer.

    Parameters
    ----------
    spot, strike, years, rate, dividend_yield, volatility, is_call, is_american : (n,) as in `option_pricing.option_value`; years and
        volatility > 0.
    steps : of the tree; an even number counts as the odd one above it.

    Returns
    -------
    (n,) per unit of the underlying; NaN where an input is, or where spot, strike, years or volatility is not above 0.
    """
    return binomial_tree(spot, strike, years, rate, dividend_yield, volatility, is_call, is_american, steps=steps).value


def binomial_tree(
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    years: npt.ArrayLike,
    rate: npt.ArrayLike,
    dividend_yield: npt.ArrayLike,
    volatility: npt.ArrayLike,
    is_call: npt.ArrayLike,
    is_american: npt.ArrayLike,
    *,
    steps: int = 801,
) -> TreeResult:
    """Value, delta and gamma by the tree of Leisen and Reimer; parameters are those of `binomial_value`.

    Notes
    -----
    Leisen and Reimer, "Binomial models for option valuation" (Applied Mathematical Finance 3, 1996), with the second inversion of Peizer
    and Pratt. Delta is the slope over the two nodes after one step, gamma the change of slope over the three after two.
    """
    given = np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, float)) for x in (spot, strike, years, rate, dividend_yield, volatility)))
    shape = given[0].shape
    sign = np.broadcast_to(option_sign(is_call), shape)
    american = np.broadcast_to(np.asarray(is_american, dtype=bool), shape)
    valid = np.isfinite(np.stack(given)).all(axis=0) & (np.stack([given[i] for i in (0, 1, 2, 5)]) > 0).all(axis=0)
    steps = steps + 1 - steps % 2
    result = np.full((3, *shape), np.nan)
    rows = np.flatnonzero(valid)
    size = max(1, _VALUES_A_CHUNK // (steps + 1))
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        chosen = np.stack([x[part] for x in given])
        result[:, part] = _rolled_back(chosen, sign[part], american[part], steps)
    return TreeResult(result[0], result[1], result[2])


def _rolled_back(given: Array, sign: Array, american: Array, steps: int) -> Array:
    """(3, n) value, delta and gamma of options whose six numbers are the rows of `given`."""
    spot, strike, years, rate, dividend_yield, volatility = given
    step_time = years / steps
    up, down, probability = _moves(spot, strike, years, rate - dividend_yield, volatility, steps)
    discount = np.exp(-rate * step_time)
    to_up, to_down = (discount * probability)[:, None], (discount * (1 - probability))[:, None]
    floor = np.where(american, 0.0, -np.inf)[:, None]
    log_up, log_down = np.log(up)[:, None], np.log(down)[:, None]
    ups = np.arange(steps + 1)[None, :]

    def payoff(level: int) -> tuple[Array, Array]:
        prices = spot[:, None] * np.exp(log_up * ups[:, : level + 1] + log_down * (level - ups[:, : level + 1]))
        return prices, sign[:, None] * (prices - strike[:, None])

    value = np.maximum(payoff(steps)[1], 0.0)
    slopes = {}
    for level in range(steps - 1, -1, -1):
        value = to_up * value[:, 1:] + to_down * value[:, :-1]
        if american.any():
            value = np.maximum(value, payoff(level)[1] + floor)
        if level in (1, 2):
            prices = payoff(level)[0]
            slopes[level] = (np.diff(value, axis=1) / np.diff(prices, axis=1), prices)
    slope, prices = slopes[2]
    gamma = (slope[:, 1] - slope[:, 0]) / ((prices[:, 2] - prices[:, 0]) / 2)
    return np.stack([value[:, 0], slopes[1][0][:, 0], gamma])


def _moves(spot: Array, strike: Array, years: Array, carry: Array, volatility: Array, steps: int) -> tuple[Array, Array, Array]:
    """Factors of an up and a down move, and the probability of an up move, each (n,)."""
    total = volatility * np.sqrt(years)
    lower = (np.log(spot / strike) + carry * years) / total - total / 2
    lower = np.where(np.abs(lower) > _FARTHEST_STRIKE, -total / 2, lower)
    probability = _inverted(lower, steps)
    growth = np.exp(carry * years / steps)
    up = growth * _inverted(lower + total, steps) / probability
    return up, (growth - probability * up) / (1 - probability), probability


def _inverted(z: Array, steps: int) -> Array:
    """Probability of a binomial that comes nearest to a normal one, second inversion of Peizer and Pratt."""
    scaled = z / (steps + 1 / 3 + 0.1 / (steps + 1))
    return 0.5 + np.sign(z) * np.sqrt(0.25 - 0.25 * np.exp(-(scaled**2) * (steps + 1 / 6)))
