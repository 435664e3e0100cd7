"""pg_dump and pg_restore: found, and run without a password on their command line.

Belongs here: which installation serves a server, running its programs, what they say. Not here: what is dumped (`backup`).
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from margin_pipeline.storage.binaries import bundled_binaries
from margin_pipeline.storage.errors import StorageError

PROGRAMS = ("pg_dump", "pg_restore")
_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class DumpTools:
    """An installation's pg_dump and pg_restore.

    Attributes
    ----------
    folder : where they are.
    version : their version, e.g. `18.4`.
    """

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """Major version: a server's dump needs tools of at least the server's."""
        return int(self.version.partition(".")[0])

    def run(self, program: str, url: str, arguments: Sequence[str]) -> None:
        """Run one of them on a database.

        Raises
        ------
        StorageError : it ended with an error; the message has what it said.
        """
        conninfo, secrets = without_password(url)
        done = subprocess.run(
            [self.folder / program, "--no-password", f"--dbname={conninfo}", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
            umask=0o077,
            env={**os.environ, "LC_ALL": "C", **secrets},
        )
        if done.returncode != 0:
            raise StorageError(f"{program} gave up: {telling(done.stderr) or f'exit status {done.returncode}'}")


def find_tools(at_least: int, url: str) -> DumpTools:
    """Tools of the lowest major version that will do: those that come with the package, on the search path, of Debian's folders.

    Parameters
    ----------
    at_least : major version that they have to have.
    url : database that they are for. Those of the package know no TLS: for a server that is not behind a socket file they come last.

    Raises
    ------
    StorageError : there are none.
    """
    return choose(list(_installed(_folders(url))), at_least)


def choose(found: Sequence[DumpTools], at_least: int) -> DumpTools:
    """Tools of the lowest major version that will do; the first among equals.

    A newer pg_restore may say things that an older server does not understand, so newest is not best.
    """
    fitting = [tools for tools in found if tools.major >= at_least]
    if not fitting:
        there = f"there is {', '.join(tools.version for tools in found)}" if found else "there is none"
        raise StorageError(f"pg_dump and pg_restore of version {at_least} or newer are needed, {there}: install the client of Postgres")
    return min(fitting, key=lambda tools: tools.major)


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """Connection string without the password, and the environment that has it: command lines are seen by everybody on a machine."""
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        raise StorageError("the database URL cannot be read; write postgresql://user:password@host:5432/database") from None
    if parts.pop("sslpassword", None) is not None:
        raise StorageError("a client key with a passphrase cannot be used for backups; use one without, or a password file")
    password = parts.pop("password", None)
    return make_conninfo("", **parts), {} if password is None else {"PGPASSWORD": str(password)}


def telling(said: str) -> str:
    """The part of what a program said that tells what went wrong, in one line."""
    lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    details = [line for line in lines if line.startswith(("DETAIL:", "HINT:"))]
    chosen = [re.sub(r"^\w+: error: ", "", errors[0]), *details[:2]] if errors else lines[-1:]
    return "; ".join(chosen)


def _folders(url: str) -> list[Path]:
    others = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder] + sorted(_DEBIAN.glob("*/bin"))
    try:
        ours = [bundled_binaries()]
    except StorageError:
        # Where there is no build for this platform, the server is somebody else's, with tools of its own.
        ours = []
    return ours + others if str(conninfo_to_dict(url).get("host", "")).startswith("/") else others + ours


def _installed(folders: Iterable[Path]) -> Iterable[DumpTools]:
    for folder in folders:
        versions = [_version(folder / program) for program in PROGRAMS]
        if versions[0] and versions[0] == versions[1]:
            yield DumpTools(folder, versions[0])


def _version(program: Path) -> str | None:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL).stdout
    except OSError:
        return None
    found = re.search(r"\) (\d+(?:\.\d+)*)", said)
    return found[1] if found else None
