"""`margin-pipeline run`: the whole chain for one business date, or for all dates of the sample book.

Belongs here: choosing dates, running the job in this process, telling a person how it went. Not here: the chain.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from margin_pipeline import cli
from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from margin_pipeline.storage import DatabaseUrls


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("run", help="materialise the whole chain of a business date", description=__doc__.splitlines()[0])
    parser.add_argument("--landing", type=Path, metavar="DIR", help="landing zone (default: MARGIN_LANDING_DIR, else the sample book)")
    parser.add_argument("--as-of", metavar="DATE", help="business date, YYYY-MM-DD (default: the newest folder; of the sample book, all)")
    parser.add_argument("--at", metavar="INSTANT", help="time of day that intraday rules use, ISO 8601 (default: after the close)")
    parser.add_argument(
        "--parameters-of",
        type=int,
        metavar="CALCULATION",
        help="calculation_id whose stored parameters are used instead of the shipped ones (with --as-of)",
    )
    parser.add_argument("--database-url", metavar="URL", help="results database (default: MARGIN_DATABASE_URL, else the embedded Postgres)")


def run(args: argparse.Namespace) -> int:
    """Run the command; gives its exit status."""
    if args.parameters_of is not None and not args.as_of:
        raise cli.UsageError("--parameters-of goes with one date: say --as-of DATE, too")
    settings = _settings(args)
    dates = _dates(args, settings)
    at = _instant(args.at)
    from margin_pipeline.storage import open_database

    with open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls:
        from margin_pipeline.orchestration.dagster_storage import is_lost

        try:
            statuses = _run_dates(settings, dates, at, urls, args.parameters_of)
        except Exception as error:
            if not is_lost(error):
                raise
            reason = str(error.__cause__ or error).splitlines()[0]
            raise cli.StepError(f"the database went away ({reason}); nothing half written is visible, run it again") from None
    # A step that failed weighs more than files that cannot be used.
    return cli.FAILED if cli.FAILED in statuses.values() else max(statuses.values())


def _settings(args: argparse.Namespace) -> Settings:
    changes: dict[str, object] = {}
    if args.landing:
        changes["landing_dir"] = args.landing.expanduser().resolve()
    if args.database_url:
        changes["database_url"] = args.database_url
    return dataclasses.replace(args.settings, **changes)


def _dates(args: argparse.Namespace, settings: Settings) -> list[dt.date]:
    from margin_pipeline.landing import list_folders

    asked = _date(args.as_of) if args.as_of else None
    if settings.landing_dir is None:
        dates = sample_dates(settings)
    elif settings.landing_dir.is_dir():
        dates = list_folders(settings.landing_dir)[-1:]
    else:
        raise cli.UsageError(f"there is no landing zone {settings.landing_dir}; make it, with a folder YYYY-MM-DD for each date")
    if asked:
        dates = [asked]
    if not dates:
        raise cli.UsageError(f"{settings.landing_dir} holds no folder named YYYY-MM-DD; see docs/input_files.md")
    _require_sessions(dates, settings)
    for date in dates:
        if not (settings.landing_zone / date.isoformat()).is_dir():
            raise cli.UsageError(f"there is no folder {settings.landing_zone / date.isoformat()}; put the files of the date there")
    return dates


def sample_dates(settings: Settings) -> list[dt.date]:
    """Dates of the sample book, whose folders are written when this version of the code has not written them yet."""
    from margin_pipeline.orchestration.code_version import code_version
    from margin_pipeline.sample import SAMPLE_DATES, write_sample

    stamp = settings.sample_dir / ".written_by"
    is_there = all((settings.sample_dir / date.isoformat()).is_dir() for date in SAMPLE_DATES)
    if not (is_there and stamp.is_file() and stamp.read_text(encoding="utf-8") == code_version()):
        write_sample(settings.sample_dir)
        stamp.write_text(code_version(), encoding="utf-8")
    return list(SAMPLE_DATES)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise cli.UsageError(f"--as-of {text} is not a date; write YYYY-MM-DD") from None


def _instant(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        raise cli.UsageError(f"--at {text} is not an instant; write e.g. 2022-12-28T15:30:00-05:00") from None
    if instant.tzinfo is None:
        raise cli.UsageError(f"--at {text} has no time zone; write e.g. {text}-05:00 or {text}Z")
    return instant


def _require_sessions(dates: list[dt.date], settings: Settings) -> None:
    from margin_pipeline.orchestration.partitions import is_session

    today = dt.datetime.now(dt.UTC).date()
    for date in dates:
        if date > today:
            raise cli.UsageError(f"{date} is in the future")
        if not is_session(settings.calendar, date, today):
            raise cli.UsageError(f"{date} is not a session of {settings.calendar}; choose a business date from 1990 on")


def _run_dates(
    settings: Settings, dates: list[dt.date], at: dt.datetime | None, urls: DatabaseUrls, parameters_of: int | None = None
) -> dict[dt.date, int]:
    from margin_pipeline import definitions
    from margin_pipeline.cli import instance
    from margin_pipeline.compute import collect_rarely
    from margin_pipeline.orchestration import jobs, stale_runs
    from margin_pipeline.reports import summary
    from margin_pipeline.storage import parameter_sets

    if parameters_of is not None:
        # One that cannot be used is said before anything starts.
        print(
            f"{len(parameter_sets.stored(urls, parameters_of))} parameter sets of calculation {parameters_of} stand in for the shipped ones"
        )
    tags = _tags(at, parameters_of)
    statuses = {}
    with instance.open_instance(settings, urls) as dagster_instance:
        for run_id in stale_runs.fail_dead_runs(dagster_instance):
            print(f"run {run_id[:8]} of an earlier command had died: marked as failed")
        built = definitions.build_defs(settings, urls=urls)
        store = built.resources["store"]
        store.abandon_dead(lambda run_id: stale_runs.run_is_alive(dagster_instance, run_id))
        collect_rarely()
        job = built.resolve_job_def(jobs.CHAIN)
        for date in dates:
            started = time.perf_counter()
            result = _execute(job, dagster_instance, date, tags)
            print(f"{date} {'done' if result.success else 'FAILED'} in {time.perf_counter() - started:.1f} s", flush=True)
            if cli.was_interrupted():
                raise KeyboardInterrupt
            statuses[date] = cli.DONE if result.success else _explain_failure(result)
        published = [date for date in dates if statuses[date] == cli.DONE]
        if published:
            print(summary.describe_date(store, published[-1], alerts=True))
        if published == dates:
            print(summary.next_steps(settings.landing_dir is None, in_checkout=Path("sql/queries").is_dir()))
    return statuses


def _tags(at: dt.datetime | None, parameters_of: int | None) -> dict[str, str]:
    from margin_pipeline.orchestration import stale_runs
    from margin_pipeline.orchestration.run_tags import AT_TAG, PARAMETERS_OF_TAG

    tags = dict(stale_runs.own_tags())
    if at:
        tags[AT_TAG] = at.isoformat()
    if parameters_of is not None:
        tags[PARAMETERS_OF_TAG] = str(parameters_of)
    return tags


def _execute(job: dg.JobDefinition, instance: dg.DagsterInstance, date: dt.date, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    from margin_pipeline.cli import progress

    # The console logger prints dozens of lines for one failing asset; the event log keeps them all.
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    run_id = str(uuid.uuid4())
    with progress.Progress(date.isoformat(), len(job.nodes), sys.stdout) as shown:
        # Every event of the run passes here in this process anyway: listening costs nothing, asking the event log would.
        instance.add_event_listener(run_id, progress.listener(shown))
        return job.execute_in_process(
            instance=instance, partition_key=date.isoformat(), tags=tags, run_config=quiet, run_id=run_id, raise_on_error=False
        )


def _explain_failure(result: dg.ExecuteInProcessResult) -> int:
    """Say why a date failed; gives the exit status: unusable when its files are the cause."""
    from margin_pipeline.orchestration.assets.landing import UNUSABLE_INPUT

    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    if failures and all(data.user_failure_data and UNUSABLE_INPUT in (data.user_failure_data.metadata or {}) for data in failures):
        for data in failures:
            for line in (data.user_failure_data.description or "").splitlines():
                print(f"margin-pipeline: {line}", file=sys.stderr)
        print("  Nothing of it was published. Mend the files and run it again.")
        return cli.UNUSABLE
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            error = data.error.cause if data.error and data.error.cause and not data.user_failure_data else data.error
            reason = (data.user_failure_data.description if data.user_failure_data else None) or (
                error.message.strip() if error else "unknown"
            )
            print(f"  step {event.step_key}: {reason}")
    print(f"  {_what_became_of_it(result)} Mend the cause and run it again.")
    print(f"  The log of run {result.run_id[:8]} in `margin-pipeline ui` has more.")
    return cli.FAILED


def _what_became_of_it(result: dg.ExecuteInProcessResult) -> str:
    from margin_pipeline.orchestration.assets.publication import PUBLICATION

    if any(event.is_step_success and event.step_key == PUBLICATION for event in result.all_events):
        return "The date is published, with all its tables; what failed comes after that."
    return "Nothing of it was published."
