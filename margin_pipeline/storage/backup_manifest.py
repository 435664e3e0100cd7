"""What a backup says of itself, and whether its files are what it says.

Belongs here: the manifest, written, read and held against the files. Not here: dumping and restoring (`backup`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from margin_pipeline.storage.errors import StorageError

FILE = "manifest.json"
FORMAT = 1
_CHUNK = 1 << 20


@dataclass(frozen=True)
class DumpedDatabase:
    """One database of a backup.

    Attributes
    ----------
    file : name of its dump, in pg_dump's custom format.
    bytes : size of the dump.
    sha256 : hash of the dump.
    database : name of the database.
    server_version, tool_version : versions of the server and of pg_dump.
    tables : rows by table (`schema.table`; a partitioned table with all its partitions), count.
    """

    file: str
    bytes: int
    sha256: str
    database: str
    server_version: str
    tool_version: str
    tables: Mapping[str, int]

    @property
    def rows(self) -> int:
        """Rows of all tables, count."""
        return sum(self.tables.values())


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself.

    Attributes
    ----------
    made_at : instant at which it was begun; changes after it are not in it.
    package_version : version of this package.
    migrations : migrations that the results had; the last one is the version of the schema.
    databases : its databases by part, `results` and `dagster`.
    roles : roles that row-level security of the results names.
    audit_rows, audit_last_hash : end of the audit log as it was dumped; None where there was none.
    newest_published : newest published date; None: there is none.
    """

    made_at: dt.datetime
    package_version: str
    migrations: Sequence[str]
    databases: Mapping[str, DumpedDatabase]
    roles: Sequence[str] = ()
    audit_rows: int | None = None
    audit_last_hash: str | None = None
    newest_published: dt.date | None = None
    format: int = field(default=FORMAT)


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder so that it is on the disk."""
    with (folder / FILE).open("w", encoding="utf-8") as file:
        json.dump(dataclasses.asdict(manifest), file, indent=1, default=str)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())


def read(folder: Path) -> Manifest:
    """Manifest of a backup.

    Raises
    ------
    StorageError : there is none, it is damaged, or of a newer version.
    """
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise StorageError(f"{folder} is no backup: it has no {FILE}; name the folder that `database backup` made") from None
    except (OSError, ValueError) as error:
        raise StorageError(f"{folder / FILE} cannot be read ({error}); take another backup") from None
    if isinstance(found, dict) and found.get("format", FORMAT) != FORMAT:
        raise StorageError(f"{folder} was made by a newer version of this package (format {found['format']}): upgrade it")
    try:
        newest = found["newest_published"]
        return Manifest(
            **{
                **found,
                "made_at": dt.datetime.fromisoformat(found["made_at"]),
                "databases": {part: DumpedDatabase(**dump) for part, dump in found["databases"].items()},
                "newest_published": dt.date.fromisoformat(newest) if newest else None,
            }
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StorageError(f"{folder / FILE} is damaged; take another backup") from None


def check(folder: Path, manifest: Manifest, parts: Sequence[str]) -> None:
    """Hold the files of a backup against its manifest.

    Raises
    ------
    StorageError : a part is not in it, or a file is missing, truncated or altered.
    """
    for part in parts:
        if part not in manifest.databases:
            raise StorageError(f"{folder} has no part {part}; it has {', '.join(manifest.databases)}: say --only")
        dump = manifest.databases[part]
        path = folder / Path(dump.file).name
        try:
            size, digest = path.stat().st_size, sha256(path)
        except OSError as error:
            raise StorageError(f"{path} cannot be read ({error.strerror}); take another backup") from None
        if size != dump.bytes:
            raise StorageError(f"{path} has {size:,} bytes, its manifest says {dump.bytes:,}: it is damaged; take another backup")
        if digest != dump.sha256:
            raise StorageError(f"{path} is not what its manifest says (SHA-256 {digest[:12]}…): it is damaged; take another backup")


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
