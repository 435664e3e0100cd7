"""The job that drops old months is there only where a setting says how long rows are kept, and runs only when switched on."""

from __future__ import annotations

import dagster as dg
import pytest

from margin_pipeline.orchestration import retention
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.settings import SettingsError, from_environment
from margin_pipeline.storage import automation


def test_rows_are_kept_for_ever_without_the_setting():
    assert from_environment({}).retention_days is None
    assert retention.definitions(None) == {"jobs": [], "schedules": []}


@pytest.mark.parametrize("text", ["0", "-1", "a year"])
def test_a_setting_that_is_no_number_of_days_is_refused(text):
    with pytest.raises(SettingsError, match="MARGIN_RETENTION_DAYS"):
        from_environment({"MARGIN_RETENTION_DAYS": text})


def test_the_weekly_schedule_waits_until_somebody_switches_it_on():
    found = retention.definitions(from_environment({"MARGIN_RETENTION_DAYS": "400"}).retention_days)
    assert [job.name for job in found["jobs"]] == ["retention"]
    assert [(s.name, s.default_status, s.cron_schedule) for s in found["schedules"]] == [
        ("weekly_retention", dg.DefaultScheduleStatus.STOPPED, "0 6 * * 6")
    ]


def test_the_job_drops_what_the_command_would_drop_and_a_stop_holds_it(fresh_database):
    store = ResultStore(lambda: fresh_database, "test", lambda as_of, at: {})
    job, schedule = retention.build_retention(400)
    result = job.execute_in_process(resources={"store": store})
    assert result.success
    context = dg.build_schedule_context()
    assert isinstance(schedule(context, store=store), dg.RunRequest)
    automation.stop(fresh_database.libpq, "me", "a drill")
    assert isinstance(schedule(context, store=store), dg.SkipReason)
