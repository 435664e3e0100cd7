"""One Postgres cluster on this machine: made, started, stopped.

Belongs here: initdb and pg_ctl, their traps, what the server's log says. Not here: who may stop it when (`embedded`).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from margin_pipeline.storage.binaries import find_binaries, run, server_user
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.placement import Placement

SUPERUSER = "postgres"
_PATIENCE_SECONDS = 60.0
_LONGEST_LOG_BYTES = 10_000_000

# What is stored can be computed again from the landing zone, so a power failure may cost the last commits (never
# consistency): the commits of a run need not wait for the disk.
_CONFIGURATION = {
    "synchronous_commit": "off",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class Cluster:
    """A placed cluster; its caller makes sure that one process at a time changes it."""

    def __init__(self, placement: Placement, options: Mapping[str, str] | None = None) -> None:
        self.placement = placement
        self.home = Path(placement.home)
        self.data = self.home / "data"
        self.log = self.home / "server.log"
        self.password_file = self.home / "pgpass"
        self._options = dict(options or {})
        self._user = server_user()
        self._found: Path | None = None

    @property
    def binaries(self) -> Path:
        """Folder of binaries that the server's user can run."""
        if self._found is None:
            self._found = find_binaries(self._user)
        return self._found

    def answers(self) -> bool:
        """Whether the server accepts connections; waits for one that is starting, recovering or stopping."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._socket_is_open():
            ready = run([self.binaries / "pg_isready", "-q", "-h", self.placement.socket, "-p", str(self.placement.port)], None)
            if ready.returncode == 0:
                return True
            if time.monotonic() > deadline:
                raise StorageError(f"the embedded Postgres does not accept connections; see {self.log}")
            time.sleep(0.05)
        return False

    def make(self) -> None:
        """Make the cluster if there is none: aside first, so that a kill leaves none or a whole one."""
        if self.data.is_dir():
            return
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        given = self._write(self.home / "password.new", password + "\n")
        command: list[str | os.PathLike[str]] = [self.binaries / "initdb", "-D", draft, "-U", SUPERUSER, "--encoding=UTF8", "--locale=C"]
        command += ["--no-instructions", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={given}"]
        command += ["--no-sync"] if self._options.get("fsync") == "off" else []
        made = run(command, self._user, output=True)
        given.unlink()
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise StorageError(f"the embedded Postgres could not be made in {self.home}: {_last_line(made.stdout)}")
        with (draft / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.write("\ninclude 'embedded.conf'\n")
        # Over TCP a password is asked for; this file, private to its owner, is where libpq finds it.
        self._write(self.password_file, f"127.0.0.1:*:*:{SUPERUSER}:{password}\n")
        draft.rename(self.data)

    def start(self) -> None:
        """Start the server.

        Raises
        ------
        StorageError : it did not start; the message has the reason from its log.
        """
        self._forget_dead_server()
        listen = "127.0.0.1" if self.placement.listens else ""
        settings = _CONFIGURATION | self._options
        settings |= {"listen_addresses": listen, "port": str(self.placement.port), "unix_socket_directories": f'"{self.placement.socket}"'}
        text = "".join(f"{name} = '{_quoted(value)}'\n" for name, value in settings.items())
        self._write(self.data / "embedded.conf", text)
        if self.log.exists() and self.log.stat().st_size > _LONGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            before = self.log.stat().st_size if self.log.exists() else 0
            # -w: pg_ctl waits until connections are accepted; it and the server get no pipe of ours to hold open.
            started = run([self.binaries / "pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "120", "start"], self._user)
            if started.returncode == 0:
                return
            said = self._log_since(before)
            # Children of a killed server take a moment to notice; until then its shared memory is in use.
            if "still in use" not in said or time.monotonic() > deadline:
                raise StorageError(f"the embedded Postgres did not start: {_last_line(said)} (more in {self.log})")
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the server, whoever is connected."""
        # A killed server leaves its pid file.
        if self.process() is None:
            return
        for mode in ("fast", "immediate"):
            done = run([self.binaries / "pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop"], self._user)
            if done.returncode == 0 or self.process() is None:
                return
        raise StorageError(f"the embedded Postgres does not stop; see {self.log}")

    def process(self) -> int | None:
        """Process id of the running server; None when it does not run."""
        try:
            found = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        return found if self._is_ours(found) else None

    def _forget_dead_server(self) -> None:
        # A killed server leaves its pid file, and its number may belong to another program by now: Postgres would refuse to start.
        if self.process() is None:
            leftovers = [self.data / "postmaster.pid", *Path(self.placement.socket).glob(".s.PGSQL.*")]
            for leftover in leftovers:
                leftover.unlink(missing_ok=True)

    def _is_ours(self, process: int) -> bool:
        command_line = Path(f"/proc/{process}/cmdline")
        if Path("/proc/self/cmdline").exists():
            try:
                arguments = command_line.read_bytes().split(b"\0")
            except OSError:
                return False
            return os.fsencode(self.data) in arguments
        listed = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(process)], capture_output=True, text=True, check=False)
        return str(self.data) in listed.stdout

    def _socket_is_open(self) -> bool:
        path = os.path.join(self.placement.socket, f".s.PGSQL.{self.placement.port}")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
            except OSError:
                return False
        return True

    def _write(self, path: Path, text: str) -> Path:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            if self._user is not None:
                os.fchown(file.fileno(), self._user, self._user)
            file.write(text)
        return path

    def _log_since(self, position: int) -> str:
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as log:
            log.seek(position)
            return log.read().decode(errors="replace")
        return ""


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:", "ERROR"))]
    return (telling or lines or ["no reason given"])[0 if telling else -1]
