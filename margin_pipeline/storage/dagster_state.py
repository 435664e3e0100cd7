"""What Dagster's own storage says of its daemon, sensors and runs: read with SQL, so that looking costs milliseconds and changes nothing.

Belongs here: reading those tables. Not here: making them (Dagster does), judging what they say.
The tests hold the statements against what Dagster's own classes say of the same rows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import class_row

from margin_pipeline.storage.connections import connect, one_line
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls, database_name

_PATIENCE = "set statement_timeout = '10s'"

_DAEMONS = """
select daemon_type as name, to_timestamp((body::jsonb ->> 'timestamp')::double precision) as beat_at,
       body::jsonb #>> '{errors,0,message}' as error
  from daemon_heartbeats order by 1
"""

# By index: ticks come every few seconds and are kept for days.
_TICKERS = """
select i.instigator_body::jsonb #>> '{origin,job_name}' as name, lower(i.instigator_type) as kind, i.status <> 'STOPPED' as is_on,
       t.timestamp at time zone 'UTC' as ticked_at, t.status = 'FAILURE' as failed, t.tick_body::jsonb #>> '{error,message}' as error
  from instigators i
  left join lateral (select timestamp, status, tick_body from job_ticks k where k.selector_id = i.selector_id
                      order by timestamp desc, id desc limit 1) t on true
 order by 1
"""

_RUNS = """
select r.run_id, r.status, coalesce(jsonb_object_agg(t.key, t.value) filter (where t.key is not null), '{}') as tags
  from runs r left join run_tags t on t.run_id = r.run_id
 where r.run_id = any(%s) group by r.run_id, r.status
"""


@dataclass(frozen=True)
class Daemon:
    """One of Dagster's daemons: when it was last heard of, and what it last failed with."""

    name: str
    beat_at: dt.datetime
    error: str | None


@dataclass(frozen=True)
class Ticker:
    """A sensor or schedule.

    Attributes
    ----------
    name : its name.
    kind : `sensor` or `schedule`.
    is_on : whether it is on.
    ticked_at : instant of its newest tick; None: there was none.
    failed : whether that tick failed; None: there was none.
    error : what it failed with.
    """

    name: str
    kind: str
    is_on: bool
    ticked_at: dt.datetime | None
    failed: bool | None
    error: str | None


@dataclass(frozen=True)
class Run:
    """A run: its status in Dagster's words, and its tags."""

    run_id: str
    status: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class DagsterState:
    """What Dagster's storage says.

    Attributes
    ----------
    absent : why there is nothing to say; None: the storage is there.
    daemons : daemons that were ever heard of, by name.
    tickers : sensors and schedules that ever ticked or were switched, by name.
    runs : the runs that were asked for, by their id.
    """

    absent: str | None = None
    daemons: Sequence[Daemon] = ()
    tickers: Sequence[Ticker] = ()
    runs: Mapping[str, Run] = field(default_factory=dict)


def dagster_state(urls: DatabaseUrls, run_ids: Sequence[str] = ()) -> DagsterState:
    """Daemons, sensors, schedules and some runs, as Dagster's storage has them; a storage that is not there is said, not raised.

    Parameters
    ----------
    run_ids : runs that are wanted.

    Raises
    ------
    StorageError : the storage is there and cannot be read.
    """
    try:
        with _reading(urls) as connection:
            row = connection.execute(
                "select to_regclass('daemon_heartbeats') is not null and to_regclass('instigators') is not null"
            ).fetchone()
            if not (row and row[0]):
                return DagsterState("Dagster has no storage yet: run the chain, or margin-pipeline ui, once")
            daemons = connection.cursor(row_factory=class_row(Daemon)).execute(_DAEMONS).fetchall()
            tickers = connection.cursor(row_factory=class_row(Ticker)).execute(_TICKERS).fetchall()
            runs = connection.cursor(row_factory=class_row(Run)).execute(_RUNS, (list(run_ids),)).fetchall()
    except StorageError as error:
        # A database that nobody has made yet is no trouble: whoever runs first makes it.
        if f'database "{database_name(urls.dagster_libpq)}" does not exist' in str(error):
            return DagsterState("Dagster's database is not there yet: run the chain, or margin-pipeline ui, once")
        raise
    return DagsterState(None, daemons, tickers, {run.run_id: run for run in runs})


@contextmanager
def _reading(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    try:
        with connect(DatabaseUrls(urls.dagster_libpq, urls.dagster_libpq)) as connection:
            connection.read_only = True
            connection.execute(_PATIENCE)
            yield connection
    except psycopg.Error as error:
        raise StorageError(f"Dagster's storage cannot be read: {one_line(error)}") from error
