"""Statements that a person types.

Belongs here: running any statement, read-only unless told otherwise, and its result as text-ready rows. Not here: formats, prompts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg

from margin_pipeline.storage import audit
from margin_pipeline.storage.connections import connect, one_line
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

_OF_A_URL = re.compile(r"(://[^\s:/@']*:)[^\s@']+(?=@)")
_OF_A_CONNECTION = re.compile(r"(?i)\b(password\s*=\s*)(?:''[^']*''|'(?:[^']|'')*'|[^\s']+)")
_SECRET = re.compile(r"(?i)\b(password\s+)(?:[eu]&?)?(?:'(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$)", re.DOTALL)


@dataclass(frozen=True)
class QueryResult:
    """What a statement gave.

    Attributes
    ----------
    columns : names of its columns; empty for a statement that gives no rows.
    rows : its rows.
    message : what the database says it did, e.g. `UPDATE 3`.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    message: str


def without_passwords(statement: str) -> str:
    """Give a statement with `…` in place of passwords: those of roles and user mappings, of URLs and of connection strings."""
    return _OF_A_CONNECTION.sub(r"\1…", _OF_A_URL.sub(r"\1…", _SECRET.sub(r"\1'…'", statement)))


class QuerySession:
    """A connection that runs one statement after the other, each in a transaction of its own.

    Parameters
    ----------
    write : whether statements may change anything; otherwise the database refuses those that would.
    """

    def __init__(self, urls: DatabaseUrls, *, write: bool = False) -> None:
        self._connection = connect(urls)
        self._connection.read_only = not write
        self._write = write

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def run(self, statement: str) -> QueryResult:
        """Run one statement and commit it; one that changed something is in the audit log, passwords left out.

        Raises
        ------
        StorageError : the database refuses it; nothing was changed.
        """
        text = statement.strip().rstrip(";").strip()
        if not text:
            return QueryResult((), (), "")
        try:
            # Prepared, one statement at a time is accepted: a second one could leave the read-only transaction.
            cursor = self._connection.execute(text, prepare=True)
            columns = [column.name for column in cursor.description or ()]
            result = QueryResult(columns, cursor.fetchall() if columns else (), cursor.statusmessage or "")
            if self._write and self._has_changed_something():
                audit.record(self._connection, "sql_write", details={"statement": without_passwords(text), "result": result.message})
            self._connection.commit()
        except psycopg.errors.ReadOnlySqlTransaction as error:
            self._connection.rollback()
            raise StorageError(f"{one_line(error)}; to change something, say --write") from None
        except psycopg.Error as error:
            self._connection.rollback()
            raise StorageError(one_line(error)) from None
        return result

    def _has_changed_something(self) -> bool:
        # The server numbers a transaction when it first writes, also where a function did that a select called.
        row = self._connection.execute("select pg_current_xact_id_if_assigned() is not null").fetchone()
        return bool(row and row[0])
