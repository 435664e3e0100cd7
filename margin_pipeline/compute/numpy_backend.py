"""NumPy behind the common namespace: always there, float64, what every other backend is compared with and falls back to.

Belongs here: NumPy and SciPy functions under the common names. Not here: other libraries, choosing among them.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute.backend import Backend, BackendError

_DTYPES = ("float64", "float32")


def _array(x: npt.ArrayLike, dtype: str | None = None) -> npt.NDArray[Any]:
    if dtype not in (None, *_DTYPES):
        raise BackendError(f"numpy: precision {dtype!r} is not offered; use one of {', '.join(_DTYPES)}")
    return np.asarray(x, dtype=dtype or "float64")


def _erf(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    from scipy.special import erf  # here, since it costs start-up time that most commands need not pay

    return erf(x)


def _normal_cdf(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    from scipy.special import ndtr

    return ndtr(x)


NUMPY = Backend(
    name="numpy",
    device="CPU, NumPy",
    dtypes=_DTYPES,
    array=_array,
    to_numpy=np.asarray,
    matmul=np.matmul,
    transpose=np.transpose,
    exp=np.exp,
    log=np.log,
    sqrt=np.sqrt,
    abs=np.abs,
    erf=_erf,
    normal_cdf=_normal_cdf,
    maximum=np.maximum,
    minimum=np.minimum,
    where=np.where,
    sum=np.sum,
    max=np.max,
    min=np.min,
    cumsum=np.cumsum,
    reshape=np.reshape,
    broadcast_to=np.broadcast_to,
    concatenate=np.concatenate,
    on_device=nullcontext,
)
"""The NumPy backend, default of every function that takes one."""
