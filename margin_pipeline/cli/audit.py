"""`margin-pipeline audit`: what was done, when and by whom, and whether the log of it is whole.

Belongs here: asking and printing. Not here: how rows are chained (`storage.audit`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.storage import DatabaseUrls

SHOWN = 50


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("audit", help="list or verify the audit log", description=__doc__.splitlines()[0])
    parser.add_argument("--verify", action="store_true", help="recompute the chain of hashes; exit status 1 with the first broken row")
    parser.add_argument("--holds", metavar="HASH", help="with --verify: a hash noted earlier that the log must still have")
    parser.add_argument("--as-of", metavar="DATE", help="rows of a business date, YYYY-MM-DD")
    parser.add_argument("--calculation", type=int, metavar="ID", help="rows of a calculation")
    parser.add_argument("--event", metavar="NAME", help="rows of an event, e.g. calculation_published")
    parser.add_argument("--last", type=int, default=SHOWN, metavar="N", help=f"the newest so many rows, oldest first (default: {SHOWN})")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="how rows are printed (default: table)")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives its exit status."""
    if args.holds and not args.verify:
        raise cli.UsageError("--holds goes with --verify")
    if args.last < 1:
        raise cli.UsageError(f"--last {args.last}: say how many rows, 1 or more")
    from margin_pipeline.cli.published import parse_date
    from margin_pipeline.cli.sql import show
    from margin_pipeline.storage import QueryResult, audit

    date = parse_date(args.as_of) if args.as_of else None
    with _results(args.settings) as urls:
        if args.verify:
            found = audit.verify(urls, args.holds)
            if found.broken:
                raise cli.StepError(f"the audit log is broken after {found.rows} rows: {found.broken}")
            print(f"the audit log is whole: {found.rows} rows, the last hash is {found.last_hash}")
            return cli.DONE
        names, rows = audit.rows(urls, last=args.last, as_of=date, calculation_id=args.calculation, event=args.event)
        show(QueryResult(names, rows, ""), args.format, sys.stdout)
    return cli.DONE


@contextmanager
def _results(settings: Settings) -> Iterator[DatabaseUrls]:
    """The databases, their schema left as it is: an auditor may not change it."""
    from margin_pipeline.storage import database_urls, open_database

    if settings.database_url:
        yield database_urls(settings.data_dir, settings.database_url, settings.dagster_database_url)
        return
    with open_database(settings.data_dir, None, settings.dagster_database_url, upgrade=False) as urls:
        yield urls
