"""Rows of one calculation as it was published, superseded since or not.

Belongs here: which stored rows make up a calculation, and views over them. Not here: published rows (`snapshot`), what is shown of them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.storage.catalogue import TableColumns, columns
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.snapshot import Snapshot

MOST = 2**63
"""Above the numbers that the database counts with."""

_HISTORY = """
with known as (
    select c.as_of, t.source_calculation_id as calculation_id
      from margin_data.calculations c
      join margin_data.calculations own on own.calculation_id = $1
      join margin_data.calculation_tables t on t.calculation_id = c.calculation_id and t.table_name = 'portfolio_margins'
     where c.scope = 'chain'
       and (c.calculation_id = own.calculation_id
            or c.as_of < own.as_of and c.known_from <= own.known_from and (c.known_to is null or own.known_from < c.known_to))
     order by c.as_of desc limit $2
)
select m.as_of, m.portfolio_id, m.method, m.initial_margin, m.maintenance_margin, m.margin_equity, m.excess, m.utilization,
       m.status, m.missing
  from known join margin_data.portfolio_margins m using (as_of, calculation_id)
 where m.is_governing order by m.portfolio_id, m.as_of
"""

_ALERTS = """
select a.portfolio_id, a.kind, a.subject, a.threshold, a.episode, a.severity, a.observed, a.message, a.as_of as raised_as_of
  from margin_data.alerts a
 where a.as_of <= $1 and (a.calculation_id is null or a.calculation_id <= $2)
   and (a.cleared_at is null or a.cleared_as_of > $1)
 order by array_position(array['emergency', 'critical', 'warning', 'info'], a.severity), a.portfolio_id, a.kind, a.subject, a.threshold,
          a.episode
"""


_PARAMETERS = "select name, version, effective_date, source from margin.calculation_parameters where calculation_id = $1 order by name"


@dataclass(frozen=True)
class RecordedCalculation:
    """A calculation of a whole date that readers see, or once saw.

    Attributes
    ----------
    calculation_id, as_of : which calculation, and its business date.
    row : its row of margin.calculations.
    sources : for each of its tables the calculation under which the rows are stored, and how many they are.
    """

    snapshot: Snapshot
    calculation_id: int
    as_of: dt.date
    row: Mapping[str, Any]
    sources: Mapping[str, tuple[int, int]]

    def columns(self, table: str) -> TableColumns:
        """Columns of one of its tables, with their comments."""
        return columns(self.snapshot.urls, table)

    def rows(self, table: str) -> pd.DataFrame:
        """Rows of one of its tables: the columns less `as_of` and `calculation_id`, in the order of the key.

        Raises
        ------
        StorageError : it has no such table, or its rows are no longer kept.
        """
        if table not in self.sources:
            raise StorageError(f"calculation {self.calculation_id} has no table {table}")
        known, (source, count) = self.columns(table), self.sources[table]
        selected = ", ".join(f'"{name}"' for name in known.frame_names)
        order = ", ".join(f'"{name}"' for name in known.frame_key) or "1"
        statement = f'select {selected} from margin_data."{table}" where as_of = $1 and calculation_id = $2 order by {order}'
        found = self.snapshot.query(statement, (self.as_of, source))
        if len(found) != count:
            raise StorageError(f"of {count} rows of {table} in calculation {self.calculation_id} only {len(found)} are still kept")
        return found

    def view(self, name: str, order: str) -> pd.DataFrame:
        """Rows that a view of schema margin would show if this calculation were published.

        The view's own definition is used, over the rows of this calculation.

        Parameters
        ----------
        order : columns that the rows are sorted by, as SQL.

        Raises
        ------
        StorageError : there is no such view, or it looks at something else than tables of a calculation.
        """
        regclass = f"margin.{name}"
        definition = self.snapshot.query("select pg_get_viewdef(to_regclass($1)::oid) as sql", (regclass,))["sql"][0]
        if not isinstance(definition, str):
            raise StorageError(f"there is no view {regclass}")
        named = sorted(set(re.findall(r"\bmargin\.(\w+)", definition)))
        if foreign := [table for table in named if table not in self.sources]:
            raise StorageError(f"{regclass} looks at {', '.join(foreign)}, which calculation {self.calculation_id} does not have")
        # Under their own names these rows stand for the published ones.
        stored = ", ".join(
            f'"{table}" as (select * from margin_data."{table}" where as_of = $1 and calculation_id = {self.sources[table][0]:d})'
            for table in named
        )
        shown = re.sub(r"\bmargin\.(?=\w)", "", definition).rstrip().rstrip(";")
        return self.snapshot.query(f"with {stored} select * from ({shown}) as shown where as_of = $1 order by {order}", (self.as_of,)).drop(
            columns=["as_of", "calculation_id"], errors="ignore"
        )

    def governing_history(self, dates: int) -> pd.DataFrame:
        """Governing margins of this and earlier dates, as they were known when this calculation was published.

        Parameters
        ----------
        dates : the newest so many dates.
        """
        return self.snapshot.query(_HISTORY, (self.calculation_id, dates))

    def parameters(self) -> pd.DataFrame:
        """Parameter sets that were in force, as they are stored with it: name, version, effective_date, source."""
        return self.snapshot.query(_PARAMETERS, (self.calculation_id,))

    def open_alerts(self) -> pd.DataFrame:
        """Alerts raised by this or earlier dates and not cleared by them, the worst first."""
        return self.snapshot.query(_ALERTS, (self.as_of, self.calculation_id))


def recorded(snapshot: Snapshot, calculation_id: int) -> RecordedCalculation:
    """Find a calculation that is published, or was.

    Raises
    ------
    StorageError : there is no such calculation, its rows were never published, or it only landed files.
    """
    if not 0 < calculation_id < MOST:
        raise StorageError(f"{calculation_id} is no calculation; margin.calculations lists all")
    found = snapshot.query("select * from margin.calculations where calculation_id = $1", (calculation_id,))
    if found.empty:
        raise StorageError(f"there is no calculation {calculation_id}; margin.calculations lists all")
    row = dict(found.iloc[0])
    if row["state"] not in ("published", "superseded") or row["scope"] != "chain":
        said = f"is {row['state']}" if row["scope"] == "chain" or row["state"] != "published" else "landed files only"
        raise StorageError(f"calculation {calculation_id} {said}: only one that is or was published as a whole has something to show")
    tables = snapshot.query(
        "select table_name, source_calculation_id, row_count from margin_data.calculation_tables where calculation_id = $1 order by 1",
        (calculation_id,),
    )
    sources = {name: (int(source), int(count)) for name, source, count in tables.itertuples(index=False, name=None)}
    return RecordedCalculation(snapshot, calculation_id, row["as_of"].date(), row, sources)


def published_calculation(snapshot: Snapshot, as_of: dt.date) -> RecordedCalculation:
    """Find the calculation that readers of a date see.

    Raises
    ------
    StorageError : no whole calculation of the date is published.
    """
    found = snapshot.query(
        "select calculation_id from margin.calculations where state = 'published' and scope = 'chain' and as_of = $1", (as_of,)
    )
    if found.empty:
        raise StorageError(f"{as_of} is not published: run the chain of the date first (margin-pipeline run --as-of {as_of})")
    return recorded(snapshot, int(found["calculation_id"][0]))
