"""Which backend serves a kernel of a size: the fastest as measured, or the preferred one where it can do the work.

Belongs here: the choice and its reason. Not here: timing (measurement), running and falling back (execution).

Margins, attribution and factorisations are not routed: they are float64 in NumPy and SciPy, always.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from margin_pipeline.compute.backend import Backend, BackendError
from margin_pipeline.compute.devices import BACKEND_NAMES, backend_named
from margin_pipeline.compute.kernels import KERNELS
from margin_pipeline.compute.measurement import Measurements, measure, measured
from margin_pipeline.compute.numpy_backend import NUMPY

PREFERENCES = ("auto", *BACKEND_NAMES)
"""What can be preferred: the fastest as measured, or one backend."""

WORTHWHILE_PART = 0.9
WORTHWHILE_SECONDS = 0.005
"""Another backend is taken when its time is below this part of NumPy's and saves this much: smaller gains are noise of the measurement."""

__all__ = ["PREFERENCES", "Choice", "Route", "choices", "choose", "measure", "route"]


@dataclass(frozen=True)
class Choice:
    """A backend for a kernel of a size.

    Attributes
    ----------
    backend_name : the backend.
    reason : why, in words.
    seconds : its measured seconds at the nearest measured size; NaN where nothing was measured.
    """

    backend_name: str
    reason: str
    seconds: float


@dataclass(frozen=True)
class Route:
    """A choice with its backend loaded.

    Attributes
    ----------
    backend : the backend to compute on.
    reason : why, in words.
    """

    backend: Backend
    reason: str


def choose(kernel: str, size: int, measurements: Measurements) -> Choice:
    """Fastest backend at the measured size nearest to `size` on a logarithmic scale.

    Raises
    ------
    BackendError : unknown kernel, or NumPy was not measured.
    """
    nearest = _nearest_size(kernel, size)
    times = {name: kernels[kernel][nearest] for name, kernels in measurements.seconds.items() if nearest in kernels.get(kernel, {})}
    if NUMPY.name not in times:
        raise BackendError(f"{kernel}: NumPy was not measured, so nothing can be compared with it")
    best = min(sorted(times, key=BACKEND_NAMES.index), key=times.__getitem__)
    if times[best] > WORTHWHILE_PART * times[NUMPY.name] or times[best] > times[NUMPY.name] - WORTHWHILE_SECONDS:
        best = NUMPY.name
    others = ", ".join(f"{name} {times[name]:.2g} s" for name in sorted(times, key=BACKEND_NAMES.index) if name != best)
    compared = f"against {others}" if others else "the only one that can"
    verdict = "fastest, or as good," if best == NUMPY.name else "fastest"
    return Choice(best, f"{verdict} for {kernel} near size {nearest}: {times[best]:.2g} s {compared}", times[best])


def _nearest_size(kernel: str, size: int) -> int:
    if kernel not in KERNELS:
        raise BackendError(f"there is no kernel {kernel!r}; use one of {', '.join(KERNELS)}")
    return min(KERNELS[kernel].sizes, key=lambda n: abs(math.log(n / max(size, 1))))


def route(preference: str, kernel: str, size: int, measurements: Path, threads: int) -> Route:
    """Backend for a kernel of a size.

    Parameters
    ----------
    preference : "auto": the fastest as measured; else the backend wanted, which is taken wherever it can do the work.
    kernel : "matrix_product" (size: columns) or "elementwise" (size: elements).
    size : how much work, in the kernel's measure.
    measurements : file that keeps the figures of this machine.
    threads : threads of linear algebra.

    Raises
    ------
    BackendError : unknown preference or kernel. A wanted backend that is not there is no error: NumPy serves, and the reason says so.
    """
    if preference not in PREFERENCES:
        raise BackendError(f"there is no compute preference {preference!r}; use one of {', '.join(PREFERENCES)}")
    if preference != "auto":
        return _preferred(preference, kernel)
    figures, origin = measured(measurements, threads)
    choice = choose(kernel, size, figures)
    try:
        backend = backend_named(choice.backend_name)
    except BackendError as error:
        return Route(NUMPY, f"{choice.backend_name} was fastest, but is gone ({error})")
    return Route(backend, f"{choice.reason}; {origin}")


def _preferred(name: str, kernel: str) -> Route:
    _nearest_size(kernel, 1)  # refuses an unknown kernel
    try:
        backend = backend_named(name)
    except BackendError as error:
        return Route(NUMPY, f"{name} was asked for and is not available: {error}")
    if KERNELS[kernel].float64 and not backend.has_float64:
        return Route(NUMPY, f"{name} was asked for and has no double precision, which {kernel} needs")
    return Route(backend, "asked for in the settings")


def choices(preference: str, measurements: Path, threads: int) -> dict[str, dict[str, str]]:
    """Name of the backend of every kernel at every measured size: what a calculation records, the same for the same choice."""
    return {
        name: {str(size): route(preference, name, size, measurements, threads).backend.name for size in kernel.sizes}
        for name, kernel in KERNELS.items()
    }
