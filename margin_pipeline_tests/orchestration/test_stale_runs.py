"""Telling dead processes from living ones. Not here: what their runs left behind (test_kill)."""

import os
import signal
import subprocess
import sys

import dagster as dg
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


def test_a_run_belongs_to_the_process_that_runs_it_also_when_it_repeats_one_of_a_dead_process():
    dead = {stale_runs.HOST_TAG: stale_runs.own_tags()[stale_runs.HOST_TAG], stale_runs.PROCESS_TAG: "1:1"}
    with dg.DagsterInstance.ephemeral() as instance:
        for tags in ({}, dead):
            run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED, tags=tags)
            stale_runs.claim(instance, run)
            claimed = instance.get_run_by_id(run.run_id)
            assert stale_runs.own_tags().items() <= claimed.tags.items()
        assert stale_runs.fail_dead_runs(instance) == []


@dg.job
def nothing():
    """Do nothing."""


def test_after_a_restore_every_run_that_went_on_elsewhere_is_failed():
    elsewhere = {stale_runs.HOST_TAG: "another-host", stale_runs.PROCESS_TAG: "1:1"}
    with dg.DagsterInstance.ephemeral() as instance:
        going_on = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED, tags=elsewhere)
        done = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.SUCCESS)
        assert stale_runs.fail_dead_runs(instance) == []
        assert stale_runs.fail_unfinished_runs(instance, "It was elsewhere.") == [going_on.run_id]
        statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses == {going_on.run_id: dg.DagsterRunStatus.FAILURE, done.run_id: dg.DagsterRunStatus.SUCCESS}
