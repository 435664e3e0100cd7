"""`python -m deploy.two_workers`: two Celery workers and two Ray nodes on this machine give what one process gives, bit by bit.

Belongs here: the trial and its verdict. Not here: starting and stopping (celery_runs, ray_nodes).

Status 0: equal in every table and every number; 1: something differs or failed; 2: something has to be installed first.
Dates: MARGIN_TRIAL_DATES of a generated landing zone (4), or with MARGIN_TRIAL_SAMPLE=on those of the sample book.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from deploy import celery_runs, ray_nodes
from deploy.celery_runs import QUEUE_TAG, CannotRun
from deploy.generated_dates import write_dates

QUEUES = ("dagster", "heavy")
TIMEOUT_SECONDS = 3600.0
# Numbers of calculations, and what a clock says.
APART = ["calculation_id", "seconds"]


def everything(data_dir: Path, date: str | None = None) -> dict[str, pd.DataFrame]:
    """Every published row of a data folder, or of one of its dates, sorted, numbers of calculations and durations apart."""
    of_date = f" where as_of = '{date}'" if date else ""
    from margin_pipeline import storage

    found = {}
    with storage.open_database(data_dir, None, None) as urls:
        for table in storage.table_names(urls):
            frame = storage.read_query(urls, f"select * from margin.{table}{of_date}").drop(columns=APART, errors="ignore")
            found[table] = frame.sort_values(list(frame.columns[:8]), ignore_index=True, key=lambda column: column.map(repr))
    return found


def differences(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> list[str]:
    """Tables that differ in any bit, with how."""
    found = [f"{table}: in one of them only" for table in sorted(one.keys() ^ other.keys())]
    for table in sorted(one.keys() & other.keys()):
        try:
            pd.testing.assert_frame_equal(one[table], other[table], check_exact=True, obj=table)
        except AssertionError as error:
            found.append(" ".join(str(error).split())[:400])
    return found


def trial_dates(landing: Path) -> list[str]:
    """Write the landing zone; gives its dates."""
    if os.environ.get("MARGIN_TRIAL_SAMPLE") == "on":
        from margin_pipeline.sample import SAMPLE_DATES, write_sample

        write_sample(landing)
        dates = [date.isoformat() for date in SAMPLE_DATES]
    else:
        dates = [date.isoformat() for date in write_dates(landing, int(os.environ.get("MARGIN_TRIAL_DATES", "4")))]
    print(f"{len(dates)} dates, {dates[0]} to {dates[-1]}", flush=True)
    return dates


def try_celery(root: Path, landing: Path, dates: list[str]) -> list[str]:
    """Run dates on two workers and locally; gives what differs."""
    with celery_runs.redis_server(root / "redis") as port:
        variables = celery_runs.environment(root / "spread", landing, port)
        started = time.perf_counter()
        with celery_runs.workers({"first": QUEUES[0], "second": QUEUES[1]}, variables, root):
            print(f"Redis on port {port} and two workers, one a queue: ready after {time.perf_counter() - started:.1f} s", flush=True)
            tags = [{QUEUE_TAG: QUEUES[number % 2]} for number in range(len(dates))]
            started = time.perf_counter()
            ran = celery_runs.run_on_workers(dates, tags, variables, TIMEOUT_SECONDS)
            spread = time.perf_counter() - started
    for run in ran:
        lasted, after = run.ended - run.started, run.started - ran[0].started
        print(f"  {run.date} on queue {run.queue:<8} {run.status}, {lasted:6.1f} s from {after:5.1f} s")
    if any(run.status != "SUCCESS" for run in ran):
        return [f"the run of {run.date} ended as {run.status}" for run in ran if run.status != "SUCCESS"]
    started = time.perf_counter()
    celery_runs.run_locally(dates, celery_runs.environment(root / "local", landing))
    print(f"two workers {spread:.1f} s; locally, one command a date, {time.perf_counter() - started:.1f} s", flush=True)
    one, other = everything(root / "local"), everything(root / "spread")
    rows = sum(len(frame) for frame in one.values())
    found = differences(one, other)
    print(f"{len(one)} tables with {rows:,} published rows compared: {len(found)} differ", flush=True)
    return found if rows else ["nothing was published"]


def try_ray(root: Path, landing: Path, date: str) -> list[str]:
    """Run the first date with its chunks on two Ray nodes, after the local runs, and map by itself; gives what differs."""
    started = time.perf_counter()
    with ray_nodes.two_nodes() as address:
        print(f"two Ray nodes: ready after {time.perf_counter() - started:.1f} s", flush=True)
        found = ray_nodes.try_map(address)
        started = time.perf_counter()
        variables = celery_runs.environment(root / "ray", landing) | {"MARGIN_MAP": "ray", "MARGIN_RAY_ADDRESS": address}
        celery_runs.run_locally([date], variables)
        print(f"{date} with its chunks on Ray: {time.perf_counter() - started:.1f} s", flush=True)
    one, other = everything(root / "local", date), everything(root / "ray", date)
    different = differences(one, other)
    print(f"{len(one)} tables with {sum(map(len, one.values())):,} published rows compared: {len(different)} differ", flush=True)
    return found + different


def main() -> int:
    """Try both; gives the exit status."""
    if reason := celery_runs.missing() or ray_nodes.missing():
        print(reason, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="margin-two-workers-") as folder:
        root = Path(folder)
        root.chmod(0o711)
        try:
            dates = trial_dates(root / "landing")
            found = try_celery(root, root / "landing", dates)
            found = found or try_ray(root, root / "landing", dates[0])
        except CannotRun as error:
            found = [str(error)]
    for line in found:
        print(f"DIFFERENT: {line}", file=sys.stderr)
    print("not equal" if found else "equal, bit by bit")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
