"""From when on the pipeline is not healthy. Not here: what is read (storage), what is printed (cli)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import subprocess
import sys

import pytest

from margin_pipeline.orchestration import deadline, health, stale_runs
from margin_pipeline.reports import findings
from margin_pipeline.storage.dagster_state import Daemon, DagsterState, Run, Ticker
from margin_pipeline.storage.migrations import MigrationStatus
from margin_pipeline.storage.operations import Running

NOW = dt.datetime(2022, 12, 29, 1, tzinfo=dt.UTC)
DUE = dt.date(2022, 12, 28)
STATUS = {
    "as_of": DUE,
    "deliveries_outstanding": 0,
    "deliveries_failing": 0,
    "outstanding_since": None,
    "is_stopped": False,
    "stopped_by": None,
    "stopped_at": None,
    "stop_reason": None,
}
ALIVE = DagsterState(
    None,
    [Daemon(name, NOW - dt.timedelta(seconds=20), None) for name in ("SCHEDULER", "SENSOR")],
    [
        Ticker("live_margins", "sensor", True, NOW - dt.timedelta(seconds=4), False, None),
        Ticker("after_the_close", "schedule", True, NOW - dt.timedelta(hours=3), False, None),
        Ticker("retired", "sensor", False, NOW - dt.timedelta(days=9), True, "old"),
    ],
)
SEEN = health.Seen(NOW, STATUS, DUE, [], ALIVE, 50_000_000_000)
RUNNING = Running(7, DUE, "run-7", NOW - dt.timedelta(minutes=1))


def judge(daemon=True, status=None, **changes):
    seen = dataclasses.replace(SEEN, **changes, status={**STATUS, **(status or {})})
    return {finding.check: finding for finding in health.judged(seen, daemon=daemon)}


def states(**given):
    return {check: found.state for check, found in judge(**given).items() if found.state != findings.OK}


@pytest.mark.parametrize("daemon", [True, False])
def test_nothing_is_wrong_with_a_pipeline_that_is_up_to_date(daemon):
    assert states(daemon=daemon) == {}
    assert findings.verdict(list(judge(daemon=daemon).values())) == "healthy"


@pytest.mark.parametrize("newest", [None, dt.date(2022, 12, 27)])
def test_a_due_session_that_is_not_published_is_not_healthy(newest):
    assert states(status={"as_of": newest}) == {"publication": findings.FAILED}


def test_a_newer_session_than_the_due_one_may_be_published():
    assert states(status={"as_of": dt.date(2022, 12, 29)}) == {}


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (None, "does not know"),
        (Run("run-7", "FAILURE", {}), "ended (FAILURE)"),
        (Run("run-7", "STARTED", {stale_runs.HOST_TAG: stale_runs.own_tags()[stale_runs.HOST_TAG], stale_runs.PROCESS_TAG: "1:0"}), "gone"),
    ],
)
def test_a_calculation_whose_run_is_dead_is_named_with_the_reason(run, why):
    dagster = dataclasses.replace(ALIVE, runs={"run-7": run} if run else {})
    found = judge(running=[RUNNING], dagster=dagster)["calculations"]
    assert found.state == findings.FAILED
    assert "calculation 7 of 2022-12-28" in found.detail
    assert why in found.detail


def test_a_calculation_that_runs_is_healthy_and_one_that_runs_for_hours_is_looked_at():
    dagster = dataclasses.replace(ALIVE, runs={"run-7": Run("run-7", "STARTED", stale_runs.own_tags())})
    assert states(running=[RUNNING], dagster=dagster) == {}
    old = dataclasses.replace(RUNNING, started_at=NOW - dt.timedelta(hours=2))
    assert states(running=[old], dagster=dagster) == {"calculations": findings.WARNING}


def test_a_process_that_ended_is_noticed():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    tags = {**stale_runs.own_tags(), stale_runs.PROCESS_TAG: stale_runs.process_identity(process.pid)}
    dagster = dataclasses.replace(ALIVE, runs={"run-7": Run("run-7", "STARTED", tags)})
    assert health.stuck([RUNNING], dagster) == []
    process.communicate(b"\n")
    assert [why for _, why in health.stuck([RUNNING], dagster)] == ["the process of its run is gone"]
    assert os.getpid() != process.pid


OLD, NEW = NOW - dt.timedelta(minutes=11), NOW - dt.timedelta(minutes=9)


@pytest.mark.parametrize(
    ("since", "failing", "stopped", "daemon", "state"),
    [
        (NEW, 1, False, True, None),
        (OLD, 0, False, True, findings.FAILED),
        (OLD, 1, False, False, findings.FAILED),
        (OLD, 0, False, False, findings.WARNING),
        (OLD, 1, True, True, findings.WARNING),
        (OLD, 0, True, True, findings.WARNING),
    ],
)
def test_an_alert_that_nobody_was_told_for_ten_minutes_is_not_healthy(since, failing, stopped, daemon, state):
    status = {"deliveries_outstanding": 2, "deliveries_failing": failing, "outstanding_since": since}
    stop = {"is_stopped": True, "stopped_by": "Ada", "stopped_at": OLD, "stop_reason": "prices are wrong"} if stopped else {}
    assert states(status={**status, **stop}, daemon=daemon).get("deliveries") == state


def test_an_emergency_stop_is_healthy_and_is_said():
    status = {"is_stopped": True, "stopped_by": "Ada", "stopped_at": OLD, "stop_reason": "prices are wrong"}
    found = judge(status=status)
    assert found["automation"].state == findings.WARNING
    assert "Ada" in found["automation"].detail
    assert "prices are wrong" in found["automation"].detail
    assert findings.verdict(list(found.values())) == "healthy (look at: automation)"


def test_a_daemon_that_is_expected_must_be_heard_of_and_its_sensors_tick():
    silent = [dataclasses.replace(d, beat_at=NOW - dt.timedelta(seconds=121)) for d in ALIVE.daemons]
    assert states(dagster=dataclasses.replace(ALIVE, daemons=silent)) == {"daemon": findings.FAILED}
    assert states(dagster=dataclasses.replace(ALIVE, daemons=silent[:1] + list(ALIVE.daemons[1:]))) == {"daemon": findings.FAILED}
    assert states(dagster=DagsterState("not there yet")) == {"daemon": findings.FAILED}
    late = [dataclasses.replace(ALIVE.tickers[0], ticked_at=NOW - dt.timedelta(seconds=121))]
    assert states(dagster=dataclasses.replace(ALIVE, tickers=late)) == {"sensors": findings.FAILED}
    failing = dataclasses.replace(ALIVE, tickers=[dataclasses.replace(ALIVE.tickers[0], failed=True, error="no\nroute")])
    assert "live_margins fails: no\nroute" in judge(dagster=failing)["sensors"].detail
    assert "no route" in findings.lines(list(judge(dagster=failing).values()))


def test_without_a_daemon_its_silence_and_its_old_errors_are_no_matter():
    silent = [dataclasses.replace(d, beat_at=NOW - dt.timedelta(days=1)) for d in ALIVE.daemons]
    failing = [dataclasses.replace(ALIVE.tickers[0], failed=True, ticked_at=NOW - dt.timedelta(days=1))]
    assert states(daemon=False, dagster=DagsterState(None, silent, failing)) == {}
    assert states(daemon=False, dagster=DagsterState("not there yet")) == {}


@pytest.mark.parametrize(("free", "state"), [(1_000_000_000, findings.WARNING), (100_000_000, findings.FAILED)])
def test_a_full_disk_is_said_before_it_is_full(free, state):
    assert states(free_bytes=free) == {"disk": state}


def test_the_schema_must_be_that_of_this_version():
    done, outstanding = MigrationStatus("0001.a", NOW, True), MigrationStatus("0002.b", None, True)
    assert health.migrations([done]).state == findings.OK
    assert "0002.b" in health.migrations([done, outstanding]).detail
    newer = health.migrations([done, MigrationStatus("0003.c", NOW, False)])
    assert (newer.state, "newer" in newer.detail) == (findings.FAILED, True)


@pytest.mark.parametrize(
    ("local", "due"),
    [
        ("2022-12-28T18:59:59-05:00", "2022-12-27"),
        ("2022-12-28T19:00:00-05:00", "2022-12-28"),
        ("2022-12-29T00:30:00+00:00", "2022-12-28"),
        ("2022-12-25T12:00:00-05:00", "2022-12-23"),
        ("2022-12-26T20:00:00-05:00", "2022-12-23"),
        ("2022-12-27T18:00:00-05:00", "2022-12-23"),
    ],
)
def test_a_session_is_due_from_its_deadline_in_new_york_on(local, due):
    assert deadline.due_session("XNYS", dt.datetime.fromisoformat(local)) == dt.date.fromisoformat(due)


def test_sessions_behind_are_counted_by_the_calendar():
    evening = dt.datetime.fromisoformat("2022-12-28T20:00:00-05:00")
    # Christmas was a Sunday and kept on Monday 26.
    behind = {day: deadline.sessions_behind("XNYS", dt.date(2022, 12, day), evening) for day in (21, 22, 23, 27, 28, 29)}
    assert behind == {21: 4, 22: 3, 23: 2, 27: 1, 28: 0, 29: 0}
