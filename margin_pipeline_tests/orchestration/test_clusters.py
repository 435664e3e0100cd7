"""The cluster asset from positions to tables, and checks that refuse what doesn't add up."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.market.triangle import pack_triangle
from margin_pipeline.orchestration import checks_clusters
from margin_pipeline.orchestration.assets import clusters

AS_OF = dt.date(2022, 12, 28)
TEXTS = ("underlying", "option_type", "exercise", "contract_type")
NUMBERS = ("strike", "deliverable_units", "conversion_ratio")


@pytest.fixture
def inputs() -> dict[str, pd.DataFrame]:
    names = ["A", "B", "C"]
    held = pd.DataFrame(
        {"portfolio_id": "P", "strategy": "T", "symbol": names, "quantity": [10.0, -20.0, 5.0], "price": [10.0, 10.0, np.nan]}
    )
    held = held.assign(currency="USD", fx_rate=1.0, entry_price=np.nan, market_value=held["quantity"] * held["price"])
    instruments = pd.DataFrame({"symbol": names, "asset_class": "equity", "currency": "USD", "multiplier": 1.0, "expiry": pd.NaT})
    instruments = instruments.assign(**dict.fromkeys((*TEXTS, *NUMBERS))).astype(
        dict.fromkeys(TEXTS, "str") | dict.fromkeys(NUMBERS, float)
    )
    instruments["expiry"] = pd.to_datetime(instruments["expiry"])
    days = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=30)
    prices = pd.DataFrame(
        [(day, name, 10.0, np.nan) for day in days for name in names], columns=["date", "symbol", "close", "adjusted_close"]
    )
    correlation = np.array([[1, 0.9, 0.1], [0.9, 1, 0.1], [0.1, 0.1, 1]])
    matrix = pd.DataFrame({"symbols": [names], "triangle": [pack_triangle(correlation)], "minimum_eigenvalue": [0.1], "repaired": [False]})
    rates = pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["USD"], "rate": [0.04]})
    return {
        "positions": held,
        "instruments": instruments,
        "portfolios": pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"], "account_type": ["reg_t"]}),
        "prices": prices,
        "rates": rates,
        "dividends": pd.DataFrame({"symbol": [], "dividend_yield": []}).astype({"symbol": "str", "dividend_yield": float}),
        "correlation_matrices": matrix,
    }


def test_the_asset_makes_both_tables_and_names_what_is_missing(inputs):
    context = SimpleNamespace(as_of=AS_OF, notes={})
    table, portfolios = clusters.correlation_clusters.function(**inputs, context=context)
    assert table.set_index("symbol")["cluster"].to_dict() == {"A": 1, "B": 1, "C": 2}
    assert portfolios["gross_exposure"].tolist() == pytest.approx([300.0, np.nan], nan_ok=True)
    assert portfolios["net_exposure"].tolist() == pytest.approx([-100.0, np.nan], nan_ok=True)
    assert portfolios["missing"].tolist() == ["C: no price"] * 2
    assert context.notes["clusters"] == 2
    frames = inputs | {"correlation_clusters": table, "portfolio_clusters": portfolios}
    assert all(check.function(frames).passed for check in clusters.correlation_clusters.checks)
    assert clusters.cluster_heat_map(frames).startswith(b"\x89PNG")
    assert clusters.correlation_clusters.metrics(frames) == {"clusters": 2, "greatest_share_of_a_cluster": 0.0}


@pytest.mark.parametrize(
    ("cluster", "cluster_size", "passed"), [([1, 1, 2], [2, 2, 1], True), ([1, 1, 3], [2, 2, 1], False), ([1, 1, 2], [2, 1, 1], False)]
)
def test_sizes_and_numbers_are_checked(cluster, cluster_size, passed):
    table = pd.DataFrame({"symbol": ["A", "B", "C"], "cluster": cluster, "cluster_size": cluster_size})
    assert checks_clusters.clusters_have_their_size({"correlation_clusters": table}).passed is passed


@pytest.mark.parametrize(
    ("share", "net", "passed"),
    [
        ([0.25, 0.75], [-1.0, 2.0], True),
        ([np.nan, np.nan], [1.0, 2.0], True),
        ([0.2, 0.75], [1.0, 2.0], False),
        ([0.25, np.nan], [1.0, 2.0], False),
        ([0.25, 0.75], [1.0, 4.0], False),
    ],
)
def test_shares_and_net_exposures_are_checked(share, net, passed):
    table = pd.DataFrame({"portfolio_id": "P", "cluster": [1, 2], "gross_exposure": [1.0, 3.0], "net_exposure": net, "gross_share": share})
    assert checks_clusters.shares_of_clusters_add_up({"portfolio_clusters": table}).passed is passed
