"""Two Ray nodes on this machine, and the trial that a map over them gives what threads give.

Belongs here: starting and stopping the nodes, the functions that are mapped. Not here: the map itself (compute.ray_map).
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from margin_pipeline.compute import RayMap, map_chunks, mapped_by, pinned_threads

# Ray takes 127.0.0.1 for a wish to be reached from elsewhere and listens on the network; other addresses of loopback it leaves alone.
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
CHUNKS = 16
SIZE = 400
SEED = 20221228


def missing() -> str | None:
    """What has to be installed first, in a line; None when all is there."""
    if importlib.util.find_spec("ray") is None:
        return "ray is missing: pip install --require-hashes -r requirements/ray.lock"
    return None


@contextmanager
def two_nodes(cores_each: int = 1) -> Iterator[str]:
    """A head and another node of our own; gives the address of the head. This process has joined them."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    own = {"num_cpus": cores_each, "node_ip_address": LOOPBACK, "object_store_memory": 200 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args={**own, "include_dashboard": False})
    try:
        cluster.add_node(**own)
        cluster.wait_for_nodes()
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
        yield cluster.address
    finally:
        ray.shutdown()
        cluster.shutdown()


def heavy(chunk: int) -> dict[str, Any]:
    """Draws of a chunk's own seed through products and factorisations, whose last bits depend on backend and threads."""
    draws = np.random.default_rng([SEED, chunk]).standard_normal((SIZE, SIZE))
    covariance = draws @ draws.T / SIZE
    values = np.linalg.eigvalsh(covariance)
    return {"chunk": chunk, "root": np.linalg.cholesky(covariance + np.eye(SIZE)), "eigenvalues": values, "sum": float(values.sum())}


def node_of(chunk: int) -> str:
    """Node that a chunk was computed on."""
    import ray

    time.sleep(0.2)
    return ray.get_runtime_context().get_node_id()


def same_bits(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two results are equal in every bit."""
    return one.keys() == other.keys() and all(np.asarray(one[k]).tobytes() == np.asarray(other[k]).tobytes() for k in one)


def try_map(address: str) -> list[str]:
    """Map over the nodes of a cluster and over local threads; gives what differs."""
    found = []
    mapper = RayMap(address)
    used = set(mapper(node_of, range(CHUNKS), 1))
    print(f"{CHUNKS} chunks were computed on {len(used)} nodes")
    if len(used) != 2:
        found.append(f"chunks were computed on {len(used)} nodes instead of 2")
    for threads in (1, 2):
        with pinned_threads(threads):
            started = time.perf_counter()
            local = map_chunks(heavy, range(CHUNKS), workers=1, anywhere=True)
            middle = time.perf_counter()
            with mapped_by(mapper):
                spread = map_chunks(heavy, range(CHUNKS), workers=1, anywhere=True)
            ended = time.perf_counter()
        different = [str(a["chunk"]) for a, b in zip(local, spread, strict=True) if not same_bits(a, b)]
        seconds = f"locally {middle - started:.2f} s, on Ray {ended - middle:.2f} s"
        print(f"{CHUNKS} chunks, {threads} threads each: {seconds}; {len(different)} differ", flush=True)
        found += [f"Ray, {threads} threads: chunks {', '.join(different)}"] if different else []
    return found
