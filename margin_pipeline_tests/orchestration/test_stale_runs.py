"""Telling dead processes from living ones. Not here: what their runs left behind (test_kill)."""

import os
import signal
import subprocess
import sys

import pytest

from margin_pipeline.orchestration import stale_runs


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_the_own_process_is_alive():
    assert stale_runs.is_alive(stale_runs.own_tags())


def test_a_killed_process_is_dead(sleeper):
    tags = stale_runs.own_tags() | {stale_runs.PROCESS_TAG: stale_runs.process_identity(sleeper.pid)}
    assert stale_runs.is_alive(tags)
    os.kill(sleeper.pid, signal.SIGKILL)
    sleeper.wait()
    assert not stale_runs.is_alive(tags)


def test_a_reused_process_id_is_not_the_process(sleeper):
    tags = stale_runs.own_tags() | {stale_runs.PROCESS_TAG: f"{sleeper.pid}:1"}
    assert not stale_runs.is_alive(tags)


@pytest.mark.parametrize("tags", [{}, {stale_runs.HOST_TAG: "another-host", stale_runs.PROCESS_TAG: "1:1"}])
def test_runs_of_others_are_left_alone(tags):
    assert stale_runs.is_alive(tags)
