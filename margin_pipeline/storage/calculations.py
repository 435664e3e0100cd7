"""Calculations while they run: begun, filled table by table, given up.

Belongs here: rows that nobody sees yet. Not here: making them visible (`publication`), reading (`reading`, `history`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg
from adbc_driver_postgresql import dbapi

from margin_pipeline.parameters.reader import ParameterSet
from margin_pipeline.storage import parameter_sets
from margin_pipeline.storage.bulk import append
from margin_pipeline.storage.catalogue import columns
from margin_pipeline.storage.connections import arrow_connection, one_line, transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

# Two commands that start on the first date of a month would both make its partitions; retention drops them.
PARTITIONS_LOCK = 4210_0001

_RECORD_TABLE = """
insert into margin_data.calculation_tables (calculation_id, table_name, source_calculation_id, row_count) values ($1, $2, $1, $3)
on conflict (calculation_id, table_name) do update
   set source_calculation_id = excluded.source_calculation_id, row_count = excluded.row_count
"""


def begin(
    urls: DatabaseUrls,
    as_of: dt.date,
    run_id: str,
    code_version: str,
    settings: Mapping[str, Any],
    parameters: Iterable[ParameterSet] = (),
) -> int:
    """Begin the calculation of a date by a run, or find it when the run has begun it before.

    Parameters
    ----------
    as_of : business date.
    run_id : run that calculates; for the repetition of a failed run that should go on with what was written, its first run.
    code_version : version and hash of code, parameters and schema.
    settings : everything else that decides the results; kept as JSON.
    parameters : parameter sets in force; their contents are kept.

    Returns
    -------
    Its calculation_id.
    """
    text = json.dumps(settings, sort_keys=True, allow_nan=False, default=str)
    with transaction(urls) as connection:
        connection.execute(
            "insert into margin_data.calculations (as_of, run_id, code_version, settings) values (%s, %s, %s, %s) "
            "on conflict (run_id, as_of) do nothing",
            (as_of, run_id, code_version, text),
        )
        (found,) = _one(connection, "select calculation_id from margin_data.calculations where run_id = %s and as_of = %s", (run_id, as_of))
        parameter_sets.store(connection, found, parameters)
    # After the row: retention leaves months alone in which a calculation runs, and makes this wait while it drops one.
    with transaction(urls) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", (PARTITIONS_LOCK,))
        connection.execute("select margin_data.ensure_partitions(%s)", (as_of,))
    return int(found)


def record_content(urls: DatabaseUrls, calculation_id: int, content_hash: str) -> None:
    """Record the hash of the landed files that a calculation read.

    Raises
    ------
    StorageError : the calculation does not run.
    """
    with transaction(urls) as connection:
        changed = connection.execute(
            "update margin_data.calculations set content_hash = %s where calculation_id = %s and state = 'running'",
            (content_hash, calculation_id),
        )
        if changed.rowcount == 0:
            raise StorageError(_not_running(connection, calculation_id))


@dataclass(frozen=True)
class InputsSeen:
    """What a calculation could see.

    Attributes
    ----------
    contents : date and content hash of every earlier published date and of its own.
    compared_with : the newest earlier date with results, from which changes are explained; None: there is none.
    """

    contents: tuple[tuple[str, str | None], ...]
    compared_with: str | None

    @property
    def hash(self) -> str:
        """SHA-256 over all of it."""
        seen = [list(content) for content in self.contents] + ([[self.compared_with, "results"]] if self.compared_with else [])
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def input_hash(urls: DatabaseUrls, calculation_id: int, as_of: dt.date) -> str:
    """SHA-256 over everything that a calculation could see; see `inputs_seen`."""
    return inputs_seen(urls, calculation_id, as_of).hash


def inputs_seen(urls: DatabaseUrls, calculation_id: int, as_of: dt.date) -> InputsSeen:
    """Everything that a calculation can see now: earlier published dates and its own files.

    A calculation that landed nothing sees the files of the published calculation of its date.
    """
    with transaction(urls) as connection:
        earlier = connection.execute(
            "select as_of, content_hash, scope from margin_data.calculations where state = 'published' and as_of < %s order by as_of",
            (as_of,),
        ).fetchall()
        (own,) = _one(
            connection,
            "select coalesce((select content_hash from margin_data.calculations where calculation_id = %s), "
            "(select content_hash from margin_data.calculations where state = 'published' and as_of = %s))",
            (calculation_id, as_of),
        )
    with_results = [date.isoformat() for date, _, scope in earlier if scope != "landing"]
    contents = tuple((date.isoformat(), content) for date, content, _ in [*earlier, (as_of, own, None)])
    return InputsSeen(contents, with_results[-1] if with_results else None)


def write_table(urls: DatabaseUrls, calculation_id: int, as_of: dt.date, table: str, frame: pd.DataFrame) -> int:
    """Write a table of a calculation, in place of what it wrote there before; gives the number of rows.

    One transaction: a kill leaves the table as it was.

    Raises
    ------
    StorageError : the frame does not fit the table, the table refuses a row, or the calculation no longer runs.
    """
    if not columns(urls, table).is_partitioned:
        raise StorageError(f"{table} does not belong to calculations; use load_frame")
    own = (as_of, calculation_id)
    try:
        with arrow_connection(urls) as connection, connection.cursor() as cursor:
            # The lock keeps another command from giving the calculation up between here and the commit.
            cursor.execute(
                "select state from margin_data.calculations where calculation_id = $1 and as_of = $2 for share", (calculation_id, as_of)
            )
            found = cursor.fetchone()
            if found is None or found[0] != "running":
                raise StorageError(_not_running_text(calculation_id, found[0] if found else None))
            cursor.execute(f'delete from margin_data."{table}" where as_of = $1 and calculation_id = $2', own)
            count = append(connection, urls, table, frame, {"as_of": as_of, "calculation_id": calculation_id})
            cursor.execute(
                _RECORD_TABLE,
                (calculation_id, table, count),
            )
            connection.commit()
    except dbapi.Error as error:
        raise StorageError(f"{table} could not be written: {one_line(error)}") from error
    return count


def abandon(urls: DatabaseUrls, calculation_id: int) -> bool:
    """Give up a calculation that runs: its rows are deleted, readers notice nothing; gives whether it ran."""
    with transaction(urls) as connection:
        return _abandon(connection, calculation_id)


def abandon_dead(urls: DatabaseUrls, run_is_alive: Callable[[str], bool]) -> list[int]:
    """Give up every running calculation whose run is gone; gives their ids.

    Parameters
    ----------
    run_is_alive : whether a run, by its id, may still write.
    """
    with transaction(urls) as connection:
        running = connection.execute(
            "select calculation_id, run_id from margin_data.calculations where state = 'running' order by 1"
        ).fetchall()
    dead = [calculation_id for calculation_id, run_id in running if not run_is_alive(run_id)]
    return [calculation_id for calculation_id in dead if abandon(urls, calculation_id)]


def _abandon(connection: psycopg.Connection[Any], calculation_id: int) -> bool:
    changed = connection.execute(
        "update margin_data.calculations set state = 'abandoned', finished_at = greatest(clock_timestamp(), started_at) "
        "where calculation_id = %s and state = 'running'",
        (calculation_id,),
    )
    if changed.rowcount == 0:
        return False
    connection.execute("select margin_data.discard_rows(%s)", (calculation_id,))
    return True


def _one(connection: psycopg.Connection[Any], sql: str, params: tuple[Any, ...]) -> tuple[Any, ...]:
    row = connection.execute(sql, params).fetchone()
    if row is None:
        raise StorageError("the database gave no row where there is always one; apply the migrations: margin-pipeline database upgrade")
    return tuple(row)


def _not_running(connection: psycopg.Connection[Any], calculation_id: int) -> str:
    row = connection.execute("select state from margin_data.calculations where calculation_id = %s", (calculation_id,)).fetchone()
    return _not_running_text(calculation_id, row[0] if row else None)


def _not_running_text(calculation_id: int, state: str | None) -> str:
    what = f"is {state}" if state else "of this date does not exist"
    return f"calculation {calculation_id} {what} and takes no more rows; start the run again"
