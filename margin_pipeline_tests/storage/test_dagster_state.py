"""What is read with SQL of Dagster's storage is what Dagster's own classes wrote there. Not here: judging it."""

from __future__ import annotations

import datetime as dt
import time

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData, TickData, TickStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo

from margin_pipeline.cli import instance
from margin_pipeline.settings import from_environment
from margin_pipeline.storage.dagster_state import dagster_state
from margin_pipeline.storage.session import ensure_dagster_database

LOCATION = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="margin_pipeline.definitions"), "margin_pipeline")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("dagster")


@pytest.fixture(scope="module")
def dagster_instance(database, folder):
    """Dagster's instance on Postgres, as the commands open it."""
    ensure_dagster_database(database)
    settings = from_environment({"MARGIN_DATA_DIR": str(folder), "MARGIN_DATABASE_URL": database.libpq})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in instance.environment(settings).items():
            patch.setenv(name, value)
        with instance.open_instance(settings, database) as found:
            yield found


def switched(found, name, status):
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(LOCATION, "__repository__"), name)
    state = InstigatorState(origin, InstigatorType.SENSOR, status, SensorInstigatorData())
    found.add_instigator_state(state)
    return state


def tick(found, state, seconds_ago, status, **more):
    data = TickData(
        state.instigator_origin_id,
        state.instigator_name,
        InstigatorType.SENSOR,
        status,
        time.time() - seconds_ago,
        selector_id=state.selector_id,
        **more,
    )
    found.create_tick(data)


def test_a_database_that_is_not_there_is_said(fresh_database):
    assert "not there yet" in dagster_state(fresh_database).absent


def test_a_database_without_tables_of_dagster_is_said(fresh_database):
    ensure_dagster_database(fresh_database)
    assert "no storage yet" in dagster_state(fresh_database).absent


def test_daemons_sensors_and_runs_are_read_as_dagster_wrote_them(database, dagster_instance):
    before = dagster_state(database)
    assert (before.absent, list(before.daemons), list(before.tickers), before.runs) == (None, [], [], {})
    now = time.time()
    dagster_instance.add_daemon_heartbeat(DaemonHeartbeat(now - 5, "SENSOR", "id", [SerializableErrorInfo("lost\n", [], None)]))
    dagster_instance.add_daemon_heartbeat(DaemonHeartbeat(now - 9, "SCHEDULER", "id", []))
    live = switched(dagster_instance, "live_margins", InstigatorStatus.DECLARED_IN_CODE)
    tick(dagster_instance, live, 30, TickStatus.SUCCESS, run_ids=["run"])
    tick(dagster_instance, live, 4, TickStatus.FAILURE, error=SerializableErrorInfo("no route\n", [], None))
    landed = switched(dagster_instance, "landed_files", InstigatorStatus.RUNNING)
    tick(dagster_instance, landed, 3, TickStatus.SKIPPED, skip_reason="no new files")
    switched(dagster_instance, "notifications", InstigatorStatus.STOPPED)
    run = dagster_instance.create_run_for_job(_nothing, tags={"margin/host": "here"})

    seen = dagster_state(database, [run.run_id, "unknown"])
    heartbeats = dagster_instance.get_daemon_heartbeats()
    assert {d.name: d.beat_at.timestamp() for d in seen.daemons} == pytest.approx({n: h.timestamp for n, h in heartbeats.items()}, abs=1e-5)
    assert {d.name: d.error for d in seen.daemons} == {"SENSOR": "lost\n", "SCHEDULER": None}
    by_name = {ticker.name: ticker for ticker in seen.tickers}
    assert {name: (t.kind, t.is_on, t.failed, t.error) for name, t in by_name.items()} == {
        "live_margins": ("sensor", True, True, "no route\n"),
        "landed_files": ("sensor", True, False, None),
        "notifications": ("sensor", False, None, None),
    }
    (newest,) = dagster_instance.get_ticks(live.instigator_origin_id, live.selector_id, limit=1)
    assert by_name["live_margins"].ticked_at.timestamp() == pytest.approx(newest.timestamp, abs=1e-5)
    assert abs(by_name["landed_files"].ticked_at - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=60)
    assert {key: (r.status, dict(r.tags)["margin/host"]) for key, r in seen.runs.items()} == {run.run_id: ("NOT_STARTED", "here")}


@dg.job
def _nothing():
    """No operation."""
