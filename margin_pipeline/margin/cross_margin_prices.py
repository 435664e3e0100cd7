"""Prices of scarce exposure, and what they prove about the best possible saving.

Belongs here: prices by a matching with entropy, the bound that prices give. Not here: how much of each pair is matched
(`cross_margin_greedy`, `cross_margin_program`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.cross_margin_rates import TILE

FIRST_SOFTNESS = 0.1
"""Entropy weight of the first matching, fraction of the greatest rate."""
LAST_SOFTNESS = 0.0035
"""Entropy weight of the last matching, fraction of the mean over positions of the best rate; smaller is sharper."""
SHARPENING = 8.0
ITERATIONS, LAST_ITERATIONS = 5, 12
OVER = np.float32(1.5)
"""Step of rows, then columns, over-relaxed; from about 1.7 on it diverges."""
PLAIN = np.float32(1)
"""Step of the last iteration at each softness, after which capacities fit."""
ALIKE = np.float32(0.8)
"""Step where rows and columns are the same: whole steps would swing from side to side."""
_STEEPEST = np.float32(60)
"""Exponents beyond this are cut: single precision ends at 88, and denormal numbers are slow."""


@dataclass(frozen=True)
class Prices:
    """What a unit of exposure of each position is worth.

    Attributes
    ----------
    rows, columns : (n,) and (m,) float32, >= 0.
    softness : entropy weight that they were found at; differences of rates below it mean little.
    """

    rows: np.ndarray
    columns: np.ndarray
    softness: float


def scarcity_prices(rates: np.ndarray, row_capacity: np.ndarray, column_capacity: np.ndarray, alike: bool = False) -> Prices:
    """What a unit of exposure of each position is worth in a nearly optimal matching.

    Parameters
    ----------
    rates : (n, m) float32 saving of a unit of matched exposure, 0 where a pair doesn't qualify.
    row_capacity, column_capacity : (n,) and (m,) exposure of each position, > 0.
    alike : rows and columns are the same positions and the rates symmetric; then so are the prices.

    Returns
    -------
    Prices, all 0 when no pair qualifies.

    Notes
    -----
    The linear program with entropy (Cuturi 2013, capacities as upper bounds): x_ij = c_i c_j exp((rate_ij - u_i - v_j) / e), u and v >= 0
    and just so great that no position is used beyond its capacity. As the softness e falls, u and v tend to the dual prices of the
    program. Each softness starts from the prices of the one before.
    """
    u, v = np.zeros(len(row_capacity), dtype=np.float32), np.zeros(len(column_capacity), dtype=np.float32)
    softness = _softness(rates, row_capacity)
    if not softness:
        return Prices(u, v, 0.0)
    total = row_capacity.sum() + column_capacity.sum()
    row_share, column_share = (row_capacity / total).astype(np.float32), (column_capacity / total).astype(np.float32)
    kernel = np.empty_like(rates)
    for e in softness:
        _fill_kernel(kernel, rates, u, v, e)
        iterations = LAST_ITERATIONS if e == softness[-1] else ITERATIONS
        if alike:
            u = v = _balanced_alike(kernel, u, row_share, np.float32(e), iterations)
        else:
            u, v = _balanced(kernel, (u, v), (row_share, column_share), np.float32(e), iterations)
    return Prices(u, v, softness[-1])


def row_parts(shape: tuple[int, ...]) -> Iterator[slice]:
    """Slices of rows, small enough for the cache."""
    step = max(1, TILE // max(shape[1], 1))
    for start in range(0, shape[0], step):
        yield slice(start, min(start + step, shape[0]))


def _softness(rates: np.ndarray, row_capacity: np.ndarray) -> list[float]:
    """Entropy weights, from soft to sharp; none when no pair qualifies."""
    if not rates.size:
        return []
    best = np.concatenate([rates[part].max(axis=1) for part in row_parts(rates.shape)]).astype(np.float64)
    last = LAST_SOFTNESS * float(best @ row_capacity / row_capacity.sum())
    if last <= 0:
        return []
    steps = max(0, int(np.ceil(np.log(FIRST_SOFTNESS * float(best.max()) / last) / np.log(SHARPENING))))
    return [last * SHARPENING**step for step in range(steps, -1, -1)]


def _fill_kernel(kernel: np.ndarray, rates: np.ndarray, u: np.ndarray, v: np.ndarray, softness: float) -> None:
    for part in row_parts(rates.shape):
        tile = kernel[part]
        np.subtract(rates[part], u[part, None], out=tile)
        tile -= v
        tile *= np.float32(1 / softness)
        np.clip(tile, -_STEEPEST, _STEEPEST, out=tile)
        np.exp(tile, out=tile)
        tile *= rates[part] > 0


def _balanced(
    kernel: np.ndarray, prices: tuple[np.ndarray, np.ndarray], shares: tuple[np.ndarray, np.ndarray], softness: np.float32, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Prices after some iterations in which rows, then columns, are made to fit their capacity."""
    row_most, column_most = (price / softness for price in prices)
    row_log, column_log = np.zeros_like(row_most), np.zeros_like(column_most)
    for left in range(iterations, 0, -1):
        step = OVER if left > 1 else PLAIN
        row_log = _relaxed(row_log, kernel @ (np.exp(column_log) * shares[1]), row_most, step)
        column_log = _relaxed(column_log, (np.exp(row_log) * shares[0]) @ kernel, column_most, step)
    return np.maximum(prices[0] - softness * row_log, 0), np.maximum(prices[1] - softness * column_log, 0)


def _balanced_alike(kernel: np.ndarray, price: np.ndarray, share: np.ndarray, softness: np.float32, iterations: int) -> np.ndarray:
    """Prices of a symmetric kernel, rows and columns alike."""
    log, most = np.zeros_like(price), price / softness
    for _ in range(2 * iterations):
        log = _relaxed(log, kernel @ (np.exp(log) * share), most, ALIKE)
    return np.maximum(price - softness * log, 0)


def _relaxed(old: np.ndarray, used: np.ndarray, most: np.ndarray, step: np.float32) -> np.ndarray:
    """Logarithm of what matches are scaled by so that they use no more than the capacity; `most` keeps prices from going below 0."""
    new = np.minimum(most, -np.log(np.maximum(used, np.float32(1e-30))))
    return np.clip(old + step * (new - old), -_STEEPEST, most)


def feasible(rates: np.ndarray, prices: Prices) -> tuple[np.ndarray, np.ndarray]:
    """Prices near the given ones at which no pair saves more than it costs.

    Returns
    -------
    (n,) u >= 0 and (m,) v >= 0 in float64 with rate_ij <= u_i + v_j for all pairs: the least v that goes with the given prices of rows,
    then the least u that goes with that v.
    """
    columns, rows = np.zeros(rates.shape[1]), np.zeros(rates.shape[0])
    for part in row_parts(rates.shape):
        np.maximum(columns, (rates[part] - prices.rows[part, None]).max(axis=0, initial=0), out=columns)
    single = columns.astype(np.float32)
    for part in row_parts(rates.shape):
        rows[part] = (rates[part] - single).max(axis=1, initial=0)
    return rows, columns
