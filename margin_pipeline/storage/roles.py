"""Roles of the results database: applying `sql/roles.sql`, and keeping analysts out while the schema changes.

Belongs here: when the file is applied, and whether it has been. Not here: what each role may do, which is SQL.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import psycopg

from margin_pipeline.storage.connections import one_line
from margin_pipeline.storage.errors import StorageError

_IN_FORCE = "select to_regclass('margin_data.roles_applied') is not null"
_CLOSE = "revoke usage on schema margin, margin_data from margin_analyst, margin_feed"
_EXPIRE = "update margin_data.roles_applied set content_hash = ''"


def applied_hash(connection: psycopg.Connection[Any]) -> str | None:
    """Hash of the file as it was applied in this database, empty where the schema has changed since; None: it never was."""
    row = connection.execute(_IN_FORCE).fetchone()
    if not (row and row[0]):
        return None
    found = connection.execute("select content_hash from margin_data.roles_applied").fetchone()
    return found[0] if found else None


def are_outdated(connection: psycopg.Connection[Any], folder: Path) -> bool:
    """Whether the file has been applied here and has to be again: it is another one by now, or the schema has changed since."""
    found = applied_hash(connection)
    return found is not None and found != _hash(folder)


def suspend(connection: psycopg.Connection[Any]) -> None:
    """Keep analysts and feeds out, where there are roles, until the file is applied again: what is made anew has no limits yet."""
    if applied_hash(connection) is None:
        return
    with connection.transaction():
        # A dump that was restored on another server may have come without them.
        if connection.execute("select from pg_roles where rolname in ('margin_analyst', 'margin_feed')").rowcount == 2:
            connection.execute(_CLOSE)
        connection.execute(_EXPIRE)


def apply(connection: psycopg.Connection[Any], folder: Path) -> None:
    """Apply the file, whole or not at all.

    Parameters
    ----------
    folder : where the SQL files are.

    Raises
    ------
    StorageError : this user may not, or the server is too old.
    """
    try:
        with connection.transaction():
            connection.execute(_text(folder))
            connection.execute("update margin_data.roles_applied set content_hash = %s", (_hash(folder),))
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageError(
            f"roles cannot be applied: {one_line(error)}; the first time takes a superuser, or the owner of the database with createrole"
        ) from error
    except psycopg.Error as error:
        raise StorageError(f"sql/roles.sql cannot be applied: {one_line(error)}") from error


def _text(folder: Path) -> str:
    return (folder / "roles.sql").read_text(encoding="utf-8")


def _hash(folder: Path) -> str:
    return hashlib.sha256(_text(folder).encode()).hexdigest()
