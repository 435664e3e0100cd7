"""Which runs a date waits for: earlier dates, asked for earlier, not ended. Not here: what is compared with them."""

import datetime as dt

import dagster as dg
import pytest

from margin_pipeline.orchestration import stale_runs
from margin_pipeline.orchestration.earlier_dates import under_way, wait_for_earlier_dates

AS_OF = dt.date(2022, 12, 28)
STARTED, SUCCESS = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def add(instance, date, status=STARTED, **tags):
    run = dg.DagsterRun(job_name="margin_chain", status=status, tags={"dagster/partition": date, **tags})
    return instance.run_storage.add_run(run)


def test_earlier_dates_that_were_asked_for_before_are_waited_for(instance):
    add(instance, "2022-12-23", SUCCESS)
    add(instance, "2022-12-27", dg.DagsterRunStatus.STARTING)
    add(instance, "2022-12-29")
    own = add(instance, "2022-12-28")
    assert under_way(instance, own, AS_OF) == ["2022-12-27"]


def test_of_two_runs_only_the_later_one_waits(instance):
    later_date = add(instance, "2022-12-28")
    earlier_date = add(instance, "2022-12-27")
    assert under_way(instance, later_date, AS_OF) == []
    assert under_way(instance, earlier_date, dt.date(2022, 12, 27)) == []


def test_a_repetition_counts_as_asked_for_when_its_first_run_was(instance):
    first = add(instance, "2022-12-27", dg.DagsterRunStatus.FAILURE)
    own = add(instance, "2022-12-28")
    add(instance, "2022-12-27", **{"dagster/root_run_id": first.run_id})
    assert under_way(instance, own, AS_OF) == ["2022-12-27"]


def test_runs_of_a_command_and_runs_without_a_date_make_nobody_wait(instance):
    instance.run_storage.add_run(dg.DagsterRun(job_name="publication_deadline", status=STARTED))
    own = add(instance, "2022-12-28")
    assert wait_for_earlier_dates(instance, own, AS_OF) == 0
    add(instance, "2022-12-27")
    command = add(instance, "2022-12-28", **stale_runs.own_tags())
    assert wait_for_earlier_dates(instance, command, AS_OF) == 0


def test_it_goes_on_once_the_earlier_date_has_ended(instance, monkeypatch):
    earlier = add(instance, "2022-12-27")
    own = add(instance, "2022-12-28")
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        instance.report_run_failed(earlier)

    monkeypatch.setattr("margin_pipeline.orchestration.earlier_dates.time.sleep", sleep)
    assert wait_for_earlier_dates(instance, own, AS_OF) > 0
    assert len(slept) == 1


def test_one_that_does_not_end_is_named(instance):
    add(instance, "2022-12-27")
    own = add(instance, "2022-12-28")
    with pytest.raises(dg.Failure, match="2022-12-27 has not ended") as failure:
        wait_for_earlier_dates(instance, own, AS_OF, patience=0.1, every=0.05)
    assert not failure.value.allow_retries
