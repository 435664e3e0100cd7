"""The whole chain: the command on a sample date, the sample in process, and generated books of 50,000 to 200,000 positions.

Belongs here: seconds and memory of whole runs. Not here: single stages (they have benchmarks of their own).
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.generated_book import AS_OF, write_book
from benchmarks.harness import Result

COMMAND = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", "run", "--as-of", "2022-12-28"]
WARM_RUNS = 3

# Books run in a process of their own: peak memory is a process's.
BOOK = """
import sys, time
from pathlib import Path
import dagster as dg
from benchmarks.chain import run_in_process
print(*run_in_process(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
"""


def run_in_process(data_dir: Path, landing: Path, date: str, repeats: int) -> tuple[float, float]:
    """Least seconds of runs of the chain on an ephemeral Dagster instance, and peak memory of the process in GB."""
    import dataclasses

    import dagster as dg

    from margin_pipeline import storage
    from margin_pipeline.compute import collect_rarely
    from margin_pipeline.definitions import build_defs
    from margin_pipeline.settings import from_environment

    settings = dataclasses.replace(from_environment({"MARGIN_DATA_DIR": str(data_dir)}), landing_dir=landing)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    seconds = []
    # As the command does.
    collect_rarely()
    with storage.open_database(data_dir, None, None) as urls:
        job = build_defs(settings, urls=urls).resolve_job_def("margin_chain")
        for _ in range(repeats):
            with dg.DagsterInstance.ephemeral() as instance:
                started = time.perf_counter()
                job.execute_in_process(instance=instance, partition_key=date, run_config=quiet)
                seconds.append(time.perf_counter() - started)
    # Kilobytes on Linux, bytes on macOS.
    unit = 1e9 if sys.platform == "darwin" else 1e6
    return min(seconds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _separately(data_dir: Path, landing: Path, date: str, repeats: int) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-c", BOOK, str(data_dir), str(landing), date, str(repeats)], capture_output=True, text=True, check=True
    )
    seconds, gigabytes = done.stdout.split()
    return float(seconds), float(gigabytes)


def _command_seconds(data_dir: Path) -> float:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MARGIN_", "DAGSTER_"))} | {"MARGIN_DATA_DIR": str(data_dir)}
    seconds = []
    for _ in range(WARM_RUNS + 1):
        started = time.perf_counter()
        subprocess.run(COMMAND, env=environment, capture_output=True, check=True)
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


def run() -> list[Result]:
    """Measure; a run of 200,000 positions takes most of the time."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        results = [Result("`margin-pipeline run` on one sample date, warm", _command_seconds(root / "sample"), "s", 8.0)]
        seconds, _ = _separately(root / "sample", root / "sample" / "sample", "2022-12-28", 4)
        results.append(Result("chain of one sample date, in process on an ephemeral instance", seconds, "s", 3.0))
        times: dict[int, float] = {}
        for count in (50_000, 100_000, 200_000):
            write_book(root / f"book{count}", count)
            # The backends of this machine have been measured by now.
            (root / f"data{count}").mkdir()
            shutil.copy(root / "sample" / "compute.json", root / f"data{count}")
            times[count], gigabytes = _separately(root / f"data{count}", root / f"book{count}", AS_OF.isoformat(), 1)
            target = 20.0 if count == 100_000 else None
            results.append(Result(f"chain of {count:,} positions, 2,000 symbols, 50 portfolios", times[count], "s", target))
            if count == 100_000:
                results.append(Result("peak memory of that", gigabytes, "GB", 3.0))
        growth = (times[200_000] - times[100_000]) / (2 * (times[100_000] - times[50_000]))
        results.append(Result("t(200,000) - t(100,000) over 2 (t(100,000) - t(50,000))", growth, "x", 1.2))
    return results
