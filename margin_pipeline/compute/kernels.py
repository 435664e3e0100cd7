"""Arithmetic that stands for the heavy work: what is timed to choose a backend, and what tests compare across backends.

Belongs here: kernels with their sizes and precision. Not here: timing them (measurement).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute.backend import Backend

Floats = npt.NDArray[np.float64]

PRODUCT_ROWS = 256
"""Rows of the matrix in the product kernel; its size is the number of columns."""


@dataclass(frozen=True)
class Kernel:
    """A representative piece of work.

    Attributes
    ----------
    name : as in a routing request.
    float64 : whether the work it stands for needs double precision.
    sizes : sizes at which it is timed, ascending.
    prepare : NumPy inputs for a size.
    compute : result, as NumPy array, on a backend from these inputs.
    """

    name: str
    float64: bool
    sizes: tuple[int, ...]
    prepare: Callable[[int], Floats]
    compute: Callable[[Backend, Floats], Floats]


def _ramp(rows: int, columns: int) -> Floats:
    """Reproducible numbers in [-0.5, 0.5) without a random generator."""
    return (np.arange(rows * columns, dtype=np.float64) * 0.6180339887498949 % 1.0 - 0.5).reshape(rows, columns)


def gram(backend: Backend, x: Floats) -> Floats:
    """x' x of an (n, m) matrix: (m, m), in the widest precision of the backend."""
    device_x = backend.array(x)
    return np.asarray(backend.to_numpy(backend.matmul(backend.transpose(device_x), device_x)), dtype=np.float64)


def option_values(backend: Backend, x: Floats) -> Floats:
    """Black-Scholes-like call values for (3, n) log-moneyness, volatility and time seeds in [-0.5, 0.5): (n,)."""
    with backend.on_device():
        seeds = backend.array(x)
        forward = 100.0 * backend.exp(seeds[0])
        deviation = (0.6 + seeds[1]) * backend.sqrt(0.6 + seeds[2])
        d1 = backend.log(forward * 0.01) / deviation + 0.5 * deviation
        value = forward * backend.normal_cdf(d1) - 100.0 * backend.normal_cdf(d1 - deviation)
        return np.asarray(backend.to_numpy(value), dtype=np.float64)


KERNELS = {
    "matrix_product": Kernel("matrix_product", True, (256, 1024), lambda n: _ramp(PRODUCT_ROWS, n), gram),
    "elementwise": Kernel("elementwise", False, (10_000, 300_000), lambda n: _ramp(3, n), option_values),
}
"""All kernels, by name. Correlations are products in float64; scenario grids are element-wise, and float32 serves them."""
