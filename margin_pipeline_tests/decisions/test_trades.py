"""Trades and the positions that they leave. Not here: margin (test_what_if)."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.decisions.trades import Trade, TradeError, added_up, at_the_mark, near, positions_after

AS_OF = dt.date(2022, 12, 28)
COLUMNS = ["portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet"]
TYPES = {**dict.fromkeys(COLUMNS[:3], "str"), **dict.fromkeys(COLUMNS[3:], "float64")}


def records(*rows):
    """Rows of position_records of portfolio P: strategy, symbol, quantity, and price, entry price, wallet where given."""
    return pd.DataFrame([("P", *row, *[np.nan] * (6 - len(row))) for row in rows], columns=COLUMNS).astype(TYPES)


def left(frame):
    return {(row.strategy, row.symbol): row.quantity for row in frame.itertuples()}


def test_what_is_held_the_other_way_is_closed_first_the_largest_position_first():
    held = records(("a", "X", 4), ("b", "X", 10), ("c", "X", -3), ("d", "Y", 50))
    after = positions_after(held, "P", [Trade("X", -12.0, 5.0)])
    assert left(after) == {("a", "X"): 2, ("c", "X"): -3, ("d", "Y"): 50}
    assert left(positions_after(held, "P", [Trade("X", -20.0, 5.0)])) == {("c", "X"): -3, ("d", "Y"): 50, ("what_if", "X"): -6}


def test_a_named_strategy_trades_on_its_own():
    held = records(("a", "X", 4), ("b", "X", 10))
    assert left(positions_after(held, "P", [Trade("X", -12.0, 5.0)], "a")) == {("a", "X"): -8, ("b", "X"): 10}
    assert left(positions_after(held, "P", [Trade("X", -12.0, 5.0)], "new")) == {("a", "X"): 4, ("b", "X"): 10, ("new", "X"): -12}


@pytest.mark.parametrize(
    ("quantity", "entry"),
    [(5, (10 * 100.0 + 5 * 130.0) / 15), (-4, 100.0), (-15, 130.0)],
    ids=["added: weighted", "closed in part: as before", "turned round: the mark"],
)
def test_entry_price_after_a_trade(quantity, entry):
    after = positions_after(records(("a", "X", 10, math.nan, 100.0, 700.0)), "P", [Trade("X", float(quantity), 130.0)], "a")
    assert after["entry_price"][0] == pytest.approx(entry, rel=1e-15)
    assert after["isolated_wallet"][0] == 700.0


def test_a_book_without_positions_can_be_opened():
    after = positions_after(records(), "P", [Trade("X", 3.0, 130.0)])
    assert left(after) == {("what_if", "X"): 3}
    assert dict(after.dtypes.astype(str)) == dict(records().dtypes.astype(str))


def test_fractions_that_close_a_position_leave_no_dust():
    held = records(("a", "X", 0.1), ("b", "X", 0.2))
    assert positions_after(held, "P", [Trade("X", -0.3, 5.0)]).empty


BOOKS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("XY"), st.integers(-20, 20)), unique_by=lambda row: row[:2], max_size=6)


@given(BOOKS, st.sampled_from("XYZ"), st.integers(-40, 40).filter(bool), st.sampled_from([None, "a", "new"]))
def test_quantities_add_up_and_other_symbols_stay(book, symbol, quantity, strategy):
    held = records(*book)
    after = positions_after(held, "P", [Trade(symbol, float(quantity), 5.0)], strategy)
    before, found = (frame.groupby("symbol")["quantity"].sum() for frame in (held, after))
    assert found.get(symbol, 0.0) == before.get(symbol, 0.0) + quantity
    assert left(after[after["symbol"] != symbol]) == left(held[(held["symbol"] != symbol) & (held["quantity"] != 0)])
    assert not (after["quantity"] == 0).any()


def test_repeated_symbols_add_up():
    assert added_up([("A=B", 2.0), ("X", 1.0), ("A=B", -5.0)]) == {"A=B": -3.0, "X": 1.0}


@pytest.mark.parametrize(
    ("trades", "said"),
    [
        ([], "no trade"),
        ([("X", 0.0)], "trades nothing"),
        ([("X", 5.0), ("X", -5.0)], "trades nothing"),
        ([("X", math.nan)], "nan"),
        ([("X", math.inf)], "inf"),
    ],
)
def test_what_cannot_be_traded_is_told_in_one_line(trades, said):
    with pytest.raises(TradeError, match=said) as told:
        added_up(trades)
    assert "\n" not in str(told.value)


def market(**closes):
    expiry = {"OLD": "2022-12-16", "LAST": "2022-12-28"}
    symbols = ["X", "XA", "OLD", "LAST"]
    instruments = pd.DataFrame({"symbol": symbols, "expiry": pd.to_datetime([expiry.get(symbol) for symbol in symbols])})
    prices = pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": list(closes), "close": list(closes.values())})
    return instruments, prices


def test_the_mark_is_that_of_the_own_position_else_the_close():
    held = records(("a", "X", 1, 7.0))
    assert at_the_mark({"X": 1.0}, held, *market(X=6.0), AS_OF)[0].price == 7.0
    assert at_the_mark({"X": 1.0}, records(("a", "X", 1)), *market(X=6.0), AS_OF)[0].price == 6.0
    assert at_the_mark({"LAST": 1.0}, held, *market(LAST=0.5), AS_OF)[0].price == 0.5


def test_positions_at_different_marks_need_a_strategy():
    held = records(("a", "X", 1, 7.0), ("b", "X", 1, 8.0))
    assert at_the_mark({"X": 1.0}, held, *market(), AS_OF, "b")[0].price == 8.0
    with pytest.raises(TradeError, match="--strategy"):
        at_the_mark({"X": 1.0}, held, *market(), AS_OF)


@pytest.mark.parametrize(("symbol", "said"), [("XB", "did you mean X"), ("OLD", "expired on 2022-12-16"), ("XA", "no mark")])
def test_symbols_that_cannot_be_traded_are_told(symbol, said):
    with pytest.raises(TradeError, match=said):
        at_the_mark({symbol: 1.0}, records(), *market(X=1.0), AS_OF)


def test_close_names_come_first_and_long_lists_are_not_told():
    assert near("optionsincome", ["BANK", "OPTIONS_INCOME"]) == "; did you mean OPTIONS_INCOME?"
    assert near("QQQ", ["A", "B"]) == "; known are A, B"
    assert near("QQQ", [f"A{n}" for n in range(50)]) == ""
