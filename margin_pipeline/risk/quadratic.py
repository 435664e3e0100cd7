"""Tails of a quadratic form in normal variables, exactly.

Belongs here: distribution, quantile and tail mean of Q = m + b'y + ½ Σ λᵢyᵢ² + s·e with independent standard normal yᵢ and e.
Not here: portfolios (`delta_gamma`).

Method
------
The cumulant generating function is K(θ) = θm + ½θ²s² + Σᵢ [½θ²bᵢ²/(1 − θλᵢ) − ½ log(1 − θλᵢ)] (Hull, chapter on value at risk;
Britten-Jones and Schaefer 1999, "Non-linear value-at-risk"; Jaschke 2002, "The Cornish-Fisher expansion in the context of
delta-gamma-normal approximations"). The characteristic function is inverted as Imhof (1961) and Davies (1980) do, but along a curve
through the saddlepoint instead of the imaginary axis: for c < 0, P(Q ≤ x) = −(1/2πi)∫exp(K(θ) − θx)/θ dθ. The curve is a hyperbola
that bends to the side on which the integrand decays and stays clear of the cuts beyond 1/λ, so the trapezoidal rule converges
exponentially, however few the λᵢ are. It starts at the saddlepoint of the quantile that Lugannani and Rice (1980) give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

_STEP, _FARTHEST = 0.075, 12.0
"""Distance of nodes, and where a curve ends at the latest: its distance from the saddlepoint grows with the exponential of it."""
_DECAY = 110.0
"""A curve may end where the normal part of the form has decayed to exp(-0.375 x this)."""
_BISECTIONS, _NEWTON_STEPS, _ATTEMPTS = 24, 12, 4
_GOOD, _TOLERABLE = 1e-9, 1e-6
"""Relative error of a sum over a curve for which no other curve is tried, and above which there is no figure."""
_LARGEST_EXPONENT = 600.0
_LEAN = 0.5
"""Tangent of the angle between the curve's far ends and the vertical; below 1, so that exp(½θ²s²) decays as well."""
_ROUNDING = 1e-12
"""Part of a variance that counts as none."""


@dataclass(frozen=True)
class Quadratics:
    """n quadratic forms, each with k normal variables; unused ones have λ = b = 0.

    Attributes
    ----------
    mean : (n,) m + ½ Σλ, the mean of Q.
    variance : (n,) of Q, at least that of the k variables.
    curvature : (n, k) λ.
    slope : (n, k) b.
    """

    mean: Floats
    variance: Floats
    curvature: Floats
    slope: Floats

    @cached_property
    def constant(self) -> Floats:
        """(n,) m."""
        return self.mean - self.curvature.sum(axis=1) / 2

    @cached_property
    def normal_variance(self) -> Floats:
        """(n,) s², what the k variables leave of the variance."""
        explained = (self.slope**2).sum(axis=1) + (self.curvature**2).sum(axis=1) / 2
        rest = self.variance - explained
        # Rounding must not leave a trace of a normal part where there is none.
        return np.where(rest > _ROUNDING * self.variance, rest, 0.0)

    def rows(self, chosen: npt.NDArray[np.int64]) -> Quadratics:
        """Some of the forms."""
        return Quadratics(self.mean[chosen], self.variance[chosen], self.curvature[chosen], self.slope[chosen])


def together(parts: Sequence[Quadratics]) -> Quadratics:
    """Forms one after the other, with as many variables as the longest."""
    width = max(part.curvature.shape[1] for part in parts)

    def padded(values: Floats) -> Floats:
        return np.pad(values, ((0, 0), (0, width - values.shape[1])))

    return Quadratics(
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.variance for part in parts]),
        np.concatenate([padded(part.curvature) for part in parts]),
        np.concatenate([padded(part.slope) for part in parts]),
    )


@dataclass(frozen=True)
class Contour:
    """Curves of integration, one a form, in the upper half plane; the lower half adds the conjugate.

    Attributes
    ----------
    theta : (n, t) complex nodes.
    weight : (n, t) complex weights: ∫f dθ / 2πi ≈ Re Σ weight·f.
    log_transform, derivative : (n, t) K(θ) and K'(θ).
    start : (n,) quantile of the probability asked for, as approximated by Lugannani and Rice.
    """

    theta: npt.NDArray[np.complex128]
    weight: npt.NDArray[np.complex128]
    log_transform: npt.NDArray[np.complex128]
    derivative: npt.NDArray[np.complex128]
    start: Floats


@dataclass(frozen=True)
class Tail:
    """Lower tail of each form.

    Attributes
    ----------
    quantile : (n,) x with P(Q ≤ x) = probability; NaN where no curve is good (curvatures of very many sizes, at the edge of a bounded
        form).
    mean_below : (n,) E[Q | Q ≤ x].
    at_quantile : (n, t) complex weights w: E[R | Q = x] = Re Σ w·∂K/θ for the derivative ∂K of K in the direction of R.
    below : (n, t) the same for E[R | Q ≤ x].
    contour : the curve that the weights are of.
    """

    quantile: Floats
    mean_below: Floats
    at_quantile: npt.NDArray[np.complex128]
    below: npt.NDArray[np.complex128]
    contour: Contour


def cumulants(constant: float, slope: Floats, curvature: Floats, covariance: Floats) -> tuple[float, float, float, float]:
    """First four cumulants of constant + slope'r + ½ r'Γr for r ~ N(0, Σ), Γ = diag(curvature), by traces.

    κ₁ = constant + ½ tr ΓΣ, κₖ = ½(k − 1)! tr (ΓΣ)ᵏ + ½ k! slope'Σ(ΓΣ)ᵏ⁻²slope (Mathai and Provost 1992, Quadratic Forms in Random
    Variables, theorem 3.2b.2; Hull).
    """
    product = curvature[:, None] * covariance
    square = product @ product
    spread = covariance @ slope
    bent = covariance @ (curvature * spread)
    return (
        constant + float(np.trace(product)) / 2,
        float(slope @ spread + np.trace(square) / 2),
        float(3 * spread @ (curvature * spread) + np.sum(square * product.T)),
        float(12 * bent @ (curvature * spread) + 3 * np.sum(square * square.T)),
    )


def contours(forms: Quadratics, probability: float, at: Floats | None = None) -> Contour:
    """Curves for the lower tail of each form at a probability below a half; good for others near it, too.

    Parameters
    ----------
    forms : forms with a positive variance.
    probability : of the lower tail, in (0, 1).
    at : (n,) places to be good at; None: the quantiles of the probability as approximated by Lugannani and Rice.
    """
    saddle = _saddlepoints(forms, probability)
    start = _derivative(forms, saddle) if at is None else at
    deviation = np.sqrt(forms.variance)
    lowest = np.minimum(forms.curvature.min(axis=1, initial=0.0), 0.0)
    # The pole at 0 must be some way off, the branch point of the most negative curvature as well.
    centre = -np.maximum(-saddle, 0.5 / (deviation + 0.5 * np.abs(lowest)))
    scale = 1 / np.sqrt(_second_derivative(forms, centre))
    found = _curve(forms, centre, scale, -_LEAN, start)
    flaw = flaws(forms, found, start)
    for lean in (_LEAN, 0.0):
        # Left is where exp(-θx) decays at once; a form that is bounded below, or nearly, decays to the right.
        poor = flaw > _GOOD
        if not poor.any():
            break
        other = _curve(forms, centre, scale, lean, start)
        better = flaws(forms, other, start) < flaw
        found = Contour(*(_chosen(better, getattr(other, f.name), getattr(found, f.name)) for f in fields(Contour)))
        flaw = flaws(forms, found, start)
    return found


def flaws(forms: Quadratics, contour: Contour, x: Floats) -> Floats:
    """(n,) error of the sums over the curve at the places x, relative to the density.

    Notes
    -----
    exp(K(θ) − θx) vanishes at both ends, so the integral of its derivative is 0: what the sum of the derivative is instead, is error.
    To this comes what rounding leaves of large terms.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        terms = _terms(contour, x)
        density = np.abs(terms.real.sum(axis=1))
        drift = np.abs((terms * (contour.derivative - x[:, None])).real.sum(axis=1)) / np.sqrt(forms.variance)
        flaw = (drift + np.finfo(float).eps * np.abs(terms).sum(axis=1)) / density
    return np.where(np.isfinite(flaw), flaw, np.inf)


def tails(forms: Quadratics, contour: Contour, probability: float) -> Tail:
    """Quantile and mean of the lower tail of each form.

    Parameters
    ----------
    forms : as `contour` was made of.
    contour : of a probability near this one; another is taken where it turns out to be no good.
    probability : of the lower tail, in (0, 1).

    Notes
    -----
    Newton's method on the distribution function, from where Lugannani and Rice put the quantile.
    """
    x = _derivative(forms, _saddlepoints(forms, probability))
    for _ in range(_ATTEMPTS):
        if np.any(flaws(forms, contour, x) > _GOOD):
            contour = contours(forms, probability, x)
        x = _quantiles(forms, contour, x, probability)
        if np.all(flaws(forms, contour, x) <= _GOOD):
            break
    # What cannot be summed to a millionth is not known.
    x = np.where(flaws(forms, contour, x) <= _TOLERABLE, x, np.nan)
    terms = _terms(contour, x)
    at = terms / terms.real.sum(axis=1, keepdims=True)
    below = -terms / contour.theta / probability
    mean_below = (below * contour.derivative).real.sum(axis=1)
    return Tail(x, mean_below, at, below, contour)


def _quantiles(forms: Quadratics, contour: Contour, start: Floats, probability: float) -> Floats:
    deviation = np.sqrt(forms.variance)
    x = start.copy()
    for _ in range(_NEWTON_STEPS):
        terms = _terms(contour, x)
        density = terms.real.sum(axis=1)
        excess = -(terms / contour.theta).real.sum(axis=1) - probability
        # Where a bounded form has no density the step must not run away.
        step = np.divide(excess, density, out=np.sign(excess) * deviation, where=density > 1e-9 / deviation)
        x -= np.clip(step, -0.5 * deviation, 0.5 * deviation)
        if np.all(np.abs(step) <= _ROUNDING * 1e-2 * deviation):
            break
    return x


def _curve(forms: Quadratics, centre: Floats, scale: Floats, lean: float, start: Floats) -> Contour:
    """Hyperbola through the centres, with the tangent of its far ends."""
    normal_part = float(np.min(forms.normal_variance * scale**2))
    reach = _FARTHEST if normal_part <= 0 else min(_FARTHEST, float(np.arcsinh(np.sqrt(_DECAY / normal_part))))
    node = np.arange(0, reach + _STEP, _STEP)
    side, up = lean * scale[:, None], 1j * scale[:, None]
    theta = centre[:, None] + side * (np.cosh(node) - 1) + up * np.sinh(node)
    tangent = side * np.sinh(node) + up * np.cosh(node)
    # Both halves: ∫ / 2πi is the real part of (1/πi) times the upper half; the node on the axis counts half.
    weight = tangent * (_STEP / (np.pi * 1j)) * np.where(node == 0, 0.5, 1.0)
    return Contour(theta, weight, _log_transform(forms, theta), _derivative(forms, theta), start)


def _chosen(first: npt.NDArray[np.bool_], these: Any, those: Any) -> Any:
    return np.where(first[:, None] if these.ndim == 2 else first, these, those)


def _terms(contour: Contour, x: Floats) -> npt.NDArray[np.complex128]:
    """Terms whose real parts add up to the density at x."""
    exponent = contour.log_transform - contour.theta * x[:, None]
    # A curve that is no good at x must say so by large terms, not by none.
    exponent.real = np.minimum(exponent.real, _LARGEST_EXPONENT)
    return np.asarray(contour.weight * np.exp(exponent))


def _columns(theta: Any) -> Any:
    """Argument with an axis for the variables, between those of forms and nodes."""
    return theta[:, None] if theta.ndim == 1 else theta[:, None, :]


def _parts(forms: Quadratics, theta: Any) -> tuple[Any, Any, Any, Any, Any]:
    extra = (...,) if theta.ndim == 1 else (..., None)
    return _columns(theta), forms.curvature[extra], forms.slope[extra], forms.constant[extra], forms.normal_variance[extra]


def _log_transform(forms: Quadratics, theta: Any) -> Any:
    at, curvature, slope, constant, variance = _parts(forms, theta)
    left = 1 - at * curvature
    return theta * constant + theta**2 * variance / 2 + (at**2 * slope**2 / (2 * left) - _log(left) / 2).sum(axis=1)


def _log(x: Any) -> Any:
    """Principal logarithm; of complex arguments a third of the time of NumPy's."""
    if not np.iscomplexobj(x):
        return np.log(x)
    logarithm = np.empty_like(x)
    logarithm.real = np.log(x.real**2 + x.imag**2) / 2
    logarithm.imag = np.arctan2(x.imag, x.real)
    return logarithm


def _derivative(forms: Quadratics, theta: Any) -> Any:
    at, curvature, slope, constant, variance = _parts(forms, theta)
    inverse = 1 / (1 - at * curvature)
    return constant + theta * variance + (at * slope**2 * inverse * (1 + inverse) / 2 + curvature * inverse / 2).sum(axis=1)


def _second_derivative(forms: Quadratics, theta: Any) -> Any:
    at, curvature, slope, _, variance = _parts(forms, theta)
    inverse = 1 / (1 - at * curvature)
    return variance + (slope**2 * inverse**3 + curvature**2 * inverse**2 / 2).sum(axis=1)


def _saddlepoints(forms: Quadratics, probability: float) -> Floats:
    """c < 0 with the lower tail below K'(c) of the probability, by Lugannani and Rice (1980); near 0 where there is none."""
    from scipy.special import ndtr  # here: costs start-up time that most commands need not pay

    deviation = np.sqrt(forms.variance)
    lowest = -np.minimum(forms.curvature.min(axis=1, initial=0.0), 0.0)
    low, high = np.full(len(deviation), -4.0), np.full(len(deviation), 25.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        at = -1 / (lowest + deviation * np.exp(-middle))
        depth = np.sqrt(np.maximum(2 * (at * _derivative(forms, at) - _log_transform(forms, at)), 1e-300))
        width = -at * np.sqrt(_second_derivative(forms, at))
        tail = ndtr(-depth) + np.exp(-(depth**2) / 2) / np.sqrt(2 * np.pi) * (1 / width - 1 / depth)
        too_far_in = tail > probability
        low, high = np.where(too_far_in, middle, low), np.where(too_far_in, high, middle)
    return -1 / (lowest + deviation * np.exp(-low))
