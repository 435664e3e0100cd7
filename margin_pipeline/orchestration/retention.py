"""Retention on its own: a job that drops months that nobody keeps, and the week's schedule for it, which somebody has to switch on.

Belongs here: job and schedule, made only where a setting says how long rows are kept. Not here: dropping (`storage.retention`).
"""

import datetime as dt
from typing import Any

import dagster as dg

from margin_pipeline.orchestration.result_store import ResultStore

WEEKLY = "0 6 * * 6"
TIMEZONE = "America/New_York"


def build_retention(keep_days: int) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """Job and schedule that keep the last days.

    Parameters
    ----------
    keep_days : days that are kept, 1 or more.
    """

    @dg.op(required_resource_keys={"store"})
    def drop_old_months(context: dg.OpExecutionContext) -> None:
        """Drops monthly partitions that lie wholly before the days that are kept; what and why goes to the audit log."""
        store: ResultStore = context.resources.store
        before = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=keep_days)
        found = store.retire(before)
        context.add_output_metadata(found)
        context.log.info(f"{found['partitions']} partitions with {found['rows']} rows before {before} dropped")

    @dg.job(
        name="retention",
        description=f"Drops whole months of rows, of which {keep_days} days are kept.",
        executor_def=dg.in_process_executor,
    )
    def retention() -> None:
        drop_old_months()

    @dg.schedule(
        job=retention,
        cron_schedule=WEEKLY,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        name="weekly_retention",
    )
    def weekly_retention(store: dg.ResourceParam[ResultStore]) -> dg.RunRequest | dg.SkipReason:
        """Drops old months every Saturday, once it is switched on."""
        if stopped := store.standing_stop():
            return dg.SkipReason(stopped)
        return dg.RunRequest()

    return retention, weekly_retention


def definitions(keep_days: int | None) -> dict[str, list[Any]]:
    """Jobs and schedules of the setting: none where rows are kept for ever."""
    if keep_days is None:
        return {"jobs": [], "schedules": []}
    job, schedule = build_retention(keep_days)
    return {"jobs": [job], "schedules": [schedule]}
