"""One namespace for array arithmetic, whatever library and device do it.

Belongs here: what a backend offers. Not here: how a library does it (numpy_backend, mlx_backend), which one to take (routing).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Array = Any
"""An array of the backend's own library. Arithmetic and comparison operators and indexing work on it."""


class BackendError(RuntimeError):
    """A backend is not there, or cannot do what was asked of it."""


@dataclass(frozen=True)
class Backend:
    """Array functions of one library on one device.

    Functions take and return arrays of that library, made by `array` and read back by `to_numpy`. Some libraries compute
    late: what fails on the device may be raised as late as in `to_numpy`. Operators (`a * b`, `a > b`) use the library's
    current device, so code that uses them runs inside `with backend.on_device():`.

    Attributes
    ----------
    name : "numpy", "mlx-cpu" or "mlx-gpu".
    device : the device in words, for metadata.
    dtypes : the precisions offered, widest first: ("float64", "float32") or ("float32",).
    array : array(x, dtype=None), from numbers or NumPy; dtype "float64" or "float32", None takes the widest offered.
        Raises BackendError for a precision that the device has not.
    to_numpy : to_numpy(x), computed and copied to a NumPy array.
    matmul, maximum, minimum : of two arrays.
    transpose, exp, log, sqrt, abs, erf, normal_cdf : of one array; normal_cdf is the standard normal distribution function.
    where : where(condition, a, b).
    sum, max, min : over all, or sum(x, axis=...).
    cumsum : cumsum(x, axis).
    reshape, broadcast_to : (x, shape).
    concatenate : concatenate(arrays, axis).
    on_device : context in which operators run on this backend's device.
    """

    name: str
    device: str
    dtypes: tuple[str, ...]
    array: Callable[..., Array]
    to_numpy: Callable[[Array], Any]
    matmul: Callable[[Array, Array], Array]
    transpose: Callable[[Array], Array]
    exp: Callable[[Array], Array]
    log: Callable[[Array], Array]
    sqrt: Callable[[Array], Array]
    abs: Callable[[Array], Array]
    erf: Callable[[Array], Array]
    normal_cdf: Callable[[Array], Array]
    maximum: Callable[[Array, Array], Array]
    minimum: Callable[[Array, Array], Array]
    where: Callable[[Array, Array, Array], Array]
    sum: Callable[..., Array]
    max: Callable[..., Array]
    min: Callable[..., Array]
    cumsum: Callable[[Array, int], Array]
    reshape: Callable[[Array, tuple[int, ...]], Array]
    broadcast_to: Callable[[Array, tuple[int, ...]], Array]
    concatenate: Callable[[list[Array], int], Array]
    on_device: Callable[[], AbstractContextManager[Any]]

    @property
    def widest_dtype(self) -> str:
        """The widest precision offered: float64 on a processor, float32 on a graphics device."""
        return self.dtypes[0]

    @property
    def has_float64(self) -> bool:
        """Whether double precision is offered; margins, attribution and factorisations need it."""
        return "float64" in self.dtypes
