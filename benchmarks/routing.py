"""Backends of this machine on the kernels that routing measures, and what is chosen.

Belongs here: timing of `compute`. Not here: correctness (margin_pipeline_tests/compute).
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Result, least_seconds
from margin_pipeline.compute import routing
from margin_pipeline.compute.kernels import KERNELS
from margin_pipeline.compute.measurement import load


def run() -> list[Result]:
    """Cost of the first and of later choices, and the time of each backend as a ratio to NumPy's."""
    threads = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "compute.json"
        started = time.perf_counter()
        routing.route("auto", "matrix_product", 2000, path, threads)
        results = [Result("first choice on a machine, with its measurement", time.perf_counter() - started, "s")]
        again = least_seconds(lambda: routing.route("auto", "matrix_product", 2000, path, threads))
        results.append(Result("later choice", again, "s", 0.01))
        figures = load(path, threads)
    if figures is None:
        return [*results, Result("backends compared", 0, "", note="the measurement could not be kept")]
    for kernel in KERNELS.values():
        for size in kernel.sizes:
            chosen = routing.choose(kernel.name, size, figures).backend_name
            times = {name: kernels[kernel.name][size] for name, kernels in figures.seconds.items() if kernel.name in kernels}
            for name, seconds in times.items():
                note = f"{seconds:.2g} s{', chosen' if name == chosen else ''}"
                results.append(Result(f"{kernel.name} {size:,}: {name} to numpy", seconds / times["numpy"], "x", note=note))
    return results
