"""A backfill of many dates on two Celery workers against one, everything on this machine.

Belongs here: seconds from the launch to the end of the last run. Not here: equality of what they publish (deploy.two_workers).

MARGIN_BACKFILL_DATES sets the number of dates (40).
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Result
from deploy import celery_runs
from deploy.generated_dates import write_dates

DATES = 40
SECONDS_A_DATE = 300.0


def _seconds(root: Path, dates: list[str], queues: dict[str, str]) -> float:
    """Seconds of the backfill on so many workers, on a database of its own; workers are up and have run nothing yet."""
    with celery_runs.redis_server(root / "redis") as port:
        variables = celery_runs.environment(root / "data", root.parent / "landing", port)
        with celery_runs.workers(queues, variables, root):
            started = time.perf_counter()
            tags = [{"dagster/backfill": "benchmark"}] * len(dates)
            ran = celery_runs.run_on_workers(dates, tags, variables, SECONDS_A_DATE * len(dates))
            seconds = time.perf_counter() - started
    if failed := [run.date for run in ran if run.status != "SUCCESS"]:
        raise celery_runs.CannotRun(f"the runs of {', '.join(failed)} failed")
    return seconds


def run() -> list[Result]:
    """Measure; nothing where Redis or dagster-celery is missing."""
    if reason := celery_runs.missing():
        print(f"skipped: {reason}")
        return []
    count = int(os.environ.get("MARGIN_BACKFILL_DATES") or DATES)
    with tempfile.TemporaryDirectory(prefix="margin-backfill-") as folder:
        root = Path(folder)
        root.chmod(0o711)
        dates = [date.isoformat() for date in write_dates(root / "landing", count)]
        seconds = {}
        for number in (1, 2):
            (root / str(number)).mkdir()
            seconds[number] = _seconds(root / str(number), dates, {f"worker{n}": "dagster,heavy" for n in range(number)})
    note = f"{count} dates, one thread a run, {os.cpu_count()} cores"
    return [
        Result("backfill on one worker", seconds[1] / count, "s", note=f"a date; {note}"),
        Result("backfill on two workers", seconds[2] / count, "s", note=f"a date; {note}"),
        Result("two workers over one", seconds[1] / seconds[2], "x", 1.3, at_least=True, note=note),
    ]
