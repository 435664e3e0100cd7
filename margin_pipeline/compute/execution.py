"""Runs a function on a backend, on NumPy where the device fails, and says which it was.

Belongs here: running, falling back, reporting. Not here: choosing the backend (routing).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from margin_pipeline.compute.backend import Backend
from margin_pipeline.compute.numpy_backend import NUMPY

T = TypeVar("T")

DEVICE_FAILURES = (RuntimeError, MemoryError, ValueError, OSError)
"""What array libraries raise when a device is out of memory, gone, or cannot do something."""


@dataclass(frozen=True)
class ComputeReport:
    """Where something was computed.

    Attributes
    ----------
    backend : name of the backend that computed the result.
    device : its device in words.
    seconds : wall time, a failed attempt included.
    why : why this backend, in words.
    fell_back : whether the wanted device failed.
    """

    backend: str
    device: str
    seconds: float
    why: str
    fell_back: bool = False

    def as_metadata(self) -> dict[str, Any]:
        """Plain values for an asset's metadata."""
        return {"backend": self.backend, "device": self.device, "seconds": self.seconds, "why": self.why, "fell_back": self.fell_back}


def run_on(backend: Backend, function: Callable[[Backend], T], why: str = "asked for by the caller") -> tuple[T, ComputeReport]:
    """Run a function on a backend; when its device fails, run it again on NumPy and say so.

    Parameters
    ----------
    backend : where to run.
    function : takes the backend and returns NumPy arrays or numbers, so that whatever fails on the device fails within.
    why : reason of the choice, kept in the report.

    Raises
    ------
    Whatever the function raises on NumPy: a mistake of the function itself fails there too.
    """
    started = time.perf_counter()
    try:
        with backend.on_device():
            result = function(backend)
    except DEVICE_FAILURES as error:
        if backend.name == NUMPY.name:
            raise
        reason = f"{backend.name} failed ({type(error).__name__}: {error}), so NumPy computed; wanted because: {why}"
        result = function(NUMPY)
        return result, ComputeReport(NUMPY.name, NUMPY.device, time.perf_counter() - started, reason, fell_back=True)
    return result, ComputeReport(backend.name, backend.device, time.perf_counter() - started, why)


def run_in_float64(backend: Backend, function: Callable[[Backend], T], why: str = "asked for by the caller") -> tuple[T, ComputeReport]:
    """Run a function that needs double precision: on the backend if it has it, else on NumPy; the report says so.

    Parameters and errors as of `run_on`.
    """
    if backend.has_float64:
        return run_on(backend, function, why)
    result, report = run_on(NUMPY, function)
    return result, replace(report, why=f"{backend.name} has no double precision, which this needs")
