"""`margin-pipeline metrics`: metrics in the text format of Prometheus, once or on a port of loopback.

Belongs here: the call, the HTTP server. Not here: what is measured (`margin.pipeline_metrics`), its text (`reports.exposition`).
"""

from __future__ import annotations

import argparse
import http.server
import sys
import time
from typing import TYPE_CHECKING

from margin_pipeline import cli

if TYPE_CHECKING:
    from margin_pipeline.storage import DatabaseUrls
    from margin_pipeline.storage.operations import Sample

LOOPBACK = "127.0.0.1"
CLIENT_SECONDS = 10


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("metrics", help="metrics for Prometheus", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, help="serve them at this port of loopback until interrupted (default: print them once)")


def run(args: argparse.Namespace) -> int:
    """Print or serve; gives the exit status."""
    from margin_pipeline.cli import operations

    with operations.databases(args.settings) as urls:
        if args.port is None:
            print(text(urls), end="")
            return cli.DONE
        return _serve(urls, args.port)


def text(urls: DatabaseUrls) -> str:
    """All metrics, as they are now; whether they could be read is the first of them.

    Raises
    ------
    StorageError : the database cannot be read.
    """
    from margin_pipeline.reports import exposition
    from margin_pipeline.storage import operations
    from margin_pipeline.storage.dagster_state import dagster_state

    started = time.perf_counter()
    samples = [*operations.metrics(urls), *exposition.dagster_samples(dagster_state(urls), time.time())]
    took = operations.Sample("scrape_seconds", "gauge", "Seconds that reading these took.", {}, time.perf_counter() - started)
    return exposition.exposition([_up(True), *samples, took])


def _up(reachable: bool) -> Sample:
    from margin_pipeline.storage.operations import Sample

    return Sample("up", "gauge", "1: the database could be read, 0: it could not, and nothing else is known.", {}, float(reachable))


def _serve(urls: DatabaseUrls, port: int) -> int:
    try:
        server = http.server.ThreadingHTTPServer((LOOPBACK, port), handler(urls))
    except (OSError, OverflowError):
        raise cli.UsageError(f"port {port} cannot be used on this machine; choose another with --port") from None
    with server:
        print(f"metrics at http://{LOOPBACK}:{server.server_port}/metrics (stop with Ctrl-C)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return cli.DONE
    return cli.DONE


def handler(urls: DatabaseUrls) -> type[http.server.BaseHTTPRequestHandler]:
    """Handler of requests: `/metrics`, and nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in ("/metrics", "/"):
                self.send_error(404, "metrics are at /metrics")
                return
            body = _scraped(urls).encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Quiet: scrapes come every few seconds."""

    from margin_pipeline.reports.exposition import CONTENT_TYPE

    return Handler


def _scraped(urls: DatabaseUrls) -> str:
    from margin_pipeline.reports import exposition
    from margin_pipeline.storage import StorageError

    try:
        return text(urls)
    except StorageError as error:
        # Said as a metric, so that the alarm is on the pipeline and not on its exporter.
        print(f"margin-pipeline: {error}", file=sys.stderr, flush=True)
        return exposition.exposition([_up(False)])
