"""Runs on Celery workers: where the broker is, which queue a run goes to, whether its worker still lives.

Belongs here: Dagster's run launcher over several machines, and the Celery app both sides share. Not here: a worker's own process.

Imported only where deploy/dagster-celery.yaml is in use: it needs the packages of requirements/celery.lock.
"""

from __future__ import annotations

import warnings
from typing import Any

import dagster as dg
from celery import Celery
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.make_app import make_app
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG

from margin_pipeline import settings
from margin_pipeline.orchestration.run_tags import BACKFILL_TAG

DEFAULT_QUEUE = "dagster"
ANSWER_SECONDS = 5.0
ATTEMPTS = 3

CONFIGURATION: dict[str, Any] = {
    # A run is taken by a worker that has nothing else to do, never kept in reserve by a busy one.
    "worker_prefetch_multiplier": 1,
    "worker_disable_prefetch": True,
    # Redis hands a message out again that nobody has acknowledged for so long: longer than any queue is.
    "broker_transport_options": {"visibility_timeout": 7 * 86_400},
    "broker_connection_retry_on_startup": True,
    "result_expires": 7 * 86_400,
    "task_default_queue": DEFAULT_QUEUE,
}


def celery_app(found: settings.Settings, default_queue: str = DEFAULT_QUEUE) -> Celery:
    """Celery app on the broker of these settings."""
    return make_app(app_args=_app_args(found, default_queue))


def _app_args(found: settings.Settings, default_queue: str) -> dict[str, Any]:
    return {
        "broker": found.celery_broker,
        "backend": found.celery_backend,
        "include": [],
        "config_source": {**CONFIGURATION, "task_default_queue": default_queue},
        "task_default_queue": default_queue,
    }


class MarginRunLauncher(CeleryRunLauncher):
    """Starts runs as Celery tasks, on the queue of their tag `dagster-celery/queue`.

    Parameters
    ----------
    default_queue : queue of runs without that tag.
    backfill_queue : queue of runs of a backfill without that tag; None: the default one.
    inst_data : Dagster's own.
    """

    def __init__(self, default_queue: str, backfill_queue: str | None = None, inst_data: ConfigurableClassData | None = None) -> None:
        arguments = _app_args(settings.from_environment(), default_queue)
        self.backfill_queue = backfill_queue
        super().__init__(
            default_queue=default_queue,
            broker=arguments["broker"],
            backend=arguments["backend"],
            config_source=arguments["config_source"],
            inst_data=inst_data,
        )

    @classmethod
    def config_type(cls) -> Any:
        """Queues only: broker and backend come from the environment, where passwords belong."""
        return {
            "default_queue": dg.Field(dg.StringSource, is_required=False, default_value=DEFAULT_QUEUE),
            "backfill_queue": dg.Field(dg.Noneable(dg.StringSource), is_required=False, default_value=None),
        }

    @property
    def supports_resume_run(self) -> bool:
        """A run goes on where it ended only in the process that it ran in: it is run again from its beginning."""
        return False

    def launch_run(self, context: LaunchRunContext) -> None:
        """Hand a run to the broker."""
        run = context.dagster_run
        if self.backfill_queue and BACKFILL_TAG in run.tags and DAGSTER_CELERY_QUEUE_TAG not in run.tags:
            self._instance.add_run_tags(run.run_id, {DAGSTER_CELERY_QUEUE_TAG: self.backfill_queue})
            context = context._replace(dagster_run=self._instance.get_run_by_id(run.run_id) or run)
        with warnings.catch_warnings():
            # The task is declared anew for every run, which newer versions of Celery remark on.
            warnings.filterwarnings("ignore", message=r"Task name .* is already registered")
            super().launch_run(context)

    def terminate(self, run_id: str) -> bool:
        """Take a run from its queue, or end the process that runs it; Dagster marks it as cancelled."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or DAGSTER_CELERY_TASK_ID_TAG not in run.tags:
            return False
        self._instance.report_run_canceling(run)
        return super().terminate(run_id)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the worker of a run still answers: of a machine that is gone, nobody else reports that its run has ended."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "launched a moment ago")
        result = self.celery.AsyncResult(task_id)
        state, info = result.state, result.info
        if state != "STARTED" or not isinstance(info, dict) or not info.get("hostname"):
            return super().check_run_worker_health(run)
        worker = info["hostname"]
        if any(self.celery.control.ping(destination=[worker], timeout=ANSWER_SECONDS) for _ in range(ATTEMPTS)):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"Celery worker {worker} does not answer.")

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """What Celery knows of the task of a run."""
        task_id = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task_id is None:
            return None
        result = self.celery.AsyncResult(task_id)
        return f"Celery task {task_id}: {result.state}, {result.info}"
