"""The embedded Postgres of a data folder, shared by all commands that use it.

Belongs here: who starts it, who stops it, what its URLs are. Not here: how a server is made and started (`cluster`).
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from margin_pipeline.storage import placement as placements
from margin_pipeline.storage.binaries import server_user
from margin_pipeline.storage.cluster import SUPERUSER, Cluster
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.locks import FileLock, alone
from margin_pipeline.storage.placement import DEFAULT_PORT, Placement
from margin_pipeline.storage.urls import DAGSTER_SUFFIX, DatabaseUrls

DATABASE = "margin"
# Makers of databases on one server take turns.
_DATABASES_LOCK = 4210_0003


class EmbeddedServer:
    """The Postgres server that lives in a data folder.

    Every user holds a shared lock; whoever finds at its end that it can have the lock alone was the last, and stops the server. The
    operating system frees the locks of killed processes, so none is left behind.

    Parameters
    ----------
    data_dir : the data folder; made when absent.
    options : settings of the server beyond the usual ones, e.g. `{"fsync": "off"}` for tests.
    """

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = Path(os.path.abspath(data_dir))
        self._options = dict(options or {})

    @property
    def urls(self) -> DatabaseUrls:
        """URLs over the server's socket.

        Raises
        ------
        StorageError : no server was ever started in this data folder.
        """
        found = placements.read(self.data_dir)
        if found is None:
            raise StorageError(f"there is no embedded Postgres in {self.data_dir} yet; start it: margin-pipeline database start")
        return _urls(found)

    @property
    def loopback_url(self) -> str | None:
        """URL of the results for other programs on this machine; None unless the server listens. The password is in the file it names."""
        found = placements.read(self.data_dir)
        if found is None or not found.listens:
            return None
        password_file = Cluster(found).password_file
        return f"postgresql://{SUPERUSER}@127.0.0.1:{found.port}/{DATABASE}?passfile={quote(str(password_file), safe='/')}"

    @contextmanager
    def hold(self) -> Iterator[DatabaseUrls]:
        """Use the server: started if it does not run, stopped afterwards if nobody else uses it.

        Raises
        ------
        StorageError : it cannot be made or started here.
        """
        self._make_data_dir()
        users = FileLock(self._path("users"))
        try:
            with alone(self._path("start")):
                users.share()
                found = self._ensure_running()
            yield _urls(found)
        finally:
            with alone(self._path("start")):
                left = placements.read(self.data_dir)
                if users.try_alone() and left is not None and not left.keeps:
                    Cluster(left).stop()
                users.close()

    def start(self, port: int | None = None) -> DatabaseUrls:
        """Start the server and keep it up until `stop`.

        Parameters
        ----------
        port : port on loopback for other programs; None: the socket only.

        Raises
        ------
        StorageError : the port is taken, or commands use the server and it would have to be restarted.
        """
        self._make_data_dir()
        with alone(self._path("start")), self._other_users() as others:
            found = self._placement()
            running = Cluster(found).answers()
            if running and port is not None and not (found.listens and found.port == port):
                if others:
                    raise StorageError(
                        "other commands use the embedded Postgres, which must restart to listen on a port; wait for them or stop them"
                    )
                Cluster(found).stop()
                running = False
            if not running and port is not None:
                _require_free(port)
            found = self._ensure_running(port)
            placements.remember(self.data_dir, found.changed(keeps=True))
        return _urls(found)

    def stop(self) -> bool:
        """Stop the server, or let its last user stop it; gives whether it is down now."""
        if not self.data_dir.is_dir():
            return True
        with alone(self._path("start")), self._other_users() as others:
            found = placements.read(self.data_dir)
            if found is None:
                return True
            placements.remember(self.data_dir, found.changed(keeps=False))
            if not others:
                Cluster(found).stop()
            return not others

    def is_running(self) -> bool:
        """Whether the server runs."""
        found = placements.read(self.data_dir)
        return found is not None and Cluster(found).answers()

    def process(self) -> int | None:
        """Process id of the server; None when it does not run."""
        found = placements.read(self.data_dir)
        return None if found is None else Cluster(found).process()

    def remove(self) -> None:
        """Stop the server and delete all its databases."""
        if not self.stop():
            raise StorageError("other commands use the embedded Postgres; wait for them or stop them")
        found = placements.read(self.data_dir)
        if found is not None:
            for folder in (found.socket, found.home):
                shutil.rmtree(folder, ignore_errors=True)

    def _make_data_dir(self) -> None:
        try:
            if not self.data_dir.is_dir():
                self.data_dir.mkdir(parents=True, exist_ok=True)
                if server_user() is not None:
                    # Entered by the server's user, listed by root alone.
                    self.data_dir.chmod(0o711)
        except OSError as error:
            raise StorageError(
                f"the data folder {self.data_dir} cannot be made: {error.strerror}; set MARGIN_DATA_DIR to another"
            ) from None
        if not os.access(self.data_dir, os.W_OK | os.X_OK):
            raise StorageError(f"the data folder {self.data_dir} cannot be written to; set MARGIN_DATA_DIR to another")

    def _path(self, name: str) -> Path:
        return self.data_dir / f"embedded.{name}.lock"

    @contextmanager
    def _other_users(self) -> Iterator[bool]:
        lock = FileLock(self._path("users"))
        try:
            yield not lock.try_alone()
        finally:
            lock.close()

    def _placement(self) -> Placement:
        found = placements.read(self.data_dir) or placements.place(self.data_dir)
        placements.remember(self.data_dir, found)
        return found

    def _ensure_running(self, port: int | None = None) -> Placement:
        found = self._placement()
        if not Cluster(found).answers():
            found = placements.with_socket(found)
            found = found.changed(port=port or DEFAULT_PORT, listens=port is not None, keeps=False)
            cluster = Cluster(found, self._options)
            cluster.make()
            cluster.start()
            placements.remember(self.data_dir, found)
        if not found.has_databases:
            _make_databases(_urls(found))
            found = found.changed(has_databases=True)
            placements.remember(self.data_dir, found)
        return found


def _urls(found: Placement) -> DatabaseUrls:
    tail = f"?host={quote(found.socket, safe='/')}&port={found.port}"
    return DatabaseUrls(
        f"postgresql://{SUPERUSER}@/{DATABASE}{tail}",
        f"postgresql://{SUPERUSER}@/{DATABASE}{DAGSTER_SUFFIX}{tail}",
    )


def _make_databases(urls: DatabaseUrls) -> None:
    import psycopg

    from margin_pipeline.storage.urls import database_name, with_database

    with psycopg.connect(with_database(urls.libpq, "postgres"), autocommit=True) as connection:
        # The session of a killed command may still be making one: its lock goes when it has ended.
        connection.execute("select pg_advisory_lock(%s)", (_DATABASES_LOCK,))
        present = {name for (name,) in connection.execute("select datname from pg_database")}
        for name in (database_name(urls.libpq), database_name(urls.dagster_libpq)):
            if name not in present:
                connection.execute(f'create database "{name}"')


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise StorageError(f"port {port} cannot be used on this machine; choose another with --port") from None
