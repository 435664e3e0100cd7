"""Live marks and the history of utilization: reading what changed, adding rows.

Belongs here: SQL on `live_marks` and `utilization_history`. Not here: what margin is at these marks.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import psycopg
from psycopg.rows import class_row, dict_row

from margin_pipeline.storage.urls import DatabaseUrls

CHANGED_SHOWN = 50
"""Changed symbols that a row names."""

_NEWEST = """
select c.as_of, c.calculation_id, coalesce((select max(version) from margin_data.live_marks), 0) as version
  from margin_data.calculations c where c.state = 'published' and c.scope = 'chain' and c.retired_at is null
 order by c.as_of desc limit 1
"""
_MARKS = "select symbol, price, marked_at, source, version from margin_data.live_marks order by symbol"
_OLD = "select symbol, marked_at from margin_data.live_marks where marked_at > %s and marked_at < %s order by marked_at, symbol"
_PUBLISHED = """
insert into margin_data.utilization_history
    (portfolio_id, calculation_id, marks_version, as_of, occasion, method, utilization, initial_margin, maintenance_margin, equity,
     margin_equity, status, missing)
select m.portfolio_id, p.calculation_id, 0, m.as_of, 'publication', m.method, m.utilization, m.initial_margin, m.maintenance_margin,
       m.equity, m.margin_equity, m.status, m.missing
  from margin.portfolio_margins m
  join margin_data.calculations p on p.as_of = m.as_of and p.state = 'published' and p.scope = 'chain'
 where m.as_of = %s and m.is_governing
on conflict (portfolio_id, calculation_id, marks_version) do nothing
"""
_ADD = """
insert into margin_data.utilization_history
    (portfolio_id, calculation_id, marks_version, as_of, occasion, method, utilization, initial_margin, maintenance_margin, equity,
     margin_equity, status, missing, "grouping", changed_symbols, mark_sources, seconds)
values (%(portfolio_id)s, %(calculation_id)s, %(marks_version)s, %(as_of)s, 'live', %(method)s, %(utilization)s, %(initial_margin)s,
        %(maintenance_margin)s, %(equity)s, %(margin_equity)s, %(status)s, %(missing)s, %(grouping)s, %(changed_symbols)s,
        %(mark_sources)s, %(seconds)s)
on conflict (portfolio_id, calculation_id, marks_version) do nothing
"""
_OVERTAKEN = """
select distinct portfolio_id from margin_data.utilization_history where calculation_id = %s and marks_version > %s
"""


@dataclass(frozen=True)
class Newest:
    """The newest published date, its calculation, and the newest change of live marks (0: there are none)."""

    as_of: dt.date
    calculation_id: int
    version: int


def newest(urls: DatabaseUrls) -> Newest | None:
    """What there is to look at; None before anything is published."""
    with psycopg.connect(urls.libpq, autocommit=True) as connection, connection.cursor(row_factory=class_row(Newest)) as cursor:
        return cursor.execute(_NEWEST).fetchone()


def marks(urls: DatabaseUrls) -> pd.DataFrame:
    """All live marks: symbol, price, marked_at (UTC), source, version."""
    columns = {"symbol": "str", "price": "float64", "marked_at": "datetime64[us, UTC]", "source": "str", "version": "int64"}
    with psycopg.connect(urls.libpq, autocommit=True) as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_MARKS).fetchall()
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def old_marks(urls: DatabaseUrls, since: dt.datetime, before: dt.datetime) -> dict[str, dt.datetime]:
    """Instants of the live marks between two instants, by symbol, oldest first."""
    with psycopg.connect(urls.libpq, autocommit=True) as connection:
        return dict(connection.execute(_OLD, (since, before)).fetchall())


def record_publication(libpq_url: str, as_of: dt.date) -> int:
    """Add the published figures of a date, a row a portfolio; gives how many are new."""
    with psycopg.connect(libpq_url) as connection:
        return connection.execute(_PUBLISHED, (as_of,)).rowcount


def overtaken(libpq_url: str, calculation_id: int, version: int) -> set[str]:
    """Portfolios of which newer figures of a calculation are there than those of a change of marks."""
    with psycopg.connect(libpq_url, autocommit=True) as connection:
        return {name for (name,) in connection.execute(_OVERTAKEN, (calculation_id, version)).fetchall()}


def add(libpq_url: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add live figures, columns of the table by name (lists and counts as such); what is there already stays; gives how many are new."""
    with psycopg.connect(libpq_url) as connection, connection.cursor() as cursor:
        cursor.executemany(_ADD, [_written(row) for row in rows])
        return cursor.rowcount


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the driver wants them: NaN is nothing, lists and counts are JSON."""
    found: dict[str, Any] = {name: None if isinstance(value, float) and value != value else value for name, value in row.items()}
    found["changed_symbols"] = json.dumps(list(row["changed_symbols"])[:CHANGED_SHOWN])
    found["mark_sources"] = json.dumps(row["mark_sources"])
    return found
