"""Which backends there are on this machine, and one by its name.

Belongs here: names and availability. Not here: which one is fast (measurement) or right for a task (routing).
"""

from __future__ import annotations

from functools import cache

from margin_pipeline.compute.backend import Backend, BackendError
from margin_pipeline.compute.numpy_backend import NUMPY

BACKEND_NAMES = ("numpy", "mlx-cpu", "mlx-gpu")
"""Every backend there can be, in the order in which equals are preferred."""


@cache
def backend_named(name: str) -> Backend:
    """Backend by its name; MLX is imported only for its own.

    Raises
    ------
    BackendError : unknown name, or not available on this machine.
    """
    if name == NUMPY.name:
        return NUMPY
    if name not in BACKEND_NAMES:
        raise BackendError(f"there is no backend {name!r}; use one of {', '.join(BACKEND_NAMES)}")
    from margin_pipeline.compute.mlx_backend import mlx_backend  # here, so that plain NumPy never loads MLX

    return mlx_backend(name.removeprefix("mlx-"))


def available_backends() -> tuple[str, ...]:
    """Names of the backends that can be used on this machine, NumPy first."""
    return tuple(name for name in BACKEND_NAMES if why_unavailable(name) is None)


def why_unavailable(name: str) -> str | None:
    """Why a backend cannot be used on this machine, in words; None: it can."""
    try:
        backend_named(name)
    except BackendError as error:
        return str(error)
    return None
