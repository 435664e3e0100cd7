"""Dagster's configuration for Celery: the same storages, queues by tag, workers that are gone noticed. Not here: runs on workers."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from margin_pipeline.orchestration import assets

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "dagster-celery.yaml"


def test_storages_are_those_of_the_configuration_for_one_machine():
    one, several = (yaml.safe_load(file.read_text()) for file in (ROOT / "dagster.yaml", FILE))
    shared = ("storage", "local_artifact_storage", "compute_logs", "telemetry", "nux")
    assert {name: one[name] for name in shared} == {name: several[name] for name in shared}
    assert several["run_monitoring"]["enabled"]
    assert several["run_monitoring"]["free_slots_after_run_end_seconds"] == one["run_monitoring"]["free_slots_after_run_end_seconds"]


def test_a_stage_that_waits_for_the_date_before_holds_no_place_that_this_may_need():
    assert [asset.tables for asset in assets.TABLE_ASSETS if asset.previous and asset.pool] == []


@pytest.fixture
def home(tmp_path, monkeypatch):
    pytest.importorskip("dagster_celery")
    pytest.importorskip("redis")
    (tmp_path / "dagster.yaml").write_text(FILE.read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def launcher(home):
    from dagster._core.instance.ref import InstanceRef

    return InstanceRef.from_dir(str(home)).run_launcher


def test_it_loads_with_the_broker_of_the_environment(launcher, home, monkeypatch):
    from dagster._core.instance.ref import InstanceRef

    assert (launcher.broker, launcher.backend) == ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/1")
    assert (launcher.default_queue, launcher.backfill_queue) == ("dagster", "heavy")
    monkeypatch.setenv("MARGIN_CELERY_BROKER", "redis://127.0.0.1:7000/3")
    assert InstanceRef.from_dir(str(home)).run_launcher.celery.conf.broker_url == "redis://127.0.0.1:7000/3"


def test_a_worker_takes_one_run_and_keeps_none_in_reserve(launcher):
    assert launcher.celery.conf.worker_disable_prefetch
    assert launcher.celery.conf.broker_transport_options["visibility_timeout"] > 86_400


@pytest.mark.parametrize(
    ("tags", "queue"),
    [
        ({}, "dagster"),
        ({"dagster-celery/queue": "heavy"}, "heavy"),
        ({"dagster/backfill": "b"}, "heavy"),
        ({"dagster/backfill": "b", "dagster-celery/queue": "dagster"}, "dagster"),
    ],
)
def test_runs_go_to_the_queue_of_their_tag_and_backfills_to_the_heavy_one(launcher, tags, queue):
    from dagster._core.launcher import LaunchRunContext
    from dagster_celery.launcher import CeleryRunLauncher

    seen = []
    with dg.DagsterInstance.ephemeral() as instance, pytest.MonkeyPatch.context() as patch:
        run = instance.run_storage.add_run(dg.DagsterRun(job_name="margin_chain", tags=tags))
        launcher.register_instance(instance)
        patch.setattr(CeleryRunLauncher, "launch_run", lambda self, context: seen.append(context.dagster_run))
        launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
    assert [run.tags.get("dagster-celery/queue", launcher.default_queue) for run in seen] == [queue]


class Result:
    """What the backend knows of a task."""

    def __init__(self, state, info):
        self.state, self.info = state, info


@pytest.mark.parametrize(
    ("state", "answers", "health"),
    [
        ("STARTED", [{"one@here": {"ok": "pong"}}], "RUNNING"),
        ("STARTED", [], "FAILED"),
        ("FAILURE", [], "FAILED"),
        ("SUCCESS", [], "SUCCESS"),
    ],
)
def test_a_run_whose_worker_does_not_answer_has_failed(launcher, monkeypatch, state, answers, health):
    run = dg.DagsterRun(job_name="margin_chain", tags={"dagster-celery/task_id": "t"})
    monkeypatch.setattr(launcher.celery, "AsyncResult", lambda task: Result(state, {"hostname": "one@here", "pid": 1}))
    monkeypatch.setattr(launcher.celery.control, "ping", lambda destination, timeout: answers)
    assert launcher.check_run_worker_health(run).status.value == health


def test_a_run_that_was_launched_a_moment_ago_is_not_taken_for_dead(launcher):
    assert launcher.check_run_worker_health(dg.DagsterRun(job_name="margin_chain")).status.value == "RUNNING"


def test_a_worker_says_what_it_needs(monkeypatch, tmp_path, capsys):
    from margin_pipeline import cli

    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    assert cli.main(["worker"]) == cli.UNUSABLE
    assert "MARGIN_DAGSTER_CONFIG" in capsys.readouterr().err
    monkeypatch.setenv("MARGIN_DAGSTER_CONFIG", str(FILE))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["worker"]) == cli.UNUSABLE
    assert "requirements/celery.lock" in capsys.readouterr().err
