"""Sensors: start the chain when files have landed or its run was killed, deliver alerts.

Belongs here: what is noticed between schedules. Not here: reading files, raising alerts.
"""

import datetime as dt
import json
from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from margin_pipeline.landing import LandingError
from margin_pipeline.orchestration import due_runs
from margin_pipeline.orchestration.channels import ChannelError, channels
from margin_pipeline.orchestration.delivery import deliver
from margin_pipeline.orchestration.intraday import Cursor, LiveMargins
from margin_pipeline.orchestration.jobs import CHAIN
from margin_pipeline.orchestration.resources import LandingZone, NotifierSettings, ResultStore, Rules
from margin_pipeline.orchestration.run_tags import PARTITION_TAG

# Dagster looks at sensors in a rhythm of its own: 3 gives a steady 5 seconds.
EVERY_FIVE_SECONDS = 3
RUNS_PER_TICK = 5


@dg.sensor(job_name=CHAIN, minimum_interval_seconds=EVERY_FIVE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def landed_files(
    context: dg.SensorEvaluationContext,
    store: dg.ResourceParam[ResultStore],
    rules: dg.ResourceParam[Rules],
    landing_zone: dg.ResourceParam[LandingZone],
) -> dg.SensorResult | dg.SkipReason:
    """Starts the chain of a date once all its required files are there and have not changed between two ticks.

    The same files never start two runs at a time; corrected ones start another, and so do earlier ones that are put back.
    """
    if stopped := store.standing_stop():
        return dg.SkipReason(stopped)
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    now: dict[str, str] = {}
    requests = []
    for date in landing_zone.dates():
        if not rules.is_session(date) or landing_zone.missing_files(date):
            continue
        key = date.isoformat()
        stamp = landing_zone.stamp(date)
        now[key] = f"started {stamp}"
        if seen.get(key) == now[key]:
            continue
        if seen.get(key) != stamp or len(requests) == RUNS_PER_TICK:
            now[key] = stamp
            continue
        content = landing_zone.fingerprint(date)
        if not store.is_published_from(date, content):
            requests.append(due_runs.of_files(context.instance, store, date, content))
    cursor = json.dumps(now, sort_keys=True)
    if not requests and cursor == context.cursor:
        return dg.SkipReason("no new files")
    return dg.SensorResult(run_requests=requests, cursor=cursor)


@dg.sensor(minimum_interval_seconds=EVERY_FIVE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def live_margins(
    context: dg.SensorEvaluationContext, store: dg.ResourceParam[ResultStore], live: dg.ResourceParam[LiveMargins]
) -> dg.SensorResult | dg.SkipReason:
    """Computes the portfolios that changed live marks concern, adds them to utilization_history and raises their alerts.

    A round ends after its budget and says what it left to the next one.
    """
    if stopped := store.standing_stop():
        return dg.SkipReason(stopped)
    done = live.round(Cursor.read(context.cursor), dt.datetime.now(dt.UTC))
    return dg.SensorResult(skip_reason=str(done), cursor=done.cursor.write())


@dg.sensor(minimum_interval_seconds=EVERY_FIVE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def notifications(
    context: dg.SensorEvaluationContext, store: dg.ResourceParam[ResultStore], notifier: dg.ResourceParam[NotifierSettings]
) -> dg.SkipReason:
    """Tells every channel what it wants to know of alerts; one that fails is tried again, the others go on."""
    if stopped := store.standing_stop():
        return dg.SkipReason(stopped)
    try:
        found = channels(notifier.webhook_url, notifier.file, context.log)
    except ChannelError as error:
        # The log is told all the same: a mistake in the file must not make the pipeline silent.
        context.log.error("%s", error)
        found = channels(notifier.webhook_url, None, context.log)
    done = [d for d in deliver(store, found, dt.datetime.now(dt.UTC)) if d.told or d.failed]
    return dg.SkipReason("; ".join(f"{d.channel}: {d.told} told, {d.failed} failed" for d in done) or "nothing to deliver")


def failed_runs(jobs: Sequence[UnresolvedAssetJobDefinition]) -> dg.SensorDefinition:
    """The sensor of runs that failed; those of these jobs that were killed or interrupted it starts again."""

    @dg.run_failure_sensor(
        name="failed_runs", request_jobs=jobs, minimum_interval_seconds=EVERY_FIVE_SECONDS, default_status=dg.DefaultSensorStatus.RUNNING
    )
    def failed(
        context: dg.RunFailureSensorContext, store: dg.ResourceParam[ResultStore], landing_zone: dg.ResourceParam[LandingZone]
    ) -> dg.RunRequest | dg.SkipReason | None:
        """Starts a run again that was killed; else raises an alert for every check or step that made it fail, which publishing clears."""
        if stopped := store.standing_stop():
            return dg.SkipReason(stopped)
        run = context.dagster_run
        if PARTITION_TAG not in run.tags:
            return dg.SkipReason("the run was of no date")
        as_of = dt.date.fromisoformat(run.tags[PARTITION_TAG])
        if due_runs.was_lost(context.instance, run):
            if store.is_published_after(run, as_of) and _is_published(store, landing_zone, as_of):
                return dg.SkipReason(f"{as_of} has been published since from the same files")
            if again := due_runs.in_place_of(context.instance, store, run):
                return again
        message = f"{context.failure_event.message or 'no reason was recorded'} (run {run.run_id[:8]}; see margin-pipeline ui)"
        steps = [event.step_key for event in context.get_step_failure_events() if event.step_key]
        subjects = _failed_checks(context.instance, run.run_id) or steps or ["run"]
        store.raise_failed_run(as_of, subjects, " ".join(message.split()))
        return None

    return failed


def _is_published(store: ResultStore, landing_zone: LandingZone, as_of: dt.date) -> bool:
    try:
        return store.is_published_from(as_of, landing_zone.fingerprint(as_of))
    except LandingError:
        # Files that cannot be read: the run in place says so.
        return False


def _failed_checks(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    evaluations = [r.event_log_entry.dagster_event.asset_check_evaluation_data for r in records if r.event_log_entry.dagster_event]
    return [f"{e.asset_key.to_user_string()}/{e.check_name}" for e in evaluations if not e.passed]
