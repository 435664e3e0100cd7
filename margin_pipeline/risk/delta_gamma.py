"""Delta-gamma value at risk of one portfolio and its Euler attribution to strategies.

Belongs here: from exposures and covariance to quadratic forms of few variables, and components. Not here: the tail of a quadratic
form (`quadratic`), the book (`delta_gamma_method`).

The profit of a strategy is δ'r + ½ Σⱼ γⱼ rⱼ² with r ~ N(0, hΣ). The factors with gamma span all curvature: with y the principal
variables of the portfolio's curvature, r = Wy + rest, it is (W'δ)'y + ½ y'(W' diag(γ) W)y and something independent of y. Up to a
limit of variables nothing is left out, and all figures are exact. Beyond it the variables of greatest curvature are kept, and the
rest enters with its exact mean and variance as if it were normal, which a sum of that many small terms is nearly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.risk.quadratic import Quadratics
from margin_pipeline.risk.roots import root_of

Floats = npt.NDArray[Any]
ALL_UP_TO = 4
"""Times the number of leading variables up to which all variables are taken."""
_POWER_STEPS = 3
_INDEPENDENT = 1e-12
"""Variance of a combination, beside the greatest one, below which it depends on the others."""


@dataclass(frozen=True)
class Variables:
    """Normal variables y of variance 1, k of them, that explain the curvature of a portfolio.

    Attributes
    ----------
    loading : (m, k) W, covariance of the m factors with gamma and the variables.
    combination : (m, k) y as combinations of these factors.
    """

    loading: Floats
    combination: Floats


@dataclass(frozen=True)
class PortfolioForms:
    """Quadratic forms of a portfolio, its strategies, and the portfolio without each strategy; one day.

    Attributes
    ----------
    mean : (books,) books in that order: 1 + 2 x strategies.
    linear_variance, curved_variance : (books,) variance of the linear and of the quadratic part.
    curvature, slope : (books, k) λ and b, padded by 0.
    part_mean, part_linear, part_curved : (strategies,) derivative of mean, and half that of the two variances, of the portfolio in the
        size of each strategy.
    part_curvature : (strategies, k, k) W' diag(γ) W of each strategy, in the variables of the portfolio.
    part_slope : (strategies, k).
    """

    mean: Floats
    linear_variance: Floats
    curved_variance: Floats
    curvature: Floats
    slope: Floats
    part_mean: Floats
    part_linear: Floats
    part_curved: Floats
    part_curvature: Floats
    part_slope: Floats

    def over(self, horizon_days: int) -> Quadratics:
        """Forms of a horizon: variances of returns grow with it."""
        h = float(horizon_days)
        variance = h * self.linear_variance + h**2 * self.curved_variance
        return Quadratics(h * self.mean, variance, h * self.curvature, np.sqrt(h) * self.slope)


def portfolio_forms(delta: Floats, gamma: Floats, delta_covariance: Floats, covariance: Floats, most_variables: int) -> PortfolioForms:
    """Reduce a portfolio to quadratic forms of few variables.

    Parameters
    ----------
    delta, gamma : (strategies, factors) base currency for a relative move of 1, and for a squared one.
    delta_covariance : (strategies, factors) delta @ covariance.
    covariance : (factors, factors) of one day's returns, positive semi-definite.
    most_variables : leading variables taken where more than `ALL_UP_TO` times as many factors have gamma; else all are.
    """
    curved = np.flatnonzero(np.any(gamma != 0, axis=0))
    own_gamma, within = gamma[:, curved], covariance[np.ix_(curved, curved)]
    reached = delta_covariance[:, curved]
    most = len(curved) if len(curved) <= ALL_UP_TO * most_variables else most_variables
    variables = _variables(own_gamma.sum(axis=0), within, most)
    part_curvature, part_slope = _in_variables(variables, own_gamma, reached)
    whole = part_curvature.sum(axis=0)
    books = np.concatenate([whole[None], part_curvature, whole - part_curvature])
    slopes = np.concatenate([part_slope.sum(axis=0)[None], part_slope, part_slope.sum(axis=0) - part_slope])
    values, vectors = np.linalg.eigh(books)
    slope = (slopes[:, None, :] @ vectors)[:, 0]
    if len(curved) > most:
        unused = ((0, 0), (0, most - values.shape[1]))
        values, slope = np.pad(values, unused), np.pad(slope, unused)
        _replace_alone(values, slope, own_gamma, reached, within, most)
    squared = within**2
    linear, curvature_product = delta_covariance, own_gamma @ squared / 2
    total_delta, total_gamma = delta.sum(axis=0), own_gamma.sum(axis=0)
    means = own_gamma @ np.diag(within) / 2
    return PortfolioForms(
        mean=np.concatenate([[means.sum()], means, means.sum() - means]),
        linear_variance=_variances(delta, linear),
        curved_variance=_variances(own_gamma, curvature_product),
        curvature=values,
        slope=slope,
        part_mean=means,
        part_linear=linear @ total_delta,
        part_curved=curvature_product @ total_gamma,
        part_curvature=_rotated(part_curvature, vectors[0]),
        part_slope=part_slope @ vectors[0],
    )


def derivatives(forms: PortfolioForms, horizon_days: int, theta: npt.NDArray[np.complex128]) -> npt.NDArray[np.complex128]:
    """Derivative of K(θ)/θ of the portfolio in the size of each strategy; they add up to K'(θ).

    Parameters
    ----------
    forms : of the portfolio.
    horizon_days : horizon.
    theta : (t,) arguments.

    Returns
    -------
    (strategies, t).

    Notes
    -----
    Expected profit of a strategy under the distribution of the factors tilted by exp(θQ) (Tasche 1999: the component is the expected
    loss given the portfolio's; here its transform).
    """
    h = float(horizon_days)
    form = forms.over(horizon_days)
    used = forms.part_slope.shape[1]
    curvature, slope = form.curvature[0, :used], form.slope[0, :used]
    own_curvature, own_slope = h * forms.part_curvature, np.sqrt(h) * forms.part_slope
    diagonal = np.diagonal(own_curvature, axis1=1, axis2=2)
    inverse = 1 / (1 - theta * curvature[:, None])
    tilted = slope[:, None] * inverse
    left_mean = h * forms.part_mean - diagonal.sum(axis=1) / 2
    left_variance = h * forms.part_linear + h**2 * forms.part_curved - own_slope @ slope - diagonal @ curvature / 2
    if form.normal_variance[0] == 0:
        left_variance = np.zeros_like(left_variance)
    crossed = own_curvature @ tilted.real + 1j * (own_curvature @ tilted.imag)
    bent = theta**2 / 2 * np.sum(tilted * crossed, axis=1)
    led: npt.NDArray[np.complex128] = diagonal @ inverse / 2 + theta * (own_slope @ tilted) + bent
    return led + left_mean[:, None] + theta * left_variance[:, None]


def _in_variables(variables: Variables, gamma: Floats, reached: Floats) -> tuple[Floats, Floats]:
    """W' diag(γ) W, (s, k, k), and slopes, (s, k), of strategies."""
    loading = variables.loading
    curvature = np.stack([(loading[g != 0].T * g[g != 0]) @ loading[g != 0] for g in gamma])
    return (curvature + curvature.transpose(0, 2, 1)) / 2, reached @ variables.combination


def _rotated(matrices: Floats, vectors: Floats) -> Floats:
    return np.asarray(vectors.T @ matrices @ vectors)


def _variances(exposure: Floats, product: Floats) -> Floats:
    """(books,) exposure'·matrix·exposure of the portfolio, of each strategy, and of the portfolio without it; not below 0."""
    total, total_product = exposure.sum(axis=0), product.sum(axis=0)
    whole = np.array([total @ total_product])
    alone = np.sum(exposure * product, axis=1)
    without = np.sum((total - exposure) * (total_product - product), axis=1)
    return np.maximum(np.concatenate([whole, alone, without]), 0.0)


def _replace_alone(values: Floats, slope: Floats, gamma: Floats, reached: Floats, within: Floats, most_variables: int) -> None:
    """Put each strategy's own leading variables in place of the portfolio's: its curvature may lie elsewhere."""
    for row, own in enumerate(gamma, start=1):
        held = np.flatnonzero(own)
        found = _variables(own[held], within[np.ix_(held, held)], most_variables)
        curvature, own_slope = _in_variables(found, own[None, held], reached[row - 1 : row, held])
        eigenvalues, vectors = np.linalg.eigh(curvature[0])
        values[row], slope[row] = 0.0, 0.0
        values[row, : len(eigenvalues)], slope[row, : len(eigenvalues)] = eigenvalues, own_slope[0] @ vectors


def _variables(gamma: Floats, covariance: Floats, most_variables: int) -> Variables:
    """Principal variables of Σγⱼrⱼ²: all, or the leading ones of many."""
    if len(gamma) <= most_variables:
        root, solved = root_of(covariance)
        return Variables(root, solved(np.eye(root.shape[1])))
    # Power steps a → ΓΣa, orthonormal in Σ: any subspace keeps mean and variance right, and a few bring it close to the leading one.
    weight = np.abs(gamma) * np.diag(covariance)
    first = np.sort(np.argsort(-weight, kind="stable")[:most_variables])
    combination = np.zeros((len(gamma), most_variables))
    combination[first, np.arange(most_variables)] = gamma[first]
    for step in range(_POWER_STEPS + 1):
        loading = covariance @ combination
        values, vectors = np.linalg.eigh(combination.T @ loading)
        kept = values > _INDEPENDENT * max(float(values[-1]), 0.0)
        scale = vectors[:, kept] / np.sqrt(values[kept])
        combination, loading = combination @ scale, loading @ scale
        if step < _POWER_STEPS:
            combination = gamma[:, None] * loading
    return Variables(loading, combination)
