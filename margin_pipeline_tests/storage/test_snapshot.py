"""Reading a part of the published tables at one moment. Not here: whole tables (test_publication), what a run sees (test_history)."""

import datetime as dt

import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError
from margin_pipeline.storage.snapshot import snapshot

FIRST, DATE, NEXT = dt.date(2022, 12, 27), dt.date(2022, 12, 28), dt.date(2022, 12, 29)


def equities(found, as_of=DATE):
    return list(found.rows("portfolios", as_of)["equity"])


def test_a_publication_meanwhile_changes_nothing(empty_tables, publish, portfolios):
    publish("before", {"portfolios": portfolios(1.0)})
    with snapshot(empty_tables) as found:
        assert equities(found) == [1.0]
        publish("meanwhile", {"portfolios": portfolios(2.0)}, content="other files")
        assert equities(found) == [1.0]
        assert len(found.calculations()) == 1
    with snapshot(empty_tables) as found:
        assert equities(found) == [2.0]


def test_nothing_can_be_written(empty_tables):
    with pytest.raises(StorageError, match="read-only transaction"), snapshot(empty_tables) as found:
        found.query("delete from margin_data.portfolios")


def test_rows_are_those_of_the_published_table_that_have_the_values(empty_tables, publish, prices):
    both = pd.concat([prices({DATE: 1.0}), prices({DATE: 2.0}, 'it\'s, a "symbol"')])
    publish("run", {"prices": both})
    with snapshot(empty_tables) as found:
        pd.testing.assert_frame_equal(found.rows("prices", DATE), storage.read_published(empty_tables, DATE, "prices"))
        assert list(found.rows("prices", DATE, symbol=['it\'s, a "symbol"', "nothing"])["close"]) == [2.0]
        assert found.rows("prices", DATE, symbol=[]).empty
        assert found.rows("prices", NEXT).empty


@pytest.mark.parametrize("sessions", [None, 1, 2, 3, 9])
def test_a_history_is_the_one_that_a_run_of_the_date_reads(empty_tables, publish, prices, sessions):
    """The newest folder wins, old days count only where there are no newer ones, and folders after the date are not seen."""
    long_ago = dt.date(2022, 3, 1)
    publish("first", {"prices": prices({long_ago: 0.5, FIRST: 1.0})}, as_of=FIRST)
    publish("second", {"prices": pd.concat([prices({FIRST: 1.5, DATE: 2.0}), prices({DATE: 7.0}, "KO")])}, as_of=DATE)
    publish("later", {"prices": prices({FIRST: 9.0, NEXT: 9.0})}, as_of=NEXT)
    expected = storage.read_history(empty_tables, -1, DATE, "prices", sessions=sessions)
    with snapshot(empty_tables) as found:
        pd.testing.assert_frame_equal(found.history("prices", DATE, sessions=sessions), expected)
        one = found.history("prices", DATE, sessions=sessions, symbol=["AAPL"])
    pd.testing.assert_frame_equal(one, expected[expected["symbol"] == "AAPL"].reset_index(drop=True))


def test_a_history_of_nothing_is_empty(empty_tables):
    with snapshot(empty_tables) as found:
        assert found.history("prices", DATE, sessions=10).empty


def test_a_schedule_is_taken_whole_from_the_newest_folder_that_brings_it(empty_tables, publish):
    def tiers(thresholds):
        rows = {"schedule": "S", "mode": "bracket", "threshold": thresholds, "initial_rate": 0.2, "maintenance_rate": 0.1}
        return pd.DataFrame(rows | {"currency": "USD", "effective_date": pd.Timestamp(FIRST)}, index=range(len(thresholds)))

    publish("first", {"margin_schedules": tiers([0.0, 10.0, 20.0])}, as_of=FIRST)
    publish("second", {"margin_schedules": tiers([0.0, 15.0])}, as_of=DATE)
    with snapshot(empty_tables) as found:
        assert list(found.history("margin_schedules", DATE)["threshold"]) == [0.0, 15.0]
        pd.testing.assert_frame_equal(
            found.history("margin_schedules", NEXT), storage.read_history(empty_tables, -1, NEXT, "margin_schedules")
        )


def test_a_database_without_the_schema_holds_no_results(bare_database):
    with pytest.raises(StorageError, match="holds no results yet"), snapshot(bare_database):
        pass
