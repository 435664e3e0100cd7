"""Cluster pictures are drawn for any table, the same way every time, with a frame around each cluster."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.reports import figures_clusters


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def clusters(n: int) -> tuple[pd.DataFrame, list[str], np.ndarray]:
    names = [f"S{i:03d}" for i in range(n)]
    table = pd.DataFrame({"symbol": pd.Series(names, dtype="str"), "cluster": np.arange(n) // 4 + 1})
    same = table["cluster"].to_numpy()[:, None] == table["cluster"].to_numpy()[None, :]
    return table, names, np.where(same, 0.8, 0.1) + 0.2 * np.eye(n)


@pytest.mark.parametrize("n", [0, 1, 5, 90])
def test_a_picture_is_drawn_for_any_number_of_symbols(n):
    width, height = size(figures_clusters.cluster_heat_map(*clusters(n)))
    assert width == height >= 400


def test_the_picture_depends_neither_on_the_order_of_rows_nor_of_symbols():
    table, names, correlation = clusters(11)
    order = np.random.default_rng(1).permutation(11)
    again = figures_clusters.cluster_heat_map(
        table.iloc[order[::-1]], [names[i] for i in order], correlation[np.ix_(order, order)].astype(np.float32)
    )
    assert again == figures_clusters.cluster_heat_map(table, names, correlation.astype(np.float32))


def test_symbols_without_a_correlation_are_left_out():
    table, names, correlation = clusters(8)
    assert figures_clusters.cluster_heat_map(table, names[:4], correlation[:4, :4]) == figures_clusters.cluster_heat_map(
        table.iloc[:4], names[:4], correlation[:4, :4]
    )


def test_boundaries_are_the_runs_of_equal_numbers():
    assert figures_clusters.boundaries(np.array([1, 1, 1, 2, 3, 3])) == [(0, 3), (3, 1), (4, 2)]
