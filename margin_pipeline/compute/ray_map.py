"""A map over the nodes of a Ray cluster.

Belongs here: joining the cluster, handing out chunks, what is said when a node is lost. Not here: which functions are mapped.

Ray is imported when the first chunk is handed out: it is an extra (requirements/ray.lock).
"""

from __future__ import annotations

import importlib.metadata
import logging
import platform
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from margin_pipeline.compute.elsewhere import MapError
from margin_pipeline.compute.parallel import pinned_threads

C = TypeVar("C")
R = TypeVar("R")

RETRIES = 3
"""Times that a chunk is handed out again when the node that had it is lost."""
CONNECT_SECONDS = 10.0
NOT_INSTALLED = (
    "MARGIN_MAP=ray, and Ray is not installed here: pip install --require-hashes -r requirements/ray.lock, "
    "or leave MARGIN_MAP out to compute on this machine"
)
WHAT_DECIDES_BITS = ("margin_pipeline", "numpy", "scipy", "pandas")


@dataclass(frozen=True)
class RayMap:
    """Computes chunks as tasks of a Ray cluster; a `Mapper`.

    The chunks and the order of results are those of the local map, and each task uses the same number of threads: results are the
    same bit by bit. Nodes must run the same versions of Python and of what computes, which every task checks.

    Attributes
    ----------
    address : `host:port` of the head, or `ray://host:port`; None: the cluster that this machine belongs to.
    retries : times that a chunk is handed out again when its node is lost.
    """

    address: str | None = None
    retries: int = RETRIES

    def __call__(self, function: Callable[[C], R], chunks: Sequence[C], threads: int) -> Iterator[R]:
        """Results of a function for each chunk, in the order of the chunks, as they come.

        Raises
        ------
        MapError : Ray is not installed, the cluster cannot be reached, a node has other versions, or nodes were lost too often.
        Whatever the function raises, of the first chunk that failed.
        """
        ray = self._joined()
        task = ray.remote(_apply).options(max_retries=self.retries, retry_exceptions=False)
        # Stored once for all chunks: what the function holds may be large.
        shared = ray.put(_Wrapped(function))
        waiting = [task.remote(shared, chunk, threads, _versions()) for chunk in chunks]
        try:
            for number in range(len(chunks)):
                yield _unpacked(_fetched(ray, waiting[0], number, len(chunks), self.retries))
                # The cluster may forget it.
                del waiting[0]
        finally:
            for result in waiting:
                ray.cancel(result, force=False)

    def _joined(self) -> Any:
        try:
            import ray
        except ImportError:
            raise MapError(NOT_INSTALLED) from None
        if not ray.is_initialized():
            _require_listener(self.address)
            try:
                ray.init(address=self.address or "auto", log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, RuntimeError, ValueError) as error:
                reason = " ".join(str(error).split())[:200]
                where = self.address or "on this machine"
                raise MapError(
                    f"MARGIN_MAP=ray, and no Ray cluster answers {where}: {reason}; start one (ray start --head) or name it with "
                    "MARGIN_RAY_ADDRESS"
                ) from error
        return ray


@dataclass(frozen=True)
class _Wrapped:
    """Keeps Ray from taking a function's own attributes for a task."""

    function: Callable[[Any], Any]


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: _version(name) for name in WHAT_DECIDES_BITS}}


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        # A checkout that is on the path without being installed.
        return "checkout"


def _apply(wrapped: _Wrapped, chunk: Any, threads: int, versions: dict[str, str]) -> tuple[bool, Any]:
    """Compute a chunk on a node: whether it went well, and its result or its error."""
    if different := [f"{name} {found} instead of {versions[name]}" for name, found in _versions().items() if found != versions[name]]:
        return False, MapError(f"Ray node {socket.gethostname()} has {', '.join(different)}: results would not be the same bit by bit")
    try:
        with pinned_threads(threads):
            return True, wrapped.function(chunk)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it as it is
        return False, error


def _unpacked(outcome: tuple[bool, R | BaseException]) -> R:
    went_well, result = outcome
    if not went_well:
        raise result  # type: ignore[misc]
    return result  # type: ignore[return-value]


def _fetched(ray: Any, result: Any, number: int, count: int, retries: int) -> Any:
    lost = ray.exceptions
    try:
        return ray.get(result)
    except lost.RayTaskError as error:
        # What the function raises comes back as a result: here Ray could not hand it over, or not give back what it made.
        raise MapError(
            f"chunk {number + 1} of {count} could not be handed to its Ray node or back, whose packages must be those of this machine: "
            f"{str(error).strip().splitlines()[-1]}"
        ) from error
    except (lost.WorkerCrashedError, lost.NodeDiedError, lost.ObjectLostError, lost.OutOfMemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MapError(
            f"chunk {number + 1} of {count} could not be computed: its Ray node or process was lost, and {retries} more attempts failed "
            f"({type(error).__name__}: {reason}); see `ray status`, then run it again"
        ) from error


def _require_listener(address: str | None) -> None:
    """Ray waits for minutes on an address where nobody listens: ask first.

    Raises
    ------
    MapError : nobody does.
    """
    if address is None or address in ("auto", "local"):
        return
    parts = urlsplit(address if "://" in address else f"ray-head://{address}")
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=CONNECT_SECONDS):
            return
    except (OSError, ValueError) as error:
        raise MapError(
            f"MARGIN_RAY_ADDRESS {address} cannot be reached: {error}; start the head (ray start --head) or correct it"
        ) from None
