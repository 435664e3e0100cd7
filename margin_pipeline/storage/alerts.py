"""The alert outbox: open alerts, changes to them, and what has been delivered.

Belongs here: SQL on `alerts` and `alert_deliveries`. Not here: when an alert is raised or cleared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row

from margin_pipeline.storage.connections import client

# One evaluation at a time, over all processes: two daemons would otherwise both see an alert as not raised yet.
_LOCK = "select pg_advisory_xact_lock(hashtext('margin alerts'))"

# The audit log takes down who raises, clears and acknowledges.
_CLIENT = "select set_config('margin.client', %s, true)"

_OPEN = """
select portfolio_id, kind, subject, threshold, episode, severity, observed, as_of from margin_data.alerts where cleared_at is null
order by portfolio_id, kind, subject, threshold
"""

_EPISODES = """
select portfolio_id, kind, subject, threshold, max(episode) as episode from margin_data.alerts group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""

_RAISE = """
insert into margin_data.alerts
    (as_of, calculation_id, portfolio_id, kind, subject, severity, threshold, episode, observed, message, escalated_from)
values (%(as_of)s, %(calculation_id)s, %(portfolio_id)s, %(kind)s, %(subject)s, %(severity)s, %(threshold)s, %(episode)s, %(observed)s,
        %(message)s,
        (select alert_id from margin_data.alerts
          where portfolio_id = %(portfolio_id)s and kind = %(kind)s and subject = %(subject)s and threshold < %(threshold)s
            and cleared_at is null order by threshold desc limit 1))
on conflict (portfolio_id, kind, subject, threshold, episode) do nothing
"""

# A clock that was set back must not keep an alert open: nothing ends before it began.
_CLEAR = """
update margin_data.alerts set cleared_at = greatest(clock_timestamp(), raised_at), cleared_as_of = %(as_of)s
where portfolio_id = %(portfolio_id)s and kind = %(kind)s and subject = %(subject)s and threshold = %(threshold)s and cleared_at is null
"""

# What is over and was not told within a day is not news any more: a channel that is new or was dead hears what still matters.
_UNDELIVERED = """
select a.alert_id, e.event, a.as_of, a.portfolio_id, a.kind, a.subject, a.severity, a.threshold, a.episode, a.observed, a.message,
       a.raised_at, a.cleared_at, a.escalated_from, a.acknowledged_by, e.happened_at,
       coalesce(d.attempts, 0) as attempts, d.last_attempt_at
from margin_data.alerts a
cross join lateral (values ('raised', a.raised_at), ('cleared', a.cleared_at)) as e (event, happened_at)
left join margin_data.alert_deliveries d on d.alert_id = a.alert_id and d.event = e.event and d.channel = %s
where e.happened_at is not null and d.delivered_at is null and not coalesce(d.unwanted, false)
  and (a.cleared_at is null or e.happened_at > clock_timestamp() - interval '1 day')
order by e.happened_at, a.alert_id, e.event desc
limit 500
"""

_DELIVERED = """
insert into margin_data.alert_deliveries (alert_id, event, channel, attempts, last_attempt_at, delivered_at)
values (%s, %s, %s, 1, clock_timestamp(), clock_timestamp())
on conflict (alert_id, event, channel) do update
   set attempts = margin_data.alert_deliveries.attempts + 1, last_attempt_at = clock_timestamp(), delivered_at = clock_timestamp(),
       last_error = null
"""

_FAILED = """
insert into margin_data.alert_deliveries (alert_id, event, channel, attempts, last_attempt_at, last_error)
values (%s, %s, %s, 1, clock_timestamp(), %s)
on conflict (alert_id, event, channel) do update
   set attempts = margin_data.alert_deliveries.attempts + 1, last_attempt_at = clock_timestamp(), last_error = excluded.last_error
"""

_UNWANTED = """
insert into margin_data.alert_deliveries (alert_id, event, channel, unwanted) values (%s, %s, %s, true)
on conflict (alert_id, event, channel) do update set unwanted = true where margin_data.alert_deliveries.delivered_at is null
"""


@dataclass(frozen=True)
class AlertState:
    """Alerts as they stand.

    Attributes
    ----------
    open_alerts : open alerts: portfolio_id, kind, subject, threshold, episode, severity, observed, as_of.
    last_episodes : newest episode of every portfolio, kind, subject and threshold.
    """

    open_alerts: list[dict[str, Any]]
    last_episodes: list[dict[str, Any]]


class AlertEvaluation:
    """One evaluation under the lock: read the state, decide, write the changes, commit.

    Use as a context manager; nothing is written when the body raises.
    """

    def __init__(self, libpq_url: str) -> None:
        self._url = libpq_url

    def __enter__(self) -> AlertEvaluation:
        self._connection = psycopg.connect(self._url, row_factory=dict_row)
        self._connection.execute(_CLIENT, (client(),))
        self._connection.execute(_LOCK)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._connection.commit()
        self._connection.close()

    def newest_published(self) -> dt.date | None:
        """Newest business date whose chain is published."""
        row = self._connection.execute(
            "select max(as_of) as as_of from margin_data.calculations where state = 'published' and scope = 'chain'"
        ).fetchone()
        return row["as_of"] if row else None

    def published_calculation(self, as_of: dt.date) -> int | None:
        """Calculation that is published for a date."""
        row = self._connection.execute(
            "select calculation_id from margin_data.calculations where as_of = %s and state = 'published'", (as_of,)
        ).fetchone()
        return row["calculation_id"] if row else None

    def state(self) -> AlertState:
        """Open alerts and newest episodes."""
        return AlertState(self._connection.execute(_OPEN).fetchall(), self._connection.execute(_EPISODES).fetchall())

    def apply(self, raised: Sequence[Mapping[str, Any]], cleared: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
        """Clear, then raise; gives how many of each changed something."""
        with self._connection.cursor() as cursor:
            cleared_count = sum(cursor.execute(_CLEAR, row).rowcount for row in cleared)
            raised_count = sum(cursor.execute(_RAISE, row).rowcount for row in raised)
        return raised_count, cleared_count


@contextmanager
def sole_deliverer(libpq_url: str, channel: str) -> Iterator[bool]:
    """Hold a channel, so that two daemons do not tell the same thing twice; gives False where another holds it."""
    with psycopg.connect(libpq_url, autocommit=True) as connection:
        row = connection.execute("select pg_try_advisory_lock(hashtext('margin delivery'), hashtext(%s))", (channel,)).fetchone()
        # The lock ends with the connection, also when the process is killed.
        yield bool(row and row[0])


def undelivered(libpq_url: str, channel: str) -> list[dict[str, Any]]:
    """Events (raised, cleared) that a channel has not been told yet, oldest first; what is over since more than a day is left out."""
    with psycopg.connect(libpq_url, row_factory=dict_row, autocommit=True) as connection:
        return connection.execute(_UNDELIVERED, (channel,)).fetchall()


def mark_delivered(libpq_url: str, events: Sequence[Mapping[str, Any]], channel: str) -> None:
    """Record that a channel has been told of events."""
    _mark(libpq_url, _DELIVERED, [(e["alert_id"], e["event"], channel) for e in events])


def mark_failed(libpq_url: str, events: Sequence[Mapping[str, Any]], channel: str, error: str) -> None:
    """Record a failed attempt."""
    _mark(libpq_url, _FAILED, [(e["alert_id"], e["event"], channel, error) for e in events])


def mark_unwanted(libpq_url: str, events: Sequence[Mapping[str, Any]], channel: str) -> None:
    """Record that a channel leaves events out."""
    _mark(libpq_url, _UNWANTED, [(e["alert_id"], e["event"], channel) for e in events])


def _mark(libpq_url: str, statement: LiteralString, rows: Sequence[tuple[Any, ...]]) -> None:
    with psycopg.connect(libpq_url) as connection, connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def acknowledge(libpq_url: str, alert_id: int, who: str, note: str | None) -> bool:
    """Record who took note of an alert; whether there was one that nobody had taken note of."""
    with psycopg.connect(libpq_url) as connection:
        connection.execute(_CLIENT, (client(),))
        row = connection.execute("select margin.acknowledge(%s, %s, %s)", (alert_id, who, note)).fetchone()
    return bool(row and row[0])
