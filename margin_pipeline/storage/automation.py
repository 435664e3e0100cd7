"""The emergency stop: the one row that stops monitoring and automation.

Belongs here: SQL on `automation_stops`. Not here: what honours it (sensors and schedules).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True)
class Stop:
    """A stop that stands: since when, by whom, why."""

    stop_id: int
    stopped_at: dt.datetime
    stopped_by: str
    reason: str


_STANDING = "select stop_id, stopped_at, stopped_by, reason from margin_data.automation_stops where resumed_at is null"


def standing_stop(libpq_url: str) -> Stop | None:
    """The stop that stands, None where automation goes on."""
    with psycopg.connect(libpq_url, autocommit=True) as connection, connection.cursor(row_factory=class_row(Stop)) as cursor:
        return cursor.execute(_STANDING).fetchone()


def stop(libpq_url: str, who: str, why: str) -> bool:
    """Stop automation; whether it went on before. A stop that stands stays as it is, with who made it and why."""
    with psycopg.connect(libpq_url) as connection:
        made = connection.execute(
            "insert into margin_data.automation_stops (stopped_by, reason) values (%s, %s) on conflict do nothing", (who, why)
        )
        return made.rowcount == 1


def resume(libpq_url: str, who: str, why: str | None) -> bool:
    """Let automation go on; whether it was stopped."""
    with psycopg.connect(libpq_url) as connection:
        ended = connection.execute(
            "update margin_data.automation_stops set resumed_at = greatest(clock_timestamp(), stopped_at), resumed_by = %s, "
            "resume_reason = %s where resumed_at is null",
            (who, why),
        )
        return ended.rowcount == 1
