"""Threads of linear algebra, and mapping over chunks.

Belongs here: parallel. Not here: backends.
"""

import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from margin_pipeline.compute import collect_rarely, map_chunks, pin_threads, pinned_threads


@given(st.lists(st.integers(-100, 100)), st.integers(1, 4))
def test_results_come_in_the_order_of_the_chunks(chunks, workers):
    assert map_chunks(lambda c: c * c, chunks, workers) == [c * c for c in chunks]


def test_processes_give_what_threads_give():
    assert map_chunks(math.factorial, [5, 3, 10], workers=2, processes=True) == [120, 6, 3628800]


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_in_a_chunk_reaches_the_caller(workers):
    with pytest.raises(ZeroDivisionError):
        map_chunks(lambda c: 1 / c, [1, 0, 2], workers)


def test_fewer_than_one_worker_or_thread_is_refused():
    with pytest.raises(ValueError, match="0 workers"):
        map_chunks(abs, [1], 0)
    with pytest.raises(ValueError, match="0 threads"):
        pin_threads(0)


def test_pinned_threads_hold_inside_the_context_only():
    np.ones((2, 2)) @ np.ones((2, 2))
    before = [p["num_threads"] for p in threadpool_info()]
    with pinned_threads(1):
        assert {p["num_threads"] for p in threadpool_info()} == {1}
    assert [p["num_threads"] for p in threadpool_info()] == before


def test_pinning_reaches_this_process_and_those_it_starts(monkeypatch):
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.setenv(variable, "2")
    with pinned_threads(max(p["num_threads"] for p in threadpool_info())):
        pin_threads(1)
        assert {p["num_threads"] for p in threadpool_info()} == {1}
        assert os.environ["OPENBLAS_NUM_THREADS"] == "1"


def test_cycles_are_looked_for_a_hundred_times_less_often_and_still_found():
    import gc
    import weakref

    before = gc.get_threshold()
    try:
        collect_rarely()
        assert gc.get_threshold()[0] >= 100 * before[0]

        class Node:
            pass

        node = Node()
        node.itself = node
        gone = weakref.ref(node)
        del node
        gc.collect()
        assert gone() is None
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
