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
select c.as_of, c.calculation_id, b.version as books_version,
       greatest(coalesce((select max(version) from margin_data.live_marks), 0), b.version) as version
  from margin_data.calculations c
 cross join lateral (select coalesce(max(version), 0) as version from margin_data.intraday_books where calculation_id = c.calculation_id) b
 where c.state = 'published' and c.scope = 'chain' and c.retired_at is null
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
     margin_equity, status, missing, "grouping", changed_symbols, mark_sources, positions_source, seconds)
values (%(portfolio_id)s, %(calculation_id)s, %(marks_version)s, %(as_of)s, 'live', %(method)s, %(utilization)s, %(initial_margin)s,
        %(maintenance_margin)s, %(equity)s, %(margin_equity)s, %(status)s, %(missing)s, %(grouping)s, %(changed_symbols)s,
        %(mark_sources)s, %(positions_source)s, %(seconds)s)
on conflict (portfolio_id, calculation_id, marks_version) do nothing
"""
_BOOKS = """
select portfolio_id, source, content_hash, equity, version from margin_data.intraday_books where calculation_id = %s order by portfolio_id
"""
_POSITIONS = """
select p.portfolio_id, p.strategy, p.symbol, p.quantity, null::double precision as price, p.entry_price, p.isolated_wallet
  from margin_data.intraday_positions p join margin_data.intraday_books b using (portfolio_id) where b.calculation_id = %s order by 1, 2, 3
"""
_REJECTED = """
select source, row_number, column_name, reason, portfolio_id, raw::text as raw from margin_data.intraday_rejected_rows r
 where exists (select 1 from margin_data.intraday_books b
                where b.calculation_id = %s and b.portfolio_id = r.portfolio_id and b.content_hash = r.content_hash)
 order by 1, 2, 3
"""
_TAKEN = "select 1 from margin_data.intraday_books where calculation_id = %s and content_hash = %s limit 1"
_ADD_BOOK = """
insert into margin_data.intraday_books (portfolio_id, calculation_id, source, content_hash, equity, version)
values (%s, %s, %s, %s, %s, nextval('margin_data.live_versions'))
"""
_ADD_REJECTED = """
insert into margin_data.intraday_rejected_rows (content_hash, source, row_number, column_name, reason, portfolio_id, raw)
values (%(content_hash)s, %(source)s, %(row_number)s, %(column_name)s, %(reason)s, %(portfolio_id)s, %(raw)s) on conflict do nothing
"""
_OVERTAKEN = """
select distinct portfolio_id from margin_data.utilization_history where calculation_id = %s and marks_version > %s
"""


@dataclass(frozen=True)
class Newest:
    """The newest published date.

    Attributes
    ----------
    as_of, calculation_id : date and its calculation.
    version : newest change of live marks and of intraday positions; 0: there are none.
    books_version : newest change of intraday positions; 0: there are none.
    """

    as_of: dt.date
    calculation_id: int
    version: int
    books_version: int


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


@dataclass(frozen=True)
class Books:
    """Portfolios whose positions were replaced during the day.

    Attributes
    ----------
    books : portfolio_id, source, content_hash, equity (at the published marks; NaN: not known), version.
    records : their positions, as of table position_records.
    rejected_rows : rows of theirs that were rejected, as of the table of this name.
    """

    books: pd.DataFrame
    records: pd.DataFrame
    rejected_rows: pd.DataFrame


def books(urls: DatabaseUrls, calculation_id: int) -> Books:
    """Portfolios whose positions were replaced since a calculation was published."""
    texts = {"portfolio_id": "str", "source": "str"}
    numbers = dict.fromkeys(["quantity", "price", "entry_price", "isolated_wallet"], "float64")
    with psycopg.connect(urls.libpq, autocommit=True) as connection, connection.cursor() as cursor:
        frames = []
        for query in (_BOOKS, _POSITIONS, _REJECTED):
            rows = cursor.execute(query, (calculation_id,)).fetchall()
            frames.append(pd.DataFrame(rows, columns=[column.name for column in cursor.description or ()]))
    return Books(
        frames[0].astype({**texts, "content_hash": "str", "equity": "float64", "version": "int64"}),
        frames[1].astype({"portfolio_id": "str", "strategy": "str", "symbol": "str", **numbers}),
        frames[2].astype({**texts, "row_number": "int64", "column_name": "str", "reason": "str", "raw": "str"}),
    )


def is_taken(urls: DatabaseUrls, calculation_id: int, content_hash: str) -> bool:
    """Whether a file of positions has been taken on top of a calculation."""
    with psycopg.connect(urls.libpq, autocommit=True) as connection:
        return connection.execute(_TAKEN, (calculation_id, content_hash)).fetchone() is not None


def take_positions(
    urls: DatabaseUrls,
    calculation_id: int,
    content_hash: str,
    equity: Mapping[str, float],
    records: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    source: str,
) -> None:
    """Replace the positions of portfolios, by name with the equity of them at the published marks, and keep rejected rows."""
    columns = ["portfolio_id", "strategy", "symbol", "quantity", "entry_price", "isolated_wallet"]
    with psycopg.connect(urls.libpq) as connection, connection.cursor() as cursor:
        # As feeds do: changes are numbered in the order in which they are committed.
        cursor.execute("select pg_advisory_xact_lock(hashtext('margin live marks'))")
        cursor.execute("delete from margin_data.intraday_books where portfolio_id = any(%s)", (list(equity),))
        values = [(name, calculation_id, source, content_hash, _known(value)) for name, value in sorted(equity.items())]
        cursor.executemany(_ADD_BOOK, values)
        # Not copied: Postgres refuses that where rows are shown by portfolio.
        places = ", ".join(["%s"] * len(columns))
        cursor.executemany(
            f"insert into margin_data.intraday_positions ({', '.join(columns)}) values ({places})",
            [tuple(_known(value) for value in row) for row in records[columns].itertuples(index=False, name=None)],
        )
        rejected = rejected_rows.astype(object).where(rejected_rows.notna(), None).to_dict("records")
        cursor.executemany(_ADD_REJECTED, [{**{str(k): v for k, v in row.items()}, "content_hash": content_hash} for row in rejected])


def _known(value: Any) -> Any:
    """The value, None for NaN."""
    return None if isinstance(value, float) and value != value else value


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
    found: dict[str, Any] = {name: _known(value) for name, value in row.items()}
    found["changed_symbols"] = json.dumps(list(row["changed_symbols"])[:CHANGED_SHOWN])
    found["mark_sources"] = json.dumps(row["mark_sources"])
    return found
