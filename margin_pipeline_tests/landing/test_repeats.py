"""Tests of repeated rows: adding up positions, collapsing repeats, contradictions.

Belongs here: rows of one file compared with each other. Not here: other contracts.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.landing.repeats import add_up_positions


def book(*rows):
    columns = ["portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet"]
    frame = pd.DataFrame([("P", "s", symbol, *numbers) for symbol, *numbers in rows], columns=columns)
    return frame.astype(dict.fromkeys(columns[3:], "float64") | dict.fromkeys(columns[:3], "str"))


def test_quantities_and_wallets_add_up_and_the_entry_price_is_quantity_weighted():
    total = add_up_positions(book(("A", 100, None, 10, 5), ("A", 300, None, 20, None), ("B", 1, 7, None, None)))
    assert total["quantity"].tolist() == [400, 1]
    assert total["entry_price"][0] == 17.5
    assert total["isolated_wallet"][0] == 5
    assert total["price"][1] == 7
    assert math.isnan(total["isolated_wallet"][1])


def test_rows_on_the_other_side_close_a_part_at_its_average_cost():
    total = add_up_positions(book(("A", 100, None, 10, None), ("A", 100, None, 20, None), ("A", -50, None, 90, None)))
    assert total["quantity"][0] == 150
    assert total["entry_price"][0] == 15


def test_an_entry_price_that_is_not_known_for_a_part_is_not_known():
    assert math.isnan(add_up_positions(book(("A", 100, None, 10, None), ("A", 1, None, None, None)))["entry_price"][0])


def test_a_position_that_cancels_out_stays_with_quantity_zero():
    total = add_up_positions(book(("A", 5, 2, 10, 1), ("A", -5, None, 12, 2)))
    assert total["quantity"].tolist() == [0]
    assert total["price"].tolist() == [2]
    assert total["isolated_wallet"].tolist() == [3]
    assert math.isnan(total["entry_price"][0])


AMOUNT = st.floats(-1e6, 1e6, allow_nan=False)
ROWS = st.lists(
    st.tuples(st.sampled_from("ABC"), AMOUNT, st.none(), st.none() | st.floats(0, 1e4), st.none() | st.floats(0, 1e4)), max_size=12
)


@given(rows=ROWS, seed=st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_changes_no_bit(rows, seed):
    if not rows:
        return
    frame = book(*rows)
    shuffled = frame.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(add_up_positions(frame), add_up_positions(shuffled), check_exact=True)
    total = add_up_positions(frame)
    np.testing.assert_allclose(total["quantity"].sum(), frame["quantity"].sum(), atol=1e-6)
    assert total["symbol"].tolist() == sorted(set(frame["symbol"]))


def test_a_price_that_differs_rejects_the_later_row(land):
    positions = "portfolio_id,strategy,symbol,quantity,price\nP1,core,AAPL,1,130\nP1,core,AAPL,2,\nP1,core,AAPL,4,131\nP1,core,AAPL,8,130\n"
    landed = land({"positions.csv": positions})
    rejected = landed.tables["rejected_rows"]
    assert rejected[["row_number", "column_name", "portfolio_id"]].values.tolist() == [[4, "price", "P1"]]
    assert rejected["reason"][0] == "131 differs from 130 of row 2, the same position"
    assert landed.tables["position_records"][["quantity", "price"]].values.tolist() == [[11, 130]]


def test_identical_repeats_collapse_and_count_as_accepted(land):
    landed = land(append={"prices.csv": "2022-12-28,AAPL,126.040\n2022-12-28,AAPL,126.04\n"})
    files = landed.tables["landed_files"].set_index("source")
    assert files.loc["prices.csv", ["rows_read", "rows_accepted"]].tolist() == [6, 6]
    assert len(landed.tables["prices"]) == 4


def test_rows_that_contradict_each_other_are_all_rejected(land):
    landed = land(append={"prices.csv": "2022-12-28,AAPL,126.05\n2022-12-28,AAPL,126.04\n"})
    rejected = landed.tables["rejected_rows"]
    assert rejected["row_number"].tolist() == [3, 6, 7]
    assert set(rejected["column_name"]) == {"close"}
    assert rejected["reason"][0] == "3 rows from 3 to 7 have the same date, symbol but differ in close; none is used"
    assert ("AAPL", pd.Timestamp(2022, 12, 28)) not in set(landed.tables["prices"][["symbol", "date"]].itertuples(index=False, name=None))
    assert len(landed.tables["prices"]) == 3


def test_positions_in_a_contradicted_instrument_are_rejected_with_it(land):
    landed = land(append={"instruments.csv": "AAPL,etf,,,,,\n"})
    assert landed.tables["rejected_rows"].query("source == 'instruments.csv'")["row_number"].tolist() == [2, 7]
    assert set(landed.tables["rejected_rows"].query("source == 'positions.csv'")["reason"]) == {
        '"AAPL" is not among the accepted instruments'
    }


def test_a_value_beside_an_empty_cell_is_a_contradiction(land):
    prices = "date,symbol,close,adjusted_close\n2022-12-28,AAPL,126.04,\n2022-12-28,AAPL,126.04,125.67\n"
    rejected = land({"prices.csv": prices}).tables["rejected_rows"]
    assert rejected[["row_number", "column_name"]].values.tolist() == [[2, "adjusted_close"], [3, "adjusted_close"]]


SCHEDULES = "schedule,mode,threshold,initial_rate,maintenance_rate,currency,effective_date\n"


@pytest.mark.parametrize(
    "spoilt", ["BTC,bracket,ten,0.2,0.1,USD,2022-01-01", "BTC,marginal,9,0.2,0.1,USD,2022-01-01", "BTC,bracket,9,2,0.1,USD,2022-01-01"]
)
def test_a_margin_schedule_that_lacks_a_tier_is_not_used_at_all(land, spoilt):
    good = "BTC,bracket,0,0.1,0.05,USD,2022-01-01\nETH,bracket,0,0.1,0.05,USD,2022-01-01\nBTC,bracket,0,0.1,0.05,USD,2021-01-01\n"
    landed = land({"margin_schedules.csv": SCHEDULES + good + spoilt + "\n"})
    kept = landed.tables["margin_schedules"]
    assert list(zip(kept["schedule"], kept["effective_date"].dt.year, strict=True)) == [("BTC", 2021), ("ETH", 2022)]
    assert landed.tables["rejected_rows"]["row_number"].tolist() == [2, 5]
