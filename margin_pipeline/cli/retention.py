"""`margin-pipeline retention`: drops the months that nobody keeps; without --execute it only says which.

Belongs here: the cut-off, and printing the plan. Not here: dropping (`storage.retention`).
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.storage.retention import Plan

UNITS = ("B", "kB", "MB", "GB", "TB")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("retention", help="drop months of rows that nobody keeps", description=__doc__.splitlines()[0])
    cut_off = parser.add_mutually_exclusive_group()
    cut_off.add_argument("--keep-days", type=int, metavar="N", help="keep the last N days (default: MARGIN_RETENTION_DAYS)")
    cut_off.add_argument("--before", metavar="DATE", help="drop months that lie wholly before this date, YYYY-MM-DD")
    parser.add_argument("--execute", action="store_true", help="drop them; without it nothing is changed")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives its exit status."""
    before = _cut_off(args)
    from margin_pipeline.definitions import longest_histories
    from margin_pipeline.storage import open_database, retention

    settings: Settings = args.settings
    exempt = retention.exempt_tables(longest_histories())
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls:
        found = retention.execute(urls, before, exempt) if args.execute else retention.plan(urls, before, exempt)
    print("\n".join(described(found, done=args.execute)))
    return cli.DONE


def _cut_off(args: argparse.Namespace) -> dt.date:
    from margin_pipeline.cli.published import parse_date

    if args.before:
        return parse_date(args.before, "--before")
    days = args.settings.retention_days if args.keep_days is None else args.keep_days
    if days is None:
        raise cli.UsageError("rows are kept for ever; say --keep-days N or --before DATE, or set MARGIN_RETENTION_DAYS")
    if days < 1:
        raise cli.UsageError(f"--keep-days {days}: say how many days are kept, 1 or more")
    return dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days)


def described(plan: Plan, *, done: bool) -> Iterator[str]:
    """Say what was dropped, or would be, and what stays and why."""
    going = [partition for partition in plan.dropped if partition.rows]
    verb = "dropped" if done else "would drop"
    for month, partitions in groupby(going, key=lambda partition: partition.first_day):
        yield f"{month:%Y-%m}: {verb}"
        for partition in partitions:
            yield f"  {partition.table:<36} {partition.rows:>12,} rows {_size(partition.bytes):>10}"
    rows, size = sum(partition.rows for partition in going), sum(partition.bytes for partition in going)
    if going:
        yield f"{verb} {len(going)} partitions, {rows:,} rows, {_size(size)} of months before {plan.before}"
    else:
        yield f"nothing to drop: no month before {plan.before} holds rows that may go"
    kept = [partition for partition in plan.partitions if partition.kept_because and partition.rows]
    for reason, partitions in groupby(sorted(kept, key=lambda p: (str(p.kept_because), p.table, p.first_day)), lambda p: p.kept_because):
        # Where a whole month stays, its tables are many.
        found = list(partitions)
        tables = list(dict.fromkeys(partition.table for partition in found))
        months = sorted({f"{partition.first_day:%Y-%m}" for partition in found})
        shown = ", ".join(tables[:8]) + (f" and {len(tables) - 8} more tables" if len(tables) > 8 else "")
        yield f"kept: {shown} of {months[0]}{f' to {months[-1]}' if len(months) > 1 else ''} ({reason})"
    yield (
        f"kept: {plan.later_months} later month{'' if plan.later_months == 1 else 's'} (not wholly before {plan.before}), the audit log, "
        "calculations, alerts and parameters; files of landing zone and reports are left alone"
    )
    if going and not done:
        yield "Nothing was changed. Say --execute to drop them."


def _size(count: float) -> str:
    for unit in UNITS:
        if count < 1000 or unit == UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
