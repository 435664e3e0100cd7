"""`margin-pipeline worker`: a Celery worker that runs what Dagster hands to the broker.

Belongs here: starting one with the same home, databases and landing zone as the other commands. Not here: tasks and queues.
"""

from __future__ import annotations

import argparse
import importlib.util
import os

from margin_pipeline import cli


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("worker", help="runs dates that are handed out by Redis", description=__doc__.splitlines()[0])
    parser.add_argument("--queues", default="dagster,heavy", metavar="NAME,…", help="queues it takes runs from (default: dagster,heavy)")
    parser.add_argument("--name", default=f"worker-{os.getpid()}", help="name, unlike that of any other worker of this machine")
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="runs at once, each in a process of its own (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Run until interrupted, the run in hand finished first; gives the exit status."""
    settings = args.settings
    if settings.dagster_config is None:
        raise cli.UsageError("workers need Dagster's configuration for Celery: export MARGIN_DAGSTER_CONFIG=deploy/dagster-celery.yaml")
    if missing := [name for name in ("celery", "redis", "dagster_celery") if importlib.util.find_spec(name) is None]:
        raise cli.UsageError(f"{', '.join(missing)} is not installed; pip install --require-hashes -r requirements/celery.lock")
    if args.at_once < 1:
        raise cli.UsageError(f"--at-once {args.at_once}: at least one run at once is needed")
    from margin_pipeline.cli import instance
    from margin_pipeline.storage import open_database

    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls:
        # Opened once and closed before any process is forked: workers that make Dagster's tables at once would fail each other.
        with instance.open_instance(settings, urls):
            pass
        from margin_pipeline.orchestration.celery_worker import app

        # Neither is of use to workers that share nothing but the broker.
        alone = ["--without-gossip", "--without-mingle"]
        app.worker_main(["worker", "-Q", args.queues, "-n", f"{args.name}@%h", "-c", str(args.at_once), "-l", "WARNING", *alone])
    return cli.DONE
