"""Several daemons at once, and a clock that jumps: every alert once, every message once, no run twice. Not here: kills."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import subprocess
import sys
import threading
import time
from collections import Counter

import dagster as dg
import psycopg
import pytest

from margin_pipeline.orchestration import schedules, sensors
from margin_pipeline.orchestration.intraday import Cursor, LiveMargins
from margin_pipeline.orchestration.resources import LandingZone, Rules
from margin_pipeline_tests.chaos.book import DATE
from margin_pipeline_tests.chaos.daemon_tick import LIMITS, store_of, tick

DAEMONS, ROUNDS = 2, 3
DAY = dt.timedelta(days=1)
RULES = Rules("XNYS", {})


@pytest.fixture(scope="module")
def published(make_site):
    """A site whose date is published and whose alerts are forgotten."""
    site = make_site("daemons")
    site.put("strained")
    site.finish_run()
    return site


@pytest.fixture
def site(published):
    """The site without alerts, with live marks that strain a portfolio."""
    with psycopg.connect(published.urls.libpq) as connection:
        connection.execute("delete from margin_data.alert_deliveries")
        connection.execute("delete from margin_data.alerts")
        connection.execute("delete from margin_data.live_marks")
        connection.execute("delete from margin_data.utilization_history where occasion = 'live'")
        connection.execute(
            "insert into margin_data.live_marks (symbol, price) select p.symbol, p.price * 0.93 from margin.positions p "
            "where p.portfolio_id = 'MOMENTUM'"
        )
    return published


@pytest.fixture
def receiver():
    """A webhook that takes a moment; gives its address and the texts it was sent."""
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            time.sleep(0.05)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments):
            """Quiet: the test says what went wrong."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def keys(site, condition="true"):
    with psycopg.connect(site.urls.libpq) as connection:
        rows = connection.execute(f"select portfolio_id, kind, subject, threshold from margin_data.alerts where {condition}").fetchall()
    return Counter(rows)


def live_rows(site):
    with psycopg.connect(site.urls.libpq) as connection:
        return connection.execute(
            "select portfolio_id, marks_version, count(*) from margin_data.utilization_history where occasion = 'live' group by 1, 2"
        ).fetchall()


def test_daemons_that_do_everything_at_once_raise_and_tell_each_alert_once(site, receiver):
    webhook, received = receiver
    start = time.time() + 20
    command = [sys.executable, "-m", "margin_pipeline_tests.chaos.daemon_tick", site.urls.libpq, webhook, str(start), str(ROUNDS)]
    daemons = [subprocess.Popen(command, env=site.environment()) for _ in range(DAEMONS)]
    assert [daemon.wait(300) for daemon in daemons] == [0] * DAEMONS
    raised = keys(site)
    assert {key[1] for key in raised} >= {"utilization", "missing_data", "failed_check"}
    assert ("MOMENTUM", "utilization", "", 0.9) in raised
    assert max(raised.values()) == 1
    assert {count for *_, count in live_rows(site)} == {1}
    # What the last daemon has not come to is told by the next round; nothing is told twice.
    tick(store_of(site.urls.libpq), LiveMargins(store_of(site.urls.libpq), "XNYS"), Cursor(), webhook, dt.datetime.now(dt.UTC))
    told = Counter(json.dumps(json.loads(text), sort_keys=True) for text in received)
    assert max(told.values()) == 1
    with psycopg.connect(site.urls.libpq) as connection:
        events = connection.execute(
            "select count(*) + count(cleared_at), (select count(*) from margin_data.alert_deliveries where channel = 'webhook' "
            "and delivered_at is not null and attempts = 1) from margin_data.alerts"
        ).fetchone()
    assert events == (len(received), len(received))


def test_a_clock_that_jumps_there_and_back_neither_loses_nor_doubles_an_alert(site, receiver):
    webhook, received = receiver
    store = store_of(site.urls.libpq)
    live, cursor, now = LiveMargins(store, "XNYS"), Cursor(), dt.datetime.now(dt.UTC)
    store.evaluate_alerts(DATE, LIMITS)
    for jump in (dt.timedelta(), DAY, -DAY, 30 * DAY, dt.timedelta(), -30 * DAY, dt.timedelta(minutes=1)):
        cursor = tick(store, live, cursor, webhook, now + jump)
    raised = keys(site)
    assert max(raised.values()) == 1
    assert max(Counter(received).values()) == 1
    assert len(received) == sum(raised.values())
    # The database's clock was ahead when these were raised: they clear all the same, once, and come again as a new episode.
    with psycopg.connect(site.urls.libpq) as connection:
        connection.execute("update margin_data.alerts set raised_at = raised_at + interval '1 day'")
        connection.execute("delete from margin_data.live_marks")
    # Live marks had raised it; a publication judges the close, at which utilization is 0.87.
    store.evaluate_alerts(DATE, LIMITS)
    assert keys(site, "kind = 'utilization' and cleared_at is null") == {("MOMENTUM", "utilization", "", 0.8): 1}
    with psycopg.connect(site.urls.libpq) as connection:
        connection.execute(
            "insert into margin_data.live_marks (symbol, price) select symbol, price * 0.93 from margin.positions "
            "where portfolio_id = 'MOMENTUM'"
        )
    live.round(cursor, now)
    assert keys(site, "kind = 'utilization'") == {
        ("MOMENTUM", "utilization", "", 0.8): 1,
        ("MOMENTUM", "utilization", "", 0.9): 2,
        ("MOMENTUM", "utilization", "", 0.95): 2,
    }


def test_old_marks_are_noticed_after_the_clock_was_set_back(site):
    noon = dt.datetime(2023, 1, 5, 17, tzinfo=dt.UTC)
    with psycopg.connect(site.urls.libpq) as connection:
        connection.execute("delete from margin_data.live_marks")
        connection.execute(
            "insert into margin_data.live_marks (symbol, price, marked_at) select distinct symbol, 100.0, %s::timestamptz "
            "from margin.positions where portfolio_id = 'CRYPTO' limit 1",
            (noon - dt.timedelta(minutes=40),),
        )
    live = LiveMargins(store_of(site.urls.libpq), "XNYS")
    # It looks, with nothing old; then the clock is set back by an hour and a half.
    cursor = live.round(Cursor(), noon - dt.timedelta(minutes=35)).cursor
    ahead = live.round(cursor, noon + dt.timedelta(hours=2))
    before = keys(site, "subject = 'live_marks'")
    with psycopg.connect(site.urls.libpq) as connection:
        connection.execute("delete from margin_data.alerts")
    back = live.round(ahead.cursor, noon + dt.timedelta(minutes=30))
    assert before == keys(site, "subject = 'live_marks'") == {("CRYPTO", "stale_mark", "live_marks", 15.0): 1}
    assert back.raised == 1


@pytest.fixture
def instance():
    with dg.instance_for_test() as opened:
        yield opened


def test_a_clock_that_jumps_starts_no_run_twice(site, instance):
    store, zone = store_of(site.urls.libpq), LandingZone(site.landing)
    moment = dt.datetime.fromisoformat(f"{DATE}T17:30:00-05:00")
    asked = {"store": store, "rules": RULES, "landing_zone": zone}

    def scheduled(jump):
        context = dg.build_schedule_context(instance, scheduled_execution_time=moment + jump)
        return schedules.after_the_close(context, **asked)

    def sensed(cursor):
        found = sensors.landed_files(dg.build_sensor_context(instance, cursor), **asked)
        return ([], cursor) if isinstance(found, dg.SkipReason) else (found.run_requests or [], found.cursor)

    # What is published is not started again, whatever time it is.
    assert all(isinstance(scheduled(jump), dg.SkipReason) for jump in (dt.timedelta(), DAY, -DAY, dt.timedelta()))
    site.put("calm")
    # Dagster starts one run a key: the same close, seen twice, has the same one.
    first, second = scheduled(dt.timedelta()), scheduled(dt.timedelta())
    assert first.run_key == second.run_key
    requests, cursor = [], None
    for _ in range(5):
        found, cursor = sensed(cursor)
        requests += found
    assert [request.run_key for request in requests] == [first.run_key]
    site.put("strained")
