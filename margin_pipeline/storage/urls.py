"""Database URLs in the forms that each driver wants.

Belongs here: reading, checking and rewriting URLs, hiding passwords. Not here: opening connections, the environment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from margin_pipeline.storage.errors import StorageError

# SQLAlchemy reads plain postgresql:// as psycopg 3, which Dagster's storage cannot use: each engine names its driver.
RESULTS_DRIVER = "postgresql+psycopg"
DAGSTER_DRIVER = "postgresql+psycopg2"
DAGSTER_SUFFIX = "_dagster"
_LONELY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, repr=False)
class DatabaseUrls:
    """Where the results and Dagster's own storage live.

    Attributes
    ----------
    libpq : results database, `postgresql://…` (psycopg, ADBC, psql).
    dagster_libpq : Dagster's own storage, `postgresql://…`.
    """

    libpq: str
    dagster_libpq: str

    @property
    def results(self) -> str:
        """SQLAlchemy URL of the results, over psycopg 3."""
        return _with_scheme(self.libpq, RESULTS_DRIVER)

    @property
    def dagster(self) -> str:
        """SQLAlchemy URL of Dagster's own storage, over psycopg 2."""
        return _with_scheme(self.dagster_libpq, DAGSTER_DRIVER)

    @property
    def safe(self) -> str:
        """Results URL for people: without password."""
        return hide_password(self.libpq)

    def __repr__(self) -> str:
        return f"DatabaseUrls({self.safe!r}, {hide_password(self.dagster_libpq)!r})"


def from_settings(database_url: str, dagster_database_url: str | None = None) -> DatabaseUrls:
    """URLs of a Postgres that somebody else runs.

    Parameters
    ----------
    database_url : results database; `postgres://`, `postgresql://` or with a `+driver`.
    dagster_database_url : Dagster's own storage; None: `<database>_dagster` on the same server.

    Raises
    ------
    StorageError : not a Postgres URL, or one without a database.
    """
    results = checked(database_url, "MARGIN_DATABASE_URL")
    if dagster_database_url:
        dagster = checked(dagster_database_url, "MARGIN_DAGSTER_DATABASE_URL")
    else:
        dagster = with_database(results, database_name(results) + DAGSTER_SUFFIX)
    if dagster == results:
        raise StorageError(
            "Dagster's own storage needs a database of its own: it keeps tables named like others; give MARGIN_DAGSTER_DATABASE_URL another"
        )
    return DatabaseUrls(results, dagster)


def database_name(url: str) -> str:
    """Database that a URL names; empty when none."""
    return unquote(urlsplit(url).path.lstrip("/"))


def with_database(url: str, database: str) -> str:
    """Give the same server's URL of another database."""
    return _joined(urlsplit(url)._replace(path="/" + quote(database, safe="")))


def with_user(urls: DatabaseUrls, user: str) -> DatabaseUrls:
    """Give the same databases' URLs of another user, without a password: a password file has it, or the server trusts."""

    def of(url: str) -> str:
        parts = urlsplit(url)
        return _joined(parts._replace(netloc=f"{quote(user, safe='')}@{parts.netloc.rpartition('@')[2]}"))

    return DatabaseUrls(of(urls.libpq), of(urls.dagster_libpq))


def hide_password(url: str) -> str:
    """Give a URL with `***` in place of passwords, wherever it carries them."""
    parts = urlsplit(url)
    user, separator, host = parts.netloc.rpartition("@")
    if ":" in user:
        user = user.partition(":")[0] + ":***"
    query = [(key, "***" if "password" in key.lower() else value) for key, value in parse_qsl(parts.query, keep_blank_values=True)]
    return _joined(parts._replace(netloc=user + separator + host, query=urlencode(query, safe="/*")))


def _joined(parts: SplitResult) -> str:
    # urlunsplit leaves out the // of an empty host (a socket in the query), which drivers need.
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"


def _with_scheme(url: str, scheme: str) -> str:
    return scheme + url[url.index(":") :]


def checked(url: str, variable: str) -> str:
    """Give a setting's URL as `postgresql://…`.

    Raises
    ------
    StorageError : not a Postgres URL, or one without a database; the message names the variable.
    """
    # The URL may hold a password: messages name the variable, never its value.
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise StorageError(f"{variable} is not a URL; write postgresql://user:password@host:5432/database") from None
    if parts.scheme.partition("+")[0] not in ("postgres", "postgresql"):
        raise StorageError(f"{variable} is not a Postgres URL; write postgresql://user:password@host:5432/database")
    if not parts.path.strip("/"):
        raise StorageError(f"{variable} names no database; write postgresql://user:password@host:5432/database")
    if parts.netloc.count("@") > 1 or "@" in parts.path or parts.fragment or _LONELY_PERCENT.search(url):
        # Drivers would take a part of the password for the host, and say so in their error.
        raise StorageError(f"{variable}: in user and password, characters like @ / : # ? % are written as %40 %2F %3A %23 %3F %25")
    # Not rebuilt from its parts, which would drop the // of an empty host (a socket in the query) that drivers need.
    return _with_scheme(url.strip(), "postgresql")
