"""Risk arrays: the 16 scenarios, and what one long contract gains in each of them.

Belongs here: scenarios and arrays of single contracts. Not here: portfolios (`scan`), which ranges are in force (`terms`).

An array that the exchange gives is used as it is, its rounding included. One that is computed uses exact thirds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.market.option_pricing import option_delta
from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values

Array = npt.NDArray[Any]

SCENARIOS = 16
EXTREME = slice(14, 16)
_STEPS = np.array([0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0])
PRICE_STEPS: Array = np.append(np.repeat(_STEPS, 2), [1.0, -1.0])
"""(16,) price moves, price scan ranges; the last two times the extreme multiple."""
VOLATILITY_STEPS: Array = np.append(np.tile([1.0, -1.0], 7), [0.0, 0.0])
"""(16,) moves of volatility, volatility scan ranges."""
PAIRED: Array = np.append(np.arange(14) ^ 1, [14, 15])
"""(16,) the scenario with the same price and the other volatility; an extreme move is its own."""
OPTIONS_A_CHUNK = 16_384
"""Options whose moves are made at a time on a processor: memory beyond the result does not grow with their count, and stays in caches."""
OPTIONS_A_CHUNK_ON_DEVICE = 262_144


def price_moves(extreme_multiple: npt.ArrayLike) -> Array:
    """Price moves of the scenarios, (n, 16) price scan ranges, of (n,) extreme multiples."""
    multiple = np.atleast_1d(np.asarray(extreme_multiple, dtype=np.float64))
    moves = np.tile(PRICE_STEPS, (len(multiple), 1))
    moves[:, EXTREME] *= multiple[:, None]
    return moves


def future_arrays(price_range: Array, extreme_multiple: Array, extreme_fraction: Array) -> Array:
    """Gains of one long future, linear in the price.

    Parameters
    ----------
    price_range : (n,) price scan range, money a contract.
    extreme_multiple : (n,) extreme move, price scan ranges.
    extreme_fraction : (n,) part of the extreme gain or loss that counts.

    Returns
    -------
    (n, 16) money a contract; NaN where an input is.
    """
    gains = price_range[:, None] * price_moves(extreme_multiple)
    gains[:, EXTREME] *= np.asarray(extreme_fraction)[:, None]
    return gains


def option_arrays(
    terms: OptionTerms,
    price_range: Array,
    volatility_range: Array,
    multiplier: Array,
    extreme_multiple: Array,
    extreme_fraction: Array,
    *,
    backend: Backend = NUMPY,
    threads: int = 1,
) -> Array:
    """Gains of one long option: its value in each scenario less its value with nothing moved.

    Parameters
    ----------
    terms : n options.
    price_range : (n,) price scan range, price of the underlying.
    volatility_range : (n,) volatility scan range, absolute (0.05 = five points).
    multiplier : (n,) units of the underlying in a contract.
    extreme_multiple, extreme_fraction : (n,) as in `future_arrays`.
    backend : array library and device.
    threads : chunks at once on a processor.

    Returns
    -------
    (n, 16) money a contract; NaN where an input is.

    Notes
    -----
    No time passes, and volatility stays in the extreme scenarios. A move to below nothing leaves the underlying at nothing.
    Options on futures: Black (1976), as `terms` have a yield equal to the rate.
    """
    gains = np.empty((len(terms), SCENARIOS))
    size = OPTIONS_A_CHUNK if backend.name == NUMPY.name else OPTIONS_A_CHUNK_ON_DEVICE
    for first in range(0, len(terms), size):
        part = slice(first, first + size)
        few = terms.rows(part)
        moves, shifts = np.zeros((len(few), SCENARIOS + 1)), np.zeros((len(few), SCENARIOS + 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            np.maximum(price_moves(extreme_multiple[part]) * (price_range[part] / few.spot)[:, None], -1.0, out=moves[:, :SCENARIOS])
        np.multiply(volatility_range[part][:, None], VOLATILITY_STEPS, out=shifts[:, :SCENARIOS])
        values = scenario_values(few, moves, shifts, backend=backend, threads=threads)
        np.subtract(values[:, :SCENARIOS], values[:, SCENARIOS:], out=gains[part])
        gains[part] *= multiplier[part][:, None]
        gains[part, EXTREME] *= extreme_fraction[part][:, None]
    return gains


def composite_deltas(terms: OptionTerms, price_range: Array, weights: tuple[float, float, float, float]) -> Array:
    """Deltas of options averaged over price moves.

    Parameters
    ----------
    terms : n options.
    price_range : (n,) price scan range, price of the underlying.
    weights : weight of the delta at no move, and at ±1/3, ±2/3 and ±3/3 of the range.

    Returns
    -------
    (n,) deltas in [-1, 1]; NaN where an input is.
    """
    total = np.zeros(len(terms))
    for step in _STEPS:
        spot = np.maximum(terms.spot + step * price_range, 1e-12 * np.abs(terms.spot))
        rest = (terms.strike, terms.years, terms.rate, terms.dividend_yield, terms.volatility, terms.is_call, terms.is_american)
        total += weights[round(3 * abs(step))] * option_delta(spot, *rest)
    return total
