"""Drawn returns of risk factors: antithetic normals or scrambled Sobol sequences, normal or Student's t.

Belongs here: draws, in chunks that do not depend on how they are run. Not here: what positions earn in them (`monte_carlo`).

Conventions
-----------
- Returns are standardised: mean 0, variance 1, correlated as estimated. Student's t is multivariate, its one common divisor scaled so
  that the covariance is the estimated one: √((ν − 2)/W), W of the chi-squared distribution of ν degrees of freedom (McNeil, Frey and
  Embrechts, Quantitative Risk Management, section 6.2).
- Antithetic: the second half of the scenarios mirrors the first. Sobol: replications of equal length stand one after the other, each
  an independent scrambling of one sequence (Owen 1998; Glasserman, Monte Carlo Methods in Financial Engineering, section 5.4).
- Every chunk has a generator of its own, seeded by its number: the same seed gives the same draws, whatever the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import Backend
from margin_pipeline.parameters.risk import MonteCarloSettings

Floats = npt.NDArray[Any]
CHUNK = 1024
"""Draws at a time; part of what a seed means."""
_SMALLEST, _LARGEST = 1e-12, 1 - 1e-12


@dataclass(frozen=True)
class Chunk:
    """Draws that are made together.

    Attributes
    ----------
    number : seeds the generator; of a Sobol sequence the replication.
    first, last : scenarios, the last one not included.
    skipped : points of the replication that come before.
    """

    number: int
    first: int
    last: int
    skipped: int = 0


def chunks(settings: MonteCarloSettings) -> list[Chunk]:
    """Chunks of all draws: of the first half of the scenarios where the second mirrors it."""
    if settings.sequence == "antithetic":
        half = settings.scenarios // 2
        return [Chunk(n, first, min(first + CHUNK, half)) for n, first in enumerate(range(0, half, CHUNK))]
    length = settings.scenarios // settings.replications
    return [
        Chunk(n, n * length + start, n * length + min(start + CHUNK, length), start)
        for n in range(settings.replications)
        for start in range(0, length, CHUNK)
    ]


def is_mirrored(settings: MonteCarloSettings) -> bool:
    """Whether each draw stands for two scenarios, itself and its negative."""
    return settings.sequence == "antithetic"


def standard_returns(chunk: Chunk, settings: MonteCarloSettings, root: Any, factors: int, backend: Backend) -> Floats:
    """Standardised returns of a chunk.

    Parameters
    ----------
    chunk : of `chunks`.
    settings : distribution and sequence.
    root : (factors, k) root of the correlation, float32 array of the backend.
    factors : k, independent normals of each scenario.
    backend : where the product is computed, in float32.

    Returns
    -------
    (factors, draws) float32.
    """
    normals, divisor = _independent(chunk, settings, factors)
    with backend.on_device():
        product = backend.matmul(root, backend.array(normals, "float32"))
        returns = np.asarray(backend.to_numpy(product), dtype=np.float32)
    if divisor is None:
        return returns
    return returns * divisor.astype(np.float32)


def group_means(indicator: npt.NDArray[np.bool_], settings: MonteCarloSettings) -> Floats:
    """Means over groups that are independent of each other: pairs of mirror images, or replications."""
    if is_mirrored(settings):
        half = len(indicator) // 2
        return (indicator[:half].astype(float) + indicator[half:]) / 2
    return indicator.reshape(settings.replications, -1).mean(axis=1)


def _independent(chunk: Chunk, settings: MonteCarloSettings, factors: int) -> tuple[Floats, Floats | None]:
    """Independent normals, (factors, draws), and the factor of Student's t, (draws,)."""
    is_t = settings.distribution == "student_t"
    if settings.sequence == "sobol":
        uniform = _sobol(chunk, settings, factors + is_t)
        return _normal(uniform[:, :factors]).T, _t_factor(uniform[:, -1], settings) if is_t else None
    random = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(chunk.number,)))
    draws = chunk.last - chunk.first
    normals = random.standard_normal((factors, draws), dtype=np.float32)
    return normals, _t_factor(random.random(draws), settings) if is_t else None


def _sobol(chunk: Chunk, settings: MonteCarloSettings, dimensions: int) -> Floats:
    from scipy.stats import qmc  # here: costs start-up time that most commands need not pay

    engine = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng([settings.seed, chunk.number]))
    if chunk.skipped:
        engine.fast_forward(chunk.skipped)
    return np.asarray(engine.random(chunk.last - chunk.first))


def _normal(uniform: Floats) -> Floats:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(uniform, _SMALLEST, _LARGEST)))


def _t_factor(uniform: Floats, settings: MonteCarloSettings) -> Floats:
    from scipy.special import gammaincinv

    freedom = settings.degrees_of_freedom
    return np.asarray(np.sqrt((freedom - 2) / (2 * gammaincinv(freedom / 2, np.clip(uniform, _SMALLEST, _LARGEST)))))
