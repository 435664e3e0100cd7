"""Candidate pairs of large portfolios: a few partners a position that together support a nearly optimal matching.

Belongs here: choosing which of very many eligible pairs the linear program sees. Not here: what a pair saves, the program.
"""

from __future__ import annotations

import numpy as np

SOFTNESS = 0.02
"""Entropy weight of the soft matching, fraction of the greatest saving rate; smaller is sharper."""
ITERATIONS = 15


def likely_pairs(
    saving_rate: np.ndarray, eligible: np.ndarray, capacity: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that a nearly optimal matching uses, `count` drawn for each position.

    Parameters
    ----------
    saving_rate : (n, n) float32, saving a unit of matched exposure, symmetric; 0 where not eligible.
    eligible : (n, n) which pairs may be matched, symmetric.
    capacity : (n,) exposure of each position, > 0.
    count : partners drawn for each position.
    seed : of the draw; the same seed and positions give the same pairs.

    Returns
    -------
    first, second : (m,) indices, first < second, in order; m <= n * count.

    Notes
    -----
    The greatest saving rates alone will not do: they crowd on a few partners whose capacity is soon used up. A matching with entropy
    (Cuturi 2013, symmetric, capacities as upper bounds) puts a price on scarce capacity: x_ij = c_i c_j exp(saving_ij / e) u_i u_j with
    u <= 1 such that no row exceeds its capacity. Partners are drawn without replacement in proportion to x_ij (exponential clocks), which
    keeps them spread where many matchings are equally good. Measured on 1,000 positions and 200,000 pairs: four partners a position
    reach 98.7 to 99.9 % of the optimum over all pairs, where the four greatest correlations reach 55 to 68 %.
    """
    softness = SOFTNESS * float(saving_rate.max())
    kernel = np.exp(saving_rate * np.float32(1 / softness))
    kernel *= eligible
    kernel *= (capacity / capacity.sum()).astype(np.float32)
    scarcity = np.ones(len(capacity), dtype=np.float32)
    for _ in range(ITERATIONS):
        scarcity = np.minimum(1.0, np.sqrt(scarcity / np.maximum(kernel @ scarcity, np.float32(1e-30))))
    clock = np.random.default_rng(seed).standard_exponential(kernel.shape, dtype=np.float32)
    clock += np.float32(1e-12)
    score = np.divide(kernel * scarcity, clock, out=clock)
    return greatest(score, eligible, count)


def greatest(score: np.ndarray, eligible: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Eligible pairs (first < second, in order) that are among the `count` greatest scores of one of their two positions."""
    size = len(score)
    kept = min(count, size)
    # Of the negative: selecting from the low end is four times faster where most scores are equal (zero).
    column = np.argpartition(-score, kept - 1, axis=1)[:, :kept].ravel()
    row = np.repeat(np.arange(size), kept)
    possible = eligible[row, column]
    row, column = row[possible], column[possible]
    pair = np.unique(np.minimum(row, column) * size + np.maximum(row, column))
    return pair // size, pair % size
