"""Valuation: marks, exchange rates and what each kind of contract is worth."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.margin.valuation import COLUMNS, value_positions

AS_OF = dt.date(2022, 12, 28)
INSTRUMENTS = pd.DataFrame(
    [
        ("A", "equity", None, "USD", 1.0, None),
        ("E", "equity", None, "EUR", 1.0, None),
        ("O", "equity_option", "A", "USD", 100.0, None),
        ("F", "future", "A", "USD", 50.0, None),
        ("L", "crypto", None, "USD", 1.0, "linear"),
        ("I", "crypto", None, "USD", 100.0, "inverse"),
        ("X", "fx", None, "GBP", 1.0, None),
    ],
    columns=["symbol", "asset_class", "underlying", "currency", "multiplier", "contract_type"],
).astype({"underlying": "str", "contract_type": "str"})
PORTFOLIOS = pd.DataFrame({"portfolio_id": ["D", "EU"], "base_currency": ["USD", "EUR"]})


def valued(symbol, quantity, closes=(), *, portfolio="D", price=np.nan, entry=np.nan, rates=(("2022-12-28", "EUR", 1.25),)):
    records = pd.DataFrame(
        {
            "portfolio_id": [portfolio],
            "strategy": ["s"],
            "symbol": [symbol],
            "quantity": [float(quantity)],
            "price": [price],
            "entry_price": [entry],
            "isolated_wallet": [np.nan],
        }
    )
    prices = pd.DataFrame(closes, columns=["date", "symbol", "close"])
    fx = pd.DataFrame(rates, columns=["date", "currency", "usd_rate"])
    dates = (prices.assign(date=pd.to_datetime(prices["date"])), fx.assign(date=pd.to_datetime(fx["date"])))
    frame = value_positions(records, INSTRUMENTS, PORTFOLIOS, *dates, AS_OF)
    assert list(frame.columns) == COLUMNS
    return frame.iloc[0]


TODAY = (("2022-12-28", "A", 50.0), ("2022-12-27", "A", 40.0))


def test_mark_is_the_price_of_the_position_else_the_close_of_the_day():
    close = valued("A", -10, TODAY)
    assert (close["price"], close["price_source"], close["market_value"], close["notional"]) == (50.0, "close", -500.0, -500.0)
    assert close["price_date"] == pd.Timestamp(AS_OF)
    own = valued("A", -10, TODAY, price=51.0)
    assert (own["price"], own["price_source"], own["market_value"]) == (51.0, "position", -510.0)


def test_close_of_an_earlier_day_is_no_mark():
    row = valued("A", 10, TODAY[1:])
    assert (row["price_source"], np.isnan(row["market_value"]), np.isnan(row["notional"]), row["price_date"] is pd.NaT) == (
        "missing",
        True,
        True,
        True,
    )


def test_value_converts_at_the_rate_into_base_currency():
    assert valued("E", 8, [("2022-12-28", "E", 10.0)])["market_value"] == pytest.approx(100.0)
    assert valued("A", 8, TODAY, portfolio="EU")["market_value"] == pytest.approx(320.0)
    same = valued("E", 8, [("2022-12-28", "E", 10.0)], portfolio="EU", rates=())
    assert (same["fx_rate"], same["market_value"]) == (1.0, 80.0)


def test_missing_or_stale_rate_leaves_no_value():
    row = valued("X", 8, [("2022-12-28", "X", 10.0)])
    assert (row["price"], np.isnan(row["fx_rate"]), np.isnan(row["market_value"])) == (10.0, True, True)
    for day, known in (("2022-12-21", True), ("2022-12-20", False), ("2022-12-29", False)):
        row = valued("E", 8, [("2022-12-28", "E", 10.0)], rates=[(day, "EUR", 1.25)])
        assert np.isfinite(row["market_value"]) == known


def test_notional_of_an_option_is_that_of_its_underlying():
    row = valued("O", -2, TODAY, price=3.0)
    assert (row["market_value"], row["notional"]) == (-600.0, -10_000.0)
    assert np.isnan(valued("O", -2, price=3.0)["notional"])


def test_future_is_worth_the_variation_that_is_not_settled_yet():
    closes = [("2022-12-28", "F", 100.0), ("2022-12-27", "F", 98.0)]
    assert valued("F", 2, closes)["market_value"] == 0.0
    assert valued("F", 2, closes, price=101.0)["market_value"] == 100.0
    assert valued("F", 2, closes[1:], price=101.0)["market_value"] == 300.0
    assert valued("F", 2, closes, price=101.0)["notional"] == 10_100.0
    assert np.isnan(valued("F", 2, price=101.0)["market_value"])


def test_leveraged_contracts_are_worth_what_they_have_made():
    linear = valued("L", -2, price=16_000.0, entry=17_000.0)
    assert (linear["market_value"], linear["notional"]) == (2_000.0, -32_000.0)
    inverse = valued("I", 50, price=20_000.0, entry=16_000.0)
    assert inverse["market_value"] == pytest.approx(50 * 100 * (1 / 16_000 - 1 / 20_000) * 20_000)
    assert inverse["notional"] == 5_000.0
    assert np.isnan(valued("L", 1, price=16_000.0)["market_value"])


def test_unknown_symbol_is_an_error_and_row_order_changes_nothing():
    with pytest.raises(ValueError, match="not known: Z"):
        valued("Z", 1)
    records = pd.DataFrame(
        {
            "portfolio_id": ["EU", "D"],
            "strategy": ["b", "a"],
            "symbol": ["A", "A"],
            "quantity": [1.0, 2.0],
            "price": [1.0, 2.0],
            "entry_price": np.nan,
            "isolated_wallet": np.nan,
        }
    )
    prices = pd.DataFrame({"date": pd.to_datetime([]), "symbol": [], "close": []})
    fx = pd.DataFrame({"date": pd.to_datetime(["2022-12-28"]), "currency": ["EUR"], "usd_rate": [1.25]})
    frames = [value_positions(r, INSTRUMENTS, PORTFOLIOS, prices, fx, AS_OF) for r in (records, records[::-1])]
    pd.testing.assert_frame_equal(*frames)
