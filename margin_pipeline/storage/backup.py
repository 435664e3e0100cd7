"""Backup and restore of the databases, with the standard tools of Postgres.

Belongs here: what is dumped, in which order, and what a restore checks before and after. Not here: the tools (`dump_tools`), the manifest.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from margin_pipeline.storage import audit, backup_manifest, migrations
from margin_pipeline.storage.backup_manifest import DumpedDatabase, Manifest
from margin_pipeline.storage.connections import connect, one_line
from margin_pipeline.storage.dump_tools import find_tools
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls, database_name, hide_password

RESULTS, DAGSTER = "results", "dagster"
# A run that Dagster knows as done has to be in the results: the other way round, its date would never be calculated again.
PARTS = (DAGSTER, RESULTS)

_OWN_SCHEMAS = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
_OF_NO_EXTENSION = "not exists (select from pg_depend d where d.objid = {oid} and d.deptype = 'e')"
_TABLES = f"""
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where {_OWN_SCHEMAS} and c.relkind in ('r', 'p') and not c.relispartition and {_OF_NO_EXTENSION.format(oid="c.oid")} order by 1, 2
"""
_CONTENT = f"""
select format('%s %s.%s', case when c.relkind in ('r', 'p') then 'table' else 'relation' end, n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where {_OWN_SCHEMAS} and {_OF_NO_EXTENSION.format(oid="c.oid")}
union all select format('schema %s', n.nspname) from pg_namespace n
 where {_OWN_SCHEMAS} and n.nspname <> 'public' and {_OF_NO_EXTENSION.format(oid="n.oid")} limit 1
"""


# Rights are left out of a restore, policies are not.
_ROLES = """
select distinct r.rolname from pg_policy p cross join lateral unnest(p.polroles) as named (role)
  join pg_roles r on r.oid = named.role order by 1
"""


def backup(urls: DatabaseUrls, target: Path, parts: Sequence[str] = PARTS, told: Callable[[str], None] = lambda text: None) -> Path:
    """Dump databases into a new folder, which has its name only once it is whole; gives the folder.

    Parameters
    ----------
    target : the new folder; where it is there already, a folder named by the time is made in it.
    parts : `results`, `dagster` or both.
    told : is told of each database as it is done.

    Raises
    ------
    StorageError : a database or the folder cannot be used; no backup is there then.
    """
    started = dt.datetime.now(dt.UTC)
    final = target / f"margin-{started:%Y%m%dT%H%M%SZ}" if target.is_dir() else target
    draft = final.with_name(f".{final.name}.unfinished-{secrets.token_hex(4)}")
    try:
        if final.exists() or final.is_symlink():
            raise StorageError(f"{final} is there already; name another folder")
        draft.mkdir(mode=0o700)
        manifest = _dump_all(urls, draft, [part for part in PARTS if part in parts], started, told)
        backup_manifest.write(draft, manifest)
        _on_disk(draft)
        draft.rename(final)
        _on_disk(final.parent)
    except OSError as error:
        raise StorageError(f"the backup {final} cannot be written: {error.strerror}; name another folder or make room") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return final


def restore(
    urls: DatabaseUrls, source: Path, parts: Sequence[str] = PARTS, told: Callable[[str], None] = lambda text: None
) -> tuple[Manifest, list[str]]:
    """Restore databases from a backup, each in one transaction.

    Parameters
    ----------
    urls : where to; the databases are there and empty.
    source : folder of the backup.
    parts, told : as in `backup`.

    Returns
    -------
    What the backup says, and what is different in the restored databases; nothing should be.

    Raises
    ------
    StorageError : the backup is damaged, a database is not empty, or the server refuses; that database is then as it was.
    """
    manifest = backup_manifest.read(source)
    wanted = [part for part in reversed(PARTS) if part in parts]
    backup_manifest.check(source, manifest, wanted)
    if RESULTS in wanted and (newer := sorted(set(manifest.migrations) - set(migrations.known_names()))):
        raise StorageError(f"{source} was made by a newer version of this package (it has {newer[-1]}): upgrade it")
    different: list[str] = []
    for part in wanted:
        require_empty(of_part(urls, part))
    for part in wanted:
        dump, there = manifest.databases[part], of_part(urls, part)
        # Nobody else makes tables there meanwhile.
        with migrations.alone(there):
            require_empty(there)
            _ensure_roles(there, manifest.roles if part == RESULTS else ())
            _restore(there, source / Path(dump.file).name, dump)
        different += _differences(there, part, dump)
        told(f"{part}: {len(dump.tables)} tables, {dump.rows:,} rows into {hide_password(there.libpq)}")
    if RESULTS in wanted and manifest.audit_last_hash:
        found = audit.verify(urls, manifest.audit_last_hash)
        if found.broken or found.rows != manifest.audit_rows:
            different.append(f"the audit log: {found.broken or f'{found.rows} rows where the backup had {manifest.audit_rows}'}")
        else:
            told(f"the audit log is whole: {found.rows} rows, the last hash is {found.last_hash}")
    return manifest, different


def of_part(urls: DatabaseUrls, part: str) -> DatabaseUrls:
    """URLs whose results database is that of a part."""
    return urls if part == RESULTS else DatabaseUrls(urls.dagster_libpq, urls.dagster_libpq)


def require_empty(urls: DatabaseUrls) -> None:
    """Make sure that a database has no tables or schemas of anybody.

    Raises
    ------
    StorageError : it has some.
    """
    with connect(urls) as connection:
        found = connection.execute(_CONTENT).fetchone()
    if found:
        raise StorageError(
            f"{urls.safe} is not empty (it has the {found[0]}), and a restore never touches what is there: restore into a new database "
            "(MARGIN_DATABASE_URL, or a new MARGIN_DATA_DIR)"
        )


def _dump_all(urls: DatabaseUrls, folder: Path, parts: Sequence[str], started: dt.datetime, told: Callable[[str], None]) -> Manifest:
    from margin_pipeline import __version__

    databases: dict[str, DumpedDatabase] = {}
    about: dict[str, Any] = {}
    for part in parts:
        with _snapshot(of_part(urls, part)) as (connection, snapshot):
            if part == RESULTS:
                about = _about_results(connection, urls)
            databases[part] = _dump(connection, snapshot, of_part(urls, part).libpq, folder / f"{part}.dump")
        dump = databases[part]
        told(f"{part}: {len(dump.tables)} tables, {dump.rows:,} rows in {dump.bytes / 1e6:,.1f} MB")
    return Manifest(made_at=started, package_version=__version__, databases=databases, **{"migrations": [], **about})


@contextmanager
def _snapshot(urls: DatabaseUrls) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """A read-only transaction, and the name under which pg_dump sees the same moment."""
    try:
        with connect(urls) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            row = connection.execute("select pg_export_snapshot()").fetchone()
            yield connection, row[0] if row else ""
    except psycopg.Error as error:
        raise StorageError(f"the database {urls.safe} cannot be dumped: {one_line(error)}") from error


def _about_results(connection: psycopg.Connection[Any], urls: DatabaseUrls) -> dict[str, Any]:
    row = connection.execute("select to_regclass('margin_data.calculations') is not null and to_regclass('_yoyo_migration') is not null")
    if not (row.fetchone() or (False,))[0]:
        raise StorageError(f"{urls.safe} holds no results yet: there is nothing to back up")
    applied = connection.execute("select migration_id from public._yoyo_migration order by 1").fetchall()
    (newest,) = connection.execute(
        "select max(as_of) from margin_data.calculations where state = 'published' and scope = 'chain'"
    ).fetchone() or (None,)
    roles = [name for (name,) in connection.execute(_ROLES).fetchall()]
    found: dict[str, Any] = {"migrations": [name for (name,) in applied], "newest_published": newest, "roles": roles}
    if "0018.audit" in found["migrations"]:
        (found["audit_rows"],) = connection.execute("select count(*) from margin_data.audit_log").fetchone() or (0,)
        end = connection.execute("select row_hash from margin_data.audit_log order by audit_id desc limit 1").fetchone()
        found["audit_last_hash"] = end[0] if end else None
    return found


def _dump(connection: psycopg.Connection[Any], snapshot: str, url: str, file: Path) -> DumpedDatabase:
    tables = _counts(connection)
    tools = find_tools(connection.info.server_version // 10000, url)
    tools.run("pg_dump", url, ["--format=custom", f"--snapshot={snapshot}", "--lock-wait-timeout=60s", f"--file={file}"])
    version = connection.info.parameter_status("server_version") or ""
    return DumpedDatabase(
        file=file.name,
        bytes=file.stat().st_size,
        sha256=backup_manifest.sha256(file),
        database=database_name(url),
        server_version=version.split()[0],
        tool_version=tools.version,
        tables=tables,
    )


def _ensure_roles(urls: DatabaseUrls, names: Sequence[str]) -> None:
    """Make the roles that policies name and this server lacks; nobody logs in as one of them."""
    with connect(urls) as connection:
        known = {name for (name,) in connection.execute("select rolname from pg_roles where rolname = any(%s)", (list(names),))}
        missing = [name for name in names if name not in known]
        try:
            for name in missing:
                connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege:
            raise StorageError(
                f"this server lacks the roles {', '.join(missing)}, which this user may not create; have them created"
            ) from None


def _restore(urls: DatabaseUrls, file: Path, dump: DumpedDatabase) -> None:
    with connect(urls) as connection:
        server = connection.info.server_version // 10000
    if server < (made := int(dump.server_version.partition(".")[0])):
        raise StorageError(f"the backup is of Postgres {made} and {urls.safe} of {server}: restore into one that is not older")
    tools = find_tools(max(server, int(dump.tool_version.partition(".")[0])), urls.libpq)
    # Roles of the server that it came from need not be here: everything belongs to whoever restores it.
    arguments = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", os.fspath(file)]
    tools.run("pg_restore", urls.libpq, arguments)
    with connect(urls) as connection:
        connection.autocommit = True
        # Plans of the first queries need to know how large tables are.
        connection.execute("analyze")


def _counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    found = {}
    for schema, table in connection.execute(_TABLES).fetchall():
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
        found[f"{schema}.{table}"] = int(row[0]) if row else 0
    return found


def _differences(urls: DatabaseUrls, part: str, dump: DumpedDatabase) -> list[str]:
    with connect(urls) as connection:
        found = _counts(connection)
    return [
        f"{part}, table {table}: {found.get(table, 0):,} rows where the backup had {dump.tables.get(table, 0):,}"
        for table in sorted({*found, *dump.tables})
        if found.get(table) != dump.tables.get(table)
    ]


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
