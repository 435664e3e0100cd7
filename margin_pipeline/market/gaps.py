"""Which observations two columns have in common, for all pairs of columns at once.

Belongs here: counts, weights and sums over common rows. Not here: what is estimated from them.

With g = 1 where an observation is missing, a sum over the common rows of columns i and j is the sum over i's rows less the sum
over those of them where j is missing. The second needs a product with g only, which is sparse in real histories: that is what
makes gaps cheap. Where more than a tenth is missing a dense product is the faster one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]

SPARSE_BELOW = 0.1
"""Share of missing observations up to which products with the gaps are sparse."""


@dataclass(frozen=True)
class PairSupport:
    """Common rows of all pairs of columns.

    Attributes
    ----------
    gaps : (t, n) 1 where missing: a dense array or a sparse one.
    weights : (t,) weights of the rows.
    weight : (n, n) weight of the rows that columns i and j have in common.
    """

    gaps: Any
    weights: Floats
    weight: Floats

    def common_sums(self, x: Floats) -> Floats:
        """(n, n) sums of column i of x, which is 0 in i's gaps, over the rows that i and j have in common."""
        return x.sum(axis=0)[:, None] - np.asarray(self.gaps.T @ x).T


def pair_support(present: npt.NDArray[np.bool_], weights: Floats) -> PairSupport:
    """Common rows of all pairs of columns.

    Parameters
    ----------
    present : (t, n).
    weights : (t,).
    """
    missing = ~present
    is_sparse = missing.mean() <= SPARSE_BELOW if missing.size else True
    gaps: Any = sparse.csr_array(missing.astype(np.float64)) if is_sparse else missing.astype(np.float64)
    lost = weights @ missing
    both = gaps.T @ (gaps * weights[:, None])
    weight = weights.sum() - lost[:, None] - lost[None, :] + (both.toarray() if is_sparse else both)
    return PairSupport(gaps, weights, np.maximum(weight, 0.0))


def common_observations(present: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """(n, n) number of rows that columns i and j have in common."""
    return np.rint(pair_support(present, np.ones(len(present))).weight).astype(np.int64)
