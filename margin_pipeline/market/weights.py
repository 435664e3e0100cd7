"""Weights of observations in time.

Belongs here: weights and what they amount to. Not here: estimates that use them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


NEGLIGIBLE_VARIANCE = 1e-24
"""Variance of daily returns at or below which a price did not move: it is the rounding of the logarithms, not a risk."""


def exponential_weights(observations: int, half_life: float) -> Floats:
    """Weights that halve every `half_life` observations back from the newest, which comes last.

    Parameters
    ----------
    observations : how many.
    half_life : in observations, > 0; infinity: equal weights.

    Returns
    -------
    (observations,), adding up to 1.
    """
    age = np.arange(observations - 1, -1, -1, dtype=np.float64)
    weights = np.exp2(-age / half_life)
    return weights / weights.sum() if observations else weights


def effective_observations(weights: Floats, present: npt.NDArray[np.bool_]) -> Floats:
    """Number of equally weighted observations that are worth as much: (sum w)² / sum w² over the observations that are there.

    Parameters
    ----------
    weights : (t,).
    present : (t, n).

    Returns
    -------
    (n,); 0 where none is there. Kish (1965), section 8.2.
    """
    total, squares = weights @ present, (weights**2) @ present
    return np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
