"""Array arithmetic on whatever device is there: backends behind one namespace, measured routing, map over chunks.

Belongs here: devices, libraries, threads. Not here: anything about finance.
"""

from margin_pipeline.compute.backend import Array, Backend, BackendError
from margin_pipeline.compute.numpy_backend import NUMPY

__all__ = ["NUMPY", "Array", "Backend", "BackendError"]
