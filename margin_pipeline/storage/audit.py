"""The audit log: adding to it, reading it, and proving that nothing of it was changed.

Belongs here: SQL on `audit_log`. Not here: what a command prints. Most events are recorded by the database itself, in the transaction of
what they record (calculations, alerts); the functions here add what only a program knows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from margin_pipeline.storage.connections import connect, transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

FIRST_PREVIOUS_HASH = "0" * 64
READ_AT_ONCE = 5000

_INSERT = "insert into margin_data.audit_log (event, as_of, calculation_id, portfolio_id, details) values (%s, %s, %s, %s, %s)"

_NEWEST = """
select audit_id, at, actor, client, event, as_of, calculation_id, portfolio_id, details, row_hash from margin.audit_log
 where (%(as_of)s::date is null or as_of = %(as_of)s) and (%(calculation_id)s::bigint is null or calculation_id = %(calculation_id)s)
   and (%(event)s::text is null or event = %(event)s)
 order by audit_id desc limit %(last)s
"""

# As text, so that what is hashed here is what the server holds, not what a driver makes of it.
_ROWS = """
select audit_id, array[audit_id::text, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), actor, client, event,
       to_char(as_of, 'YYYY-MM-DD'), calculation_id::text, portfolio_id, details::text, previous_hash], previous_hash, row_hash
  from margin_data.audit_log order by audit_id
"""

# What calculations say of themselves: a log that lost its newest rows is still a chain.
_UNRECORDED = """
select c.calculation_id, said.event
  from margin_data.calculations c
  cross join lateral (values
    ('calculation_published', c.known_from, c.state in ('published', 'superseded')),
    ('calculation_superseded', c.known_to, c.state = 'superseded'),
    ('calculation_repeated', c.finished_at, c.state = 'repeated'),
    ('calculation_abandoned', c.finished_at, c.state = 'abandoned')) as said (event, instant, happened)
 where said.happened and said.instant > (select at from margin_data.audit_log where audit_id = 1)
   and not exists (select from margin_data.audit_log l where l.calculation_id = c.calculation_id and l.event = said.event)
 order by 1, 2 limit 1
"""


@dataclass(frozen=True)
class Verification:
    """What is known of the audit log.

    Attributes
    ----------
    rows : rows that were verified, count; the first broken one is not counted.
    last_hash : row_hash of the last of them.
    broken : the first thing that is wrong, for people; None: nothing is.
    """

    rows: int
    last_hash: str
    broken: str | None


def record(
    where: DatabaseUrls | psycopg.Connection[Any],
    event: str,
    *,
    as_of: dt.date | None = None,
    calculation_id: int | None = None,
    portfolio_id: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add a row to the audit log.

    Parameters
    ----------
    where : databases, for a transaction of its own; or a connection, whose transaction the row belongs to. The row keeps other writers
        of the log waiting until that ends: record last.
    event : what was done, lower case with underscores.
    details : what else is known, JSON-able. No secrets.

    Raises
    ------
    StorageError : the database refuses it.
    """
    text = json.dumps(dict(details or {}), ensure_ascii=False, allow_nan=False, default=str)
    row = (event, as_of, calculation_id, portfolio_id, text)
    if isinstance(where, DatabaseUrls):
        with transaction(where) as connection:
            connection.execute(_INSERT, row)
    else:
        where.execute(_INSERT, row)


def rows(
    urls: DatabaseUrls, *, last: int, as_of: dt.date | None = None, calculation_id: int | None = None, event: str | None = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Newest rows of the audit log, oldest first: names of the columns, and the rows.

    Parameters
    ----------
    last : how many rows at most.
    as_of, calculation_id, event : give only rows of these.

    Raises
    ------
    StorageError : the log cannot be read.
    """
    with transaction(urls) as connection:
        cursor = connection.execute(_NEWEST, {"as_of": as_of, "calculation_id": calculation_id, "event": event, "last": last})
        found = cursor.fetchall()
        return [column.name for column in cursor.description or ()], found[::-1]


def row_hash(values: list[str | None]) -> str:
    """Hash of a row from its values as text: what `margin_data.audit_text` writes, computed without the database."""
    written = ("-" if value is None else f"{len(value.encode())}:{value}" for value in values)
    return hashlib.sha256(",".join(written).encode()).hexdigest()


def verify(urls: DatabaseUrls, holds: str | None = None) -> Verification:
    """Recompute every hash of the audit log, and look for what should have been recorded and is not.

    Parameters
    ----------
    holds : a row_hash noted earlier, outside the database; the log must still have it. This is what shows that the end of the log
        was not cut off and written anew.

    Raises
    ------
    StorageError : the database cannot be reached, or may not be read.
    """
    try:
        with connect(urls) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            found = _chain(connection, holds)
            if found.broken is None and (row := connection.execute(_UNRECORDED).fetchone()):
                return Verification(found.rows, found.last_hash, f"calculation {row[0]} has no row {row[1]}: rows were removed")
            return found
    except psycopg.Error as error:
        raise StorageError(f"the audit log cannot be read: {error.diag.message_primary or error}") from error


def _chain(connection: psycopg.Connection[Any], holds: str | None) -> Verification:
    count, last, held = 0, FIRST_PREVIOUS_HASH, holds is None
    with connection.cursor(name="audit") as cursor:
        cursor.itersize = READ_AT_ONCE
        for audit_id, values, previous, own in cursor.execute(_ROWS):
            broken = None
            if audit_id != count + 1:
                broken = f"row {count + 1} is missing: the next one is {audit_id}"
            elif previous != last:
                broken = f"row {audit_id} does not follow row {count}: one of them was replaced"
            elif row_hash(values) != own:
                broken = f"row {audit_id} was altered: its values do not give its hash"
            if broken:
                return Verification(count, last, broken)
            count, last, held = count + 1, own, held or own == holds
    if count == 0:
        return Verification(0, last, "row 1 is missing: the log is empty, and it is opened with a row")
    return Verification(count, last, None if held else f"no row has the hash {holds}: rows were removed or replaced")
