"""Opening the databases of a command: the server held, the databases there, the schema up to date.

Belongs here: putting server, URLs and migrations together. Not here: each of them, the environment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from margin_pipeline.storage import urls as url_forms
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

# Makers of databases on one server take turns.
_DATABASES_LOCK = 4210_0003


def database_urls(data_dir: Path, database_url: str | None, dagster_database_url: str | None) -> DatabaseUrls:
    """URLs of the databases in use; starts nothing.

    Parameters
    ----------
    data_dir : folder of the embedded server, used when no URL is given.
    database_url : results database that somebody else runs; None: the embedded one.
    dagster_database_url : Dagster's own storage; None: `<database>_dagster` beside the results.

    Raises
    ------
    StorageError : a URL cannot be used, or there is no embedded server yet.
    """
    if database_url:
        return url_forms.from_settings(database_url, dagster_database_url)
    from margin_pipeline.storage.embedded import EmbeddedServer

    return _with_dagster(EmbeddedServer(data_dir).urls, dagster_database_url)


@contextmanager
def open_database(
    data_dir: Path, database_url: str | None, dagster_database_url: str | None, *, upgrade: bool = True
) -> Iterator[DatabaseUrls]:
    """Use the databases: the embedded server runs as long as the block (and others) need it, the schema is that of this version.

    Parameters
    ----------
    data_dir, database_url, dagster_database_url : as in `database_urls`.
    upgrade : whether to apply outstanding migrations.

    Raises
    ------
    StorageError : server or database cannot be used; the message says what to do.
    """
    from margin_pipeline.storage import migrations

    if database_url:
        urls = url_forms.from_settings(database_url, dagster_database_url)
        ensure_dagster_database(urls)
        if upgrade:
            migrations.upgrade(urls)
        yield urls
        return
    from margin_pipeline.storage.embedded import EmbeddedServer

    with EmbeddedServer(data_dir).hold() as held:
        urls = _with_dagster(held, dagster_database_url)
        if upgrade:
            migrations.upgrade(urls)
        try:
            yield urls
        finally:
            _close_connections()


def ensure_dagster_database(urls: DatabaseUrls) -> None:
    """Make Dagster's database on a server that somebody else runs, if it is not there.

    Raises
    ------
    StorageError : a database cannot be reached, or may not be made.
    """
    import psycopg

    from margin_pipeline.storage.connections import connect

    name = url_forms.database_name(urls.dagster_libpq)
    with connect(urls) as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(%s)", (_DATABASES_LOCK,))
        same_server = url_forms.with_database(urls.libpq, name) == urls.dagster_libpq
        if same_server and not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            try:
                connection.execute(psycopg.sql.SQL("create database {}").format(psycopg.sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                # Somebody else has made it meanwhile.
                return
            except psycopg.errors.InsufficientPrivilege:
                raise StorageError(
                    f"Dagster needs the database {name}, which this user may not create; "
                    f"have it created, or name another with MARGIN_DAGSTER_DATABASE_URL"
                ) from None
    if not same_server:
        with connect(DatabaseUrls(urls.dagster_libpq, urls.dagster_libpq)):
            pass


@contextmanager
def taking_turns(urls: DatabaseUrls) -> Iterator[None]:
    """Do something in Dagster's database that no other command does at the same time."""
    from margin_pipeline.storage.connections import connect

    with connect(DatabaseUrls(urls.dagster_libpq, urls.dagster_libpq)) as connection:
        connection.autocommit = True
        connection.execute("select pg_advisory_lock(%s)", (_DATABASES_LOCK,))
        yield


def forget_half_made(urls: DatabaseUrls, tables: Collection[str]) -> bool:
    """Drop tables of Dagster's that were not all made, by a killed process or on a full disk; gives whether there were such.

    Dagster makes what is absent as a whole only, and would fail for ever. Where runs are recorded nothing is dropped.

    Parameters
    ----------
    tables : names of all its tables.
    """
    from psycopg import sql

    from margin_pipeline.storage.connections import transaction

    with transaction(DatabaseUrls(urls.dagster_libpq, urls.dagster_libpq)) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public' and tablename = any(%s)", (list(tables),))
        present = {name for (name,) in rows}
        versioned = connection.execute("select to_regclass('public.alembic_version') is not null").fetchone() == (True,)
        # The version is written when the tables of a part are there.
        whole = versioned and connection.execute("select exists (select from public.alembic_version)").fetchone() == (True,)
        if not present or (whole and present == set(tables)):
            return False
        if "runs" in present and connection.execute("select exists (select from public.runs)").fetchone() == (True,):
            return False
        for name in sorted(present | ({"alembic_version"} if versioned else set())):
            connection.execute(sql.SQL("drop table public.{} cascade").format(sql.Identifier(name)))
    return True


def is_lost_connection(error: BaseException) -> bool:
    """Whether SQLAlchemy, through which Dagster reaches its storage, says by an error that the database went away."""
    from sqlalchemy import exc

    if not isinstance(error, exc.DBAPIError):
        return False
    # The driver has no class for a connection that ends within an answer: that is a plain DatabaseError without a code of the server.
    is_plain = type(error) is exc.DatabaseError and getattr(error.orig, "pgcode", None) is None
    return is_plain or error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError)


def _with_dagster(urls: DatabaseUrls, dagster_database_url: str | None) -> DatabaseUrls:
    if not dagster_database_url:
        return urls
    return DatabaseUrls(urls.libpq, url_forms.checked(dagster_database_url, "MARGIN_DAGSTER_DATABASE_URL"))


def _close_connections() -> None:
    import sys

    # Connections that are still open would be cut when the server stops; those of a module never used need no closing.
    if connections := sys.modules.get("margin_pipeline.storage.connections"):
        connections.close_all()
