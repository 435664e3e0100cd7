"""`margin-pipeline health`: whether the pipeline is healthy, as an exit status; one line a check.

Belongs here: looking in order, printing. Not here: what is healthy (`orchestration.health`), wording (`reports.findings`).
"""

from __future__ import annotations

import argparse
import datetime as dt
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.reports.findings import Finding
    from margin_pipeline.storage import DatabaseUrls


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("health", help="exit status 0: healthy, 1: not", description=__doc__.splitlines()[0])
    parser.add_argument("--daemon", action="store_true", help="a daemon is expected: it must be alive, its sensors ticking, alerts told")
    parser.add_argument("--audit", action="store_true", help="verify the audit log, too; takes longer the longer it is")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how it is printed (default: table)")


def run(args: argparse.Namespace) -> int:
    """Look and judge; gives the exit status."""
    from margin_pipeline.reports import findings

    found = _look(args.settings, daemon=args.daemon, audit_log=args.audit)
    print(findings.as_json(found) if args.format == "json" else findings.lines(found))
    return cli.DONE if findings.is_healthy(found) else cli.FAILED


def _look(settings: Settings, *, daemon: bool, audit_log: bool) -> list[Finding]:
    from margin_pipeline.cli import operations
    from margin_pipeline.reports.findings import FAILED, OK, Finding
    from margin_pipeline.storage import StorageError, status

    found: list[Finding] = []
    try:
        with operations.databases(settings) as urls:
            from margin_pipeline.orchestration import health

            applied = health.migrations(status(urls))
            found = [Finding("database", OK, urls.safe), applied]
            # Of another schema nothing more can be asked.
            if applied.state == OK:
                found += _of_the_database(settings, urls, daemon)
                found += [_audit_log(urls)] if audit_log else []
    except StorageError as error:
        place = "database" if not found else "reading"
        found.append(Finding(place, FAILED, str(error), "start it, or mend MARGIN_DATABASE_URL" if place == "database" else ""))
    return found


def _of_the_database(settings: Settings, urls: DatabaseUrls, daemon: bool) -> list[Finding]:
    from margin_pipeline.cli import operations
    from margin_pipeline.orchestration import deadline, health
    from margin_pipeline.storage.dagster_state import dagster_state
    from margin_pipeline.storage.operations import pipeline_status, running_calculations

    row = pipeline_status(urls)
    running = running_calculations(urls)
    now: dt.datetime = row["seen_at"]
    dagster = dagster_state(urls, [calculation.run_id for calculation in running])
    free, _ = operations.disk(settings)
    seen = health.Seen(now, row, deadline.due_session(settings.calendar, now), running, dagster, free)
    return health.judged(seen, daemon=daemon)


def _audit_log(urls: DatabaseUrls) -> Finding:
    from margin_pipeline.reports.findings import FAILED, OK, Finding
    from margin_pipeline.storage import audit

    verified = audit.verify(urls)
    if verified.broken:
        told = f"broken after {verified.rows} rows: {verified.broken}"
        return Finding("audit log", FAILED, told, "keep the database as it is and find out who could change it")
    return Finding("audit log", OK, f"whole: {verified.rows} rows, the last hash is {verified.last_hash}")
