"""A date run again with stored parameters, and after an older month was retired, gives the same. Not here: the log, what is retired."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
from types import MappingProxyType

import dagster as dg
import pytest

from margin_pipeline import storage
from margin_pipeline.definitions import build_defs, longest_histories
from margin_pipeline.orchestration.run_tags import PARAMETERS_OF_TAG
from margin_pipeline.parameters import reader
from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline.settings import from_environment
from margin_pipeline.storage import StorageError, audit, parameter_sets, retention

OLD, DATE = dt.date(2022, 10, 13), SAMPLE_DATES[0]
HELD = ("BANK", "BROKER", "CASH")
HISTORIES = ("prices.csv", "fx_rates.csv", "rates.csv", "strategy_returns.csv")
TODAY = dt.date(2023, 1, 5)
FIRST_DAY = "2021-12-01"
pytestmark = pytest.mark.slow
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def small_folder(source, target, since, until):
    """Copy a folder of the sample: three portfolios, and of histories the days from one to another."""
    target.mkdir(parents=True)
    for file in source.iterdir():
        with file.open(newline="") as lines:
            names, *rows = csv.reader(lines)
        if "portfolio_id" in names:
            rows = [row for row in rows if row[names.index("portfolio_id")] in HELD]
        if file.name in HISTORIES:
            rows = [row for row in rows if since < row[names.index("date")] <= until]
        if rows:
            with (target / file.name).open("w", newline="") as out:
                csv.writer(out, lineterminator="\n").writerows([names, *rows])


@pytest.fixture(scope="module")
def zone(sample_folder, tmp_path_factory):
    """Two folders two months apart: the history of the later one is what the older one brought."""
    folder = tmp_path_factory.mktemp("landing")
    small_folder(sample_folder / DATE.isoformat(), folder / OLD.isoformat(), FIRST_DAY, OLD.isoformat())
    small_folder(sample_folder / DATE.isoformat(), folder / DATE.isoformat(), OLD.isoformat(), DATE.isoformat())
    return folder


@pytest.fixture(scope="module")
def run(database, zone, tmp_path_factory):
    """Run the chain of a date, with tags; gives the calculation that is published then."""
    quick = {"MARGIN_COMPUTE": "numpy", "MARGIN_THREADS": "1", "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off"}
    settings = from_environment(quick | {"MARGIN_DATA_DIR": str(tmp_path_factory.mktemp("data")), "MARGIN_LANDING_DIR": str(zone)})
    job = build_defs(settings, urls=database, today=TODAY).resolve_job_def("margin_chain")

    def make(date=DATE, **tags):
        with dg.DagsterInstance.ephemeral() as instance:
            job.execute_in_process(instance=instance, partition_key=date.isoformat(), run_config=QUIET, tags=tags)
        asked = "select calculation_id from margin.calculations where state = 'published' and as_of = %s"
        return storage.execute(database, asked, (date,))[0][0]

    return make


def rows(urls, calculation_id, table="regulatory_lines"):
    """Rows of a table as a calculation shows them, as text."""
    text = f"select (to_jsonb(r) - array['calculation_id', 'seconds'])::text from margin.rows_of(null::margin.{table}, %s) r order by 1"
    return [row for (row,) in storage.execute(urls, text, (calculation_id,))]


def everything(urls, calculation_id):
    tables = storage.execute(urls, "select table_name from margin_data.calculation_tables where calculation_id = %s", (calculation_id,))
    return {table: rows(urls, calculation_id, table) for (table,) in tables}


def corrected_finra(shipped):
    """Versions of parameter files with one more of the FINRA rules, as a correction of the file would bring."""

    def versions(name):
        found = shipped(name)
        if name != "finra":
            return found
        values = MappingProxyType(dict(found[-1].values) | {"minimum_equity_usd": 5_000_000})
        return (*found, dataclasses.replace(found[-1], version="corrected", effective_date=DATE, values=values))

    return versions


@dataclasses.dataclass(frozen=True)
class Story:
    """Calculations of a date: the first, one under corrected rules, one with the parameters of the first; and one of the older date."""

    urls: storage.DatabaseUrls
    first: int
    second: int
    third: int
    old: int
    before: dict[str, list[str]]
    retired: retention.Plan


@pytest.fixture(scope="module")
def story(database, run):
    """Run a date, correct the rules, run it again, retire the month that brought its history, run it with what was in force first."""
    first = run()
    before = everything(database, first)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_versions", corrected_finra(reader._versions))
        second = run()
        retired = retention.execute(database, DATE.replace(day=1), retention.exempt_tables(longest_histories()))
        third = run(**{PARAMETERS_OF_TAG: str(first)})
    return Story(database, first, second, third, run(OLD), before, retired)


def test_a_date_run_again_with_its_stored_parameters_gives_the_same_lines(story):
    lines = story.before["regulatory_lines"]
    assert rows(story.urls, story.third) == lines
    assert rows(story.urls, story.second) != lines
    assert len(lines) > 20


def test_superseded_calculations_stay_readable_and_say_until_when_they_were_known(story):
    assert rows(story.urls, story.first) == story.before["regulatory_lines"]
    asked = "select calculation_id, state, known_to is null from margin.calculations where as_of = %s order by 1"
    known = storage.execute(story.urls, asked, (DATE,))
    assert known == [(story.first, "superseded", False), (story.second, "superseded", False), (story.third, "published", True)]


def test_a_run_with_stored_parameters_says_so(story):
    asked = "select settings -> 'parameters_of', settings ->> 'parameters' from margin.calculations where calculation_id = %s"
    source, labels = storage.execute(story.urls, asked, (story.third,))[0]
    assert source == story.first
    assert "finra:corrected" not in labels
    assert "finra:corrected" in storage.execute(story.urls, asked, (story.second,))[0][1]
    first, second, third = (parameter_sets.stored(story.urls, found) for found in (story.first, story.second, story.third))
    assert third == first != second
    asked = "select calculation_id, details -> 'parameters_of' from margin.audit_log where event = 'parameters_replaced'"
    assert storage.execute(story.urls, asked) == [(story.third, story.first)]


def test_every_table_of_a_later_date_is_what_it_was_before_the_month_of_its_history_was_retired(story):
    assert {partition.table for partition in story.retired.dropped if partition.rows} >= {"instruments", "portfolios", "position_records"}
    assert everything(story.urls, story.third) == story.before
    assert audit.verify(story.urls).broken is None


def test_a_date_of_a_retired_month_can_be_run_again(story):
    for table in ("instruments", "position_margins", "regulatory_lines", "prices"):
        assert len(rows(story.urls, story.old, table)) > 0
    states = storage.execute(
        story.urls, "select state, retired_at is null from margin.calculations where as_of = %s order by calculation_id", (OLD,)
    )
    assert states == [("superseded", False), ("published", True)]


def test_parameters_of_a_calculation_that_has_none_are_refused(fresh_database):
    with pytest.raises(StorageError, match="there is no calculation 17"):
        parameter_sets.stored(fresh_database, 17)
    calculation_id = storage.begin(fresh_database, DATE, "run", "1", {})
    with pytest.raises(StorageError, match=f"no parameters were stored with calculation {calculation_id}"):
        parameter_sets.stored(fresh_database, calculation_id)


def test_stored_parameters_are_kept_once_and_cannot_be_changed(fresh_database):
    sets = reader.all_in_force(DATE)
    calculations = [storage.begin(fresh_database, DATE, f"run {number}", "1", {}, sets) for number in range(2)]
    assert [parameter_sets.stored(fresh_database, calculation_id) for calculation_id in calculations] == [sets, sets]
    assert storage.execute(fresh_database, "select count(*) from margin_data.parameter_sets") == [(len(sets),)]
    with pytest.raises(StorageError, match="check constraint"):
        storage.execute(fresh_database, "update margin_data.parameter_sets set content = '{}' where name = 'finra'")
    shown = storage.execute(
        fresh_database,
        "select version, effective_date from margin.calculation_parameters where calculation_id = %s and name = 'finra'",
        (calculations[0],),
    )
    finra = reader.in_force("finra", DATE)
    assert shown == [(finra.version, finra.effective_date)]
