"""Values of options on a grid of moves of price and volatility.

Belongs here: many options times few moves, in chunks that stay in the cache. Not here: which moves (`parameters`), quantities, margin.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend, map_chunks
from margin_pipeline.market.option_pricing import option_sign, value_of_discounted

Array = npt.NDArray[Any]

CELLS_A_CHUNK = 65_536
"""Values computed at a time on a processor: the temporaries of a chunk stay in its cache (best between 30,000 and 130,000)."""
CELLS_A_CHUNK_ON_DEVICE = 4_000_000
"""Values at a time on a graphics device, where starting a kernel costs more than its memory."""


@dataclass(frozen=True)
class OptionTerms:
    """What values of n options depend on, per unit of the underlying.

    Attributes
    ----------
    spot, strike : (n,) same currency, > 0.
    years : (n,) time to expiry in years of 365 days; at or below 0 the value is the intrinsic one.
    rate, dividend_yield : (n,) continuously compounded, fractions a year; of options on futures both are the rate.
    volatility : (n,) annualised fractions, >= 0.
    is_call, is_american : (n,) booleans.
    """

    spot: Array
    strike: Array
    years: Array
    rate: Array
    dividend_yield: Array
    volatility: Array
    is_call: Array
    is_american: Array

    def __len__(self) -> int:
        """Count of options."""
        return len(self.spot)

    def rows(self, chosen: Any) -> OptionTerms:
        """Terms of some of the options."""
        return OptionTerms(*(np.asarray(getattr(self, field.name))[chosen] for field in fields(self)))


def scenario_values(
    terms: OptionTerms,
    price_moves: npt.ArrayLike,
    volatility_moves: npt.ArrayLike | None = None,
    *,
    backend: Backend = NUMPY,
    threads: int = 1,
) -> Array:
    """Value of each option after each move, at an instant: no time passes.

    Parameters
    ----------
    terms : n options.
    price_moves : (k,) for all options or (n, k), relative moves of the underlying, > −1 or exactly −1.
    volatility_moves : (k,) or (n, k), added to the volatility, which does not fall below 0; None: it stays.
    backend : array library and device; its widest precision is used.
    threads : chunks at once on a processor; the result does not depend on it.

    Returns
    -------
    (n, k) float64, per unit of the underlying; NaN where an input is. American options are worth at least their intrinsic value, as in
    the theoretical values of risk-based margin (see `option_pricing.option_value`).

    Notes
    -----
    Black, Scholes and Merton: Hull, Options, Futures, and Other Derivatives, eq. 17.4 and 17.5. Beyond the result, memory is that of a
    chunk for each thread.
    """
    moves = np.atleast_1d(np.asarray(price_moves, dtype=np.float64))
    shifts = None if volatility_moves is None else np.atleast_1d(np.asarray(volatility_moves, dtype=np.float64))
    scenarios = moves.shape[-1]
    values = np.empty((len(terms), scenarios))
    if not values.size:
        return values
    on_processor = backend.name == NUMPY.name
    size = max(1, (CELLS_A_CHUNK if on_processor else CELLS_A_CHUNK_ON_DEVICE) // scenarios)

    def fill(first: int) -> None:
        part = slice(first, first + size)
        own_moves = moves[part] if moves.ndim == 2 else moves[None, :]
        own_shifts = None if shifts is None else (shifts[part] if shifts.ndim == 2 else shifts[None, :])
        with np.errstate(divide="ignore", invalid="ignore"):
            values[part] = _values(terms.rows(part), own_moves, own_shifts, backend)

    map_chunks(fill, range(0, len(terms), size), workers=threads if on_processor else 1)
    return values


def _values(terms: OptionTerms, moves: Array, shifts: Array | None, backend: Backend) -> Array:
    """(m, k) values of a chunk."""
    years = np.maximum(terms.years, 0.0)
    sign = option_sign(terms.is_call)
    columns = {
        "discounted_spot": terms.spot * np.exp(-terms.dividend_yield * years),
        "discounted_strike": terms.strike * np.exp(-terms.rate * years),
        "total_volatility": terms.volatility * np.sqrt(years),
        "root_years": np.sqrt(years),
        "sign": sign,
        # 0 for European options: a value is never below it anyway.
        "exercise_spot": sign * np.asarray(terms.is_american, float) * terms.spot,
        "exercise_strike": sign * np.asarray(terms.is_american, float) * terms.strike,
    }
    with backend.on_device():
        given = {name: backend.array(value[:, None], backend.widest_dtype) for name, value in columns.items()}
        factor = backend.array(1.0 + moves, backend.widest_dtype)
        total = given["total_volatility"]
        if shifts is not None:
            moved = total + backend.array(shifts, backend.widest_dtype) * given["root_years"]
            total = backend.maximum(moved, 0.0 * moved)
        spot = given["discounted_spot"] * factor
        value = value_of_discounted(spot, given["discounted_strike"], total + 0.0 * spot, given["sign"], backend)
        floored = backend.maximum(value, given["exercise_spot"] * factor - given["exercise_strike"])
        return np.asarray(backend.to_numpy(floored), dtype=np.float64)
