"""`margin-pipeline ui`: Dagster's webserver and daemon on the same storage, on loopback; or the webserver alone, to look.

Belongs here: starting and stopping them together. Not here: definitions.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.storage import DatabaseUrls

STOP_SECONDS = 15
GRACE_SECONDS = 6


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("ui", help="Dagster webserver and daemon (schedules, sensors)", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=3000, help="port on loopback (default: 3000)")
    parser.add_argument("--read-only", action="store_true", help="show only: nothing can be started or changed, no daemon runs")


def run(args: argparse.Namespace) -> int:
    """Run until interrupted; gives the exit status."""
    from margin_pipeline.cli import instance
    from margin_pipeline.cli.run import sample_dates
    from margin_pipeline.storage import open_database

    settings = args.settings
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", args.port))
        except (OSError, OverflowError):
            raise cli.UsageError(f"port {args.port} cannot be used on this machine; choose another with --port") from None
    # Who only looks makes nothing: no sample book, no schema.
    if settings.landing_dir is None and not args.read_only:
        sample_dates(settings)
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url, upgrade=not args.read_only) as urls:
        instance.prepare_home(settings)
        if not args.read_only:
            _forget_the_dead(settings, urls)
        command = _read_only() if args.read_only else _with_daemon()
        command += ["-m", "margin_pipeline.definitions", "-h", "127.0.0.1", "-p", str(args.port)]
        process = subprocess.Popen(
            command,
            env=os.environ | instance.environment(settings),
            cwd=settings.dagster_home,
            process_group=0,
            preexec_fn=_heed_interrupts,
        )
        shown = ", to look only" if args.read_only else ""
        print(f"Dagster at http://127.0.0.1:{args.port}{shown} (stop with Ctrl-C)", flush=True)
        return _wait(process)


def _forget_the_dead(settings: Settings, urls: DatabaseUrls) -> None:
    """Mark runs as failed that ended with the machine, or with a page that was killed: the daemon starts their dates again.

    Opening the instance mends what a fault has left of Dagster's tables, before the daemon sees it.
    """
    from margin_pipeline.cli import instance
    from margin_pipeline.orchestration import stale_runs

    with instance.open_instance(settings, urls) as dagster_instance:
        for run_id in stale_runs.fail_dead_runs(dagster_instance):
            print(f"run {run_id[:8]} had died: marked as failed")


def _with_daemon() -> list[str]:
    # The command is discouraged in favour of one that wants a project of its own layout: nobody here can act on that notice.
    return [sys.executable, "-W", "ignore:Function `dev_command`", "-m", "dagster", "dev"]


def _read_only() -> list[str]:
    # A daemon would start runs; the command for both has no such mode.
    return [sys.executable, "-m", "dagster_webserver", "--read-only"]


def _heed_interrupts() -> None:
    # A shell starts background jobs with interrupts ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Wait until webserver and daemon end; an interrupt or a termination ends them in order, then all at once, then by force.

    Each follows after a while by itself, and at once for whoever asks again.
    """
    # Told to end, it ends its services, which wait for a run; interrupted beside it, they would stop in the middle of what they do.
    ways = ((os.kill, signal.SIGINT, GRACE_SECONDS), (os.killpg, signal.SIGINT, STOP_SECONDS), (os.killpg, signal.SIGKILL, STOP_SECONDS))
    asked: list[int] = []

    def end(number: int, _frame: object) -> None:
        send, what, seconds = ways[min(len(asked), len(ways) - 1)]
        asked.append(number)
        with suppress(ProcessLookupError):
            send(process.pid, what)
        signal.alarm(seconds)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, end)
    status = process.wait()
    signal.alarm(0)
    _end_rest(process.pid)
    # Stopped while they come up, or by force, they give other statuses.
    return cli.DONE if asked or status == 0 else cli.FAILED


def _end_rest(group: int) -> None:
    """End what outlives the process that started it: a run that goes on, a code server that was just coming up."""
    try:
        for number, seconds in ((0, GRACE_SECONDS), (signal.SIGINT, STOP_SECONDS), (signal.SIGKILL, 1)):
            os.killpg(group, number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                os.killpg(group, 0)
                time.sleep(0.1)
    except ProcessLookupError:
        """Nobody is left."""
