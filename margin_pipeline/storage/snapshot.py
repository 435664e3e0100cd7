"""Published rows of several tables, seen in one read-only transaction.

Belongs here: reading the part of the published tables that concerns one question, all of one moment. Not here: whole tables (`reading`),
what a run of its own sees (`history`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from adbc_driver_postgresql import dbapi

from margin_pipeline.storage.arrow import to_pandas
from margin_pipeline.storage.catalogue import columns
from margin_pipeline.storage.connections import arrow_connection, one_line
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.history import WHOLE_BY
from margin_pipeline.storage.urls import DatabaseUrls

USUAL_WINDOW_DAYS = 60
"""Days before a date in which its newest sessions usually lie; where they do not, all days are looked at."""


@contextmanager
def snapshot(urls: DatabaseUrls) -> Iterator[Snapshot]:
    """Read published tables as they are at one moment: a publication meanwhile changes nothing, and nothing can be written.

    Raises
    ------
    StorageError : the database cannot be reached, or holds no results.
    """
    with arrow_connection(urls) as connection:
        found = Snapshot(urls, connection)
        found.query("set transaction isolation level repeatable read, read only")
        if found.query("select to_regclass('margin.calculations')::text as name")["name"].isna()[0]:
            raise StorageError(f"{urls.safe} holds no results yet: run the chain of a date first (margin-pipeline run)")
        yield found


class Snapshot:
    """Published tables at one moment; made by `snapshot`."""

    def __init__(self, urls: DatabaseUrls, connection: Any) -> None:
        self._urls = urls
        self._connection = connection

    @property
    def urls(self) -> DatabaseUrls:
        """The databases it looks at."""
        return self._urls

    def query(self, sql: str, params: Sequence[object] = ()) -> pd.DataFrame:
        """Run a statement and give its rows as a frame (as `read_query`); empty for one that gives none.

        Raises
        ------
        StorageError : the database refuses it.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, tuple(params) or None)
                return to_pandas(cursor.fetch_arrow_table()) if cursor.description else pd.DataFrame()
        except dbapi.Error as error:
            raise StorageError(f"the database refused the query: {one_line(error)}") from error

    def calculations(self) -> pd.DataFrame:
        """The published calculations of whole dates whose rows are kept, oldest date first, as rows of margin.calculations."""
        return self.query(
            "select * from margin.calculations where state = 'published' and scope = 'chain' and retired_at is null order by as_of"
        )

    def rows(self, table: str, as_of: dt.date, **among: Collection[str]) -> pd.DataFrame:
        """Published rows of a date.

        Parameters
        ----------
        among : values that columns may have, by column; without any, all rows.

        Returns
        -------
        The table's columns less `as_of` and `calculation_id`, in the order of its key.
        """
        known = columns(self._urls, table)
        condition, params = _condition(among, 2)
        order = ", ".join(f'"{name}"' for name in known.frame_key) or "1"
        selected = ", ".join(f'"{name}"' for name in known.frame_names)
        return self.query(
            f'select {selected} from margin."{table}" where as_of = $1{condition} order by {order}',
            (as_of, *params),
        )

    def history(self, table: str, as_of: dt.date, *, sessions: int | None = None, **among: Collection[str]) -> pd.DataFrame:
        """Published history up to a date, per key the newest folder's rows, as `read_history` gives it.

        Parameters
        ----------
        sessions : the newest so many distinct days of the whole table; None: all.
        among : as in `rows`.
        """
        known = columns(self._urls, table)
        key = WHOLE_BY.get(table) or known.frame_key
        condition, params = _condition(among, 2)
        if "date" in known.names:
            condition += ' and "date" <= $1'
        if sessions is not None:
            params.append(self._first_session(table, as_of, sessions))
            condition += f' and "date" >= ${len(params) + 1}'
        names = ", ".join(f'"{name}"' for name in known.frame_names)
        by = ", ".join(f'"{name}"' for name in key)
        order = ", ".join(f'"{name}"' for name in known.frame_key)
        return self.query(
            f"select {names} from (select *, max(as_of) over (partition by {by}) as newest "
            f'from margin."{table}" where as_of <= $1{condition}) as folders where as_of = newest order by {order}',
            (as_of, *params),
        )

    def _first_session(self, table: str, as_of: dt.date, sessions: int) -> dt.date:
        """Oldest of the newest so many days that the table has up to a date."""
        for start in (as_of - dt.timedelta(days=USUAL_WINDOW_DAYS), dt.date.min):
            days = self.query(
                f'select distinct "date" as day from margin."{table}" where as_of <= $1 and "date" <= $1 and "date" >= $2 '
                "order by 1 desc limit $3",
                (as_of, start, sessions),
            )["day"]
            if len(days) == sessions:
                break
        return days.min().date() if len(days) else as_of


def _condition(among: Mapping[str, Collection[str]], first: int) -> tuple[str, list[object]]:
    """SQL after a condition, and its parameters from number `first` on: columns whose values are among given ones."""
    parts = [f' and "{name}" in (select jsonb_array_elements_text(${first + place}::text::jsonb))' for place, name in enumerate(among)]
    return "".join(parts), [json.dumps(sorted(set(values))) for values in among.values()]
