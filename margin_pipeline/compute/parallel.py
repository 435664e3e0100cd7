"""Threads and chunks on one machine.

Belongs here: how many threads linear algebra uses, and mapping a function over chunks. Not here: other machines (ray_map).
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from margin_pipeline.compute.elsewhere import mapper_in_force

C = TypeVar("C")
R = TypeVar("R")

_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

_pinned: ContextVar[int | None] = ContextVar("pinned threads", default=None)


def pin_threads(threads: int) -> None:
    """Make linear algebra use this many threads, in this process from now on and in processes it starts.

    The last bits of products and factorisations depend on the number of threads: identical results need it pinned.

    Raises
    ------
    ValueError : fewer than one.
    """
    if threads < 1:
        raise ValueError(f"{threads} threads: at least one is needed")
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=threads)


def collect_rarely() -> None:
    """Look for cycles of dead objects a hundred times less often, in this process from now on.

    Rows become hundreds of thousands of texts on their way to tables, and none of them refers to another: looking through them again and
    again took a tenth of a run of 100,000 positions.
    """
    gc.freeze()
    young, middle, old = gc.get_threshold()
    gc.set_threshold(max(young, 700) * 100, middle, old)


@contextmanager
def pinned_threads(threads: int) -> Iterator[None]:
    """Context in which the linear algebra of this process uses this many threads."""
    from threadpoolctl import threadpool_limits

    token = _pinned.set(threads)
    try:
        with threadpool_limits(limits=threads):
            yield
    finally:
        _pinned.reset(token)


def threads_in_force() -> int:
    """Threads that the linear algebra of this process uses now."""
    pinned = _pinned.get()
    if pinned is not None:
        return pinned
    from threadpoolctl import threadpool_info

    return max((library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"), default=1)


def map_chunks(
    function: Callable[[C], R], chunks: Iterable[C], workers: int = 1, processes: bool = False, anywhere: bool = False
) -> list[R]:
    """Results of a function for each chunk, in the order of the chunks.

    Parameters
    ----------
    function : of one chunk; picklable when `processes`.
    chunks : arguments.
    workers : how many chunks at once; 1 runs in the calling thread.
    processes : separate processes instead of threads, for functions that hold the interpreter lock.
    anywhere : the function only gives a result and changes nothing here, so that another machine may compute it: where `mapped_by`
        has put another map in force, that one does. The results are the same.

    Raises
    ------
    ValueError : fewer than one worker. Whatever the function raises, of the first chunk that failed.
    """
    if workers < 1:
        raise ValueError(f"{workers} workers: at least one is needed")
    if anywhere and (elsewhere := mapper_in_force()) is not None:
        return list(elsewhere(function, list(chunks), threads_in_force()))
    if workers == 1:
        return [function(chunk) for chunk in chunks]
    with _pool(workers, processes) as pool:
        return list(pool.map(function, chunks))


def each_chunk(function: Callable[[C], R], chunks: Iterable[C], take: Callable[[R], None], workers: int = 1) -> None:
    """Take the result of each chunk as it comes, so that no more of them are kept than are computed at once.

    Parameters
    ----------
    function, chunks, workers : as of `map_chunks`, computed anywhere.
    take : what is done here with a result; several threads may do it at once.
    """
    if (elsewhere := mapper_in_force()) is None:
        map_chunks(lambda chunk: take(function(chunk)), chunks, workers)
        return
    for result in elsewhere(function, list(chunks), threads_in_force()):
        take(result)


def _pool(workers: int, processes: bool) -> Executor:
    if processes:  # spawned, since a fork of a process with running threads can hang
        return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    return ThreadPoolExecutor(workers)
