"""Array arithmetic on whatever device is there: backends behind one namespace, measured routing, map over chunks.

Belongs here: devices, libraries, threads. Not here: anything about finance.
"""

from margin_pipeline.compute.backend import Array, Backend, BackendError
from margin_pipeline.compute.devices import available_backends, backend_named
from margin_pipeline.compute.elsewhere import MapError, Mapper, mapped_by
from margin_pipeline.compute.execution import ComputeReport, run_in_float64, run_on
from margin_pipeline.compute.numpy_backend import NUMPY
from margin_pipeline.compute.parallel import collect_rarely, each_chunk, map_chunks, pin_threads, pinned_threads
from margin_pipeline.compute.ray_map import RayMap

__all__ = [
    "NUMPY",
    "Array",
    "Backend",
    "BackendError",
    "ComputeReport",
    "MapError",
    "Mapper",
    "RayMap",
    "available_backends",
    "backend_named",
    "collect_rarely",
    "each_chunk",
    "map_chunks",
    "mapped_by",
    "pin_threads",
    "pinned_threads",
    "run_in_float64",
    "run_on",
]
