"""Pictures are drawn for any table, empty ones too, and the same way every time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.reports import figures

PNG = b"\x89PNG\r\n\x1a\n"


def _size(png: bytes) -> tuple[int, int]:
    assert png.startswith(PNG)
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _correlation(n: int) -> np.ndarray:
    loadings = np.random.default_rng(5).normal(size=(n, 3))
    covariance = loadings @ loadings.T + np.eye(n)
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 26, 60])
def test_heat_map_is_drawn_for_any_number_of_symbols(n: int):
    symbols = [f"S{i:03d}" for i in range(n)]
    width, height = _size(figures.correlation_heat_map(symbols, _correlation(n) if n else np.empty((0, 0))))
    assert width == height >= 400


def test_heat_map_is_the_same_twice():
    symbols = [f"S{i:03d}" for i in range(12)]
    assert figures.correlation_heat_map(symbols, _correlation(12)) == figures.correlation_heat_map(symbols, _correlation(12))


def test_heat_map_puts_the_two_most_similar_symbols_side_by_side():
    matrix = np.array([[1.0, 0.1, 0.9, 0.0], [0.1, 1.0, 0.0, 0.2], [0.9, 0.0, 1.0, 0.1], [0.0, 0.2, 0.1, 1.0]])
    order = figures._similar_together(["A", "B", "C", "D"], matrix)
    assert abs(order.index(0) - order.index(2)) == 1


def test_heat_map_keeps_the_most_correlated_symbols():
    matrix = np.eye(45)
    matrix[40:, 40:] = 0.5
    np.fill_diagonal(matrix, 1.0)
    assert set(range(40, 45)) <= set(figures._similar_together([f"S{i:03d}" for i in range(45)], matrix))


def test_margin_by_strategy_grows_with_the_portfolios_and_ignores_repeats_and_gaps():
    rows = pd.DataFrame(
        {
            "portfolio_id": ["A", "A", "A", "B", "C"],
            "strategy": ["x", "y", "x", "z", "w"],
            "margin_share": [0.3, 0.7, 0.3, 1.0, np.nan],
            "margin_contribution": [30.0, 70.0, 30.0, 10.0, np.nan],
        }
    )
    whole = figures.margin_by_strategy(rows)
    assert whole == figures.margin_by_strategy(rows.drop_duplicates())
    assert _size(whole)[1] > _size(figures.margin_by_strategy(rows[rows["portfolio_id"] == "A"]))[1]


def test_margin_by_strategy_says_when_there_is_nothing_to_draw():
    empty = pd.DataFrame({"portfolio_id": [], "strategy": [], "margin_share": [], "margin_contribution": []})
    assert _size(figures.margin_by_strategy(empty))[0] > 400
