"""Which runs are due: of landed files, and in place of lost ones. Not here: that the daemon starts them (test_ui)."""

import shutil

import dagster as dg
import psycopg
import pytest
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._utils.error import SerializableErrorInfo

from margin_pipeline import storage
from margin_pipeline.orchestration import due_runs, jobs, sensors
from margin_pipeline.orchestration.resources import LandingZone, ResultStore
from margin_pipeline.orchestration.run_tags import AT_TAG, BACKFILL_TAG, PARTITION_TAG
from margin_pipeline.orchestration.stale_runs import HOST_TAG
from margin_pipeline.sample import SAMPLE_DATES

AS_OF = SAMPLE_DATES[0]
DATE = AS_OF.isoformat()
OF_THE_DAEMON = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("margin_pipeline"), "__repository__"), jobs.CHAIN)
INTERRUPTED = "DagsterExecutionInterruptedError"
SENSOR = sensors.failed_runs(jobs.jobs(3600))


@dg.op
def step():
    """Do nothing."""


@dg.job(name=jobs.CHAIN)
def chain():
    """A job by the name of the chain."""
    step()


@dg.job
def from_risk():
    """A job by the name of a stage."""
    step()


@dg.job
def of_something_else():
    """A job of no name here."""
    step()


@pytest.fixture
def store(fresh_database):
    return ResultStore(lambda: fresh_database, "test", lambda as_of, at: {})


@pytest.fixture
def zone(tmp_path, sample_folder):
    shutil.copytree(sample_folder / DATE, tmp_path / DATE)
    return LandingZone(tmp_path)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def failed(instance, *, job=chain, asset_selection=None, step_error=None, cancelled=False, origin=OF_THE_DAEMON, **tags):
    """A run of the date that has failed; gives it with the event that says so."""
    tags = {PARTITION_TAG: DATE, HOST_TAG: "here"} | {name.replace("_", "/", 1): value for name, value in tags.items()}
    run = instance.create_run_for_job(
        job, status=dg.DagsterRunStatus.STARTED, tags=tags, remote_job_origin=origin, asset_selection=asset_selection
    )
    if step_error:
        data = StepFailureData(SerializableErrorInfo("", [], step_error), None)
        instance.report_dagster_event(dg.DagsterEvent("STEP_FAILURE", jobs.CHAIN, step_key="step", event_specific_data=data), run.run_id)
    if cancelled:
        instance.report_run_canceling(run)
    event = instance.report_run_failed(run, "It ended.")
    return instance.get_run_by_id(run.run_id), event


def seen(instance, store, zone, run, event):
    """What the sensor makes of a failed run."""
    context = dg.build_run_status_sensor_context("failed_runs", event, instance, run).for_run_failure()
    return SENSOR(context, store=store, landing_zone=zone)


def open_alerts(store):
    return storage.read_query(store.urls, "select subject from margin.alerts where kind = 'failed_check' and cleared_at is null")["subject"]


@pytest.mark.parametrize("error", [None, INTERRUPTED])
def test_a_run_that_was_killed_or_interrupted_is_started_again_without_an_alert(instance, store, zone, error):
    asked_for = {AT_TAG: "2022-12-28T15:30:00-05:00", BACKFILL_TAG: "backfill"}
    run, event = failed(instance, step_error=error, margin_at=asked_for[AT_TAG], dagster_backfill=asked_for[BACKFILL_TAG])
    begun = store.calculation_id(run, AS_OF)
    again = seen(instance, store, zone, run, event)
    assert (again.partition_key, again.tags) == (DATE, asked_for | {due_runs.ATTEMPT_TAG: "2"})
    assert again.run_key != seen(instance, store, zone, *failed(instance)).run_key
    assert again.run_key == seen(instance, store, zone, run, event).run_key
    states = storage.read_query(store.urls, "select calculation_id, state from margin.calculations")
    assert states.values.tolist() == [[begun, "abandoned"]]
    assert open_alerts(store).empty


@pytest.mark.parametrize(
    ("subject", "how"),
    [
        ("step", {"step_error": "StorageError"}),
        ("run", {"cancelled": True}),
        ("step", {"cancelled": True, "step_error": INTERRUPTED}),
        ("run", {"origin": None}),
        ("run", {"margin_attempt": str(due_runs.ATTEMPTS)}),
    ],
    ids=["failed by itself", "cancelled", "interrupted because it was cancelled", "of a command", "killed too often"],
)
def test_what_somebody_has_to_look_at_raises_an_alert_and_is_not_started_again(instance, store, zone, subject, how):
    assert seen(instance, store, zone, *failed(instance, **how)) is None
    assert list(open_alerts(store)) == [subject]


@dg.asset
def positions():
    """A table."""


def test_tables_that_were_selected_in_the_page_are_selected_again(instance, store, zone):
    job = dg.Definitions(assets=[positions]).resolve_implicit_global_asset_job_def()
    run, event = failed(instance, job=job, asset_selection={positions.key})
    assert run.job_name != jobs.CHAIN
    again = seen(instance, store, zone, run, event)
    assert (again.job_name, again.asset_selection) == (jobs.CHAIN, [positions.key])


def test_a_stage_is_started_again_as_that_stage_and_a_job_of_something_else_not_at_all(instance, store, zone):
    assert seen(instance, store, zone, *failed(instance, job=from_risk)).job_name == "from_risk"
    assert seen(instance, store, zone, *failed(instance, job=of_something_else)) is None
    assert list(open_alerts(store)) == ["run"]


def test_a_date_is_started_no_more_often_than_the_limit(instance, store, zone):
    started, tags = 1, {}
    while isinstance(again := seen(instance, store, zone, *failed(instance, **tags)), dg.RunRequest):
        started, tags = started + 1, {name.replace("/", "_"): value for name, value in again.tags.items()}
    assert started == due_runs.ATTEMPTS
    assert list(open_alerts(store)) == ["run"]


@pytest.mark.slow
def test_a_lost_run_whose_date_has_been_published_since_is_neither_started_nor_told(instance, zone, published_sample):
    urls = published_sample(DATE)
    store = ResultStore(lambda: urls, "test", lambda as_of, at: {})
    before, later = failed(instance), failed(instance)
    with psycopg.connect(urls.libpq) as connection:
        connection.execute(
            "insert into margin_data.calculations (calculation_id, as_of, run_id, code_version, settings, state, started_at, finished_at) "
            "overriding system value values (0, %s, %s, 'test', '{}', 'abandoned', now(), now())",
            (AS_OF, before[0].run_id),
        )
    store.calculation_id(later[0], AS_OF)
    assert isinstance(seen(instance, store, zone, *before), dg.SkipReason)
    # A date that was published before is calculated again because somebody wanted that.
    assert isinstance(seen(instance, store, zone, *later), dg.RunRequest)
    (zone.path / DATE / "dividends.csv").write_text("symbol,dividend_yield\nKO,0.03\n")
    assert isinstance(seen(instance, store, zone, *before), dg.RunRequest)


def test_a_lost_run_whose_files_cannot_be_read_is_started_again_to_say_so(instance, store, zone):
    (zone.path / DATE / "prices.csv").unlink()
    (zone.path / DATE / "prices.csv").mkdir()
    assert isinstance(seen(instance, store, zone, *failed(instance)), dg.RunRequest)


def test_files_that_land_again_unchanged_start_their_date_again_only_after_its_run_has_ended(instance, store):
    run, _ = failed(instance)
    alive = instance.create_run_for_job(chain, status=dg.DagsterRunStatus.STARTED, tags={PARTITION_TAG: DATE})
    first = due_runs.of_files(instance, store, AS_OF, "content")
    store.calculation_id(alive, AS_OF)
    assert due_runs.of_files(instance, store, AS_OF, "content").run_key == first.run_key
    store.calculation_id(run, AS_OF)
    second = due_runs.of_files(instance, store, AS_OF, "content")
    assert second.run_key != first.run_key
    instance.report_run_failed(alive)
    third = due_runs.of_files(instance, store, AS_OF, "content")
    assert len({first.run_key, second.run_key, third.run_key}) == 3
    assert due_runs.of_files(instance, store, AS_OF, "content").run_key == third.run_key
