"""Retention: dropping whole months of whole tables that nobody keeps, and nothing that a later date needs.

Belongs here: which monthly partitions may go, and dropping them. Not here: how long rows are kept (settings), files on disk.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from margin_pipeline.storage import audit, history
from margin_pipeline.storage.calculations import PARTITIONS_LOCK
from margin_pipeline.storage.catalogue import SCHEMA
from margin_pipeline.storage.connections import transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

FILES = "landed_files"
HISTORY = "history: dates after it read rows that its folders brought"
PROVENANCE = "says which files the dates were made from"
ATTEMPTS, PAUSE_SECONDS = 50, 0.2


@dataclass(frozen=True)
class Partition:
    """A month of a table.

    Attributes
    ----------
    table : its name.
    name : name of the partition.
    first_day : first day of the month.
    rows : rows, those of superseded calculations included, count.
    bytes : size on disk, indices included.
    kept_because : why it stays; None: it goes.
    """

    table: str
    name: str
    first_day: dt.date
    rows: int
    bytes: int
    kept_because: str | None


@dataclass(frozen=True)
class Plan:
    """What retention drops, and what it leaves.

    Attributes
    ----------
    before : cut-off: only months that end before it are looked at.
    partitions : every partition of those months, by month and table; empty ones too.
    later_months : months that are not looked at, count.
    """

    before: dt.date
    partitions: Sequence[Partition]
    later_months: int

    @property
    def dropped(self) -> list[Partition]:
        """Partitions that go."""
        return [partition for partition in self.partitions if partition.kept_because is None]


_MONTHS = "select table_name, partition_name, first_day, next_month from margin_data.monthly_partitions order by first_day, table_name"

# Months in which something may still be written, and the month of the date that the first kept one is compared with.
_RUNNING = """
select date_trunc('month', as_of)::date, min(calculation_id) from margin_data.calculations where state = 'running' group by 1
"""
_COMPARED = """
select max(as_of) from margin_data.calculations
 where state = 'published' and scope = 'chain' and retired_at is null and as_of < date_trunc('month', %s::date)
"""

_RETIRE = """
update margin_data.calculations set retired_at = clock_timestamp()
 where as_of >= %(first_day)s and as_of < %(first_day)s::date + interval '1 month' and retired_at is null and state <> 'running'
"""
_FORGET = """
delete from margin_data.published_tables
 where as_of >= %(first_day)s and as_of < %(first_day)s::date + interval '1 month' and table_name = any(%(tables)s)
"""
_DATES = """
select array_agg(as_of order by as_of) from margin_data.published_tables
 where table_name = %s and as_of >= %s::date and as_of < %s::date + interval '1 month'
"""
_RECORD = """
insert into margin_data.retired_partitions (table_name, first_day, retired_at, row_count, bytes, published_dates)
values (%s, %s, clock_timestamp(), %s, %s, %s)
"""


def exempt_tables(histories: Iterable[str]) -> dict[str, str]:
    """Tables whose months always stay, with the reason.

    Parameters
    ----------
    histories : tables that any stage reads as a history: of each record the newest folder's row counts, and that may be an old folder.
    """
    return dict.fromkeys({*histories, *history.WHOLE_BY}, HISTORY) | {FILES: PROVENANCE}


def plan(urls: DatabaseUrls, before: dt.date, exempt: Mapping[str, str]) -> Plan:
    """What would be dropped; changes nothing.

    Parameters
    ----------
    before : cut-off; months that lie wholly before it go.
    exempt : tables that stay, with the reason.
    """
    with transaction(urls) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        return _plan(connection, before, exempt)


def execute(urls: DatabaseUrls, before: dt.date, exempt: Mapping[str, str]) -> Plan:
    """Drop what `plan` names, a month after the other, oldest first, each in one transaction with its row in the audit log.

    Returns
    -------
    The plan as it was carried out: a month in which a calculation has begun meanwhile stays.

    Raises
    ------
    StorageError : readers hold a table for too long; months dropped by then are gone, of the others nothing is.
    """
    planned = plan(urls, before, exempt)
    if not planned.dropped:
        return planned
    months = sorted({partition.first_day for partition in planned.dropped})
    audit.record(
        urls,
        "retention_planned",
        details={
            "before": before,
            "months": [f"{month:%Y-%m}" for month in months],
            "partitions": len(planned.dropped),
            "rows": sum(partition.rows for partition in planned.dropped),
            "bytes": sum(partition.bytes for partition in planned.dropped),
        },
    )
    done: dict[str, Partition] = {}
    for month in months:
        done |= {partition.name: partition for partition in _drop_month(urls, before, exempt, month)}
    return replace(planned, partitions=[done.get(partition.name, partition) for partition in planned.partitions])


def _plan(connection: psycopg.Connection[Any], before: dt.date, exempt: Mapping[str, str], only: dt.date | None = None) -> Plan:
    running = dict(connection.execute(_RUNNING).fetchall())
    row = connection.execute(_COMPARED, (before,)).fetchone()
    compared = row[0] if row else None
    found, later = [], set()
    for table, name, first_day, next_month in connection.execute(_MONTHS).fetchall():
        if next_month > before:
            later.add(first_day)
            continue
        if only is not None and first_day != only:
            continue
        reason = exempt.get(table)
        if first_day in running:
            reason = f"calculation {running[first_day]} of the month is running"
        elif compared is not None and first_day == compared.replace(day=1):
            reason = f"holds {compared}, which the first date after it is compared with"
        found.append(Partition(table, name, first_day, *_measured(connection, table, name, (first_day, next_month)), reason))
    return Plan(before, found, len(later))


def _measured(connection: psycopg.Connection[Any], table: str, partition: str, month: tuple[dt.date, dt.date]) -> tuple[int, int]:
    # Counted through the table: on partitions nobody but their owner has any right.
    statement = sql.SQL("select count(*), pg_total_relation_size({}) from {} where as_of >= %s and as_of < %s").format(
        sql.Literal(sql.Identifier(SCHEMA, partition).as_string(connection)), sql.Identifier(SCHEMA, table)
    )
    row = connection.execute(statement, month).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _drop_month(urls: DatabaseUrls, before: dt.date, exempt: Mapping[str, str], month: dt.date) -> Sequence[Partition]:
    for _ in range(ATTEMPTS):
        try:
            with transaction(urls) as connection:
                # Commands that begin a calculation of the month wait, and make its partitions anew afterwards.
                connection.execute("select pg_advisory_xact_lock(%s)", (PARTITIONS_LOCK,))
                partitions = _plan(connection, before, exempt, only=month).partitions
                going = [partition for partition in partitions if partition.kept_because is None]
                if going:
                    _drop(connection, before, month, going)
                return partitions
        except StorageError as error:
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
            # Waiting in the queue would make every reader wait behind us, and two that wait for each other would be cut off.
            time.sleep(PAUSE_SECONDS)
    raise StorageError(f"readers hold tables of {month:%Y-%m} for too long; nothing of that month was dropped, try again later")


def _drop(connection: psycopg.Connection[Any], before: dt.date, month: dt.date, going: Sequence[Partition]) -> None:
    tables = [partition.table for partition in going]
    # The owner's function: whoever calculates need not own tables to retire months of them.
    connection.execute("select margin_data.drop_month(%s, %s)", (month, tables))
    dates = set()
    for partition in going:
        (shown,) = connection.execute(_DATES, (partition.table, month, month)).fetchone() or (None,)
        dates |= set(shown or ())
        if partition.rows:
            connection.execute(_RECORD, (partition.table, month, partition.rows, partition.bytes, shown or []))
    connection.execute(_FORGET, {"first_day": month, "tables": tables})
    if any(partition.rows for partition in going):
        connection.execute(_RETIRE, {"first_day": month})
    audit.record(
        connection,
        "retention_executed",
        details={
            "before": before,
            "month": f"{month:%Y-%m}",
            "dates": sorted(dates),
            "rows": sum(partition.rows for partition in going),
            "bytes": sum(partition.bytes for partition in going),
            "partitions": {partition.name: partition.rows for partition in going if partition.rows},
            "empty_partitions": sum(not partition.rows for partition in going),
        },
    )
