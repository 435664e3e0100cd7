"""MLX behind the common namespace: Metal or CUDA in float32, the processor in float64 and float32.

Belongs here: MLX functions under the common names, and loading MLX well. Not here: choosing it (routing).

MLX is optional and imported only when one of its backends is asked for. Its float64 products are double precision, but its
float64 `exp` and `erf` are not (relative errors of 5e-7 and 6e-6 were measured with MLX 0.32): element-wise results of any
MLX backend count as single precision. Graphics devices offer float32 only. Factorisations stay with SciPy.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute.backend import Array, Backend, BackendError


@lru_cache(maxsize=1)
def preload_optimised_blas() -> str | None:
    """Load the system's OpenBLAS ahead of MLX, whose Linux build brings a slow reference BLAS.

    The first library that offers `cblas_sgemm` in the process serves MLX: products are then some thirty times faster. The
    OpenBLAS inside NumPy's and SciPy's packages cannot serve, since it offers its functions under other names. macOS
    needs none: MLX uses Accelerate there.

    Returns
    -------
    Name of the loaded library; None: none was found, and products stay slow, which routing measures.
    """
    if sys.platform != "linux" or "mlx.core" in sys.modules:
        return None
    candidates = [ctypes.util.find_library("openblas"), "libopenblas.so.0", "libopenblas.so"]
    for name in dict.fromkeys(c for c in candidates if c):
        try:
            library = ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)
        except OSError:
            continue  # not on this system: the next name, and in the end none, which the caller is told
        if hasattr(library, "cblas_sgemm"):
            return name
    return None


def load_mlx() -> Any:
    """Import `mlx.core`, after the optimised BLAS.

    Raises
    ------
    BackendError : MLX is not installed, or its build does not run here.
    """
    preload_optimised_blas()
    try:
        import mlx.core as mx
    except (ImportError, OSError) as error:
        raise BackendError(f"MLX cannot be loaded here: {error}") from error
    return mx


def mlx_backend(kind: str) -> Backend:
    """Backend of MLX on one kind of device.

    Parameters
    ----------
    kind : "cpu" or "gpu".

    Raises
    ------
    BackendError : no MLX, or no such device.
    """
    mx = load_mlx()
    if kind not in ("cpu", "gpu"):
        raise BackendError(f"MLX has no device kind {kind!r}; use cpu or gpu")
    if kind == "gpu" and not mx.is_available(mx.gpu):
        raise BackendError("MLX finds no graphics device here (it knows Metal on macOS and CUDA on Linux)")
    stream = mx.default_stream(mx.gpu if kind == "gpu" else mx.cpu)
    return _backend(mx, stream, kind)


def _device_in_words(mx: Any, kind: str) -> str:
    if kind == "cpu":
        return "CPU, MLX"
    return "GPU, MLX on Metal" if mx.metal.is_available() else "GPU, MLX on CUDA"


def _array_maker(mx: Any, name: str, dtypes: tuple[str, ...]) -> Callable[..., Array]:
    kinds = {"float64": mx.float64, "float32": mx.float32}

    def array(x: npt.ArrayLike, dtype: str | None = None) -> Array:
        wanted = dtype or dtypes[0]
        if wanted not in dtypes:
            raise BackendError(f"{name}: precision {wanted!r} is not offered by this device; use {' or '.join(dtypes)}")
        return mx.array(np.asarray(x, dtype=wanted), dtype=kinds[wanted])

    return array


def _backend(mx: Any, stream: Any, kind: str) -> Backend:
    name = f"mlx-{kind}"
    dtypes = ("float64", "float32") if kind == "cpu" else ("float32",)

    def unary(function: Callable[..., Array]) -> Callable[[Array], Array]:
        return lambda x: function(x, stream=stream)

    def binary(function: Callable[..., Array]) -> Callable[[Array, Array], Array]:
        return lambda a, b: function(a, b, stream=stream)

    def reduction(function: Callable[..., Array]) -> Callable[..., Array]:
        return lambda x, axis=None: function(x, axis=axis, stream=stream)

    def normal_cdf(x: Array) -> Array:
        with mx.stream(stream):
            return 0.5 * (1.0 + mx.erf(x * (1.0 / math.sqrt(2.0))))

    return Backend(
        name=name,
        device=_device_in_words(mx, kind),
        dtypes=dtypes,
        array=_array_maker(mx, name, dtypes),
        to_numpy=np.array,
        matmul=binary(mx.matmul),
        transpose=unary(mx.transpose),
        exp=unary(mx.exp),
        log=unary(mx.log),
        sqrt=unary(mx.sqrt),
        abs=unary(mx.abs),
        erf=unary(mx.erf),
        normal_cdf=normal_cdf,
        maximum=binary(mx.maximum),
        minimum=binary(mx.minimum),
        where=lambda condition, a, b: mx.where(condition, a, b, stream=stream),
        sum=reduction(mx.sum),
        max=reduction(mx.max),
        min=reduction(mx.min),
        cumsum=lambda x, axis: mx.cumsum(x, axis=axis, stream=stream),
        reshape=lambda x, shape: mx.reshape(x, shape, stream=stream),
        broadcast_to=lambda x, shape: mx.broadcast_to(x, shape, stream=stream),
        concatenate=lambda arrays, axis: mx.concatenate(arrays, axis=axis, stream=stream),
        on_device=lambda: mx.stream(stream),
    )
