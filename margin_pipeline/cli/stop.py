"""`margin-pipeline stop` and `resume`: stop monitoring and automation at once, and let them go on.

Belongs here: the call. Not here: the row that says so (`storage.automation`), who honours it (sensors and schedules).
"""

from __future__ import annotations

import argparse

from margin_pipeline import cli
from margin_pipeline.settings import Settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both commands."""
    stop = subparsers.add_parser("stop", help="stop monitoring and automation at once", description=__doc__.splitlines()[0])
    stop.add_argument("--reason", metavar="TEXT", required=True, help="why; recorded")
    resume = subparsers.add_parser("resume", help="let monitoring and automation go on", description=__doc__.splitlines()[0])
    resume.add_argument("--reason", metavar="TEXT", help="why it can go on; recorded")
    for parser in (stop, resume):
        parser.add_argument("--by", metavar="NAME", help="who; recorded (default: the user of this machine)")


def run(args: argparse.Namespace) -> int:
    """Stop or resume; gives the exit status."""
    from margin_pipeline.storage import automation, open_database

    settings: Settings = args.settings
    who, why = (args.by or cli.user()).strip(), (args.reason or "").strip()
    if not who:
        raise cli.UsageError("--by is empty; say who")
    if args.command == "stop" and not why:
        raise cli.UsageError("--reason is empty; say why")
    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls:
        if args.command == "stop":
            is_new = automation.stop(urls.libpq, who, why)
            standing = automation.standing_stop(urls.libpq)
            if not is_new and standing:
                print(f"stopped already, by {standing.stopped_by} since {standing.stopped_at:%Y-%m-%d %H:%M:%S %Z}: {standing.reason}")
                return cli.DONE
            print("Monitoring and automation are stopped: sensors and schedules start nothing and tell nobody.")
            print("Runs that had started go on; `margin-pipeline ui` shows and ends them. Go on with `margin-pipeline resume`.")
        elif automation.resume(urls.libpq, who, why or None):
            print("Monitoring and automation go on.")
        else:
            print("nothing to do: monitoring and automation are not stopped")
    return cli.DONE
