"""The schema: migrations, views and roles applied to the results database.

Belongs here: applying `sql/migrations` and `sql/views`, undoing migrations, roles after either. Not here: the schema itself, which is SQL.

yoyo applies the files. Its own lock survives a killed process and would then block for ever, so it is not used: an advisory lock
on a session of ours serialises commands, and the server frees it with the session.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from margin_pipeline.storage import roles
from margin_pipeline.storage.connections import connect, one_line
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

_LOCK = 4210_0002
_YOYO_LOCK = 4210_0004
_ROLLBACK = ".rollback.sql"


@dataclass(frozen=True)
class MigrationStatus:
    """A migration and whether it is applied.

    Attributes
    ----------
    name : its file's name without `.sql`.
    applied_at : instant at which it was applied; None: it was not.
    known : whether this version of the package has it.
    """

    name: str
    applied_at: dt.datetime | None
    known: bool


def sql_folder() -> Path:
    """Folder with `migrations` and `views`: beside the package in a checkout, inside it when installed.

    Raises
    ------
    StorageError : neither is there.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package.parent / "sql", package / "sql"):
        if (folder / "migrations").is_dir():
            return folder
    raise StorageError(f"the SQL files are missing beside {package}; install the package again")


def status(urls: DatabaseUrls) -> list[MigrationStatus]:
    """Every migration, in order: those of this version and those that the database has of another."""
    with connect(urls) as connection:
        applied = _applied(connection)
    names = known_names()
    return [MigrationStatus(name, applied.get(name), name in names) for name in sorted(set(names) | set(applied))]


def upgrade(urls: DatabaseUrls) -> list[str]:
    """Apply the migrations that are not applied, the views that changed, and roles where they are in use; gives the migrations' names.

    Raises
    ------
    StorageError : a file cannot be applied (nothing of it is kept), this user may not, or the database is of a newer version.
    """
    with connect(urls) as connection:
        if _is_current(connection):
            return []
    with alone(urls) as connection, _allowed(urls):
        applied = _applied(connection)
        names = known_names()
        if unknown := sorted(set(applied) - set(names)):
            raise StorageError(f"the database {urls.safe} was made by a newer version (it has {unknown[-1]}): upgrade this package")
        outstanding = [name for name in names if name not in applied]
        if outstanding:
            roles.suspend(connection)
            _drop_views(connection)
            try:
                _run_yoyo(urls, connection, outstanding, backwards=False)
            finally:
                after = _applied(connection)
                _record(connection, "database_upgraded", [name for name in outstanding if name in after])
        _apply_views(connection)
        if roles.are_outdated(connection, sql_folder()):
            roles.apply(connection, sql_folder())
    _forget_catalogue()
    return outstanding


def has_roles(urls: DatabaseUrls) -> bool:
    """Whether `sql/roles.sql` was ever applied in the database."""
    with connect(urls) as connection:
        return roles.applied_hash(connection) is not None


def apply_roles(urls: DatabaseUrls) -> None:
    """Apply `sql/roles.sql`, from now on also after every upgrade; what is in it can be applied again.

    Raises
    ------
    StorageError : this user may not, or a migration is outstanding.
    """
    from margin_pipeline import __version__
    from margin_pipeline.storage import audit

    with alone(urls) as connection:
        if not _is_current(connection, with_roles=False):
            raise StorageError("the schema is not that of this version; apply it first: margin-pipeline database upgrade")
        roles.apply(connection, sql_folder())
        audit.record(connection, "roles_applied", details={"package": __version__})


def rollback(urls: DatabaseUrls, to: str | None = None) -> list[str]:
    """Undo the migrations after one, newest first; gives their names. The rows of their tables are deleted.

    Parameters
    ----------
    to : last migration to keep; None: undo all.

    Raises
    ------
    StorageError : there is no such migration, or one cannot be undone.
    """
    names = known_names()
    if to is not None and to not in names:
        raise StorageError(f"there is no migration {to}; there are {', '.join(names)}")
    with alone(urls) as connection, _allowed(urls):
        applied = _applied(connection)
        undone = [name for name in reversed(names) if name in applied and (to is None or name > to)]
        if undone:
            roles.suspend(connection)
            _drop_views(connection)
            _run_yoyo(urls, connection, undone, backwards=True)
            _record(connection, "database_rolled_back", undone)
    _forget_catalogue()
    return undone


@contextmanager
def _allowed(urls: DatabaseUrls) -> Iterator[None]:
    """Say what to do where this user may not change the schema."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageError(
            f"the schema of {urls.safe} is not that of this version, and this user may not change it ({one_line(error)}); "
            "have a member of margin_owner run: margin-pipeline database upgrade"
        ) from error


@contextmanager
def alone(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """Change the schema while nobody else does, on the connection that is lent."""
    with connect(urls) as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        yield connection


def known_names() -> list[str]:
    """Names of this version's migrations, in order."""
    files = (sql_folder() / "migrations").glob("*.sql")
    return sorted(file.name.removesuffix(".sql") for file in files if not file.name.endswith(_ROLLBACK))


def _view_files() -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in sorted((sql_folder() / "views").glob("*.sql"))}


def _is_current(connection: psycopg.Connection[Any], *, with_roles: bool = True) -> bool:
    if list(_applied(connection)) != known_names():
        return False
    if _applied_views(connection) != {name: _hash(text) for name, text in _view_files().items()}:
        return False
    return not (with_roles and roles.are_outdated(connection, sql_folder()))


def _applied(connection: psycopg.Connection[Any]) -> dict[str, dt.datetime]:
    if _is_missing(connection, "public._yoyo_migration"):
        return {}
    rows = connection.execute("select migration_id, applied_at_utc from public._yoyo_migration order by migration_id").fetchall()
    return {name: instant.replace(tzinfo=dt.UTC) for name, instant in rows}


def _applied_views(connection: psycopg.Connection[Any]) -> dict[str, str]:
    if _is_missing(connection, "margin_data.view_files"):
        return {}
    return dict(connection.execute("select file_name, content_hash from margin_data.view_files").fetchall())


def _is_missing(connection: psycopg.Connection[Any], table: str) -> bool:
    row = connection.execute("select to_regclass(%s) is null", (table,)).fetchone()
    return row is None or row[0]


def _run_yoyo(urls: DatabaseUrls, connection: psycopg.Connection[Any], names: list[str], *, backwards: bool) -> None:
    from yoyo import get_backend, read_migrations
    from yoyo.exceptions import BadMigration

    backend = get_backend(urls.results)
    try:
        migrations = {migration.id: migration for migration in read_migrations(str(sql_folder() / "migrations"))}
        # The session that ran the files of a killed command may still be at it: its lock goes when it has ended.
        backend.execute(f"select pg_advisory_lock({_YOYO_LOCK})")
        applied = _applied(connection)
        for name in (name for name in names if (name in applied) == backwards):
            try:
                if backwards:
                    backend.rollback_one(migrations[name])
                else:
                    backend.apply_one(migrations[name])
            except (psycopg.Error, BadMigration) as error:
                raise StorageError(f"migration {name} cannot be {'undone' if backwards else 'applied'}: {one_line(error)}") from error
    finally:
        backend.connection.close()


def _apply_views(connection: psycopg.Connection[Any]) -> None:
    applied = _applied_views(connection)
    files = _view_files()
    if all(applied.get(name) == _hash(text) for name, text in files.items()) and set(applied) <= set(files):
        return
    # Views may build on each other, and a changed one on columns that another one lost: all of them are made anew.
    with connection.transaction():
        roles.suspend(connection)
        _drop_views(connection)
        for name, text in files.items():
            before = _views(connection)
            try:
                connection.execute(text)
            except psycopg.Error as error:
                raise StorageError(f"sql/views/{name} cannot be applied: {one_line(error)}") from error
            made = sorted(_views(connection) - before)
            connection.execute(
                "insert into margin_data.view_files (file_name, content_hash, views) values (%s, %s, %s)", (name, _hash(text), made)
            )


def _drop_views(connection: psycopg.Connection[Any]) -> None:
    """Drop the views of the files: a table cannot change under a view."""
    if _is_missing(connection, "margin_data.view_files"):
        return
    rows = connection.execute("select views from margin_data.view_files").fetchall()
    views = [view for (made,) in rows for view in made]
    with connection.transaction():
        if views:
            listed = ", ".join(f'margin."{view}"' for view in views)
            try:
                # All in one statement, so that those that build on each other go together and nobody else's view goes with them.
                connection.execute(f"drop view if exists {listed}")
            except psycopg.errors.DependentObjectsStillExist as error:
                raise StorageError(
                    f"views of your own stand on views that have to be made anew; drop them first: {one_line(error)}"
                ) from error
        connection.execute("delete from margin_data.view_files")


def _record(connection: psycopg.Connection[Any], event: str, migrations: list[str]) -> None:
    from margin_pipeline import __version__
    from margin_pipeline.storage import audit

    if migrations and not _is_missing(connection, "margin_data.audit_log"):
        audit.record(connection, event, details={"migrations": migrations, "package": __version__})


def _views(connection: psycopg.Connection[Any]) -> set[str]:
    return {name for (name,) in connection.execute("select viewname from pg_views where schemaname = 'margin'")}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _forget_catalogue() -> None:
    from margin_pipeline.storage import catalogue

    catalogue.forget()
