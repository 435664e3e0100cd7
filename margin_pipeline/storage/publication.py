"""Publication: one transaction after which all readers see the new calculation of a date, in every table.

Belongs here: flipping the pointers, and refusing to when tables would not belong together. Not here: writing rows (`calculations`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from margin_pipeline.storage.connections import transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

SCOPES = ("landing", "chain")


@dataclass(frozen=True)
class Publication:
    """What readers see after a publication.

    Attributes
    ----------
    state : `published`, or `repeated` when the same was there already and the new rows were not kept.
    calculation_id : calculation that readers see now.
    as_of : business date.
    tables : for each table the calculation whose rows it shows.
    row_counts : rows of each table, count.
    """

    state: str
    calculation_id: int
    as_of: dt.date
    tables: Mapping[str, int]
    row_counts: Mapping[str, int]


@dataclass(frozen=True)
class _Calculation:
    calculation_id: int
    as_of: dt.date
    state: str
    scope: str | None
    content_hash: str | None
    input_hash: str | None
    code_version: str
    settings: object
    started_at: dt.datetime
    known_from: dt.datetime | None
    retired_at: dt.datetime | None


_FIELDS = "calculation_id, as_of, state, scope, content_hash, input_hash, code_version, settings, started_at, known_from, retired_at"


def publish(
    urls: DatabaseUrls,
    calculation_id: int,
    *,
    input_hash: str,
    scope: str,
    expected_tables: Collection[str],
    downstream: Mapping[str, Collection[str]] | None = None,
    content_hash: str | None = None,
) -> Publication:
    """Make a calculation what readers see of its date.

    Tables that it did not write are carried over from the published calculation. When the published one was made from the same input
    by the same code and settings, the new rows are deleted and the pointer stays. Doing it again changes nothing.

    Parameters
    ----------
    input_hash : hash of everything that it could see, as `calculations.input_hash` gives it.
    scope : `landing` or `chain`.
    expected_tables : tables that a whole chain has.
    downstream : for each table all tables made from it, directly or not: these cannot be carried over when it was written anew.
    content_hash : hash of the landed files; None: the one recorded, else that of the published calculation.

    Raises
    ------
    StorageError : the tables would not belong together, or the calculation does not run; what was published stays.
    """
    if scope not in SCOPES:
        raise StorageError(f"the scope {scope!r} is unknown; use one of {', '.join(SCOPES)}")
    with transaction(urls) as connection:
        own = _locked(connection, calculation_id)
        previous = _calculation(connection, "state = 'published' and as_of = %s", own.as_of, lock=True)
        if own.state != "running":
            return _outcome(connection, own.state, own.as_of)
        content = content_hash or own.content_hash or (previous.content_hash if previous else None)
        if previous and (_repeats(connection, own, previous, input_hash, scope) or _has_been_landed(previous, content, scope)):
            _discard(connection, own, content, input_hash, scope)
            return _outcome(connection, "repeated", own.as_of)
        carried = _carried(connection, own, previous, downstream or {})
        if scope == "chain":
            _require_all(connection, own, carried, expected_tables)
        _flip(connection, own, previous, carried, (scope, content, input_hash))
        return _outcome(connection, "published", own.as_of)


def published_content(urls: DatabaseUrls, as_of: dt.date) -> str | None:
    """Hash of the landed files that the published calculation of a date read; None when none is published."""
    with transaction(urls) as connection:
        found = _calculation(connection, "state = 'published' and as_of = %s", as_of)
    return found.content_hash if found else None


def published_after(urls: DatabaseUrls, as_of: dt.date, run_id: str) -> bool:
    """Whether the published calculation of a date began after that of a run."""
    with transaction(urls) as connection:
        row = connection.execute(
            "select p.calculation_id > c.calculation_id from margin_data.calculations p join margin_data.calculations c using (as_of) "
            "where as_of = %s and p.state = 'published' and c.run_id = %s",
            (as_of, run_id),
        ).fetchone()
    return bool(row and row[0])


def ended(urls: DatabaseUrls, as_of: dt.date) -> int:
    """How many calculations of a date have ended, whatever became of them."""
    with transaction(urls) as connection:
        row = connection.execute(
            "select count(*) from margin_data.calculations where as_of = %s and state <> 'running'", (as_of,)
        ).fetchone()
    return int(row[0]) if row else 0


def published_dates(urls: DatabaseUrls, scope: str | None = None) -> list[dt.date]:
    """Dates with a published calculation, sorted; of one scope, or of any."""
    with transaction(urls) as connection:
        rows = connection.execute(
            "select as_of from margin_data.calculations where state = 'published' and coalesce(scope = %s, true) order by as_of", (scope,)
        ).fetchall()
    return [date for (date,) in rows]


def _calculation(connection: psycopg.Connection[Any], condition: str, value: object, *, lock: bool = False) -> _Calculation | None:
    text = f"select {_FIELDS} from margin_data.calculations where {condition}{' for update' if lock else ''}"
    row = connection.execute(text, (value,)).fetchone()
    return _Calculation(*row) if row else None


def _locked(connection: psycopg.Connection[Any], calculation_id: int) -> _Calculation:
    """Wait for our turn, one publication of a date at a time; then give the calculation as it is by now."""
    found = _calculation(connection, "calculation_id = %s", calculation_id)
    if found is None:
        raise StorageError(f"calculation {calculation_id} does not exist")
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 4210))", (f"publish {found.as_of}",))
    own = _calculation(connection, "calculation_id = %s", calculation_id, lock=True)
    if own is None or own.state not in ("running", "published", "repeated"):
        state = own.state if own else "gone"
        raise StorageError(f"calculation {calculation_id} is {state} and cannot be published; start the run again")
    return own


def _tables(connection: psycopg.Connection[Any], calculation_id: int) -> dict[str, int]:
    rows = connection.execute(
        "select table_name, source_calculation_id from margin_data.calculation_tables where calculation_id = %s order by 1",
        (calculation_id,),
    ).fetchall()
    return dict(rows)


def _repeats(connection: psycopg.Connection[Any], own: _Calculation, previous: _Calculation, input_hash: str, scope: str) -> bool:
    same = (previous.input_hash, previous.code_version, previous.settings) == (input_hash, own.code_version, own.settings)
    if previous.retired_at:
        # Its rows are gone: these are not there already.
        return False
    # A chain has landed its files too.
    covered = previous.scope == scope or (previous.scope == "chain" and scope == "landing")
    return same and covered and set(_tables(connection, own.calculation_id)) <= set(_tables(connection, previous.calculation_id))


def _has_been_landed(previous: _Calculation, content: str | None, scope: str) -> bool:
    """Whether a run of the date has landed the same files meanwhile and computed on: results do not give way to landed files alone."""
    return scope == "landing" and previous.scope == "chain" and previous.content_hash == content and previous.retired_at is None


def _discard(connection: psycopg.Connection[Any], own: _Calculation, content: str | None, input_hash: str, scope: str) -> None:
    connection.execute(
        "update margin_data.calculations set state = 'repeated', finished_at = greatest(clock_timestamp(), started_at), scope = %s, "
        "content_hash = %s, input_hash = %s where calculation_id = %s",
        (scope, content, input_hash, own.calculation_id),
    )
    connection.execute("select margin_data.discard_rows(%s)", (own.calculation_id,))


def _carried(
    connection: psycopg.Connection[Any], own: _Calculation, previous: _Calculation | None, downstream: Mapping[str, Collection[str]]
) -> dict[str, int]:
    """Tables of the published calculation that this one did not write, with the calculation whose rows they show."""
    if previous is None:
        return {}
    written = set(_tables(connection, own.calculation_id))
    carried = {table: source for table, source in _kept(connection, previous).items() if table not in written}
    if carried and previous.known_from is not None and previous.known_from > own.started_at:
        raise StorageError(
            f"another calculation of {own.as_of} was published while this one ran, and this one did not write every table "
            f"({', '.join(sorted(carried)[:3])} …): run it again"
        )
    outdated = {table: source for source in sorted(written) for table in downstream.get(source, ()) if table in carried}
    if outdated:
        table, source = min(outdated.items())
        raise StorageError(
            f"{table} of {own.as_of} was made from the old {source}, which this run wrote anew: run the whole chain of the date"
        )
    return carried


def _kept(connection: psycopg.Connection[Any], published: _Calculation) -> dict[str, int]:
    """Tables of the published calculation whose rows readers see: retention takes the others away."""
    rows = connection.execute(
        "select table_name, calculation_id from margin_data.published_tables where as_of = %s", (published.as_of,)
    ).fetchall()
    shown = dict(rows)
    return {table: source for table, source in _tables(connection, published.calculation_id).items() if shown.get(table) == source}


def _require_all(connection: psycopg.Connection[Any], own: _Calculation, carried: Collection[str], expected: Collection[str]) -> None:
    missing = sorted(set(expected) - set(_tables(connection, own.calculation_id)) - set(carried))
    if missing:
        raise StorageError(f"{', '.join(missing)} of {own.as_of} has not been calculated: run the whole chain of the date")


def _flip(
    connection: psycopg.Connection[Any],
    own: _Calculation,
    previous: _Calculation | None,
    carried: Mapping[str, int],
    what: tuple[str, str | None, str],
) -> None:
    row = connection.execute(
        "select greatest(clock_timestamp(), %s, %s)", (own.started_at, previous.known_from if previous else None)
    ).fetchone()
    instant = row[0] if row else None
    if previous:
        connection.execute(
            "insert into margin_data.calculation_tables (calculation_id, table_name, source_calculation_id, row_count) "
            "select %s, table_name, source_calculation_id, row_count from margin_data.calculation_tables "
            "where calculation_id = %s and table_name = any(%s)",
            (own.calculation_id, previous.calculation_id, list(carried)),
        )
        connection.execute(
            "update margin_data.calculations set state = 'superseded', known_to = %s where calculation_id = %s",
            (instant, previous.calculation_id),
        )
    connection.execute(
        "update margin_data.calculations set state = 'published', known_from = %s, finished_at = %s, scope = %s, content_hash = %s, "
        "input_hash = %s where calculation_id = %s",
        (instant, instant, *what, own.calculation_id),
    )
    connection.execute(
        "insert into margin_data.published_tables (as_of, table_name, calculation_id) "
        "select %s, table_name, source_calculation_id from margin_data.calculation_tables where calculation_id = %s "
        "on conflict (as_of, table_name) do update set calculation_id = excluded.calculation_id",
        (own.as_of, own.calculation_id),
    )


def _outcome(connection: psycopg.Connection[Any], state: str, as_of: dt.date) -> Publication:
    seen = _calculation(connection, "state = 'published' and as_of = %s", as_of)
    if seen is None:
        raise StorageError(f"nothing of {as_of} is published any more; run the whole chain of the date")
    rows = connection.execute(
        "select table_name, source_calculation_id, row_count from margin_data.calculation_tables where calculation_id = %s order by 1",
        (seen.calculation_id,),
    ).fetchall()
    return Publication(state, seen.calculation_id, as_of, {row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})
