"""How much of each pair is matched: the linear program of cross margin.

Belongs here: the program and its solution. Not here: which pairs it sees (`cross_margin_matching`), what they save (`cross_margin_pairs`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from margin_pipeline.margin.cross_margin_pairs import Pairs

NEGLIGIBLE = 1e-9
"""Smaller fractions of a pair are rounding of the solver."""


class CrossMarginError(RuntimeError):
    """The solver did not return an optimum."""


@dataclass(frozen=True)
class Optimum:
    """Solution of the program.

    Attributes
    ----------
    matched : (m,) matched exposure of each pair.
    price : (n,) dual prices: what a further unit of exposure of each position would save.
    """

    matched: np.ndarray
    price: np.ndarray


def optimum(pairs: Pairs, capacity: np.ndarray) -> Optimum:
    """Matched exposure of each pair that saves the most margin.

    Parameters
    ----------
    pairs : m pairs of n positions.
    capacity : (n,) exposure of each position, > 0.

    Returns
    -------
    matched x >= 0, maximising the sum of saving_rate * x where the matches of no position exceed its capacity: no unit of exposure backs
    two offsets. The constraint holds exactly, not only within the solver's tolerance.

    Raises
    ------
    CrossMarginError : the solver found no optimum.

    Notes
    -----
    Solved in the fraction u = x / min(capacity 1, capacity 2) of each pair, so that coefficients are of order one whatever the sizes.
    """
    if not len(pairs):
        return Optimum(np.zeros(0), np.zeros(len(capacity)))
    most = np.minimum(capacity[pairs.first], capacity[pairs.second])
    if len(np.unique(np.concatenate([pairs.first, pairs.second]))) == 2 * len(pairs):
        price = np.zeros(len(capacity))
        price[np.where(capacity[pairs.first] <= capacity[pairs.second], pairs.first, pairs.second)] = pairs.saving_rate
        return Optimum(most, price)
    fraction, price = _solve(pairs, capacity, most)
    fraction[fraction < NEGLIGIBLE] = 0.0
    return Optimum(within_capacity(pairs, fraction * most, capacity), price)


def within_capacity(pairs: Pairs, matched: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Matched exposures, less the rounding by which the matches of a position exceed its capacity."""
    used = np.bincount(pairs.first, matched, len(capacity)) + np.bincount(pairs.second, matched, len(capacity))
    excess = np.maximum(used / capacity, 1.0)
    return matched / np.maximum(excess[pairs.first], excess[pairs.second])


def _solve(pairs: Pairs, capacity: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m,) fraction of each pair and (n,) prices."""
    positions, row = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    column = np.tile(np.arange(len(pairs)), 2)
    share = np.tile(most, 2) / capacity[positions[row]]
    used = csr_array((share, (row, column)), shape=(len(positions), len(pairs)))
    saving = pairs.saving_rate * most
    unit = max(float(saving.max()), float(np.finfo(float).tiny))
    # Interior point with crossover: many matchings are equally good here, which slows the simplex method down two to five times.
    # The stubs of linprog do not know that HiGHS takes sparse constraints.
    result = linprog(-saving / unit, A_ub=used, b_ub=np.ones(len(positions)), method="highs-ipm")  # type: ignore[call-overload]
    if result.x is None or not result.success:
        raise CrossMarginError(f"cross margin: no optimum over {len(pairs)} pairs ({result.message})")
    price = np.zeros(len(capacity))
    price[positions] = np.maximum(-result.ineqlin.marginals, 0.0) * unit / capacity[positions]
    return np.maximum(result.x, 0.0), price
