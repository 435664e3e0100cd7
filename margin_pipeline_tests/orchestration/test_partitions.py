"""Business dates. Belongs here: sessions, opening hours. Not here: what runs on them."""

import datetime as dt

import pytest

from margin_pipeline.orchestration import partitions

TODAY = dt.date(2023, 1, 5)


def test_partitions_are_the_sessions_of_the_exchange():
    keys = partitions.business_dates("XNYS", TODAY).get_partition_keys(current_time=dt.datetime(2023, 1, 5, 23, tzinfo=dt.UTC))
    assert keys[0] == "1990-01-02"
    assert keys[-7:] == ["2022-12-27", "2022-12-28", "2022-12-29", "2022-12-30", "2023-01-03", "2023-01-04", "2023-01-05"]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (dt.date(2022, 12, 23), True),
        (dt.date(2022, 12, 24), False),  # a Saturday
        (dt.date(2022, 12, 26), False),  # Christmas, observed on Monday
        (dt.date(2001, 9, 12), False),  # closed after the attacks
        (dt.date(1989, 12, 29), False),  # before the calendar begins
        (dt.date(2200, 1, 2), False),  # after it ends
    ],
)
def test_a_session_is_told_from_a_holiday(date, expected):
    assert partitions.is_session("XNYS", date, TODAY) is expected


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2022-12-28T10:00:00-05:00", True),
        ("2022-12-28T15:50:00-05:00", False),  # closing within a quarter of an hour
        ("2022-12-28T16:30:00-05:00", False),
        ("2022-12-26T10:00:00-05:00", False),  # a holiday
        ("2022-11-25T12:50:00-05:00", False),  # half day, closes at 13:00
        ("2022-11-25T12:30:00-05:00", True),
    ],
)
def test_intraday_rules_hold_while_open_and_not_about_to_close(instant, expected):
    session = dt.date.fromisoformat(instant[:10])
    assert partitions.is_open_and_not_closing_soon("XNYS", dt.datetime.fromisoformat(instant), session) is expected


def test_an_instant_of_another_session_finds_positions_held_overnight():
    instant = dt.datetime.fromisoformat("2022-12-28T20:00:00Z")
    assert partitions.is_open_and_not_closing_soon("XNYS", instant, dt.date(2022, 12, 28))
    assert not partitions.is_open_and_not_closing_soon("XNYS", instant, dt.date(2022, 12, 27))
