"""Commands killed at any moment: nothing half written is seen, and the next command completes. Not here: damage to the server (storage)."""

import os
import signal
import subprocess
import sys
import time

import pytest

from margin_pipeline import storage

COMMAND = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", "run", "--as-of", "2022-12-21"]
LIMIT_SECONDS = 120
RESULTS = ("positions", "position_margins", "strategy_groups", "portfolio_margins", "strategy_risk", "regulatory_lines")

pytestmark = pytest.mark.slow


def start(data_dir):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MARGIN_", "DAGSTER_"))}
    environment |= {
        "MARGIN_DATA_DIR": str(data_dir),
        "MARGIN_COMPUTE": "numpy",
        "MARGIN_THREADS": "1",
        "MARGIN_PICTURES": "off",
        "MARGIN_REPORTS": "off",
    }
    return subprocess.Popen(COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(data_dir):
    process = start(data_dir)
    output, _ = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, output
    return output


def kill(process):
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def results(data_dir):
    with storage.open_database(data_dir, None, None) as urls:
        frames = {t: storage.read_query(urls, f"select * from margin.{t}").drop(columns="calculation_id") for t in RESULTS}
        states = list(storage.read_query(urls, "select state from margin_data.calculations order by 1")["state"])
    return {t: f.sort_values(list(f.columns[:4]), ignore_index=True) for t, f in frames.items()}, states


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    finish(data_dir)
    return results(data_dir)[0], time.monotonic() - started


def test_a_run_killed_at_any_moment_leaves_nothing_and_the_next_one_completes(undisturbed, tmp_path):
    expected, seconds = undisturbed
    for share in (0.6, 0.9):
        process = start(tmp_path)
        time.sleep(seconds * share)
        kill(process)
    finish(tmp_path)
    found, states = results(tmp_path)
    for table, frame in expected.items():
        assert frame.equals(found[table]), table
    assert states.count("published") == 1
    assert "running" not in states


def test_a_run_killed_inside_a_pooled_step_does_not_block_the_next(tmp_path):
    with storage.open_database(tmp_path, None, None) as urls:
        killed = attempts = 0
        while not killed and (attempts := attempts + 1) <= 3:
            killed = _kill_once_a_slot_is_taken(start(tmp_path), urls)
        assert killed, "no run was caught inside a pooled step"
        output = finish(tmp_path)
    assert "had died" in output


def _kill_once_a_slot_is_taken(process, urls):
    import psycopg

    while process.poll() is None:
        try:
            with psycopg.connect(urls.dagster_libpq, autocommit=True) as connection:
                while process.poll() is None:
                    if connection.execute("select 1 from concurrency_slots where run_id is not null").fetchone():
                        kill(process)
                        return 1
                    time.sleep(0.005)
        except psycopg.Error:
            time.sleep(0.05)
    process.communicate()
    return 0
