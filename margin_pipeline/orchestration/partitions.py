"""Business dates: the one partition dimension, on an exchange calendar.

Belongs here: which dates are sessions, when a market is open. Not here: what is calculated on them.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_DATE = dt.date(1990, 1, 1)
CLOSING_SOON = dt.timedelta(minutes=15)


@contextmanager
def _without_notices_of_pandas() -> Iterator[None]:
    # exchange_calendars uses forms that pandas 3 announces to change; the sessions are right, and a person cannot act on it.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


@lru_cache(maxsize=4)
def exchange_calendar(name: str, last: dt.date) -> ExchangeCalendar:
    """Calendar of an exchange from 1990 on; it refuses dates outside the range it was made for."""
    with _without_notices_of_pandas():
        import exchange_calendars

        return exchange_calendars.get_calendar(name, start=FIRST_DATE.isoformat(), end=last.isoformat())


def calendar_until_next_year(name: str, today: dt.date) -> ExchangeCalendar:
    """Calendar that covers a year more than today, so that a running process does not outlive it soon."""
    return exchange_calendar(name, today + dt.timedelta(days=365))


def business_dates(calendar_name: str, today: dt.date) -> dg.TimeWindowPartitionsDefinition:
    """One partition a session, from 1990 to today."""
    calendar = calendar_until_next_year(calendar_name, today)
    with _without_notices_of_pandas():
        sessions = {s.date() for s in calendar.sessions}
    last = max(sessions)
    days = (FIRST_DATE + dt.timedelta(days=n) for n in range((last - FIRST_DATE).days + 1))
    holidays = [dt.datetime.combine(day, dt.time()) for day in days if day.weekday() < 5 and day not in sessions]
    return dg.TimeWindowPartitionsDefinition(
        start=FIRST_DATE.isoformat(),
        fmt="%Y-%m-%d",
        cron_schedule="0 0 * * 1-5",
        timezone=str(calendar.tz),
        end_offset=1,
        exclusions=holidays,
    )


def is_session(calendar_name: str, date: dt.date, today: dt.date) -> bool:
    """Whether a date is a session between 1990 and a year from today."""
    calendar = calendar_until_next_year(calendar_name, today)
    with _without_notices_of_pandas():
        return calendar.first_session.date() <= date <= calendar.last_session.date() and calendar.is_session(date.isoformat())


def last_session(calendar_name: str, today: dt.date) -> dt.date:
    """Newest session up to and including today."""
    with _without_notices_of_pandas():
        return calendar_until_next_year(calendar_name, today).date_to_session(today.isoformat(), direction="previous").date()


def sessions_after(calendar_name: str, date: dt.date, count: int, today: dt.date) -> tuple[dt.date, ...]:
    """The sessions that follow a date, the nearest first; fewer where the calendar, a year from today, ends before."""
    calendar = calendar_until_next_year(calendar_name, max(date, today))
    with _without_notices_of_pandas():
        sessions = calendar.sessions
        first = int(sessions.searchsorted(pd.Timestamp(date), side="right"))
        return tuple(session.date() for session in sessions[first : first + count])


def count_sessions(calendar_name: str, after: dt.date, until: dt.date) -> int:
    """Sessions after a date and up to another, count."""
    with _without_notices_of_pandas():
        calendar = calendar_until_next_year(calendar_name, until)
        first = max(after + dt.timedelta(days=1), calendar.first_session.date())
        return len(calendar.sessions_in_range(first.isoformat(), until.isoformat())) if first <= until else 0


def is_open_and_not_closing_soon(calendar_name: str, instant: dt.datetime, session: dt.date) -> bool:
    """Whether an instant lies in a session, the market trades then and for at least a quarter of an hour more."""
    calendar = calendar_until_next_year(calendar_name, instant.date())
    with _without_notices_of_pandas():
        if instant.astimezone(ZoneInfo(str(calendar.tz))).date() != session or not calendar.is_session(session.isoformat()):
            return False
        utc = instant.astimezone(dt.UTC)
        return all(calendar.is_open_on_minute(moment, ignore_breaks=True) for moment in (utc, utc + CLOSING_SOON))


@lru_cache(maxsize=256)
def close_of(calendar_name: str, session: dt.date) -> dt.datetime:
    """Instant at which a session closes, UTC."""
    with _without_notices_of_pandas():
        closed: dt.datetime = calendar_until_next_year(calendar_name, session).session_close(session.isoformat()).to_pydatetime()
    return closed


def trades(calendar_name: str, instant: dt.datetime) -> bool:
    """Whether the market trades at an instant; a break at noon is no end of it."""
    with _without_notices_of_pandas():
        calendar = calendar_until_next_year(calendar_name, instant.date())
        return bool(calendar.is_open_on_minute(instant.astimezone(dt.UTC), ignore_breaks=True))
