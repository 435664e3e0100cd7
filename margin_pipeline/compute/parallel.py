"""Threads and chunks on one machine.

Belongs here: how many threads linear algebra uses, and mapping a function over chunks. Not here: other machines.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

C = TypeVar("C")
R = TypeVar("R")

_THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


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

    with threadpool_limits(limits=threads):
        yield


def map_chunks(function: Callable[[C], R], chunks: Iterable[C], workers: int = 1, processes: bool = False) -> list[R]:
    """Results of a function for each chunk, in the order of the chunks.

    Parameters
    ----------
    function : of one chunk; picklable when `processes`.
    chunks : arguments.
    workers : how many chunks at once; 1 runs in the calling thread.
    processes : separate processes instead of threads, for functions that hold the interpreter lock.

    Raises
    ------
    ValueError : fewer than one worker. Whatever the function raises, of the first chunk that failed.
    """
    if workers < 1:
        raise ValueError(f"{workers} workers: at least one is needed")
    if workers == 1:
        return [function(chunk) for chunk in chunks]
    with _pool(workers, processes) as pool:
        return list(pool.map(function, chunks))


def _pool(workers: int, processes: bool) -> Executor:
    if processes:  # spawned, since a fork of a process with running threads can hang
        return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    return ThreadPoolExecutor(workers)
