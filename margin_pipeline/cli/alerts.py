"""`margin-pipeline alerts`: open alerts, their history, and taking note of them.

Belongs here: the call. Not here: when an alert is raised (`decisions`), its rows (`storage.alerts`).
"""

from __future__ import annotations

import argparse
import sys

from margin_pipeline import cli
from margin_pipeline.cli.sql import show

OPEN = "select alert_id, as_of, portfolio_id, severity, kind, subject, observed, message, acknowledged_by from margin.open_alerts"
HISTORY = (
    "select alert_id, portfolio_id, severity, kind, subject, threshold, observed, raised_at, cleared_at, acknowledged_by, message"
    " from margin.alerts order by raised_at, alert_id"
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("alerts", help="open alerts; take note of them", description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="cleared ones too, oldest first")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="how they are printed (default: table)")
    parser.add_argument("--acknowledge", type=int, nargs="+", metavar="ID", help="take note of these alerts")
    parser.add_argument("--by", metavar="NAME", help="who takes note; recorded (default: the user of this machine)")
    parser.add_argument("--note", metavar="TEXT", help="what is done about it; recorded")


def run(args: argparse.Namespace) -> int:
    """Show alerts or take note of them; gives the exit status."""
    from margin_pipeline.storage import QuerySession, alerts, open_database

    settings = args.settings
    who = (args.by or cli.user()).strip()
    if args.acknowledge and not who:
        raise cli.UsageError("--by is empty; say who takes note")
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls:
        if args.acknowledge:
            missed = [number for number in args.acknowledge if not alerts.acknowledge(urls.libpq, number, who, args.note)]
            if missed:
                numbers = ", ".join(map(str, missed))
                raise cli.UsageError(f"no alert that nobody has taken note of: {numbers}; see margin-pipeline alerts --all")
            print(f"{who} has taken note of {len(args.acknowledge)}")
            return cli.DONE
        with QuerySession(urls) as session:
            show(session.run(HISTORY if args.all else OPEN), args.format, sys.stdout)
    return cli.DONE
