"""Where an embedded server's files are, remembered in the data folder.

Belongs here: choosing and remembering the server's folder and its socket's. Not here: running the server.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from margin_pipeline.storage.binaries import can_write, server_user, shared_folder
from margin_pipeline.storage.errors import StorageError

DEFAULT_PORT = 5432
# The shortest limit for the path of a socket is that of macOS: 104 bytes with the closing zero.
_LONGEST_SOCKET = 103
_RECORD = "embedded.json"


@dataclass(frozen=True)
class Placement:
    """What the commands on one data folder have to agree on.

    Attributes
    ----------
    data_dir : the data folder this was made for; a copied folder is placed anew.
    home : the server's folder, entered by its user only.
    socket : folder of the socket.
    port : number in the socket's name, and TCP port when it listens.
    listens : whether it listens on loopback.
    keeps : whether it stays up without users.
    has_databases : whether the databases have been made.
    """

    data_dir: str
    home: str
    socket: str
    port: int = DEFAULT_PORT
    listens: bool = False
    keeps: bool = False
    has_databases: bool = False

    def changed(self, **changes: object) -> Placement:
        """Give a copy with some values changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def read(data_dir: Path) -> Placement | None:
    """Placement remembered in a data folder; None when there is none for it or its server's folder is gone."""
    try:
        found = Placement(**json.loads((data_dir / _RECORD).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise StorageError(f"{data_dir / _RECORD} is damaged; stop all commands, delete it and start again") from None
    return found if found.data_dir == str(data_dir) and Path(found.home).is_dir() else None


def remember(data_dir: Path, placement: Placement) -> None:
    """Write the placement so that a reader sees the old one or the new one."""
    draft = data_dir / f"{_RECORD}.{os.getpid()}"
    draft.write_text(json.dumps(dataclasses.asdict(placement), indent=1), encoding="utf-8")
    draft.replace(data_dir / _RECORD)


def place(data_dir: Path) -> Placement:
    """Make the server's folder: in the data folder, or where its user can enter when the data folder is private to root."""
    user = server_user()
    home = data_dir / "postgres"
    if not _make_home(home, user):
        name = hashlib.sha256(f"{data_dir}:{secrets.token_hex(8)}".encode()).hexdigest()[:16]
        servers = shared_folder() / "servers"
        servers.mkdir(mode=0o755, exist_ok=True)
        servers.chmod(0o755)
        home = servers / name
        if not _make_home(home, user):
            raise StorageError(f"the embedded Postgres cannot write in {home}; give a database with MARGIN_DATABASE_URL")
    return Placement(str(data_dir), str(home), str(_socket_folder(home, user)))


def with_socket(placement: Placement) -> Placement:
    """Give the placement with a socket folder that is there and the server's own: temporary folders get swept."""
    folder = Path(placement.socket)
    user = server_user()
    if folder.parent == Path(placement.home):
        make_private(folder, user)
        return placement
    if folder.is_dir() and _is_private(folder, user):
        return placement
    return placement.changed(socket=str(_socket_folder(Path(placement.home), user)))


def make_private(folder: Path, user: int | None) -> None:
    """Make a folder that only the server's user (and root) can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        os.chown(folder, user, user)
    folder.chmod(0o700)


def _make_home(home: Path, user: int | None) -> bool:
    existed = home.is_dir()
    make_private(home, user)
    if can_write(home, user):
        return True
    if not existed:
        shutil.rmtree(home, ignore_errors=True)
    return False


def _socket_folder(home: Path, user: int | None) -> Path:
    folder = home / "socket"
    if _fits(folder):
        make_private(folder, user)
        return folder
    for parent in (tempfile.gettempdir(), "/tmp"):
        if _fits(Path(parent) / "margin-12345678"):
            folder = Path(tempfile.mkdtemp(prefix="margin-", dir=parent))
            make_private(folder, user)
            return folder
    raise StorageError("no folder with a path short enough for a socket; set TMPDIR to a short one")


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / ".s.PGSQL.65535")) <= _LONGEST_SOCKET


def _is_private(folder: Path, user: int | None) -> bool:
    found = folder.lstat()
    owner = os.geteuid() if user is None else user
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700
