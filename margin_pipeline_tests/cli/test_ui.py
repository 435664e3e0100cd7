"""The real webserver and daemon: they load, start the chain of landed files, and end in order. Not here: what a run computes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

from margin_pipeline import storage
from margin_pipeline.orchestration.due_runs import ATTEMPT_TAG
from margin_pipeline.sample import SAMPLE_DATES

pytestmark = pytest.mark.slow
LIMIT_SECONDS = 240
RUNS = "{ runsOrError { ... on Runs { results { status tags { key value } } } } }"
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
LOADED = "{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } } }"


def wait_for(condition, what):
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except (urllib.error.URLError, ConnectionError, TimeoutError, storage.StorageError):
            """Not up yet."""
        time.sleep(0.5)
    return pytest.fail(f"no {what} within {LIMIT_SECONDS} s")


def ask(port, query):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def ended_runs(port):
    """Status and tags of every run, the newest first, or nothing while one goes on."""
    found = ask(port, RUNS)["runsOrError"]["results"]
    runs = [(run["status"], {tag["key"]: tag["value"] for tag in run["tags"]}) for run in found]
    return runs if ENDED.issuperset(status for status, _ in runs) else []


@contextmanager
def serving(tmp_path, sample_folder, *options):
    """The command with one landed date; gives its process, port, data folder and log."""
    date = SAMPLE_DATES[0].isoformat()
    shutil.copytree(sample_folder / date, tmp_path / "landing" / date, dirs_exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MARGIN_", "DAGSTER_"))}
    environment |= {"MARGIN_DATA_DIR": str(tmp_path / "data"), "MARGIN_LANDING_DIR": str(tmp_path / "landing"), "MARGIN_COMPUTE": "numpy"}
    main = "import sys; from margin_pipeline.cli import main; sys.exit(main())"
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", main, "ui", "--port", str(port), *options], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    yield process, port, tmp_path / "data", log
    if process.poll() is None:
        process.terminate()
        process.wait(30)


@pytest.fixture
def shown(tmp_path, sample_folder):
    with serving(tmp_path, sample_folder, "--read-only") as found:
        yield found


def end(process):
    """End the command as a person does, which is no failure."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(90) == 0


def is_calculating(data_dir):
    urls = storage.database_urls(data_dir, None, None)
    return not storage.read_query(urls, "select 1 from margin.calculations where state = 'running'").empty


def test_landed_files_are_calculated_published_and_shown_without_anybody_asking_also_after_an_interruption(tmp_path, sample_folder):
    with serving(tmp_path, sample_folder) as (process, port, data_dir, _):
        loaded = wait_for(lambda: ask(port, LOADED), "webserver")
        assert loaded["workspaceOrError"]["locationEntries"] == [{"locationOrLoadError": {"__typename": "RepositoryLocation"}}]
        wait_for(lambda: is_calculating(data_dir), "calculation")
        end(process)
    with serving(tmp_path, sample_folder) as (process, port, data_dir, log):
        urls = storage.database_urls(data_dir, None, None)
        wait_for(lambda: storage.published_dates(urls, "chain") == [SAMPLE_DATES[0]], "published date")
        # Reports are written after the publication; a run that is interrupted there says so, which is right, but is not an end in order.
        (newest, tags), (oldest, _) = wait_for(lambda: ended_runs(port), "end of the run")
        assert (newest, oldest, tags[ATTEMPT_TAG]) == ("SUCCESS", "FAILURE", "2")
        assert storage.read_query(urls, "select kind from margin.alerts where kind = 'failed_check'").empty
        # Of one partition: there are thousands for each of a hundred assets.
        latest = f'latestMaterializationByPartition(partitions: ["{SAMPLE_DATES[0]}"]) {{ partition }}'
        assets = ask(port, f"{{ assetNodes {{ assetKey {{ path }} {latest} }} }}")["assetNodes"]
        made = {
            node["assetKey"]["path"][0] for node in assets if any(m and m["partition"] for m in node["latestMaterializationByPartition"])
        }
        assert {"portfolio_margins", "strategy_risk", "regulatory_lines", "publication"} <= made
        end(process)
        assert "Traceback" not in log.read_text()
    assert not storage.EmbeddedServer(data_dir).is_running()


OF_A_REPOSITORY = '{ repositoryLocationName: "margin_pipeline.definitions", repositoryName: "__repository__"'
LAUNCH = f"""
mutation {{
  launchRun(executionParams: {{ selector: {OF_A_REPOSITORY}, pipelineName: "margin_chain" }}, runConfigData: {{}}, mode: "default" }})
  {{ __typename ... on UnauthorizedError {{ message }} }} }}
"""
START = f"""
mutation {{ startSensor(sensorSelector: {OF_A_REPOSITORY}, sensorName: "landed_files" }}) {{ __typename }} }}
"""
TERMINATE = 'mutation { terminateRuns(runIds: ["x"]) { ... on TerminateRunsResult { terminateRunResults { __typename } } } }'
BEATS = "{ instance { daemonHealth { allDaemonStatuses { daemonType lastHeartbeatTime } } } permissions { permission value } }"


def test_whoever_may_only_look_sees_everything_and_starts_nothing(shown):
    process, port, data_dir, log = shown
    loaded = wait_for(lambda: ask(port, LOADED), "webserver")
    assert loaded["workspaceOrError"]["locationEntries"] == [{"locationOrLoadError": {"__typename": "RepositoryLocation"}}]
    assert len(ask(port, "{ assetNodes { assetKey { path } } }")["assetNodes"]) > 50
    assert ask(port, LAUNCH)["launchRun"]["__typename"] == "UnauthorizedError"
    assert ask(port, START)["startSensor"]["__typename"] == "UnauthorizedError"
    refused = ask(port, TERMINATE)["terminateRuns"]["terminateRunResults"]
    assert [result["__typename"] for result in refused] == ["UnauthorizedError"]
    found = ask(port, BEATS)
    assert not any(permission["value"] for permission in found["permissions"])
    # No daemon: nobody picks up the landed date.
    assert all(daemon["lastHeartbeatTime"] is None for daemon in found["instance"]["daemonHealth"]["allDaemonStatuses"])
    end(process)
    assert "Traceback" not in log.read_text()
    assert not storage.EmbeddedServer(data_dir).is_running()
