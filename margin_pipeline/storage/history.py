"""Histories: what all folders up to a date said, the newest folder winning.

Belongs here: resolving rows of many dates into one history. Not here: tables of one date (`reading`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from margin_pipeline.storage.bulk import read_query
from margin_pipeline.storage.catalogue import TableColumns, columns
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

# A schedule's tiers belong together: a folder that brings a schedule brings all of them; so do the terms of a class group.
WHOLE_BY = {"margin_schedules": ("schedule", "effective_date"), "span_parameters": ("class_group",)}

# The calculation's own rows count for its date, else the published ones, as for any other table.
_SOURCES = """
with sources as materialized (
    select as_of, calculation_id from margin_data.published_tables
     where table_name = $3 and as_of <= $2
       and not (as_of = $2 and exists (select from margin_data.calculation_tables where calculation_id = $1 and table_name = $3))
    union all
    select $2, source_calculation_id from margin_data.calculation_tables where calculation_id = $1 and table_name = $3
)
"""


def read_history(
    urls: DatabaseUrls,
    calculation_id: int,
    as_of: dt.date,
    table: str,
    *,
    keys: Sequence[str] | None = None,
    date_column: str | None = "date",
    sessions: int | None = None,
    since: dt.date | None = None,
) -> pd.DataFrame:
    """History of a table as a calculation sees it: published rows of all folders up to its date and its own, per key the newest folder's.

    Parameters
    ----------
    keys : columns that tell records apart, all rows of whose newest folder are taken; None: the table's key (schedules: whole).
    date_column : column with the day of a record; ignored when the table has none of that name. No row after `as_of` is given.
    sessions : give only the newest so many distinct days; None: all.
    since : give only days from this one on; None: all.

    Returns
    -------
    The table's columns less `as_of` and `calculation_id`, in the order of its key; empty when there is no row.
    """
    known = columns(urls, table)
    key = tuple(keys or WHOLE_BY.get(table) or known.frame_key)
    if unknown := sorted(set(key) - set(known.names)):
        raise StorageError(f"{table} has no column {', '.join(unknown)}")
    date = date_column if date_column in known.names else None
    if date is None:
        return _resolved(_read(urls, calculation_id, as_of, known, None, None), known, key)
    start = _window_start(as_of, sessions, since)
    found = _read(urls, calculation_id, as_of, known, date, start)
    if sessions is not None:
        if start != since and found[date].nunique() < sessions:
            # Fewer days than usual lie in the window: look at all of them.
            found = _read(urls, calculation_id, as_of, known, date, since)
        days = np.sort(found[date].unique())
        found = found[found[date] >= days[-sessions]] if len(days) > sessions else found
    return _resolved(found, known, key)


def _window_start(as_of: dt.date, sessions: int | None, since: dt.date | None) -> dt.date | None:
    """Day from which on so many sessions are usually found: 252 a year, and some to spare."""
    if sessions is None:
        return since
    window = as_of - dt.timedelta(days=math.ceil(sessions * 366 / 248) + 15)
    return window if since is None else max(window, since)


def _read(
    urls: DatabaseUrls, calculation_id: int, as_of: dt.date, known: TableColumns, date: str | None, start: dt.date | None
) -> pd.DataFrame:
    wanted = ", ".join(f't."{name}"' for name in known.frame_names)
    condition = f' and t."{date}" <= $2' if date else ""
    params: list[object] = [calculation_id, as_of, known.table]
    if date and start:
        condition += f' and t."{date}" >= $4'
        params.append(start)
    return read_query(
        urls,
        f"{_SOURCES} select t.as_of as folder, {wanted} from sources s "
        f'join margin_data."{known.table}" t on t.as_of = s.as_of and t.calculation_id = s.calculation_id where t.as_of <= $2{condition}',
        params,
    )


def _resolved(found: pd.DataFrame, known: TableColumns, key: tuple[str, ...]) -> pd.DataFrame:
    if found["folder"].nunique() > 1:
        found = found[_is_newest(found, key)]
    return found.drop(columns="folder").sort_values(list(known.frame_key), kind="stable", ignore_index=True)


def _is_newest(found: pd.DataFrame, key: tuple[str, ...]) -> np.ndarray:
    """(n,) whether a row is of the newest folder that has its key."""
    # Daily folders rarely overlap: where one folder alone speaks of a key's first column, there is nothing to compare.
    first = found[key[0]]
    folders = found["folder"].to_numpy("datetime64[us]").astype(np.int64)
    by_first = pd.Series(folders).groupby(pd.factorize(first)[0])
    contested = (by_first.transform("max") != by_first.transform("min")).to_numpy()
    newest = np.ones(len(found), dtype=bool)
    if contested.any():
        rows = found.loc[contested, list(key)]
        codes = rows.groupby(list(key), sort=False, dropna=False).ngroup().to_numpy()
        latest = pd.Series(folders[contested]).groupby(codes).transform("max").to_numpy()
        newest[contested] = folders[contested] == latest
    return newest
