"""What the database's catalogue says about the result tables.

Belongs here: columns, types, comments and keys as the migrations defined them. Not here: a second definition of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from margin_pipeline.storage.connections import transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

SCHEMA = "margin_data"
ROW_OWNER = ("as_of", "calculation_id")

_COLUMNS = """
select c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull,
       a.attidentity <> '' or a.atthasdef, col_description(c.oid, a.attnum), coalesce(array_position(k.conkey, a.attnum), 0)
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
 where n.nspname = %s and c.relkind in ('r', 'p') and not c.relispartition
 order by c.relname, a.attnum
"""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name : its name.
    type : its SQL type, e.g. `double precision`.
    nullable : whether a cell may be empty.
    has_default : whether the database fills it in when a row does not say.
    comment : meaning and unit.
    """

    name: str
    type: str
    nullable: bool
    has_default: bool
    comment: str


@dataclass(frozen=True)
class TableColumns:
    """The columns of a table, in its order.

    Attributes
    ----------
    table : its name.
    comment : what a row says.
    columns : its columns.
    primary_key : names of the key's columns, in the key's order.
    is_partitioned : whether rows belong to a date and a calculation.
    """

    table: str
    comment: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    is_partitioned: bool

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(column.name for column in self.columns)

    @property
    def frame_names(self) -> tuple[str, ...]:
        """Names of the columns of a frame: those that say whose row it is are left out."""
        return tuple(name for name in self.names if name not in ROW_OWNER)

    @property
    def frame_key(self) -> tuple[str, ...]:
        """Names of the columns that tell the rows of one calculation apart."""
        return tuple(name for name in self.primary_key if name not in ROW_OWNER)


_known: dict[tuple[int, str, str], dict[str, TableColumns]] = {}


def columns(urls: DatabaseUrls, table: str, schema: str = SCHEMA) -> TableColumns:
    """Columns of a stored table, read once a process.

    Raises
    ------
    StorageError : there is no such table.
    """
    found = _tables(urls, schema)
    if table not in found:
        raise StorageError(f"there is no table {schema}.{table} in {urls.safe}; apply the migrations: margin-pipeline database upgrade")
    return found[table]


def table_names(urls: DatabaseUrls) -> list[str]:
    """Names of the tables whose rows belong to a date and a calculation, sorted."""
    return sorted(name for name, table in _tables(urls, SCHEMA).items() if table.is_partitioned)


def forget() -> None:
    """Forget what was read: the schema has changed."""
    _known.clear()


def _tables(urls: DatabaseUrls, schema: str) -> dict[str, TableColumns]:
    key = (os.getpid(), urls.libpq, schema)
    if key not in _known:
        found = _read(urls, schema)
        if not found:
            return found
        _known[key] = found
    return _known[key]


def _read(urls: DatabaseUrls, schema: str) -> dict[str, TableColumns]:
    with transaction(urls) as connection:
        rows = connection.execute(_COLUMNS, (schema,)).fetchall()
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        tables.setdefault(row[0], []).append(row)
    return {name: _table(name, found) for name, found in tables.items()}


def _table(name: str, rows: list[tuple[Any, ...]]) -> TableColumns:
    key = sorted((row[8], row[3]) for row in rows if row[8])
    found = tuple(Column(row[3], row[4], row[5], row[6], row[7] or "") for row in rows)
    return TableColumns(name, rows[0][2] or "", found, tuple(column for _, column in key), rows[0][1] == "p")
