"""`margin-pipeline backup` and `restore`: both databases into one folder, and back into empty ones. `database backup` is the same.

Belongs here: the call, what a person is told, what the audit log is told. Not here: dumping and restoring (`storage.backup`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.storage import DatabaseUrls

ACTIONS = {
    "backup": "dump results and Dagster's storage into a new folder",
    "restore": "restore a backup into empty databases",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both commands and their options."""
    backup, restore = (subparsers.add_parser(name, help=text, description=text) for name, text in ACTIONS.items())
    backup.add_argument(
        "--to", type=Path, required=True, metavar="PATH", help="new folder, or a folder in which one is made named by the time"
    )
    restore.add_argument("--from", type=Path, required=True, dest="source", metavar="PATH", help="folder that `backup` made")
    for parser in (backup, restore):
        parser.add_argument("--only", choices=("results", "dagster"), help="one of the two databases (default: both)")


def run(args: argparse.Namespace) -> int:
    """Run the command, or the action of `database`; gives the exit status."""
    return _backup(args) if getattr(args, "action", args.command) == "backup" else _restore(args)


def _backup(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import StorageError, audit, backup

    parts = (args.only,) if args.only else backup.PARTS
    with _databases(args.settings, make=False) as urls:
        made = backup.backup(urls, args.to.expanduser().absolute(), parts, told=_tell)
        print(f"{made} is whole; keep it on another machine, and try it there now and then (margin-pipeline restore --from …)")
        if backup.RESULTS in parts:
            try:
                audit.record(urls, "database_backed_up", details={"folder": str(made), "parts": list(parts)})
            except StorageError as error:
                # Whoever backs up may have the right to read only, and has what was asked for.
                print(f"margin-pipeline: the audit log could not take the backup down: {error}", file=sys.stderr)
    return cli.DONE


def _restore(args: argparse.Namespace) -> int:
    from margin_pipeline.storage import abandon_dead, audit, backup, migrations

    parts = (args.only,) if args.only else backup.PARTS
    settings: Settings = args.settings
    source = args.source.expanduser().absolute()
    with _databases(settings, make=args.only != "results") as urls:
        manifest, different = backup.restore(urls, source, parts, told=_tell)
        if different:
            raise cli.StepError(f"{source} was restored, and differs from what was backed up: {'; '.join(different)}")
        if backup.RESULTS in parts:
            about = {"folder": str(source), "made_at": manifest.made_at.isoformat(), "parts": list(parts)}
            migrations.upgrade(urls)
            # Rights belong to the server that the backup is from: where roles limit who sees what, they are set anew.
            if migrations.has_roles(urls):
                migrations.apply_roles(urls)
                print("roles and their rights: applied")
            audit.record(urls, "database_restored", details=about)
            # Whatever ran when the backup was made writes into another database.
            abandoned = abandon_dead(urls, lambda run_id: False)
            print("\n".join(f"calculation {number} was running at the time of the backup: given up" for number in abandoned), end="")
            print("\n" * bool(abandoned), end="")
        if backup.DAGSTER in parts:
            _fail_unfinished_runs(settings, urls)
        newest = f", the newest published date is {manifest.newest_published}" if manifest.newest_published else ""
        print(f"restored what was there at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC{newest}")
    return cli.DONE


def _fail_unfinished_runs(settings: Settings, urls: DatabaseUrls) -> None:
    """Fail the runs that Dagster takes for going on: their processes write elsewhere, and here they would hold the pools for ever."""
    from margin_pipeline.cli import instance
    from margin_pipeline.orchestration import stale_runs

    with instance.open_instance(settings, urls) as dagster_instance:
        for run_id in stale_runs.fail_unfinished_runs(dagster_instance, "It went on when the backup was made that this storage is from."):
            print(f"run {run_id[:8]} went on at the time of the backup: marked as failed")


@contextmanager
def _databases(settings: Settings, *, make: bool) -> Iterator[DatabaseUrls]:
    """The databases, their schema left as it is; on a server that somebody else runs, Dagster's is made if asked for."""
    from margin_pipeline.storage import database_urls, open_database

    if settings.database_url and not make:
        yield database_urls(settings.data_dir, settings.database_url, settings.dagster_database_url)
        return
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url, upgrade=False) as urls:
        yield urls


def _tell(text: str) -> None:
    print(text, flush=True)
