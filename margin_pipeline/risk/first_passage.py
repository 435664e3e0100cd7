"""When a distance that moves like a Brownian motion is used up: probabilities, and the median time.

Belongs here: formulas of first passage. Not here: what moves (`forecast`), how well it is forecast (`forecast_calibration`).

A distance x > 0 without drift, of variance v(h) over a horizon h, is used up within it with probability 2Φ(-x / √v(h)), by the reflection
principle: of the paths that touch 0, half are below it at the end. Watched at m equally spaced instants only, a path may dip below between
them and come back: the barrier then lies β√(v/m) farther away, β = -ζ(1/2)/√(2π) (Broadie, Glasserman and Kou 1997, theorem 1.1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[Any]

CONTINUITY = 0.5825971579390107
"""-ζ(1/2)/√(2π), Broadie, Glasserman and Kou (1997)."""
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
    instants : count m; for 1 it is `end_probability`, as the correction is one of many instants.
    """
    if instants == 1:
        return end_probability(distance, deviation)
    distance, deviation = np.asarray(distance, dtype=float), np.asarray(deviation, dtype=float)
    farther = np.where(distance > 0, distance + CONTINUITY * deviation / np.sqrt(instants), distance)
    # Whoever is below at the end has been found so: the correction must not say less.
    return np.maximum(passage_probability(farther, deviation), end_probability(distance, deviation))


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
