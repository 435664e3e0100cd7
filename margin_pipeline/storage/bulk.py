"""Frames into tables and query results into frames, in bulk.

Belongs here: loading and reading through Arrow, and single statements. Not here: which rows belong to whom (`calculations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from adbc_driver_postgresql import dbapi

from margin_pipeline.storage.arrow import to_arrow, to_pandas
from margin_pipeline.storage.catalogue import SCHEMA, columns
from margin_pipeline.storage.connections import arrow_connection, one_line, transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls


def load_frame(
    urls: DatabaseUrls, table: str, frame: pd.DataFrame, constants: Mapping[str, object] | None = None, *, schema: str = SCHEMA
) -> int:
    """Append a frame to a table, cast to the table's types; gives the number of rows.

    Parameters
    ----------
    table : table of `schema`.
    frame : its columns are the table's, less those of `constants` and those that the database fills in.
    constants : columns with one value for all rows.

    Raises
    ------
    StorageError : columns or values do not fit, or the table refuses a row; nothing was written.
    """
    with arrow_connection(urls) as connection:
        count = append(connection, urls, table, frame, constants, schema=schema)
        connection.commit()
    return count


def append(
    connection: Any,
    urls: DatabaseUrls,
    table: str,
    frame: pd.DataFrame,
    constants: Mapping[str, object] | None = None,
    *,
    schema: str = SCHEMA,
) -> int:
    """Append a frame on a lent connection without committing; otherwise as `load_frame`."""
    rows = to_arrow(frame, columns(urls, table, schema), constants or {})
    if not rows.num_rows:
        return 0
    try:
        with connection.cursor() as cursor:
            cursor.execute("select row_security_active($1)", (f'"{schema}"."{table}"',))
            if cursor.fetchone()[0]:
                _append_staged(cursor, f'"{schema}"."{table}"', rows)
            else:
                cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema)
    except dbapi.Error as error:
        raise StorageError(f"{table}: the table refused the rows: {one_line(error)}") from error
    return int(rows.num_rows)


def _append_staged(cursor: Any, table: str, rows: Any) -> None:
    """Append over a temporary table: Postgres copies nothing into a table that shows its rows by portfolio, unless to its owner."""
    names = ", ".join(f'"{name}"' for name in rows.column_names)
    cursor.execute(f"create temporary table staged_rows on commit drop as select {names} from {table} with no data")
    cursor.adbc_ingest("staged_rows", rows, mode="append", temporary=True)
    cursor.execute(f"insert into {table} ({names}) select {names} from staged_rows")
    cursor.execute("drop table staged_rows")


def read_query(urls: DatabaseUrls, sql: str, params: Sequence[object] = ()) -> pd.DataFrame:
    """Run a query and give its rows as a frame.

    Parameters
    ----------
    sql : one statement; `$1`, `$2` … stand for parameters.
    params : their values.

    Returns
    -------
    Text as str, numbers as float64 or int64 (float64 when some are empty), dates as datetime64, JSON as text.

    Raises
    ------
    StorageError : the database refuses the query.
    """
    try:
        with arrow_connection(urls) as connection, connection.cursor() as cursor:
            cursor.execute(sql, tuple(params) or None)
            found = cursor.fetch_arrow_table()
    except dbapi.Error as error:
        raise StorageError(f"the database refused the query: {one_line(error)}") from error
    return to_pandas(found)


def execute(urls: DatabaseUrls, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Run a statement in a transaction of its own, committed; gives the rows that it returns, if any.

    Parameters
    ----------
    sql : one statement; `%s` stands for a parameter (`%%` for a percent sign, when there are parameters).
    params : their values.

    Raises
    ------
    StorageError : the database refuses it; nothing was changed.
    """
    with transaction(urls) as connection:
        cursor = connection.execute(sql, tuple(params) or None)
        return cursor.fetchall() if cursor.description else []
