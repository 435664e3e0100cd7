"""Roots of covariance matrices, singular ones included.

Belongs here: Cholesky's factor, and that of eigenvalues where there is none. Not here: repairing estimates (`market`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg

Floats = npt.NDArray[Any]
_LEAST_PIVOT, _RIDGE = 1e-5, 1e-9
"""Deviation of a factor given those before it, beside its own, below which its covariance counts as singular; and the part of its
own variance that it is given more then."""


def root_of(covariance: Floats) -> tuple[Floats, Callable[[Floats], Floats]]:
    """Root of a covariance or correlation matrix.

    Parameters
    ----------
    covariance : (n, n), positive semi-definite but for rounding.

    Returns
    -------
    R, (n, k), with RR' = Σ, and the function that takes a basis (k, m) to S·basis for the S with S'R = I. Cholesky's where the matrix
    has full rank, or has it with a billionth more variance of each factor; else of its positive eigenvalues.
    """
    if not len(covariance):
        return np.zeros((0, 0)), lambda basis: basis
    variance = np.diag(covariance)
    for ridge in (0.0, _RIDGE):
        try:
            root = linalg.cholesky(covariance + np.diag(ridge * variance), lower=True, check_finite=False)
        except linalg.LinAlgError:
            continue  # not of full rank: with a little more variance of each factor, and then by eigenvalues
        if np.all(np.diag(root) > _LEAST_PIVOT * np.sqrt(variance)):
            return root, partial(linalg.solve_triangular, root, trans="T", lower=True, check_finite=False)
    values, vectors = linalg.eigh(covariance, check_finite=False)
    kept = values > _RIDGE * max(float(values[-1]), 0.0)
    deviation = np.sqrt(values[kept])
    return vectors[:, kept] * deviation, lambda basis: (vectors[:, kept] / deviation) @ basis
