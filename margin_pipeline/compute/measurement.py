"""Times the kernels on every backend of this machine, and keeps the figures in a file.

Belongs here: timing, the file and when it is stale. Not here: choosing from the figures (routing).
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from margin_pipeline.compute.backend import Backend, BackendError
from margin_pipeline.compute.devices import BACKEND_NAMES, backend_named
from margin_pipeline.compute.execution import DEVICE_FAILURES
from margin_pipeline.compute.kernels import KERNELS, Kernel
from margin_pipeline.compute.parallel import pinned_threads

FORMAT = 1
_REPEATS = 5
_LIBRARIES = ("numpy", "scipy", "mlx", "mlx-cpu", "mlx-metal", "mlx-cuda-12", "mlx-cuda-13")


@dataclass(frozen=True)
class Measurements:
    """Speeds of the backends of one machine.

    Attributes
    ----------
    key : machine, library versions and threads that the figures are of.
    seconds : seconds[backend][kernel][size], least of some repeats.
    unavailable : why a backend has no figures, by backend.
    """

    key: Mapping[str, str]
    seconds: Mapping[str, Mapping[str, Mapping[int, float]]]
    unavailable: Mapping[str, str]


def machine_key(threads: int) -> dict[str, str]:
    """What the figures depend on: machine, library versions and number of threads. Imports none of the libraries."""
    key = {
        "format": str(FORMAT),
        "machine": f"{platform.system()} {platform.machine()} {platform.node()}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "threads": str(threads),
    }
    for library in _LIBRARIES:
        try:
            key[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            key[library] = "none"
    return key


def measure(threads: int, backends: Mapping[str, Backend] | None = None) -> Measurements:
    """Time every kernel on every backend.

    Parameters
    ----------
    threads : threads of linear algebra during the measurement.
    backends : by name; None: all that this machine has.

    Returns
    -------
    Measurements; a backend that fails has no figures, and `unavailable` says why.
    """
    seconds: dict[str, dict[str, dict[int, float]]] = {}
    unavailable: dict[str, str] = {}
    for name in BACKEND_NAMES if backends is None else backends:
        try:
            backend = backend_named(name) if backends is None else backends[name]
            with pinned_threads(threads):
                seconds[name] = {k.name: {n: _seconds(k, n, backend) for n in k.sizes} for k in KERNELS.values() if _can_run(k, backend)}
        except (BackendError, *DEVICE_FAILURES) as error:
            unavailable[name] = str(error)
    return Measurements(machine_key(threads), seconds, unavailable)


def _can_run(kernel: Kernel, backend: Backend) -> bool:
    return backend.has_float64 or not kernel.float64


def _seconds(kernel: Kernel, size: int, backend: Backend) -> float:
    x = kernel.prepare(size)
    kernel.compute(backend, x)  # once unmeasured: compilation, allocation, caches
    least = float("inf")
    for _ in range(_REPEATS):
        started = time.perf_counter()
        kernel.compute(backend, x)
        least = min(least, time.perf_counter() - started)
    return least


def load(path: Path, threads: int) -> Measurements | None:
    """Figures kept in a file; None where there are none that hold for this machine, these libraries and threads.

    A file that cannot be read or understood counts as none: it is only a record of a measurement that can be repeated.
    """
    try:
        kept: Any = json.loads(path.read_text(encoding="utf-8"))
        key = {str(name): str(value) for name, value in kept["key"].items()}
        seconds = {
            str(backend): {str(kernel): {int(n): _positive(s) for n, s in sizes.items()} for kernel, sizes in kernels.items()}
            for backend, kernels in kept["seconds"].items()
        }
        unavailable = {str(backend): str(reason) for backend, reason in kept["unavailable"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Measurements(key, seconds, unavailable) if key == machine_key(threads) and "numpy" in seconds else None


def _positive(seconds: Any) -> float:
    if not float(seconds) > 0:
        raise ValueError(f"a time of {seconds} seconds was not measured")
    return float(seconds)


def keep(measurements: Measurements, path: Path) -> None:
    """Write figures to a file, whole or not at all.

    Raises
    ------
    OSError : the file cannot be written.
    """
    content = {"key": measurements.key, "seconds": measurements.seconds, "unavailable": measurements.unavailable}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=path.name, suffix=".part", delete=False, encoding="utf-8") as part:
        json.dump(content, part, indent=1)
    os.replace(part.name, path)


def measured(path: Path, threads: int) -> tuple[Measurements, str]:
    """Figures of this machine: those kept in the file, else measured now and kept.

    Returns
    -------
    Measurements, and in words where they come from.
    """
    kept = load(path, threads)
    if kept is not None:
        return kept, "measured on this machine before"
    fresh = measure(threads)
    try:
        keep(fresh, path)
    except OSError as error:
        return fresh, f"measured now, and not kept ({error})"
    return fresh, "measured now"
