"""Reverse stress of portfolios, as a table."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from margin_pipeline.risk.reverse_stress_table import COLUMNS, reverse_stress_table
from margin_pipeline_tests.decisions.stress_book import AS_OF, BENCHMARK, BETAS, book


def table(frames, *excess, status="safe", horizon=10, symbols=tuple(BETAS), method="strategy_based"):
    names = sorted(frames["portfolios"]["portfolio_id"])
    margins = pd.DataFrame({"portfolio_id": names, "method": method, "is_governing": True, "excess": excess, "status": status})
    margins["missing"] = '["price of X"]' if status == "undetermined" else None
    market = [frames[name] for name in ("positions", "instruments", "portfolios", "prices", "rates", "dividends", "symbol_risk")]
    rows = reverse_stress_table(*market, symbols, np.eye(len(symbols)), margins, BENCHMARK, horizon, 3, AS_OF)
    assert rows.columns.tolist() == COLUMNS
    return rows.set_index("portfolio_id")


def test_linear_book_is_its_excess_over_its_deviation_away():
    row = table(book([("s", "A", 100), ("s", "B", 100)]), 3_000.0).loc["P"]
    sigma = np.hypot(10_000, 4_000) * 0.3 * np.sqrt(10 / 252)
    assert row["distance"] == pytest.approx(3_000 / sigma)
    assert row["probability"] == pytest.approx(float(ndtr(-3_000 / sigma)))
    assert row["probability_within"] == pytest.approx(2 * row["probability"])
    assert row["loss"] == pytest.approx(3_000.0)
    assert row["market_move"] == pytest.approx(-3_000 / (1.5 * 10_000 + 0.5 * 4_000))
    assert [m["factor"] for m in json.loads(row["moves"])] == ["A", "B"]


def test_currency_is_a_factor_of_what_is_held_in_it():
    frames = book([("s", "EUR_STOCK", 1000)])
    row = table(frames, 1_000.0).loc["P"]
    assert "fx:EUR" in row["missing"]
    assert pd.isna(row["reachable"])
    frames["symbol_risk"] = pd.concat([frames["symbol_risk"], pd.DataFrame({"symbol": ["fx:EUR"], "volatility": [0.1], "beta": [0.0]})])
    row = table(frames, 1_000.0, symbols=(*BETAS, "fx:EUR")).loc["P"]
    assert row["distance"] == pytest.approx(1_000 / (10_600 * np.hypot(0.3, 0.1) * np.sqrt(10 / 252)))


def test_short_put_is_nearer_than_its_delta_says():
    row = table(book([("s", "P90", -10)]), 6_000.0).loc["P"]
    assert row["reachable"]
    assert row["loss"] == pytest.approx(6_000.0, rel=1e-6)
    assert row["market_move"] == pytest.approx(json.loads(row["moves"])[0]["move"] / 1.5, rel=1e-6)


def test_missing_inputs_and_books_that_cannot_lose_it():
    lost = table(book([("s", "A", 1), ("s", "A", 1, "Q")]), np.nan, np.nan, status="undetermined")
    assert lost["reachable"].isna().all()
    assert json.loads(lost.loc["P", "missing"]) == ["price of X"]
    row = table(book([("s", "C100", 1)]), 5_000.0).loc["P"]
    assert row["reachable"] == False  # noqa: E712
    assert "loses at most" in row["reason"]
    assert np.isnan(row["distance"])
    empty = table(book([]), 5_000.0).loc["P"]
    assert empty["reason"] == "nothing is held that could lose"
    gone = table(book([("s", "A", 1)]), -5.0).loc["P"]
    assert gone["distance"] == 0.0
    assert gone["probability"] == 1.0
    assert "uncleared" in table(book([], account="otc"), 5.0, method="schedule_im").loc["P", "missing"]


def test_rows_in_another_order_give_the_same():
    held = [("s", "A", 100), ("t", "P90", -5), ("t", "C110", -3), ("u", "B", -50)]
    frames = book(held)
    mixed = {**frames, "positions": frames["positions"].sample(frac=1, random_state=3)}
    pd.testing.assert_frame_equal(table(frames, 2_000.0), table(mixed, 2_000.0))
