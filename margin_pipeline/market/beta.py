"""Beta of each symbol against a benchmark, with standard error and explained variance.

Belongs here: regression on one factor, shrinkage of betas. Not here: the returns and their weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin_pipeline.market.weights import NEGLIGIBLE_VARIANCE

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BetaEstimate:
    """Betas, one a column; NaN where there is no estimate.

    Attributes
    ----------
    beta : (n,) slope of the weighted regression with intercept.
    standard_error : (n,) of beta, >= 0.
    r_squared : (n,) explained share of variance, in [0, 1]; NaN for a column without variance.
    """

    beta: Floats
    standard_error: Floats
    r_squared: Floats


def weighted_beta(returns: Floats, benchmark: Floats, weights: Floats, min_observations: int = 20) -> BetaEstimate:
    """Weighted least squares of each column on the benchmark, over the rows in which both are there.

    Parameters
    ----------
    returns : (t, n), NaN = missing.
    benchmark : (t,), NaN = missing.
    weights : (t,), > 0, of any sum.
    min_observations : common rows below which there is no estimate, at least 3.

    Returns
    -------
    BetaEstimate.

    Notes
    -----
    The weights discount old observations; they do not say that these were noisier. So the precision is that of the effective
    number of observations m = (sum w)² / sum w²: standard error² = residual variance / ((m - 2) · variance of the benchmark).
    With equal weights m is the number of observations, and this is the textbook formula. (Taking the weights for inverse
    variances instead would promise, at a half-life of 63 days in three years, half the error that estimates have.)
    """
    present = ~np.isnan(returns) & ~np.isnan(benchmark)[:, None]
    w = weights[:, None] * present
    total = w.sum(axis=0)
    usable = present.sum(axis=0) >= max(min_observations, 3)
    share = np.divide(w, total, out=np.zeros_like(w), where=total > 0)
    x = np.where(present, benchmark[:, None], 0.0)
    y = np.where(present, returns, 0.0)
    x = np.where(present, x - (share * x).sum(axis=0), 0.0)
    y = np.where(present, y - (share * y).sum(axis=0), 0.0)
    xx, xy, yy = ((share * a * b).sum(axis=0) for a, b in ((x, x), (x, y), (y, y)))
    usable &= xx > NEGLIGIBLE_VARIANCE
    beta = _ratio(xy, xx, usable)
    residual = np.maximum(yy - beta * xy, 0.0)
    residual = np.where(residual <= 1e-12 * yy, 0.0, residual)  # rounding: a column that is a multiple of the benchmark
    effective = _ratio(np.ones_like(total), (share**2).sum(axis=0), usable)
    variance = _ratio(residual, (effective - 2.0) * xx, usable & (effective > 2.0))
    r_squared = 1.0 - _ratio(residual, yy, usable & (yy > NEGLIGIBLE_VARIANCE))
    return BetaEstimate(beta, np.sqrt(variance), r_squared)


def vasicek_shrunk(estimate: BetaEstimate, cross_section: npt.NDArray[np.bool_]) -> BetaEstimate:
    """Betas drawn towards 1, the more the less precise they are.

    Parameters
    ----------
    estimate : betas and standard errors.
    cross_section : (n,) the columns that are shrunk and whose spread about 1 is the prior variance; at least two estimates
        are needed, else nothing is shrunk.

    Returns
    -------
    BetaEstimate with beta = (β/s² + 1/τ²) / (1/s² + 1/τ²) and standard error (1/s² + 1/τ²)^-1/2; R² as it was.

    Notes
    -----
    Vasicek (1973), "A note on using cross-sectional information in Bayesian estimation of security betas", J. Finance 28, with
    prior mean 1. The spread of estimates holds their errors too: τ² is the mean of (β - 1)² less the mean of s², at least 0.
    """
    taking_part = cross_section & np.isfinite(estimate.beta) & np.isfinite(estimate.standard_error)
    if taking_part.sum() < 2:
        return estimate
    squared_error = estimate.standard_error**2
    prior = max(float(np.mean((estimate.beta[taking_part] - 1.0) ** 2) - np.mean(squared_error[taking_part])), 0.0)
    trust = _ratio(np.full_like(squared_error, prior), prior + squared_error, prior + squared_error > 0)
    trust = np.where(taking_part & np.isfinite(trust), trust, 1.0)
    beta = trust * estimate.beta + (1.0 - trust)
    standard_error = np.sqrt(trust) * estimate.standard_error
    untouched = ~taking_part
    return BetaEstimate(
        np.where(untouched, estimate.beta, beta), np.where(untouched, estimate.standard_error, standard_error), estimate.r_squared
    )


def _ratio(numerator: Floats, denominator: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=where)
