"""Runs that are due: of files that have landed, and in place of one that was killed or interrupted.

Belongs here: what is asked of Dagster, under which key. Not here: when files are complete, alerts.
"""

from __future__ import annotations

import datetime as dt

import dagster as dg
from dagster._utils.error import SerializableErrorInfo

from margin_pipeline.orchestration import stale_runs
from margin_pipeline.orchestration.jobs import CHAIN, FROM_STAGE
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.orchestration.run_tags import ASKED_FOR, PARTITION_TAG

ATTEMPT_TAG = "margin/attempt"
ATTEMPTS = 3
"""How often a date is started until somebody has to look at it: what kills its process may do so every time."""


def of_files(instance: dg.DagsterInstance, store: ResultStore, as_of: dt.date, content_hash: str) -> dg.RunRequest:
    """The run that a date's files are due; asked for again before it has ended, it is the same one.

    What a run that failed, was cancelled or killed left behind counts as ended: files landed again, even unchanged, start it again.
    """
    store.abandon_dead(lambda run_id: stale_runs.run_is_alive(instance, run_id))
    return dg.RunRequest(run_key=store.run_key(as_of, content_hash), partition_key=as_of.isoformat())


def in_place_of(instance: dg.DagsterInstance, store: ResultStore, run: dg.DagsterRun) -> dg.RunRequest | None:
    """The run that takes the place of one that was lost, from the beginning; None where somebody has to look.

    That is so for a command's, which somebody waits for, and where the date has been lost too often. Tables that somebody selected are
    selected again.
    """
    attempt, selected = int(run.tags.get(ATTEMPT_TAG, 1)), run.asset_selection
    # Tables that are selected in the page run in a job that Dagster makes for itself.
    job = run.job_name if run.job_name in FROM_STAGE else CHAIN
    if run.remote_job_origin is None or attempt >= ATTEMPTS or (run.job_name != job and not selected):
        return None
    store.abandon_dead(lambda run_id: stale_runs.run_is_alive(instance, run_id))
    tags = {name: value for name, value in run.tags.items() if name in ASKED_FOR} | {ATTEMPT_TAG: str(attempt + 1)}
    return dg.RunRequest(
        job_name=job,
        run_key=f"in place of {run.run_id}",
        partition_key=run.tags[PARTITION_TAG],
        tags=tags,
        asset_selection=sorted(selected, key=dg.AssetKey.to_user_string) if selected else None,
    )


def was_lost(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether the process of a run was killed or interrupted: nobody asked Dagster for that, and no step failed by itself."""
    kinds = {dg.DagsterEventType.RUN_CANCELING, dg.DagsterEventType.STEP_FAILURE}
    events = [record.event_log_entry.get_dagster_event() for record in instance.get_records_for_run(run.run_id, of_type=kinds).records]
    return all(event.is_step_failure and _is_interrupt(event.step_failure_data.error) for event in events)


def _is_interrupt(error: SerializableErrorInfo | None) -> bool:
    return error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__
