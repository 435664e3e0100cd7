"""A proxy before a Postgres server that cuts connections in the middle of what they send.

Belongs here: the proxy, on loopback. Not here: tests.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

from margin_pipeline.storage.urls import DatabaseUrls, database_name

_CHUNK = 4096


class SeveringProxy:
    """Listens on loopback, passes everything on to a server's socket, and cuts every connection when a count of bytes has been sent.

    Parameters
    ----------
    urls : databases of the server behind it, reached over a socket file.
    """

    def __init__(self, urls: DatabaseUrls) -> None:
        parts = conninfo_to_dict(urls.libpq)
        self._behind = f"{parts['host']}/.s.PGSQL.{parts['port']}"
        self._lock = threading.Lock()
        self._left: int | None = None
        self._open: list[socket.socket] = []
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.urls = DatabaseUrls(
            *(
                f"postgresql://postgres@127.0.0.1:{port}/{database_name(url)}?sslmode=disable&gssencmode=disable"
                for url in (urls.libpq, urls.dagster_libpq)
            )
        )

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
        self._cut()

    def cut_after(self, sent: int) -> None:
        """Cut all connections once clients have sent so many bytes more; connections after that are let through."""
        with self._lock:
            self._left = sent

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._behind)
                with self._lock:
                    self._open += [client, server]
                for source, sink, counts in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(source, sink, counts), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if counts and self._is_over(len(data)):
                    # Half of it arrives: the middle of a message.
                    sink.sendall(data[: len(data) // 2])
                    self._cut()
                    return
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _is_over(self, count: int) -> bool:
        with self._lock:
            if self._left is None:
                return False
            self._left -= count
            if self._left > 0:
                return False
            self._left = None
            self.cuts += 1
            return True

    def _cut(self) -> None:
        with self._lock:
            connections, self._open = self._open, []
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
