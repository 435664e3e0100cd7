"""Runs handed to Celery workers on this machine: a Redis of its own, workers as processes, dates launched and waited for.

Belongs here: starting, launching, waiting, stopping what was started. Not here: what is compared or timed (two_workers, benchmarks).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "deploy" / "dagster-celery.yaml"
COMMAND = [sys.executable, "-c", "from margin_pipeline.cli import entry; entry()"]
# One backend and one thread: what makes results the same bit by bit wherever a run lands.
PINNED = {"MARGIN_COMPUTE": "numpy", "MARGIN_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MARGIN_REPORTS": "off", "MARGIN_PICTURES": "off"}
START_SECONDS = 180
STOP_SECONDS = 60
QUEUE_TAG = "dagster-celery/queue"


class CannotRun(Exception):
    """Something that this needs is missing; the message says what to install, or what went wrong."""


def missing() -> str | None:
    """What has to be installed first, in a line; None when all is there."""
    if shutil.which("redis-server") is None:
        return "redis-server is missing: install the system's package (Debian: apt-get install redis-server; macOS: brew install redis)"
    absent = [name for name in ("celery", "redis", "dagster_celery") if importlib.util.find_spec(name) is None]
    if absent:
        return f"{', '.join(absent)} is missing: pip install --require-hashes -r requirements/celery.lock"
    return None


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """Redis of our own on loopback, kept in memory; gives its port."""
    import redis

    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with (folder / "redis.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        _wait_for(lambda: _answers(client), process, f"Redis; see {folder / 'redis.log'}")
        yield port
    finally:
        stop(process)


def _answers(client: Any) -> bool:
    import redis

    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def environment(data_dir: Path, landing: Path, port: int | None = None) -> dict[str, str]:
    """Variables of a process on this data folder and landing zone; with a port, its runs go to Celery workers."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MARGIN_", "DAGSTER_"))}
    kept["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    found = kept | PINNED | {"MARGIN_DATA_DIR": str(data_dir), "MARGIN_LANDING_DIR": str(landing)}
    if port is not None:
        found |= {
            "MARGIN_DAGSTER_CONFIG": str(CONFIGURATION),
            "MARGIN_CELERY_BROKER": f"redis://127.0.0.1:{port}/0",
            "MARGIN_CELERY_BACKEND": f"redis://127.0.0.1:{port}/1",
        }
    return found


@contextmanager
def workers(queues: Mapping[str, str], variables: Mapping[str, str], folder: Path) -> Iterator[dict[str, subprocess.Popen[Any]]]:
    """Celery workers by name, each on its queues, ready when the block begins and stopped after it."""
    processes: dict[str, subprocess.Popen[Any]] = {}
    try:
        for name, taken in queues.items():
            with (folder / f"{name}.log").open("w") as log:
                processes[name] = subprocess.Popen(
                    [*COMMAND, "worker", "--name", name, "--queues", taken],
                    env=dict(variables), cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                )  # fmt: skip
        app = _app(variables)
        for name, process in processes.items():
            wanted = [f"{name}@{socket.gethostname()}"]
            _wait_for(lambda wanted=wanted: app.control.ping(destination=wanted, timeout=2.0), process, f"worker {name}; see {folder}")
        yield processes
    finally:
        for process in processes.values():
            stop(process)


def _app(variables: Mapping[str, str]) -> Any:
    from margin_pipeline.orchestration.celery_launcher import celery_app
    from margin_pipeline.settings import from_environment

    return celery_app(from_environment(variables))


@dataclass(frozen=True)
class Ran:
    """A run that has ended.

    Attributes
    ----------
    date : business date.
    status : SUCCESS, FAILURE or CANCELED.
    queue : Celery queue it was handed to.
    started, ended : seconds since the epoch.
    """

    date: str
    status: str
    queue: str
    started: float
    ended: float


def run_on_workers(dates: Sequence[str], tags: Sequence[Mapping[str, str]], variables: Mapping[str, str], timeout: float) -> list[Ran]:
    """Launch the chain of dates on the workers, in their order, and wait until all have ended.

    Parameters
    ----------
    dates, tags : dates, and further tags of the run of each: its queue, its backfill.
    variables : environment of the workers.
    timeout : seconds to wait in all.
    """
    saved = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        return _run(dates, tags, timeout)
    finally:
        os.environ.clear()
        os.environ.update(saved)


def _run(dates: Sequence[str], tags: Sequence[Mapping[str, str]], timeout: float) -> list[Ran]:
    import dagster as dg
    from dagster._core.definitions.reconstruct import ReconstructableRepository

    from margin_pipeline.cli import instance
    from margin_pipeline.orchestration.jobs import CHAIN
    from margin_pipeline.settings import from_environment
    from margin_pipeline.storage import open_database

    settings = from_environment()
    with (
        open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls,
        instance.open_instance(settings, urls) as opened,
    ):
        job = ReconstructableRepository.for_module("margin_pipeline.definitions", "defs", str(ROOT)).get_reconstructable_job(CHAIN)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        launched = []
        for date, own in zip(dates, tags, strict=True):
            run = opened.create_run_for_job(
                job.get_definition(),
                run_config=quiet,
                tags={"dagster/partition": date, **own},
                job_code_origin=job.get_python_origin(),
                status=dg.DagsterRunStatus.NOT_STARTED,
            )
            opened.launch_run(run.run_id, None)  # type: ignore[arg-type]
            launched.append(run.run_id)
        return _ended(opened, launched, time.monotonic() + timeout)


def _ended(opened: Any, run_ids: Sequence[str], until: float) -> list[Ran]:
    while True:
        records = {i: opened.get_run_record_by_id(i) for i in run_ids}
        open_ids = [i for i, record in records.items() if not record.dagster_run.is_finished]
        if not open_ids:
            break
        if time.monotonic() > until:
            raise CannotRun(f"{len(open_ids)} of {len(run_ids)} runs have not ended in time")
        time.sleep(0.5)
    found = []
    for record in records.values():
        run = record.dagster_run
        queue = run.tags.get(QUEUE_TAG, "dagster")
        found.append(Ran(run.tags["dagster/partition"], run.status.value, queue, record.start_time or 0.0, record.end_time or 0.0))
    return found


def run_locally(dates: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run dates one after the other by the command.

    Raises
    ------
    CannotRun : one failed.
    """
    for date in dates:
        done = subprocess.run(
            [*COMMAND, "run", "--as-of", date], env=dict(variables), cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise CannotRun(f"the local run of {date} failed: {done.stdout[-500:]} {done.stderr[-1500:]}")


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process that was started here, and wait for it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(ready: Any, process: subprocess.Popen[Any], what: str) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None:
            raise CannotRun(f"{what}: ended with status {process.returncode} before it was ready")
        if time.monotonic() > until:
            raise CannotRun(f"{what}: not ready after {START_SECONDS} s")
        time.sleep(0.2)
