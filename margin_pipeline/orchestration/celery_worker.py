"""The app of a Celery worker that runs Dagster's runs: `celery -A margin_pipeline.orchestration.celery_worker worker`.

Belongs here: the task a worker knows, and what its processes do first. Not here: the broker and the queues (celery_launcher).
"""

from __future__ import annotations

from typing import Any

import dagster as dg
from celery.signals import worker_process_init
from dagster._cli.api import _execute_run_command_body
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import unpack_value
from dagster_celery.config import TASK_EXECUTE_JOB_NAME

from margin_pipeline.orchestration.celery_launcher import celery_app
from margin_pipeline.settings import from_environment

STATEMENT_MILLISECONDS = 60_000

app = celery_app(from_environment())


@app.task(name=TASK_EXECUTE_JOB_NAME, track_started=True)
def execute_job(execute_job_args_packed: Any) -> int:
    """Execute a run in this process, as dagster_celery's task of the name does, on one kept connection.

    A run writes hundreds of events, each of which would connect anew.
    """
    args = unpack_value(execute_job_args_packed, as_type=ExecuteRunArgs)
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(statement_timeout=STATEMENT_MILLISECONDS, pool_recycle=3600, max_overflow=5)
        return _execute_run_command_body(
            instance=instance, run_id=args.run_id, write_stream_fn=lambda _event: None, set_exit_code_on_failure=True
        )


@worker_process_init.connect
def _as_the_command_does(**_about: Any) -> None:
    from margin_pipeline.compute import collect_rarely

    collect_rarely()
