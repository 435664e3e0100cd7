"""When a distance that moves like a Brownian motion is used up: probabilities, and the median time.

Belongs here: formulas of first passage. Not here: what moves (`forecast`), how well it is forecast (`forecast_calibration`).

A distance x > 0 without drift, of variance v(h) over a horizon h, is used up within it with probability 2Φ(-x / √v(h)), by the reflection
principle: of the paths that touch 0, half are below it at the end. Watched at m equally spaced instants only, a path may dip below between
them and come back. The probability of being found below at none of them follows from the last instant backwards: with the distance y in
deviations of one step, q₀ = 1 and qₖ₊₁(y) = ∫₀^∞ φ(u − y) qₖ(u) du.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[Any]

FARTHEST = 8.0
"""Deviations of the horizon beyond which a distance is never found used up at an instant: 1e-15."""
KNOTS = 4001

MEDIAN_DEVIATIONS = float(ndtri(0.75))
"""Distance in deviations that is used up with probability one half: 2Φ(-z) = 1/2."""


def passage_probability(distance: Floats, deviation: Floats) -> Floats:
    """Probability that a distance is used up at some time within a horizon.

    Parameters
    ----------
    distance : today, any unit; at or below 0 it is used up already.
    deviation : standard deviation of its change over the horizon, same unit, >= 0.

    Returns
    -------
    Fractions, shapes broadcast; NaN where either is unknown. Without a deviation it is 0, or 1 where the distance is used up.
    """
    return _probability(distance, deviation, 2.0)


def end_probability(distance: Floats, deviation: Floats) -> Floats:
    """Probability that a distance is used up at the end of a horizon: Φ(-x / √v); arguments as of `passage_probability`."""
    return _probability(distance, deviation, 1.0)


def watched_probability(distance: Floats, deviation: Floats, instants: int) -> Floats:
    """Probability that a distance is found used up at one of some equally spaced instants, the last one at the horizon.

    Parameters
    ----------
    distance, deviation : as of `passage_probability`.
    instants : count m; for 1 it is `end_probability`.

    Returns
    -------
    Fractions, exact to 1e-6 for steps that are independent and alike.

    Notes
    -----
    For many instants it is near first passage of a barrier that lies 0.5826 √(v/m) farther away (Broadie, Glasserman and Kou 1997); for the
    few days of a calibration that correction is a hundredth off.
    """
    distance, deviation = np.broadcast_arrays(np.asarray(distance, dtype=float), np.asarray(deviation, dtype=float))
    away = np.divide(distance, deviation, out=np.full(distance.shape, np.inf), where=deviation > 0)
    knots, found = _found_below(instants)
    probability = np.where(distance <= 0, 1.0, np.interp(away, knots, found, right=0.0))
    return np.where(np.isnan(distance) | np.isnan(deviation), np.nan, probability)


@lru_cache(maxsize=16)
def _found_below(instants: int) -> tuple[Floats, Floats]:
    """Distances in deviations of the horizon, and the probability of being found below at one of the instants from each."""
    knots = np.linspace(0.0, FARTHEST, KNOTS)
    start = knots * np.sqrt(instants)
    end = start[-1] + 8.0
    nodes, weights = np.polynomial.legendre.leggauss(int(6 * end) + 64)
    nodes, weights = end / 2 * (nodes + 1), end / 2 * weights
    kept = np.ones(len(nodes))
    for _ in range(instants - 1):
        kept = _one_step(nodes, nodes, weights, kept, end)
    return knots, 1.0 - _one_step(start, nodes, weights, kept, end)


def _one_step(start: Floats, nodes: Floats, weights: Floats, kept: Floats, end: float) -> Floats:
    """Probability of being above 0 after a step and at all instants that follow; from beyond the last node it is certain."""
    density = np.exp(-((nodes - start[:, None]) ** 2) / 2.0) / np.sqrt(2.0 * np.pi)
    return np.asarray(np.minimum(density @ (weights * kept) + ndtr(start - end), 1.0))


def median_days(distance: Floats, linear_variance: Floats, curved_variance: Floats) -> Floats:
    """Days within which a distance is used up with probability one half.

    Parameters
    ----------
    distance : today; at or below 0 there is no time left.
    linear_variance, curved_variance : of one day; over h days the variance is h x linear + h² x curved.

    Returns
    -------
    Days; infinite without variance, NaN where an argument is unknown.
    """
    distance, linear, curved = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (distance, linear_variance, curved_variance)))
    needed = (distance / MEDIAN_DEVIATIONS) ** 2
    # The root of h² c + h l = needed, in the form that loses no digits and holds for c = 0, too.
    below = linear + np.sqrt(linear**2 + 4.0 * curved * needed)
    days = np.divide(2.0 * needed, below, out=np.full(needed.shape, np.inf), where=below > 0)
    days = np.where(distance <= 0, 0.0, days)
    return np.where(np.isnan(distance) | np.isnan(linear) | np.isnan(curved), np.nan, days)


def _probability(distance: Floats, deviation: Floats, times: float) -> Floats:
    distance, deviation = np.broadcast_arrays(np.asarray(distance, dtype=float), np.asarray(deviation, dtype=float))
    away = np.divide(distance, deviation, out=np.full(distance.shape, np.inf), where=deviation > 0)
    found = np.where(distance <= 0, 1.0, np.minimum(times * ndtr(-away), 1.0))
    return np.where(np.isnan(distance) | np.isnan(deviation), np.nan, found)
