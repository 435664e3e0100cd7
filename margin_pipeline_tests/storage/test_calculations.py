"""Calculations while they run: begun once, rewritten without traces, given up. Not here: publication."""

import datetime as dt
import threading

import pandas as pd
import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError

DATE = dt.date(2022, 12, 28)
NEXT = dt.date(2022, 12, 29)


def test_a_run_begins_a_date_once(empty_tables):
    first = storage.begin(empty_tables, DATE, "run", "1", {"a": 1})
    assert storage.begin(empty_tables, DATE, "run", "1", {"a": 1}) == first
    assert storage.begin(empty_tables, NEXT, "run", "1", {"a": 1}) != first
    assert storage.begin(empty_tables, DATE, "other", "1", {"a": 1}) != first


def test_runs_that_begin_at_once_do_not_disturb_each_other(fresh_database):
    found, problems = [], []

    def begin(number):
        try:
            found.append(storage.begin(fresh_database, dt.date(2021, 3, 1), f"run {number % 2}", "1", {}))
        except StorageError as error:
            problems.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(set(found)) == 2


def test_the_first_calculation_of_a_month_does_not_wait_for_a_reader(empty_tables):
    with psycopg.connect(empty_tables.libpq) as reader:
        reader.execute("select * from margin.prices, margin.positions")
        thread = threading.Thread(target=storage.begin, args=(empty_tables, dt.date(2021, 6, 1), "run", "1", {}))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert storage.execute(empty_tables, "select to_regclass('margin_data.prices_y2021m06') is null") == [(False,)]


def test_writing_a_table_again_replaces_its_rows(empty_tables, calculate, prices):
    calculation_id = calculate("run", {"prices": prices({DATE: 1.0, NEXT: 2.0})}, as_of=NEXT)
    storage.write_table(empty_tables, calculation_id, NEXT, "prices", prices({NEXT: 3.0}))
    assert storage.read_table(empty_tables, calculation_id, NEXT, "prices")["close"].tolist() == [3.0]
    assert storage.execute(empty_tables, "select row_count from margin_data.calculation_tables") == [(1,)]


def test_a_refused_table_leaves_what_was_written_before(empty_tables, calculate, prices):
    calculation_id = calculate("run", {"prices": prices({DATE: 1.0})})
    with pytest.raises(StorageError):
        storage.write_table(empty_tables, calculation_id, DATE, "prices", prices({DATE: -1.0}))
    assert storage.read_table(empty_tables, calculation_id, DATE, "prices")["close"].tolist() == [1.0]


def test_an_empty_table_is_written_too(empty_tables, calculate, prices):
    calculation_id = calculate("run", {"prices": prices({})})
    assert len(storage.read_table(empty_tables, calculation_id, DATE, "prices")) == 0


def test_a_calculation_sees_its_own_rows_else_the_published_ones(empty_tables, publish, calculate, prices, portfolios):
    publish("first", {"prices": prices({DATE: 1.0}), "portfolios": portfolios(5.0)})
    second = calculate("second", {"prices": prices({DATE: 2.0})})
    assert storage.read_table(empty_tables, second, DATE, "prices")["close"].tolist() == [2.0]
    assert storage.read_table(empty_tables, second, DATE, "portfolios")["equity"].tolist() == [5.0]
    assert storage.read_published(empty_tables, DATE, "prices")["close"].tolist() == [1.0]


def test_a_table_that_nobody_wrote_says_what_to_do(empty_tables, calculate):
    calculation_id = calculate("run", {})
    with pytest.raises(StorageError, match="run the whole chain of the date first"):
        storage.read_table(empty_tables, calculation_id, DATE, "prices")


def test_rows_come_in_the_order_of_the_key_whatever_order_they_were_written_in(empty_tables, calculate, prices):
    frame = pd.concat([prices({NEXT: 1.0, DATE: 2.0}, symbol) for symbol in ("b", "A", "a", "B")]).sample(frac=1, random_state=1)
    calculation_id = calculate("run", {"prices": frame}, as_of=NEXT)
    found = storage.read_table(empty_tables, calculation_id, NEXT, "prices")
    pd.testing.assert_frame_equal(found, found.sort_values(["date", "symbol"], ignore_index=True))


def test_a_calculation_that_was_given_up_has_no_rows_and_takes_none(empty_tables, calculate, prices):
    calculation_id = calculate("run", {"prices": prices({DATE: 1.0})})
    assert storage.abandon(empty_tables, calculation_id)
    assert storage.execute(empty_tables, "select count(*) from margin_data.prices") == [(0,)]
    with pytest.raises(StorageError, match="is abandoned and takes no more rows"):
        storage.write_table(empty_tables, calculation_id, DATE, "prices", prices({DATE: 1.0}))
    with pytest.raises(StorageError, match="is abandoned"):
        storage.record_content(empty_tables, calculation_id, "files")


def test_rows_of_another_date_are_refused(empty_tables, calculate, prices):
    calculation_id = calculate("run", {})
    with pytest.raises(StorageError, match="of this date does not exist"):
        storage.write_table(empty_tables, calculation_id, NEXT, "prices", prices({DATE: 1.0}))


def test_only_calculations_of_dead_runs_are_given_up(empty_tables, calculate, publish, prices):
    dead, alive = calculate("dead", {"prices": prices({DATE: 1.0})}), calculate("alive", {"prices": prices({DATE: 2.0})})
    publish("published", {"prices": prices({DATE: 3.0})})
    assert storage.abandon_dead(empty_tables, lambda run_id: run_id == "alive") == [dead]
    assert storage.read_table(empty_tables, alive, DATE, "prices")["close"].tolist() == [2.0]
    assert storage.read_published(empty_tables, DATE, "prices")["close"].tolist() == [3.0]


def test_the_input_hash_covers_earlier_dates_and_own_files_only(empty_tables, publish, calculate, prices):
    def seen(run_id, content):
        return storage.input_hash(empty_tables, calculate(run_id, {}, as_of=NEXT, content=content), NEXT)

    alone = seen("alone", "b")
    assert seen("same files", "b") == alone
    assert seen("other files", "c") != alone
    publish("earlier", {"prices": prices({DATE: 1.0})}, content="a")
    both = seen("after earlier", "b")
    assert both != alone
    publish("later", {"prices": prices({DATE: 1.0})}, as_of=dt.date(2022, 12, 30), content="z")
    assert seen("after later", "b") == both


def test_which_date_has_results_is_part_of_what_is_seen_and_apart_from_the_files(empty_tables, publish, calculate, prices):
    calculation_id = calculate("run", {}, as_of=NEXT, content="b")
    publish("landed", {"prices": prices({DATE: 1.0})}, content="a", scope="landing")
    before = storage.inputs_seen(empty_tables, calculation_id, NEXT)
    publish("computed", {"prices": prices({DATE: 1.0})}, content="a")
    after = storage.inputs_seen(empty_tables, calculation_id, NEXT)
    assert (before.compared_with, after.compared_with) == (None, DATE.isoformat())
    assert before.contents == after.contents
    assert before.hash != after.hash == storage.input_hash(empty_tables, calculation_id, NEXT)
