"""Correlation and covariance of return matrices: exponentially weighted, sample, Ledoit-Wolf; with and without gaps.

Belongs here: estimators of co-movement. Not here: repair of what is not positive semi-definite, single volatilities, beta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend, ComputeReport, run_in_float64
from margin_pipeline.market.gaps import PairSupport, pair_support
from margin_pipeline.market.volatility import weighted_variance
from margin_pipeline.market.weights import NEGLIGIBLE_VARIANCE, exponential_weights

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CorrelationEstimate:
    """A matrix of correlations as estimated, before any repair.

    Attributes
    ----------
    correlation : (n, n) symmetric, ones on the diagonal, within [-1, 1]; 0 beside a column without variance and where the
        two columns have no two observations in common.
    report : where the products were computed.
    singular : whether it is positive semi-definite and singular for certain: no gaps, and no more rows than columns.
    """

    correlation: Floats
    report: ComputeReport
    singular: bool = False


def correlation_weights(estimator: str, observations: int, half_life: float) -> Floats:
    """Weights of an estimator's observations: halving for "exponentially_weighted", equal for "sample" and "ledoit_wolf"."""
    return exponential_weights(observations, half_life if estimator == "exponentially_weighted" else np.inf)


def weighted_correlation(returns: Floats, weights: Floats, backend: Backend = NUMPY) -> CorrelationEstimate:
    """Weighted correlation of all pairs of columns, each pair over the rows in which both are there.

    Parameters
    ----------
    returns : (t, n), NaN = missing.
    weights : (t,), > 0.
    backend : where the products are computed, in float64.

    Returns
    -------
    CorrelationEstimate. Without gaps it is one product of the standardised returns, positive semi-definite up to rounding.
    With gaps the means and variances of a pair are taken over its common rows too, so that no correlation leaves [-1, 1];
    the matrix need not be positive semi-definite then.
    """
    present = ~np.isnan(returns)
    standardised = _standardised(returns, present, weights)
    if present.all():
        scaled = standardised * np.sqrt(weights / weights.sum())[:, None]
        correlation, report = run_in_float64(backend, lambda b: _gram(b, scaled), "correlation is one product")
        return CorrelationEstimate(_finished(correlation), report, singular=returns.shape[0] <= standardised.any(axis=0).sum())
    support = pair_support(present, weights / weights.sum())
    correlation, report = run_in_float64(backend, lambda b: _pairwise(b, standardised, support), "correlation of pairs is a few products")
    return CorrelationEstimate(_finished(correlation), report)


def ledoit_wolf_correlation(returns: Floats, backend: Backend = NUMPY) -> CorrelationEstimate:
    """Correlation of the covariance shrunk towards a multiple of the identity.

    Parameters
    ----------
    returns : (t, n), NaN = missing.
    backend : where the products are computed.

    Notes
    -----
    Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate Anal. 88;
    the intensity is scikit-learn's. It cannot deal with gaps: for the intensity alone they are filled with the column's mean.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage  # here: half a second of imports that other estimators need not pay

    estimate = weighted_correlation(returns, np.ones(len(returns)), backend)
    centred = returns - np.nanmean(returns, axis=0)
    shrinkage = float(ledoit_wolf_shrinkage(np.nan_to_num(centred), assume_centered=True))
    variance = weighted_variance(returns, np.ones(len(returns)))
    target = shrinkage * float(variance.mean())
    shrunk_variance = (1.0 - shrinkage) * variance + target
    deviation, shrunk_deviation = np.sqrt(variance), np.sqrt(shrunk_variance)
    scale = np.divide(deviation, shrunk_deviation, out=np.zeros_like(deviation), where=shrunk_deviation > 0)
    shrunk = estimate.correlation * (1.0 - shrinkage) * scale[:, None] * scale[None, :]
    return CorrelationEstimate(_finished(shrunk), estimate.report)


def _standardised(returns: Floats, present: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """Columns less their weighted mean, over their weighted population deviation; 0 in gaps and without variance."""
    total = weights @ present
    filled = np.where(present, returns, 0.0)
    mean = np.divide(weights @ filled, total, out=np.zeros_like(total), where=total > 0)
    centred = np.where(present, filled - mean, 0.0)
    variance = np.divide(weights @ centred**2, total, out=np.zeros_like(total), where=total > 0)
    return centred * np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=variance > NEGLIGIBLE_VARIANCE)


def _gram(backend: Backend, x: Floats) -> Floats:
    on_device = backend.array(x, "float64")
    return np.asarray(backend.to_numpy(backend.matmul(backend.transpose(on_device), on_device)))


def _pairwise(backend: Backend, x: Floats, support: PairSupport) -> Floats:
    """Correlations of standardised columns over the common rows of each pair.

    With w the weights, S the weight of the common rows, A the weighted sums of each column there and B its sums of squares:
    covariance P - A A'/S, variances B - A²/S.
    """
    weights = support.weights[:, None]
    covariance = _gram(backend, x * np.sqrt(weights))
    sums = support.common_sums(x * weights)
    squares = support.common_sums(x**2 * weights)
    inverse = np.divide(1.0, support.weight, out=np.zeros_like(support.weight), where=support.weight > 0)
    means = sums * inverse
    covariance -= means * sums.T
    squares -= means * sums
    variance = squares * squares.T
    known = (squares > 1e-12) & (squares.T > 1e-12)
    return np.divide(covariance, np.sqrt(variance, where=known, out=variance), out=np.zeros_like(covariance), where=known)


def _finished(correlation: Floats) -> Floats:
    """Symmetric to the last bit, within [-1, 1], ones on the diagonal."""
    finished = correlation if np.array_equal(correlation, correlation.T) else (correlation + correlation.T) * 0.5
    finished = np.clip(finished, -1.0, 1.0)
    np.fill_diagonal(finished, 1.0)
    return finished
