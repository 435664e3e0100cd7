"""Sensors and schedules against real tables. Not here: what the chain computes."""

import datetime as dt
import http.server
import logging
import shutil
import threading

import dagster as dg
import pytest

from margin_pipeline import storage
from margin_pipeline.orchestration import channels, delivery, emergency, jobs, notifiers, schedules, sensors
from margin_pipeline.orchestration.jobs import CHAIN
from margin_pipeline.orchestration.resources import LandingZone, NotifierSettings, ResultStore, Rules
from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline.storage import automation
from margin_pipeline_tests.sample_chain import QUIET

pytestmark = pytest.mark.slow

DATE = SAMPLE_DATES[0].isoformat()
RULES = Rules("XNYS", {})


@pytest.fixture
def zone(tmp_path, sample_folder):
    shutil.copytree(sample_folder / DATE, tmp_path / "landing" / DATE)
    return LandingZone(tmp_path / "landing")


@pytest.fixture
def store(fresh_database):
    return ResultStore(lambda: fresh_database, "test", lambda as_of, at: {})


@dg.job
def nothing():
    """Do nothing."""


@pytest.fixture
def instance():
    with dg.instance_for_test() as opened:
        yield opened


@pytest.fixture
def tick(instance):
    return lambda zone, store, cursor: look(instance, zone, store, cursor)


def look(instance, zone, store, cursor):
    """One look of the sensor at the landing zone; gives what it asks for and its cursor."""
    context = dg.build_sensor_context(instance, cursor)
    result = sensors.landed_files(context, store=store, rules=RULES, landing_zone=zone)
    if isinstance(result, dg.SkipReason):
        return [], cursor
    return result.run_requests or [], result.cursor


def test_a_date_is_started_once_when_its_files_have_stood_still_for_two_ticks(tick, zone, store):
    first, cursor = tick(zone, store, None)
    second, cursor = tick(zone, store, cursor)
    third, _ = tick(zone, store, cursor)
    assert (first, [r.partition_key for r in second], third) == ([], [DATE], [])


def test_files_that_still_change_are_waited_for(tick, zone, store):
    _, cursor = tick(zone, store, None)
    with (zone / DATE / "positions.csv").open("a") as file:
        file.write("CASH,late,KO,1,,,\n")
    changed, cursor = tick(zone, store, cursor)
    stable, _ = tick(zone, store, cursor)
    assert (changed, len(stable)) == ([], 1)


def test_corrected_files_start_the_date_again_under_another_key(tick, zone, store):
    _, cursor = tick(zone, store, None)
    first, cursor = tick(zone, store, cursor)
    (zone / DATE / "portfolios.csv").write_text((zone / DATE / "portfolios.csv").read_text() + "\n")
    (zone / DATE / "dividends.csv").write_text("symbol,dividend_yield\nKO,0.03\n")
    _, cursor = tick(zone, store, cursor)
    again, _ = tick(zone, store, cursor)
    assert len(again) == 1
    assert again[0].run_key != first[0].run_key


def test_files_that_are_put_back_after_a_correction_are_due_again_and_a_run_is_asked_for_once(tick, instance, zone, store, fresh_database):
    """Dagster never starts a run key twice: content alone would leave the correction published for ever."""

    def asked(cursor):
        _, cursor = tick(zone, store, cursor)
        (request,), cursor = tick(zone, store, cursor)
        return request.run_key, cursor

    def ended():
        run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
        begun = storage.begin(fresh_database, SAMPLE_DATES[0], run.run_id, "test", {}, [])
        assert asked(None)[0] == keys[-1], "one that runs is the run that was asked for"
        storage.abandon(fresh_database, begun)

    dividends = zone / DATE / "dividends.csv"
    original, keys = dividends.read_bytes(), []
    key, cursor = asked(None)
    keys.append(key)
    ended()
    dividends.write_text("symbol,dividend_yield\nKO,0.03\n")
    key, cursor = asked(cursor)
    keys.append(key)
    ended()
    dividends.write_bytes(original)
    keys.append(asked(cursor)[0])
    assert len(set(keys)) == 3
    assert asked(None)[0] == keys[-1]


def test_a_date_without_a_required_file_is_not_started(tick, zone, store):
    (zone / DATE / "prices.csv").unlink()
    _, cursor = tick(zone, store, None)
    assert tick(zone, store, cursor)[0] == []


def test_the_schedule_runs_the_session_that_has_just_closed(instance, zone, store):
    moment = dt.datetime.fromisoformat(f"{DATE}T17:30:00-05:00")
    context = dg.build_schedule_context(instance, scheduled_execution_time=moment)
    request = schedules.after_the_close(context, store=store, rules=RULES, landing_zone=zone)
    assert request.partition_key == DATE
    holiday = dg.build_schedule_context(scheduled_execution_time=dt.datetime.fromisoformat("2022-12-26T17:30:00-05:00"))
    assert isinstance(schedules.after_the_close(holiday, store=store, rules=RULES, landing_zone=zone), dg.SkipReason)


def test_the_schedule_of_the_deadline_asks_for_a_run_that_raises_the_alert_on_sessions_only(store, fresh_database):
    def asked(instant):
        context = dg.build_schedule_context(scheduled_execution_time=dt.datetime.fromisoformat(instant))
        return schedules.at_the_deadline(context, store=store, rules=RULES)

    request = asked(f"{DATE}T19:00:00-05:00")
    assert schedules.publication_deadline.execute_in_process(run_config=QUIET | request.run_config, resources={"store": store}).success
    alerts = storage.read_query(fresh_database, "select as_of::text, subject, cleared_at is null as open from margin.alerts")
    assert alerts[["as_of", "open"]].values.tolist() == [[DATE, True]]
    assert isinstance(asked("2022-12-26T19:00:00-05:00"), dg.SkipReason)


def test_the_schedule_of_the_close_waits_for_files_and_leaves_alone_what_is_published(instance, zone, store, published_sample):
    def asked(store):
        context = dg.build_schedule_context(instance, scheduled_execution_time=dt.datetime.fromisoformat(f"{DATE}T17:30:00-05:00"))
        return schedules.after_the_close(context, store=store, rules=RULES, landing_zone=zone)

    prices = (zone / DATE / "prices.csv").read_bytes()
    (zone / DATE / "prices.csv").unlink()
    assert "prices" in asked(store).skip_message
    (zone / DATE / "prices.csv").write_bytes(prices)
    assert asked(store).partition_key == DATE
    urls = published_sample(DATE)
    assert "same files" in asked(ResultStore(lambda: urls, "test", lambda as_of, at: {})).skip_message


def test_a_date_that_is_not_published_by_the_deadline_raises_one_alert_and_clears_it(store, fresh_database, run_chain, zone):
    as_of = SAMPLE_DATES[0]
    store.watch_publication(as_of)
    store.watch_publication(as_of)
    alerts = "select subject, cleared_at is null as open from margin.alerts where portfolio_id = '*' and kind = 'missing_data'"
    assert list(storage.read_query(fresh_database, alerts)["open"]) == [True]
    run_chain(fresh_database, zone.path, DATE)
    store.watch_publication(as_of)
    assert list(storage.read_query(fresh_database, alerts)["open"]) == [False]


@pytest.fixture
def receiver():
    received, broken = [], threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(503 if broken.is_set() else 204)
            self.end_headers()

        def log_message(self, *_arguments):
            """Quiet: the test says what went wrong."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", received, broken
    server.shutdown()
    server.server_close()


def test_alerts_are_delivered_once_to_each_channel_and_tried_again_where_that_failed(store, receiver):
    url, received, broken = receiver
    store.watch_publication(SAMPLE_DATES[0])
    notify = NotifierSettings(url)
    broken.set()
    sensors.notifications(dg.build_sensor_context(), store=store, notifier=notify)
    broken.clear()
    sensors.notifications(dg.build_sensor_context(), store=store, notifier=notify)
    assert len(received) == 1
    later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)
    for _ in range(3):
        delivery.deliver(store, channels.channels(url, None, logging.getLogger()), later)
    assert len(received) == 2
    deliveries = storage.read_query(
        store.urls, "select channel, attempts, delivered_at is not null as done from margin_data.alert_deliveries order by 1"
    )
    assert deliveries.to_dict("records") == [
        {"channel": "log", "attempts": 1, "done": True},
        {"channel": "webhook", "attempts": 2, "done": True},
    ]
    assert notifiers.TIMEOUT_SECONDS < 60


def test_an_emergency_stop_is_honoured_at_once_by_everything_that_runs_on_its_own(store, zone, receiver):
    url, received, _ = receiver
    store.watch_publication(SAMPLE_DATES[0])
    automation.stop(store.urls.libpq, "Ada", "prices are wrong")
    moment = dt.datetime.fromisoformat(f"{DATE}T19:00:00-05:00")
    skipped = [
        sensors.landed_files(dg.build_sensor_context(), store=store, rules=RULES, landing_zone=zone),
        sensors.notifications(dg.build_sensor_context(), store=store, notifier=NotifierSettings(url)),
        schedules.after_the_close(dg.build_schedule_context(scheduled_execution_time=moment), store=store, rules=RULES, landing_zone=zone),
        schedules.at_the_deadline(dg.build_schedule_context(scheduled_execution_time=moment), store=store, rules=RULES),
    ]
    assert all(
        isinstance(s, dg.SkipReason) and "stopped by Ada" in s.skip_message and "prices are wrong" in s.skip_message for s in skipped
    )
    assert received == []
    assert automation.resume(store.urls.libpq, "Bob", "mended")
    sensors.notifications(dg.build_sensor_context(), store=store, notifier=NotifierSettings(url))
    assert len(received) == 1


def test_a_stop_stands_until_it_is_resumed_and_both_are_recorded(store):
    assert automation.stop(store.urls.libpq, "Ada", "prices are wrong")
    assert not automation.stop(store.urls.libpq, "Bob", "me too")
    assert automation.resume(store.urls.libpq, "Bob", None)
    assert not automation.resume(store.urls.libpq, "Bob", None)
    assert automation.stop(store.urls.libpq, "Cy", "again")
    rows = storage.read_query(store.urls, "select stopped_by, resumed_by from margin.automation_stops order by stop_id")
    events = storage.read_query(store.urls, "select event from margin.audit_log where event like 'automation%' order by audit_id")
    assert events["event"].tolist() == ["automation_stopped", "automation_resumed", "automation_stopped"]
    assert rows["stopped_by"].tolist() == ["Ada", "Cy"]
    assert rows["resumed_by"].fillna("").tolist() == ["Bob", ""]


def test_jobs_of_the_page_stop_and_resume_and_say_who(store):
    given = {"store": store}
    stop = {"ops": {"stop_automation_now": {"config": {"reason": "prices are wrong", "by": "Ada"}}}}
    for _ in range(2):
        assert emergency.stop_automation.execute_in_process(resources=given, run_config=QUIET | stop).success
    assert "stopped by Ada" in store.standing_stop()
    empty = {"ops": {"stop_automation_now": {"config": {"reason": " "}}}}
    assert not emergency.stop_automation.execute_in_process(resources=given, run_config=QUIET | empty, raise_on_error=False).success
    assert emergency.resume_automation.execute_in_process(resources=given, run_config=QUIET, tags={"user": "Bob"}).success
    rows = storage.read_query(store.urls, "select stopped_by, reason, resumed_by from margin.automation_stops")
    assert rows.values.tolist() == [["Ada", "prices are wrong", "Bob"]]


def test_a_run_that_fails_raises_one_alert_a_check_or_step_and_publication_clears_it(store, definitions_for, zone, instance):
    prices = (zone / DATE / "prices.csv").read_text()
    (zone / DATE / "prices.csv").write_text("nothing\n")
    job = definitions_for(store.urls, zone.path).resolve_job_def(CHAIN)
    failed = sensors.failed_runs(jobs.jobs(3600))
    for _ in range(2):
        result = job.execute_in_process(instance=instance, partition_key=DATE, run_config=QUIET, raise_on_error=False)
        failure = next(event for event in result.all_events if event.event_type == dg.DagsterEventType.RUN_FAILURE)
        context = dg.build_run_status_sensor_context("failed_runs", failure, instance, result.dagster_run)
        assert failed(context.for_run_failure(), store=store, landing_zone=zone) is None
    (zone / DATE / "prices.csv").write_text(prices)
    alerts = "select subject, severity, message, cleared_at is null as open from margin.alerts where kind = 'failed_check'"
    (alert,) = storage.read_query(store.urls, alerts).to_dict("records")
    assert (alert["subject"], alert["severity"], alert["open"]) == ("landing", "critical", True)
    assert f"{DATE} is not published" in alert["message"]
    assert job.execute_in_process(instance=instance, partition_key=DATE, run_config=QUIET).success
    assert not storage.read_query(store.urls, alerts)["open"].any()
