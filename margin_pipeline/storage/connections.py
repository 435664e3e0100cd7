"""Connections to the results database, kept as long as the process.

Belongs here: opening, lending and closing connections, turning a driver's error into a line for people. Not here: SQL.
"""

from __future__ import annotations

import atexit
import getpass
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

# Opening one costs 29 ms; a server that was restarted meanwhile is noticed by asking it after a pause.
_TRUSTED_SECONDS = 1.0

_SERVER_SAYS = re.compile(r"(?:ERROR|FATAL):\s+(?P<primary>.*?)(?:\n|$)(?:DETAIL:\s+(?P<detail>.*?)(?:\n|$))?", re.DOTALL)


@dataclass
class _Pool:
    process: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)
    idle: dict[str, list[tuple[float, Any]]] = field(default_factory=dict)


_pool = _Pool()
# Connections of the parent process: closing them here would end them there.
_inherited: list[_Pool] = []


def connect(urls: DatabaseUrls) -> psycopg.Connection[Any]:
    """Open a psycopg connection; a context manager that commits, or rolls back on an error, and closes.

    Raises
    ------
    StorageError : the database cannot be reached.
    """
    try:
        connection = psycopg.connect(urls.libpq, autocommit=True)
        # The audit log takes down who that is.
        connection.execute("select set_config('margin.client', %s, false)", (client(),))
        connection.autocommit = False
    except psycopg.Error as error:
        raise unreachable(urls, error) from None
    return connection


def client() -> str:
    """Who this process is, for the audit log: user and host of the operating system, and the command without what it was given."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    words = [Path(sys.argv[0]).name, *sys.argv[1:2]]
    # Options may hold a URL with a password.
    command = " ".join(word for word in words if re.fullmatch(r"[\w.-]+", word) and not word.startswith("-"))
    return f"{user}@{socket.gethostname()}: {command}"


@contextmanager
def transaction(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """One transaction on a psycopg connection: committed at the end, rolled back on an error.

    Raises
    ------
    StorageError : the database cannot be reached, or refuses a statement.
    """
    try:
        with connect(urls) as connection:
            yield connection
    except psycopg.Error as error:
        # The commit may be refused as well: what is recorded of a change is written then.
        raise StorageError(f"the database refused: {one_line(error)}") from error


@contextmanager
def arrow_connection(urls: DatabaseUrls) -> Iterator[Any]:
    """Lend the process's ADBC connection; whatever was not committed is rolled back.

    Another thread that asks at the same time gets another one.

    Raises
    ------
    StorageError : the database cannot be reached.
    """
    pool = _current_pool()
    connection = _take(pool, urls)
    try:
        yield connection
    except BaseException:
        _discard(connection)
        raise
    try:
        connection.rollback()
    except Exception:
        _discard(connection)
        raise
    with pool.lock:
        pool.idle.setdefault(urls.libpq, []).append((time.monotonic(), connection))


def close_all() -> None:
    """Close the connections that this process keeps."""
    pool = _current_pool()
    with pool.lock:
        connections = [connection for idle in pool.idle.values() for _, connection in idle]
        pool.idle.clear()
    for connection in connections:
        _discard(connection)


def one_line(error: BaseException) -> str:
    """What a driver's error says, in one line: the message and its detail, without the statement."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        parts = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
        return "; ".join(" ".join(part.split()) for part in parts if part)
    details = dict(getattr(error, "details", None) or [])
    parts = [details.get(f"PG_DIAG_{name}") for name in ("MESSAGE_PRIMARY", "MESSAGE_DETAIL", "MESSAGE_HINT")]
    if not any(parts):
        # Of a bulk load only the text is given, with the driver's own words around it.
        found = _SERVER_SAYS.search(str(error))
        parts = [found["primary"], found["detail"]] if found else [str(error)]
    return "; ".join(" ".join(part.split()) for part in parts if part)


def unreachable(urls: DatabaseUrls, error: BaseException) -> StorageError:
    """Make the error for a database that cannot be reached; the URL is shown without password."""
    reason = one_line(error)
    advice = "; create it (createdb), tables are made for you" if reason.endswith("does not exist") and "database" in reason else ""
    return StorageError(f"the database {urls.safe} cannot be reached: {reason}{advice}")


def _take(pool: _Pool, urls: DatabaseUrls) -> Any:
    while True:
        with pool.lock:
            idle = pool.idle.get(urls.libpq)
            found = idle.pop() if idle else None
        if found is None:
            return _open(urls)
        since, connection = found
        if time.monotonic() - since < _TRUSTED_SECONDS or _is_alive(connection):
            return connection
        _discard(connection)


def _open(urls: DatabaseUrls) -> Any:
    from adbc_driver_postgresql import dbapi

    try:
        return dbapi.connect(urls.libpq)
    except dbapi.Error as error:
        raise unreachable(urls, error) from None


def _is_alive(connection: Any) -> bool:
    from adbc_driver_postgresql import dbapi

    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
            cursor.fetchone()
        connection.rollback()
    except dbapi.Error:
        return False
    return True


def _discard(connection: Any) -> None:
    from adbc_driver_postgresql import dbapi

    # It is of no use any more; that a broken one cannot even be closed properly changes nothing.
    with suppress(dbapi.Error):
        connection.close()


def _current_pool() -> _Pool:
    global _pool
    if _pool.process != os.getpid():
        _inherited.append(_pool)
        _pool = _Pool()
    return _pool


atexit.register(close_all)
