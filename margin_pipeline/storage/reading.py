"""Tables of one date: as a calculation sees them, as published, as known at an instant.

Belongs here: which calculation's rows a reader gets. Not here: histories over many dates (`history`).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
from adbc_driver_postgresql import dbapi

from margin_pipeline.storage.arrow import to_pandas
from margin_pipeline.storage.catalogue import columns
from margin_pipeline.storage.connections import arrow_connection, one_line
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

_SEEN_BY_CALCULATION = """
select coalesce(
    (select source_calculation_id from margin_data.calculation_tables where calculation_id = $1 and table_name = $3),
    (select calculation_id from margin_data.published_tables where as_of = $2 and table_name = $3))
"""
_PUBLISHED = "select calculation_id from margin_data.published_tables where as_of = $1 and table_name = $2"
_KNOWN = "select margin.calculation_known_at($1, $2, $3)"


def read_table(urls: DatabaseUrls, calculation_id: int, as_of: dt.date, table: str) -> pd.DataFrame:
    """Rows of a table as a calculation sees them: its own if it wrote the table, else the published ones of the date.

    Returns
    -------
    The table's columns less `as_of` and `calculation_id`, in the order of its key.

    Raises
    ------
    StorageError : neither it nor a published calculation has the table.
    """
    found = _rows(urls, table, as_of, _SEEN_BY_CALCULATION, (calculation_id, as_of, table))
    if found is None:
        raise StorageError(
            f"{table} of {as_of} has not been calculated: run the whole chain of the date first (margin-pipeline run --as-of {as_of})"
        )
    return found


def read_published(urls: DatabaseUrls, as_of: dt.date, table: str) -> pd.DataFrame:
    """Published rows of a table; otherwise as `read_table`.

    Raises
    ------
    StorageError : the table of that date is not published.
    """
    found = _rows(urls, table, as_of, _PUBLISHED, (as_of, table))
    if found is None:
        raise StorageError(f"{table} of {as_of} is not published: run the chain of the date first (margin-pipeline run --as-of {as_of})")
    return found


def known_at(urls: DatabaseUrls, instant: dt.datetime, as_of: dt.date, table: str) -> pd.DataFrame:
    """Rows of a table as readers saw them at an instant, superseded since or not; otherwise as `read_table`.

    Raises
    ------
    StorageError : the instant has no time zone, or the table of that date was not published then.
    """
    if instant.tzinfo is None:
        raise StorageError(f"{instant.isoformat()} has no time zone; write e.g. {instant.isoformat()}Z")
    found = _rows(urls, table, as_of, _KNOWN, (as_of, table, instant))
    if found is None:
        raise StorageError(f"{table} of {as_of} was not published at {instant.isoformat()}; margin.calculations says what was known when")
    return found


def _rows(urls: DatabaseUrls, table: str, as_of: dt.date, whose: str, params: tuple[Any, ...]) -> pd.DataFrame | None:
    known = columns(urls, table)
    wanted = ", ".join(f'"{name}"' for name in known.frame_names)
    order = f" order by {', '.join(f'{chr(34)}{name}{chr(34)}' for name in known.frame_key)}" if known.frame_key else ""
    try:
        with arrow_connection(urls) as connection, connection.cursor() as cursor:
            cursor.execute(whose, params)
            source = cursor.fetchone()
            if source is None or source[0] is None:
                return None
            cursor.execute(
                f'select {wanted} from margin_data."{table}" where as_of = $1 and calculation_id = $2{order}', (as_of, source[0])
            )
            found = cursor.fetch_arrow_table()
    except dbapi.Error as error:
        raise StorageError(f"{table} of {as_of} could not be read: {one_line(error)}") from error
    return to_pandas(found)
