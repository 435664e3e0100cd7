"""Runs of earlier dates that are still under way: a stage that compares with the date before waits for them.

Belongs here: which runs those are, and waiting. Not here: which date is compared with (`storage.previous`).

Dates run at once on several workers, or by a backfill, then give what they give one after the other.
"""

from __future__ import annotations

import datetime as dt
import time

import dagster as dg

from margin_pipeline.orchestration.run_tags import PARTITION_TAG
from margin_pipeline.orchestration.stale_runs import HOST_TAG

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
ROOT_TAG = "dagster/root_run_id"
EVERY_SECONDS = 1.0
PATIENCE_SECONDS = 3600.0
"""Whoever waits keeps a worker busy: where the earlier date waits for a worker itself, one of them must give way in the end."""


def under_way(instance: dg.DagsterInstance, run: dg.DagsterRun, as_of: dt.date) -> list[str]:
    """Earlier dates with a run that was asked for before this one and has not ended, sorted.

    Of two runs only the later one waits, so they never wait for each other. A repetition counts as asked for when its first run was.
    """
    records = instance.get_run_records(dg.RunsFilter(statuses=UNDER_WAY))
    earlier = [r for r in records if (r.dagster_run.tags.get(PARTITION_TAG) or "9999") < as_of.isoformat()]
    if not earlier:
        return []
    own = _asked_for(instance, run)
    return sorted({r.dagster_run.tags[PARTITION_TAG] for r in earlier if _asked_for(instance, r.dagster_run) < own})


def wait_for_earlier_dates(
    instance: dg.DagsterInstance, run: dg.DagsterRun, as_of: dt.date, patience: float = PATIENCE_SECONDS, every: float = EVERY_SECONDS
) -> float:
    """Wait until the runs of earlier dates have ended; gives the seconds waited.

    Runs of a command do not wait: a command runs its dates in order, and nobody watches over runs that died before it.

    Raises
    ------
    dagster.Failure : they take too long.
    """
    if HOST_TAG in run.tags:
        return 0.0
    started, waited = time.monotonic(), 0.0
    while dates := under_way(instance, run, as_of):
        if waited > patience:
            raise dg.Failure(
                f"{as_of} is compared with the date before, and the run of {dates[-1]} has not ended within {patience:.0f} s: "
                f"end it or let it finish, then run {as_of} again",
                allow_retries=False,
            )
        time.sleep(every)
        waited = time.monotonic() - started
    return waited


def _asked_for(instance: dg.DagsterInstance, run: dg.DagsterRun) -> int:
    record = instance.get_run_record_by_id(run.tags.get(ROOT_TAG, run.run_id)) or instance.get_run_record_by_id(run.run_id)
    return record.storage_id if record else 0
