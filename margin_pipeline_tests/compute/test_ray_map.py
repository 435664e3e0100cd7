"""A map over Ray gives what the local one gives, bit by bit, and says what it needs. Not here: which stages use it."""

import sys

import numpy as np
import pytest

from margin_pipeline.compute import MapError, RayMap, each_chunk, map_chunks, mapped_by, pinned_threads
from margin_pipeline.compute.parallel import threads_in_force


def root_of_chunk(chunk):
    """Last bits of this depend on the backend and the number of threads."""
    draws = np.random.default_rng([5, chunk]).standard_normal((300, 300))
    return np.linalg.cholesky(draws @ draws.T + 300 * np.eye(300))


def test_without_ray_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with mapped_by(RayMap()), pytest.raises(MapError, match=r"requirements/ray\.lock"):
        map_chunks(abs, [1], anywhere=True)


def test_an_address_where_nobody_listens_is_named_at_once():
    pytest.importorskip("ray")
    with pytest.raises(MapError, match=r"127\.0\.0\.1:1 cannot be reached"):
        list(RayMap("127.0.0.1:1")(abs, [1], 1))


def test_only_chunks_that_may_be_computed_anywhere_are_given_away():
    asked = []

    def elsewhere(function, chunks, threads):
        asked.append((list(chunks), threads))
        return [function(chunk) for chunk in chunks]

    with mapped_by(elsewhere), pinned_threads(1):
        assert map_chunks(abs, [-1, -2], workers=2) == [1, 2]
        assert map_chunks(abs, range(-3, 0), workers=2, anywhere=True) == [3, 2, 1]
        taken = []
        each_chunk(abs, [-7], taken.append)
    assert asked == [([-3, -2, -1], 1), ([-7], 1)]
    assert taken == [7]
    assert map_chunks(abs, [-1], anywhere=True) == [1]


def test_threads_in_force_are_those_that_were_pinned():
    with pinned_threads(1):
        assert threads_in_force() == 1
        with pinned_threads(2):
            assert threads_in_force() == 2
        assert threads_in_force() == 1
    assert threads_in_force() >= 1


@pytest.fixture(scope="module")
def two_nodes():
    pytest.importorskip("ray")
    from deploy import ray_nodes

    with ray_nodes.two_nodes() as address:
        yield RayMap(address, retries=1)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_ray_gives_the_bits_of_the_local_map_in_its_order(two_nodes, threads):
    # Functions of a test file are on no node: this one travels with its chunks.
    function = lambda chunk: root_of_chunk(chunk)  # noqa: E731
    with pinned_threads(threads):
        local = map_chunks(root_of_chunk, range(6), workers=2)
        with mapped_by(two_nodes):
            spread = map_chunks(function, range(6), anywhere=True)
    assert [one.tobytes() for one in local] == [other.tobytes() for other in spread]


@pytest.mark.slow
def test_an_error_of_a_chunk_comes_back_as_itself(two_nodes):
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        list(two_nodes(lambda chunk: 1 / chunk, [2, 0, 1], 1))


@pytest.mark.slow
def test_a_process_that_dies_again_and_again_is_said_to_be_lost(two_nodes):
    with pytest.raises(MapError, match=r"chunk 1 of 1 .* 1 more attempts failed"):
        list(two_nodes(lambda chunk: __import__("os")._exit(3), [0], 1))
