"""File locks between the commands that share an embedded server.

Belongs here: advisory locks on files of one machine. Not here: locks inside the database.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """One holder's advisory lock on a file; freed by the operating system when the process dies, however it dies.

    The descriptor is not inherited by child processes, so a server or worker that outlives its command keeps nobody's lock.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def share(self) -> None:
        """Hold it together with others; waits while somebody holds it alone."""
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def try_alone(self) -> bool:
        """Hold it alone if nobody else does; whatever was held may be lost when somebody does."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def alone(self) -> None:
        """Hold it alone; waits for all others."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def close(self) -> None:
        """Let go."""
        os.close(self._descriptor)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Do something that no other process does at the same time."""
    lock = FileLock(path)
    try:
        lock.alone()
        yield
    finally:
        lock.close()
