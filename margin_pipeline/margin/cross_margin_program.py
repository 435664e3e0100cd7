"""How much of each pair is matched: the linear program of cross margin.

Belongs here: the program and its solution. Not here: which pairs there are and what they save (`cross_margin_pairs`).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from margin_pipeline.margin.cross_margin_pairs import Pairs

NEGLIGIBLE = 1e-9
"""Smaller fractions of a pair are rounding of the solver."""


class CrossMarginError(RuntimeError):
    """The solver did not return an optimum."""


def match(pairs: Pairs, capacity: np.ndarray) -> np.ndarray:
    """Matched exposure of each pair that saves the most margin.

    Parameters
    ----------
    pairs : m pairs of n positions.
    capacity : (n,) exposure of each position, > 0.

    Returns
    -------
    (m,) matched exposure x >= 0, maximising the sum of saving_rate * x where the matches of no position exceed its capacity: no unit of
    exposure backs two offsets. The constraint holds exactly, not only within the solver's tolerance.

    Raises
    ------
    CrossMarginError : the solver found no optimum.

    Notes
    -----
    Solved in the fraction u = x / min(capacity 1, capacity 2) of each pair, so that coefficients are of order one whatever the sizes.
    """
    if not len(pairs):
        return np.zeros(0)
    most = np.minimum(capacity[pairs.first], capacity[pairs.second])
    if len(np.unique(np.concatenate([pairs.first, pairs.second]))) == 2 * len(pairs):
        return most
    fraction = _solve(pairs, capacity, most)
    fraction[fraction < NEGLIGIBLE] = 0.0
    matched = fraction * most
    used = np.bincount(pairs.first, matched, len(capacity)) + np.bincount(pairs.second, matched, len(capacity))
    excess = np.maximum(used / capacity, 1.0)
    return matched / np.maximum(excess[pairs.first], excess[pairs.second])


def _solve(pairs: Pairs, capacity: np.ndarray, most: np.ndarray) -> np.ndarray:
    positions, row = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    column = np.tile(np.arange(len(pairs)), 2)
    share = np.tile(most, 2) / capacity[positions[row]]
    used = csr_array((share, (row, column)), shape=(len(positions), len(pairs)))
    saving = pairs.saving_rate * most
    objective = -saving / max(saving.max(), np.finfo(float).tiny)
    # Interior point with crossover: many matchings are equally good here, which slows the simplex method down two to five times.
    # The stubs of linprog do not know that HiGHS takes sparse constraints.
    result = linprog(objective, A_ub=used, b_ub=np.ones(len(positions)), method="highs-ipm")  # type: ignore[call-overload]
    if result.x is None or not result.success:
        raise CrossMarginError(f"cross margin: no optimum over {len(pairs)} pairs ({result.message})")
    return np.maximum(result.x, 0.0)
