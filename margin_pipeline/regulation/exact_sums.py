"""Sums by group that do not depend on the order of their terms, not even in the last bit.

Belongs here: the summation. Not here: what is added up.
"""

from __future__ import annotations

import numpy as np

LEVELS = 3
"""Parts that each term is cut into: with a million terms, 90 bits below the greatest one are added up."""


def group_sums(values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Sum of the values of each group.

    Parameters
    ----------
    values : (n,) finite numbers or NaN.
    groups : (n,) number of the group of each value, from 0.
    count : number of groups.

    Returns
    -------
    (count,) sums, 0 for a group without values, NaN for one with a NaN.

    Notes
    -----
    Each term is cut into parts that are multiples of one power of two per level, so coarse that partial sums are exact; the levels are then
    added from the finest to the coarsest. (Demmel and Nguyen, Parallel Reproducible Summation, IEEE Transactions on Computers, 2015.)
    """
    missing = np.isnan(values)
    rest = np.where(missing, 0.0, values) if missing.any() else values
    levels = []
    for _ in range(LEVELS):
        greatest = float(np.abs(rest).max(initial=0.0))
        if greatest == 0.0:
            break
        cut = np.ldexp(1.0, int(np.frexp(greatest)[1]) + len(rest).bit_length() + 1)
        part = (rest + cut) - cut
        levels.append(np.bincount(groups, weights=part, minlength=count))
        rest = rest - part
    total = np.zeros(count)
    for level in reversed(levels):
        total = total + level
    if missing.any():
        total[np.unique(groups[missing])] = np.nan
    return total
