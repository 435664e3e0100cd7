"""Schedules: the chain after the close, and an alert when the date is not published by its deadline.

Belongs here: when things run on their own. Not here: sensors.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import dagster as dg

from margin_pipeline.orchestration import due_runs
from margin_pipeline.orchestration.jobs import CHAIN
from margin_pipeline.orchestration.resources import LandingZone, ResultStore, Rules

CHAIN_AT = "30 17 * * 1-5"
DEADLINE_AT = "0 19 * * 1-5"
TIMEZONE = "America/New_York"


def _session(context: dg.ScheduleEvaluationContext, rules: Rules) -> dt.date | None:
    date = context.scheduled_execution_time.astimezone(ZoneInfo(TIMEZONE)).date()
    return date if rules.is_session(date) else None


@dg.schedule(job_name=CHAIN, cron_schedule=CHAIN_AT, execution_timezone=TIMEZONE, default_status=dg.DefaultScheduleStatus.RUNNING)
def after_the_close(
    context: dg.ScheduleEvaluationContext,
    store: dg.ResourceParam[ResultStore],
    rules: dg.ResourceParam[Rules],
    landing_zone: dg.ResourceParam[LandingZone],
) -> dg.RunRequest | dg.SkipReason:
    """Runs the chain of the session that has just closed, unless it has been published from the same files already."""
    if stopped := store.standing_stop():
        return dg.SkipReason(stopped)
    date = _session(context, rules)
    if date is None:
        return dg.SkipReason("the exchange was closed today")
    missing = landing_zone.missing_files(date)
    if missing:
        return dg.SkipReason(f"waiting for {', '.join(missing)} of {date}")
    content = landing_zone.fingerprint(date)
    if store.is_published_from(date, content):
        return dg.SkipReason(f"{date} has been published from the same files")
    return due_runs.of_files(context.instance, store, date, content)


@dg.op(required_resource_keys={"store"}, config_schema={"as_of": str})
def alert_when_not_published(context: dg.OpExecutionContext) -> None:
    """Raises an alert that a date has not been published; clears it when it has."""
    as_of = dt.date.fromisoformat(context.op_config["as_of"])
    context.log.info(context.resources.store.watch_publication(as_of))


@dg.job(description="Raises an alert when a business date is not published by its deadline.", executor_def=dg.in_process_executor)
def publication_deadline() -> None:
    """One operation."""
    alert_when_not_published()


@dg.schedule(
    job=publication_deadline, cron_schedule=DEADLINE_AT, execution_timezone=TIMEZONE, default_status=dg.DefaultScheduleStatus.RUNNING
)
def at_the_deadline(
    context: dg.ScheduleEvaluationContext, store: dg.ResourceParam[ResultStore], rules: dg.ResourceParam[Rules]
) -> dg.RunRequest | dg.SkipReason:
    """Checks at 19:00 whether the session of the day is published, and alerts when it is not."""
    if stopped := store.standing_stop():
        return dg.SkipReason(stopped)
    date = _session(context, rules)
    if date is None:
        return dg.SkipReason("the exchange was closed today")
    return dg.RunRequest(
        run_key=date.isoformat(), run_config={"ops": {"alert_when_not_published": {"config": {"as_of": date.isoformat()}}}}
    )
