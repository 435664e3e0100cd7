"""Clusters: an independently written linkage, planted groups, order of rows and symbols, gaps. Not here: exposures of positions."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.clusters import correlation_clusters, portfolio_clusters
from margin_pipeline.parameters import ParameterError
from margin_pipeline.parameters.clusters import cluster_settings

SETTINGS = cluster_settings(dt.date(2022, 12, 28))


def held(**exposure: float) -> pd.DataFrame:
    return pd.DataFrame({"risk_factor": pd.Series(list(exposure), dtype="str"), "delta_exposure": list(exposure.values())})


def random_correlation(random: np.random.Generator, n: int) -> np.ndarray:
    loading = random.normal(size=(n, 3)) * random.choice([1.0, 0.1], size=(n, 3))
    covariance = loading @ loading.T + 0.3 * np.eye(n)
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)


def agglomerate(correlation: np.ndarray, least_correlation: float) -> set[frozenset[int]]:
    """Average linkage by its definition: join the two clusters with the least mean distance of their members while it's small enough."""
    distance = np.sqrt(np.maximum(1 - correlation, 0) / 2)
    clusters = [frozenset([i]) for i in range(len(correlation))]
    while len(clusters) > 1:
        means = {(a, b): np.mean([distance[i, j] for i in a for j in b]) for a, b in itertools.combinations(clusters, 2)}
        a, b = min(means, key=means.__getitem__)
        if means[a, b] > np.sqrt((1 - least_correlation) / 2):
            break
        clusters = [c for c in clusters if c not in (a, b)] + [a | b]
    return set(clusters)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 14))
def test_clusters_are_those_of_average_linkage_by_its_definition(seed, n):
    correlation = random_correlation(np.random.default_rng(seed), n)
    names = [f"S{i:02d}" for i in range(n)]
    table = correlation_clusters(held(**dict.fromkeys(names, 1.0)), names, correlation, SETTINGS).table
    found = {frozenset(int(s[1:]) for s in members) for _, members in table.groupby("cluster")["symbol"]}
    assert found == agglomerate(correlation, 0.5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 20))
def test_neither_the_order_of_rows_nor_that_of_symbols_matters(seed, n):
    random = np.random.default_rng(seed)
    names = np.array([f"S{i:02d}" for i in range(n)])
    correlation = random_correlation(random, n)
    exposures = held(**dict(zip(names, random.normal(size=n), strict=True)))
    first = correlation_clusters(exposures, names, correlation, replace(SETTINGS, most_symbols=12)).table
    order = random.permutation(n)
    shuffled = exposures.sample(frac=1, random_state=seed)
    again = correlation_clusters(shuffled, names[order], correlation[np.ix_(order, order)], replace(SETTINGS, most_symbols=12)).table
    pd.testing.assert_frame_equal(again, first)


def test_planted_groups_are_found_and_numbered_by_size_then_first_symbol():
    correlation = np.eye(6)
    for group, rho in (([0, 5], 0.9), ([1, 2, 4], 0.6)):
        correlation[np.ix_(group, group)] = rho
    np.fill_diagonal(correlation, 1.0)
    names = ["A", "B", "C", "D", "E", "F"]
    found = correlation_clusters(held(**dict.fromkeys(names, 1.0)), names, correlation, SETTINGS)
    table = found.table.set_index("symbol")
    assert table["cluster"].to_dict() == {"B": 1, "C": 1, "E": 1, "A": 2, "F": 2, "D": 3}
    assert table["cluster_size"].to_dict() == {"B": 3, "C": 3, "E": 3, "A": 2, "F": 2, "D": 1}
    assert table["mean_correlation"].reindex(names).tolist() == pytest.approx([0.9, 0.6, 0.6, np.nan, 0.6, 0.9], nan_ok=True)
    assert found.notes["clusters"] == 3


def test_single_precision_is_enough():
    correlation = random_correlation(np.random.default_rng(3), 30)
    names = [f"S{i:02d}" for i in range(30)]
    double = correlation_clusters(held(**dict.fromkeys(names, 1.0)), names, correlation, SETTINGS).table
    single = correlation_clusters(held(**dict.fromkeys(names, 1.0)), names, correlation.astype(np.float32), SETTINGS).table
    pd.testing.assert_frame_equal(single, double, rtol=1e-5)


def test_only_held_risk_factors_are_clustered():
    table = correlation_clusters(held(A=1.0, C=-1.0), ["A", "B", "C"], np.full((3, 3), 0.9) + 0.1 * np.eye(3), SETTINGS).table
    assert table["symbol"].tolist() == ["A", "C"]
    assert table["cluster_size"].tolist() == [2, 2]


def test_a_risk_factor_without_correlation_is_alone_and_says_so():
    found = correlation_clusters(held(A=1.0, B=1.0, X=1.0), ["A", "B"], np.array([[1, 0.9], [0.9, 1]]), SETTINGS)
    alone = found.table.set_index("symbol").loc["X"]
    assert (alone["cluster"], alone["cluster_size"], alone["missing"]) == (2, 1, "no correlation")
    assert found.notes["without_correlation"] == 1


def test_beyond_the_limit_the_smallest_exposures_are_alone():
    correlation = np.full((4, 4), 0.9) + 0.1 * np.eye(4)
    exposures = held(A=1.0, B=-50.0, C=20.0, D=2.0)
    found = correlation_clusters(exposures, ["A", "B", "C", "D"], correlation, replace(SETTINGS, most_symbols=2))
    assert found.table["cluster_size"].tolist() == [1, 2, 2, 1]
    assert found.table["missing"].notna().tolist() == [True, False, False, True]
    assert found.notes["beyond_the_largest"] == 2


def book(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["portfolio_id", "risk_factor", "delta_exposure", "missing"])
    return frame.astype({"risk_factor": "str", "missing": "str", "portfolio_id": "str"})


TWO_CLUSTERS = pd.DataFrame({"symbol": ["A", "B", "C"], "cluster": [1, 1, 2]}).astype({"symbol": "str"})


def test_positions_net_within_a_risk_factor_and_hedge_within_a_cluster():
    rows = [("P", "A", 100.0, None), ("P", "A", -40.0, None), ("P", "B", -60.0, None), ("P", "C", 40.0, None)]
    found = portfolio_clusters(book(*rows), TWO_CLUSTERS)
    assert found["gross_exposure"].tolist() == [120.0, 40.0]
    assert found["net_exposure"].tolist() == [0.0, 40.0]
    assert found["gross_share"].tolist() == pytest.approx([0.75, 0.25])
    assert found["missing"].isna().all()


def test_a_missing_exposure_leaves_its_cluster_and_every_share_of_its_portfolio_empty():
    rows = [("P", "A", np.nan, "A: no price"), ("P", "B", 1.0, None), ("P", "C", 4.0, None), ("Q", "C", 5.0, None)]
    found = portfolio_clusters(book(*rows), TWO_CLUSTERS)
    assert found["gross_exposure"].tolist() == pytest.approx([np.nan, 4.0, 5.0], nan_ok=True)
    assert found["gross_share"].tolist() == pytest.approx([np.nan, np.nan, 1.0], nan_ok=True)
    assert found["missing"].tolist()[:2] == ["A: no price"] * 2


def test_a_position_without_a_risk_factor_leaves_no_share_known():
    found = portfolio_clusters(book(("P", None, np.nan, "X: unknown instrument"), ("P", "C", 4.0, None)), TWO_CLUSTERS)
    assert found["gross_exposure"].tolist() == [4.0]
    assert found["gross_share"].isna().all()
    assert found["missing"].tolist() == ["X: unknown instrument"]


def test_an_empty_book_has_no_clusters_but_all_columns():
    none = book().astype({"delta_exposure": float})
    found = correlation_clusters(none, [], np.zeros((0, 0)), SETTINGS)
    assert found.table.empty
    assert portfolio_clusters(none, found.table).columns.tolist()[:2] == ["portfolio_id", "cluster"]


@pytest.mark.parametrize("change", [{"least_correlation": 1.0}, {"least_correlation": -1.0}, {"most_symbols": 1}])
def test_settings_without_a_meaning_are_refused(change):
    with pytest.raises(ParameterError, match="clusters:1"):
        replace(SETTINGS, **change)
