"""`margin-pipeline ui`: Dagster's webserver and daemon on the same storage, on loopback.

Belongs here: starting and stopping them together. Not here: definitions.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys

from margin_pipeline import cli


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("ui", help="Dagster webserver and daemon (schedules, sensors)", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=3000, help="port on loopback (default: 3000)")


def run(args: argparse.Namespace) -> int:
    """Run until interrupted; gives the exit status."""
    from margin_pipeline.cli import instance
    from margin_pipeline.sample import write_sample
    from margin_pipeline.storage import open_database

    settings = args.settings
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", args.port))
        except (OSError, OverflowError):
            raise cli.UsageError(f"port {args.port} cannot be used on this machine; choose another with --port") from None
    if settings.landing_dir is None:
        write_sample(settings.sample_dir)
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url):
        instance.prepare_home(settings)
        command = [sys.executable, "-m", "dagster", "dev", "-m", "margin_pipeline.definitions", "-h", "127.0.0.1", "-p", str(args.port)]
        process = subprocess.Popen(command, env=os.environ | instance.environment(settings), cwd=settings.dagster_home)
        print(f"Dagster at http://127.0.0.1:{args.port} (stop with Ctrl-C)", flush=True)
        return _wait(process)


def _wait(process: subprocess.Popen[bytes]) -> int:
    def pass_on(number: int, _frame: object) -> None:
        process.send_signal(signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    status = process.wait()
    return cli.DONE if status in (0, -signal.SIGINT, 130) else cli.FAILED
