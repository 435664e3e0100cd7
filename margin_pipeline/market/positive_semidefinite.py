"""Correlation matrices that are one: the test for it, and the nearest one.

Belongs here: eigenvalues and projections of symmetric matrices. Not here: estimating them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from margin_pipeline.compute import pinned_threads

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-8
"""A matrix counts as positive semi-definite when its least eigenvalue is at least minus this."""

MOST_ITERATIONS = 200
_ONE_THREAD_FROM, _ONE_THREAD_BELOW = 300, 4000
"""Sizes decomposed by one thread: for 2,000 rows 0.95 s whatever else runs, where two threads on two cores took 0.5 s on an
idle machine and 3 to 7 s beside other work, waiting for each other at every column."""
_SINGLE_ROUNDING = 2.0**-24
_WORK = 200 * 250**3
"""Alternating projections stop when they have cost this much (iterations x size³): each is one eigenvalue decomposition."""


@dataclass(frozen=True)
class NearestCorrelation:
    """A repaired matrix and how it was found.

    Attributes
    ----------
    correlation : (n, n), positive semi-definite, ones on the diagonal.
    iterations : projections made.
    converged : whether the projections came to rest, rather than to the end of their budget.
    """

    correlation: Floats
    iterations: int
    converged: bool


def minimum_eigenvalue(matrix: Floats) -> float:
    """Least eigenvalue of a symmetric matrix, as computed; +inf for one without rows."""
    return float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) else float("inf")


def is_positive_semidefinite(matrix: Floats, tolerance: float = TOLERANCE) -> bool:
    """Whether no eigenvalue of a symmetric matrix is below -tolerance: whether matrix + tolerance · I has a Cholesky factor."""
    try:
        linalg.cholesky(_shifted(matrix, tolerance), overwrite_a=True, check_finite=False)
    except linalg.LinAlgError:
        return False
    return True


def nearest_correlation(matrix: Floats, tolerance: float = 1e-10, most_iterations: int | None = None) -> NearestCorrelation:
    """Nearest correlation matrix in the Frobenius norm.

    Parameters
    ----------
    matrix : (n, n), symmetric, ones on the diagonal.
    tolerance : relative change between projections at which they have come to rest.
    most_iterations : None: 200, and fewer for large matrices (one from 1,150 rows on), by what a decomposition costs.

    Returns
    -------
    NearestCorrelation. The last step scales to a unit diagonal rather than setting it: the matrix is positive semi-definite
    and a correlation matrix also when stopped early, only then not quite the nearest.

    Notes
    -----
    Higham (2002), "Computing the nearest correlation matrix - a problem from finance", IMA J. Numer. Anal. 22, algorithm 3.3
    with identity weights: alternating projections onto the positive semi-definite matrices and those of unit diagonal, with
    Dykstra's correction of the first.
    """
    limit = most_iterations or int(np.clip(_WORK / max(len(matrix), 1) ** 3, 1, MOST_ITERATIONS))
    unit_diagonal, correction = matrix, np.zeros_like(matrix)
    semidefinite, converged, iterations = matrix, False, 0
    while iterations < limit and not converged:
        iterations += 1
        corrected = unit_diagonal - correction
        semidefinite = _projected(corrected)
        correction = semidefinite - corrected
        previous, unit_diagonal = unit_diagonal, semidefinite.copy()
        np.fill_diagonal(unit_diagonal, 1.0)
        converged = bool(linalg.norm(unit_diagonal - previous) <= tolerance * linalg.norm(unit_diagonal))
    return NearestCorrelation(_scaled_to_unit_diagonal(semidefinite), iterations, converged)


def shrunk_towards_identity(correlation: Floats, amount: float) -> Floats:
    """(1 - amount) · correlation + amount · I: every eigenvalue λ becomes (1 - amount) λ + amount."""
    shrunk = correlation * (1.0 - amount)
    np.fill_diagonal(shrunk, 1.0)
    return shrunk


@dataclass(frozen=True)
class SoundCorrelation:
    """A correlation matrix that everything can be computed from.

    Attributes
    ----------
    correlation : (n, n), positive semi-definite, also when stored with four bytes an entry.
    minimum_eigenvalue : of it; 1 for a matrix without rows.
    repaired : whether the nearest positive semi-definite matrix had to be taken.
    """

    correlation: Floats
    minimum_eigenvalue: float
    repaired: bool


def sound_correlation(estimated: Floats, singular: bool = False) -> SoundCorrelation:
    """The estimated matrix, repaired only where needed.

    Parameters
    ----------
    estimated : (n, n) symmetric, ones on the diagonal.
    singular : whether it is known to be positive semi-definite with least eigenvalue 0 (fewer observations than columns and no
        gaps): no decomposition is needed then, and computing one would only show its rounding.

    Returns
    -------
    SoundCorrelation. A repaired matrix has least eigenvalue 0 before the step for storing (`_safe_in_single_precision`), since
    the projection cuts the negative eigenvalues to 0 and scaling the diagonal keeps their number.
    """
    if not len(estimated):
        return SoundCorrelation(estimated, 1.0, repaired=False)
    if _ONE_THREAD_FROM <= len(estimated) < _ONE_THREAD_BELOW:
        with pinned_threads(1):
            return _sound(estimated, singular)
    return _sound(estimated, singular)


def _sound(estimated: Floats, singular: bool) -> SoundCorrelation:
    repaired = not singular and not is_positive_semidefinite(estimated)
    correlation = nearest_correlation(estimated).correlation if repaired else estimated
    least = 0.0 if singular or repaired else minimum_eigenvalue(correlation)
    return SoundCorrelation(*_safe_in_single_precision(correlation, least), repaired)


def _safe_in_single_precision(correlation: Floats, least: float) -> tuple[Floats, float]:
    """Matrix that stays positive semi-definite when stored with four bytes an entry, and its least eigenvalue.

    Untouched if its least eigenvalue is above the rounding error of storing it, else shrunk towards the identity by about that:
    some 1e-6 for 2,000 symbols, far below any error of estimation. Rounding to 24 bits moves each entry by at most 2^-24, in
    all directions, and the eigenvalues of such an error matrix are about 2^-24 √n. That is tried first, and doubled until the
    stored matrix passes the test; the bound of those eigenvalues, 2^-24 n, ends it.
    """
    margin = _SINGLE_ROUNDING * float(np.sqrt(len(correlation)))
    if least >= margin:
        return correlation, least
    while True:
        amount = (margin - least) / (1.0 - least)
        shrunk = shrunk_towards_identity(correlation, amount)
        if margin >= _SINGLE_ROUNDING * len(correlation) or is_positive_semidefinite(shrunk.astype(np.float32).astype(np.float64)):
            return shrunk, (1.0 - amount) * least + amount
        margin *= 2.0


def _projected(matrix: Floats) -> Floats:
    """Nearest positive semi-definite matrix: without the negative part of the spectrum, by whichever part is smaller."""
    values, vectors = np.linalg.eigh(matrix)
    negative = int(np.searchsorted(values, 0.0))
    if negative <= len(values) - negative:
        part = vectors[:, :negative] * np.sqrt(-values[:negative])
        return matrix + part @ part.T
    part = vectors[:, negative:] * np.sqrt(values[negative:])
    return part @ part.T


def _scaled_to_unit_diagonal(matrix: Floats) -> Floats:
    scale = 1.0 / np.sqrt(np.diag(matrix))
    scaled = matrix * scale[:, None]
    scaled *= scale[None, :]
    scaled = (scaled + scaled.T) * 0.5
    np.fill_diagonal(scaled, 1.0)
    return np.clip(scaled, -1.0, 1.0, out=scaled)


def _shifted(matrix: Floats, amount: float) -> Floats:
    shifted = np.array(matrix, order="F")
    shifted[np.diag_indices_from(shifted)] += amount
    return shifted
