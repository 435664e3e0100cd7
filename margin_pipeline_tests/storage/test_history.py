"""Histories over folders: the newest folder wins, in whatever order dates were run. Not here: tables of one date."""

import datetime as dt
import itertools

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline import storage
from margin_pipeline.storage import StorageError
from margin_pipeline.storage.catalogue import TableColumns
from margin_pipeline.storage.history import _resolved

FIRST, DATE, NEXT = dt.date(2022, 12, 27), dt.date(2022, 12, 28), dt.date(2022, 12, 29)


def closes(urls, calculation_id, as_of, **how):
    found = storage.read_history(urls, calculation_id, as_of, "prices", **how)
    return {(day.date(), symbol): close for day, symbol, close in zip(found["date"], found["symbol"], found["close"], strict=True)}


def test_the_newest_folder_wins_per_day_and_symbol(empty_tables, publish, calculate, prices):
    publish("first", {"prices": prices({FIRST: 1.0})}, as_of=FIRST)
    publish("second", {"prices": prices({FIRST: 1.5, DATE: 2.0})}, as_of=DATE)
    own = calculate("own", {"prices": prices({NEXT: 3.0})}, as_of=NEXT)
    assert closes(empty_tables, own, NEXT) == {(FIRST, "AAPL"): 1.5, (DATE, "AAPL"): 2.0, (NEXT, "AAPL"): 3.0}


def test_folders_after_the_date_and_unpublished_ones_are_not_seen(empty_tables, publish, calculate, prices):
    publish("later", {"prices": prices({FIRST: 9.0})}, as_of=NEXT)
    calculate("unpublished", {"prices": prices({FIRST: 8.0})}, as_of=FIRST)
    own = calculate("own", {"prices": prices({DATE: 2.0})}, as_of=DATE)
    assert closes(empty_tables, own, DATE) == {(DATE, "AAPL"): 2.0}


def test_a_calculation_that_landed_nothing_sees_the_published_files_of_its_date(empty_tables, publish, calculate, prices):
    publish("landed", {"prices": prices({DATE: 2.0})})
    own = calculate("margins only", {}, content=None)
    assert closes(empty_tables, own, DATE) == {(DATE, "AAPL"): 2.0}


@pytest.mark.parametrize("order", list(itertools.permutations([FIRST, DATE, NEXT])))
def test_the_order_in_which_dates_are_run_changes_nothing(empty_tables, publish, calculate, prices, order):
    folders = {FIRST: {FIRST: 1.0}, DATE: {FIRST: 1.5, DATE: 2.0}, NEXT: {DATE: 2.5, NEXT: 3.0}}
    for date in order:
        publish(f"run {date}", {"prices": prices(folders[date])}, as_of=date)
    own = calculate("own", {}, as_of=NEXT, content=None)
    assert list(closes(empty_tables, own, NEXT).values()) == [1.5, 2.5, 3.0]


def test_a_schedule_is_taken_whole_from_the_newest_folder_that_brings_it(empty_tables, publish, calculate):
    def tiers(thresholds, initial):
        rows = {"schedule": "S", "mode": "bracket", "threshold": thresholds, "initial_rate": initial, "maintenance_rate": 0.1}
        return pd.DataFrame(rows | {"currency": "USD", "effective_date": pd.Timestamp(FIRST)}, index=range(len(thresholds)))

    publish("first", {"margin_schedules": tiers([0.0, 10.0, 20.0], 0.2)}, as_of=FIRST)
    own = calculate("own", {"margin_schedules": tiers([0.0, 15.0], 0.3)}, as_of=DATE)
    found = storage.read_history(empty_tables, own, DATE, "margin_schedules")
    assert found[["threshold", "initial_rate"]].to_numpy().tolist() == [[0.0, 0.3], [15.0, 0.3]]


def test_a_window_holds_so_many_days_even_when_they_lie_far_apart(empty_tables, calculate, prices):
    days = {dt.date(2022 - years, 12, 28): float(years + 1) for years in range(5)}
    own = calculate("own", {"prices": prices(days)})
    assert list(closes(empty_tables, own, DATE, sessions=3).values()) == [3.0, 2.0, 1.0]
    assert len(closes(empty_tables, own, DATE, sessions=9)) == 5
    assert len(closes(empty_tables, own, DATE, since=dt.date(2021, 1, 1))) == 2


def test_no_row_after_the_date_is_given(empty_tables, calculate, prices):
    own = calculate("own", {"prices": prices({DATE: 1.0, NEXT: 2.0})})
    assert closes(empty_tables, own, DATE) == {(DATE, "AAPL"): 1.0}


def test_a_history_without_rows_is_empty_with_its_columns(empty_tables, calculate):
    found = storage.read_history(empty_tables, calculate("own", {}), DATE, "futures_margins")
    assert len(found) == 0
    assert list(found.columns)[:2] == ["root", "effective_date"]


def test_unknown_keys_are_named(empty_tables, calculate):
    with pytest.raises(StorageError, match="prices has no column root"):
        storage.read_history(empty_tables, calculate("own", {}), DATE, "prices", keys=["root"])


RECORDS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.sampled_from("AB"), st.integers(0, 99)), unique_by=lambda r: r[:3])


@given(RECORDS)
@settings(max_examples=60)
def test_resolving_equals_taking_folders_oldest_first_into_a_dictionary(records):
    expected = {}
    for _, day, symbol, close in sorted(records):
        expected[pd.Timestamp(2022, 1, day), symbol] = float(close)
    frame = pd.DataFrame(records, columns=["folder", "date", "symbol", "close"]).astype({"close": "float64", "symbol": "str"})
    frame["folder"] = pd.to_datetime("2022-01-01") + pd.to_timedelta(frame["folder"], unit="D")
    frame["date"] = pd.to_datetime("2021-12-31") + pd.to_timedelta(frame["date"], unit="D")
    known = TableColumns("prices", "", (), ("as_of", "calculation_id", "date", "symbol"), True)
    found = _resolved(frame, known, ("date", "symbol"))
    assert list(zip(found["date"], found["symbol"], found["close"], strict=True)) == [(*key, expected[key]) for key in sorted(expected)]
