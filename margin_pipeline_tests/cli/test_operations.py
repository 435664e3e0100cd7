"""`status`, `health` and `metrics`: what they print and how they end. Not here: their parts, figures of a published book (dashboards)."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from http.server import ThreadingHTTPServer

import pandas as pd
import pytest

from margin_pipeline import cli, storage
from margin_pipeline.cli import metrics
from margin_pipeline.orchestration import deadline
from margin_pipeline.storage import alerts, automation, urls

TODAY = dt.datetime.now(dt.UTC)
DUE = deadline.due_session("XNYS", TODAY)
BEFORE = deadline.due_session("XNYS", dt.datetime.combine(DUE, dt.time(12), dt.UTC))
ALERT = {
    "portfolio_id": "P", "kind": "utilization", "subject": "", "threshold": 0.8, "episode": 1, "severity": "warning",
    "as_of": DUE, "calculation_id": None, "observed": 0.85, "message": "P: high",
}  # fmt: skip


@pytest.fixture
def call(fresh_database, monkeypatch, tmp_path, capsys):
    """Call the command on a database; gives its exit status and what it printed."""
    monkeypatch.setenv("MARGIN_DATABASE_URL", fresh_database.libpq)
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))

    def run(*arguments):
        capsys.readouterr()
        handler = signal.getsignal(signal.SIGTERM)
        try:
            status = cli.main(arguments)
        finally:
            signal.signal(signal.SIGTERM, handler)
            signal.set_wakeup_fd(-1)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def publish(database, date, utilization):
    """Publish a portfolio, and one whose margin is undetermined."""
    calculation_id = storage.begin(
        database, date, f"run {date}", "1", {"compute": {"threads": 2, "choices": {"elementwise": {"10": "numpy"}}}}
    )
    ids = ["P", "LOST"]
    portfolios = pd.DataFrame({"portfolio_id": ids, "account_type": "reg_t", "equity": [1000.0, 100.0], "base_currency": "USD"})
    storage.write_table(database, calculation_id, date, "portfolios", portfolios.assign(jurisdiction=None, entity_type=None))
    margin = pd.Series([1000 * utilization, float("nan")])
    margins = pd.DataFrame({"portfolio_id": ids, "method": "strategy_based", "initial_margin": margin, "maintenance_margin": margin})
    margins = margins.assign(equity=[1000.0, 100.0], margin_equity=[1000.0, 100.0], excess=[1000.0, float("nan")] - margin)
    margins = margins.assign(
        utilization=margin / 1000, status=["warning", "undetermined"], missing=[None, '["price of KO"]'], is_governing=True
    )
    level = {"is_safe": [False, None], "is_warning": [True, None], "is_liquidatable": [False, None]}
    margins = margins.assign(**{name: pd.Series(values, dtype="boolean") for name, values in level.items()})
    # Figures that are of no matter here are empty, whatever columns the table has.
    known = {column.name: column.type for column in storage.columns(database, "portfolio_margins").columns}
    left_out = [name for name in known if name not in ("as_of", "calculation_id", *margins.columns)]
    margins = margins.assign(**{name: float("nan") if known[name] == "double precision" else None for name in left_out})
    storage.write_table(database, calculation_id, date, "portfolio_margins", margins)
    files = pd.DataFrame({"source": ["positions.csv"], "rows_read": [10], "rows_accepted": [7], "rows_rejected": [3], "content_hash": "h"})
    storage.write_table(database, calculation_id, date, "landed_files", files)
    storage.publish(database, calculation_id, input_hash="h", scope="chain", expected_tables=[])


def raise_alert(database, minutes_ago=0):
    with alerts.AlertEvaluation(database.libpq) as evaluation:
        evaluation.apply([ALERT], [])
    storage.execute(database, "update margin_data.alerts set raised_at = raised_at - %s * interval '1 minute'", (minutes_ago,))
    return {"alert_id": 1, "event": "raised"}


def states(printed):
    return {check["check"]: check["state"] for check in json.loads(printed)["checks"]}


def test_a_pipeline_that_is_up_to_date_is_healthy_and_its_state_is_said(call, fresh_database):
    publish(fresh_database, DUE, 0.85)
    status, out, err = call("health", "--audit")
    assert (status, err, out.splitlines()[-1]) == (0, "", "healthy")
    assert "audit log     whole:" in out
    status, out, err = call("status")
    lines = {line[:15].strip(): line[15:].strip() for line in out.splitlines()}
    assert (status, err) == (0, "")
    assert lines["published"].startswith(f"{DUE} (calculation 1, ")
    assert lines["published"].endswith("nothing newer is due")
    assert lines["portfolios"] == "1 undetermined, 1 warning"
    assert lines["open alerts"] == "none"
    assert lines["notifications"] == "all are told"
    assert lines["automation"] == "not stopped"
    assert lines["input rows"] == "3 of 10 rejected"
    # Looking makes no database: Dagster's is made by whoever runs first.
    assert "not there yet" in lines["daemon"]
    assert "***" not in out or "postgres:" not in out


def test_what_is_published_late_is_counted_in_sessions(call, fresh_database):
    publish(fresh_database, BEFORE, 0.5)
    status, out, _ = call("health", "--format", "json")
    assert (status, states(out)["publication"]) == (1, "failed")
    _, out, _ = call("status", "--format", "json")
    found = json.loads(out)
    assert (found["as_of"], found["due"], found["sessions_behind"]) == (BEFORE.isoformat(), DUE.isoformat(), 1)


def test_nothing_published_yet_is_said_and_not_healthy(call):
    status, out, _ = call("health")
    assert status == 1
    assert "nothing is published yet; run the chain: margin-pipeline run" in out
    status, out, _ = call("status")
    assert status == 0
    assert "published      nothing yet" in out
    status, out, _ = call("metrics")
    assert status == 0
    assert "margin_pipeline_up 1\n" in out
    assert "published_age_seconds" not in out
    assert "margin_pipeline_calculation_duration_seconds_count 0" in out


def test_alerts_that_nobody_was_told_and_a_stop_are_said(call, fresh_database):
    publish(fresh_database, DUE, 0.85)
    event = raise_alert(fresh_database, minutes_ago=12)
    assert states(call("health", "--format", "json")[1])["deliveries"] == "warning"
    assert call("health", "--daemon")[0] == 1
    alerts.mark_failed(fresh_database.libpq, [event], "webhook", "HTTP 503")
    status, out, _ = call("health")
    assert (status, "not healthy: deliveries" in out) == (1, True)
    alerts.mark_delivered(fresh_database.libpq, [event], "webhook")
    assert call("health")[0] == 0
    automation.stop(fresh_database.libpq, "Ada", "prices are wrong")
    status, out, _ = call("health")
    assert (status, out.splitlines()[-1]) == (0, "healthy (look at: automation)")
    _, out, _ = call("status")
    assert "STOPPED by Ada since" in out
    assert "prices are wrong" in out
    assert "open alerts    1 warning; 1 without anybody's note" in out
    assert "margin_pipeline_automation_stopped 1\n" in call("metrics")[1]


def test_a_calculation_that_nobody_ends_is_not_healthy(call, fresh_database):
    publish(fresh_database, DUE, 0.5)
    storage.begin(fresh_database, DUE, "gone", "1", {})
    status, out, _ = call("health")
    assert status == 1
    assert f"calculation 2 of {DUE} will not end: Dagster does not know its run" in out


def test_an_outstanding_migration_is_named_and_nothing_is_changed(call, fresh_database):
    undone = storage.rollback(fresh_database, "0018.audit")
    status, out, _ = call("health")
    assert status == 1
    assert f"outstanding: {', '.join(reversed(undone))}" in out
    assert "margin-pipeline database upgrade" in out
    assert call("status")[0] == 2
    assert call("metrics")[0] == 2
    assert {m.name for m in storage.status(fresh_database) if m.applied_at is None} == set(undone)


@pytest.mark.parametrize(("command", "expected"), [("health", 1), ("status", 2), ("metrics", 2)])
def test_a_database_that_cannot_be_reached_is_one_line(call, monkeypatch, command, expected):
    monkeypatch.setenv("MARGIN_DATABASE_URL", "postgresql://ann:secret@127.0.0.1:1/margin")
    status, out, err = call(command)
    assert status == expected
    assert "cannot be reached" in out + err
    assert "secret" not in out + err
    assert err.count("\n") <= 1


def test_looking_starts_no_server_where_there_was_none(call, monkeypatch, tmp_path):
    monkeypatch.delenv("MARGIN_DATABASE_URL")
    assert call("status")[0] == 2
    assert call("health")[0] == 1
    assert not (tmp_path / "postgres").exists()


def test_one_who_may_only_read_can_look(fresh_database, call, monkeypatch):
    publish(fresh_database, DUE, 0.85)
    storage.execute(fresh_database, "create role looker_of_operations login")
    try:
        for statement in (
            "grant usage on schema margin to looker_of_operations",
            "grant select on all tables in schema margin to looker_of_operations",
        ):
            storage.execute(fresh_database, statement)
        as_looker = fresh_database.libpq.replace("postgres@", "looker_of_operations@")
        assert as_looker != fresh_database.libpq
        monkeypatch.setenv("MARGIN_DATABASE_URL", as_looker)
        assert call("status")[0] == 0
        assert 'margin_pipeline_utilization{method="strategy_based",portfolio="P"} 0.85' in call("metrics")[1]
    finally:
        storage.execute(fresh_database, "drop owned by looker_of_operations")
        storage.execute(fresh_database, "drop role looker_of_operations")


def test_metrics_are_served_and_a_lost_database_is_a_metric(fresh_database, capsys):
    publish(fresh_database, DUE, 0.85)
    gone = urls.DatabaseUrls("postgresql://ann:secret@127.0.0.1:1/margin", "postgresql://127.0.0.1:1/d")
    for database, expected in ((fresh_database, "1"), (gone, "0")):
        server = ThreadingHTTPServer(("127.0.0.1", 0), metrics.handler(database))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}"
        with urllib.request.urlopen(f"{place}/metrics", timeout=30) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert f"\nmargin_pipeline_up {expected}\n" in answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{place}/secrets", timeout=30)
        server.shutdown()
        server.server_close()
    assert "secret" not in capsys.readouterr().err


def test_the_exporter_listens_on_loopback_until_it_is_interrupted(fresh_database, tmp_path):
    command = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())", "metrics", "--port", "0"]
    environment = {**os.environ, "MARGIN_DATABASE_URL": fresh_database.libpq, "MARGIN_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        assert said.startswith("metrics at http://127.0.0.1:")
        with urllib.request.urlopen(said.split()[2], timeout=60) as answer:
            assert b"margin_pipeline_up 1" in answer.read()
        # What a service manager sends; an interrupt is ignored by what a shell starts in the background.
        process.terminate()
        _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (0, "")


def test_a_port_that_is_taken_is_one_line(call):
    with ThreadingHTTPServer(("127.0.0.1", 0), metrics.handler(None)) as server:
        status, _, err = call("metrics", "--port", str(server.server_port))
    assert (status, err.count("\n"), "choose another with --port" in err) == (2, 1, True)
