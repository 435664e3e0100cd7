"""Which session is due to be published, and how far the newest published one is behind.

Belongs here: deadline and calendar put together. Not here: the schedule that watches (`schedules`), what is published (`storage`).
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from margin_pipeline.orchestration import partitions
from margin_pipeline.orchestration.schedules import DEADLINE_AT, TIMEZONE


def deadline() -> dt.time:
    """Time of day by which the session of the day is published, in the time zone of the schedules."""
    minute, hour = DEADLINE_AT.split()[:2]
    return dt.time(int(hour), int(minute), tzinfo=ZoneInfo(TIMEZONE))


def due_session(calendar: str, now: dt.datetime) -> dt.date:
    """Newest session whose deadline has passed.

    Parameters
    ----------
    calendar : name of the exchange calendar.
    now : instant, with a time zone.
    """
    local = now.astimezone(ZoneInfo(TIMEZONE))
    passed = local.time() >= deadline().replace(tzinfo=None)
    return partitions.last_session(calendar, local.date() if passed else local.date() - dt.timedelta(days=1))


def sessions_behind(calendar: str, published: dt.date, now: dt.datetime) -> int:
    """Sessions whose deadline has passed since a published date, count; 0: it is up to date."""
    return partitions.count_sessions(calendar, published, due_session(calendar, now))
