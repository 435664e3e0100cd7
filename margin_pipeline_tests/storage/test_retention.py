"""Retention: whole months go, with a row in the audit log; what a kept date needs stays, and a date can be run again. Not here: chains."""

from __future__ import annotations

import datetime as dt
import threading

import pandas as pd
import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import StorageError, audit, connections, retention
from margin_pipeline.storage import urls as url_forms

OLD, OLD_TOO, COMPARED, KEPT = dt.date(2022, 10, 13), dt.date(2022, 10, 14), dt.date(2022, 11, 30), dt.date(2022, 12, 28)
CUT_OFF = dt.date(2022, 12, 1)
EXEMPT = retention.exempt_tables(["prices"])
HASH = "f" * 64


def files():
    return pd.DataFrame({"source": ["prices.csv"], "rows_read": [1], "rows_accepted": [1], "rows_rejected": [0], "content_hash": [HASH]})


class Book:
    """Publishes dates of a small book."""

    def __init__(self, urls, prices, portfolios):
        self.urls, self.prices, self.portfolios = urls, prices, portfolios

    def publish(self, date, run_id, equity, content):
        tables = {"prices": self.prices({date: equity}), "portfolios": self.portfolios(equity), "landed_files": files()}
        calculation_id = storage.begin(self.urls, date, run_id, "1", {})
        for table, frame in tables.items():
            storage.write_table(self.urls, calculation_id, date, table, frame)
        storage.record_content(self.urls, calculation_id, content)
        seen = storage.input_hash(self.urls, calculation_id, date)
        storage.publish(self.urls, calculation_id, input_hash=seen, scope="chain", expected_tables=list(tables))
        return calculation_id


@pytest.fixture(scope="module")
def made(database):
    """Names of databases made from the module's one, which is filled by the first test."""
    yield []
    connections.close_all()


@pytest.fixture
def book(database, made, prices, portfolios):
    """Four published dates in three months, the first of them superseded once; prices are history, portfolios are not."""
    if not made:
        template = Book(database, prices, portfolios)
        for number, date in enumerate((OLD, OLD, OLD_TOO, COMPARED, KEPT)):
            template.publish(date, f"run {number}", 100.0 + number, f"files {number}")
    connections.close_all()
    name = url_forms.database_name(database.libpq)
    made.append(f"{name}_{len(made)}")
    with psycopg.connect(url_forms.with_database(database.libpq, "postgres"), autocommit=True) as server:
        server.execute(f'create database "{made[-1]}" template "{name}"')
        urls = storage.DatabaseUrls(url_forms.with_database(database.libpq, made[-1]), database.dagster_libpq)
        yield urls, Book(urls, prices, portfolios).publish
        connections.close_all()
        server.execute(f'drop database "{made[-1]}" with (force)')


def count(urls, table, month="2022-10"):
    return storage.execute(urls, f"select count(*) from margin_data.{table} where to_char(as_of, 'YYYY-MM') = '{month}'")[0][0]


def test_a_plan_names_what_would_go_and_why_the_rest_stays_and_changes_nothing(book):
    urls, _ = book
    before = storage.execute(urls, "select count(*) from margin_data.monthly_partitions")
    plan = retention.plan(urls, CUT_OFF, EXEMPT)
    assert [(p.table, p.first_day, p.rows) for p in plan.dropped if p.rows] == [("portfolios", dt.date(2022, 10, 1), 3)]
    assert all(p.bytes > 0 for p in plan.dropped if p.rows)
    kept = {(p.table, p.first_day.month): p.kept_because for p in plan.partitions if p.kept_because and p.rows}
    assert kept[("prices", 10)] == retention.HISTORY
    assert kept[("landed_files", 10)] == retention.PROVENANCE
    assert "2022-11-30, which the first date after it is compared with" in kept[("portfolios", 11)]
    assert plan.later_months == 1
    assert storage.execute(urls, "select count(*) from margin_data.monthly_partitions") == before
    assert count(urls, "portfolios") == 3


def test_dropped_months_are_gone_and_what_was_known_of_them_stays(book):
    urls, _ = book
    asked = "select calculation_id, state, input_hash, known_from, known_to from margin.calculations order by 1"
    calculations = storage.execute(urls, asked)
    tables = storage.execute(urls, "select * from margin_data.calculation_tables order by 1, 2")
    done = retention.execute(urls, CUT_OFF, EXEMPT)
    assert sum(p.rows for p in done.dropped) == 3
    assert (count(urls, "portfolios"), count(urls, "prices"), count(urls, "landed_files")) == (0, 3, 3)
    assert count(urls, "portfolios", "2022-12") == 1
    assert storage.execute(urls, asked) == calculations
    assert storage.execute(urls, "select * from margin_data.calculation_tables order by 1, 2") == tables
    retired = storage.execute(urls, "select as_of from margin.calculations where retired_at is not null order by calculation_id")
    assert [row[0] for row in retired] == [OLD, OLD, OLD_TOO]
    recorded = storage.execute(urls, "select table_name, first_day, row_count, published_dates from margin.retired_partitions")
    assert recorded == [("portfolios", dt.date(2022, 10, 1), 3, [OLD, OLD_TOO])]


def test_readers_are_told_and_never_shown_an_empty_book(book):
    urls, _ = book
    retention.execute(urls, CUT_OFF, EXEMPT)
    with pytest.raises(StorageError, match="portfolios of 2022-10-13 is not published: run the chain"):
        storage.read_published(urls, OLD, "portfolios")
    with (
        pytest.raises(psycopg.Error, match="the 1 rows of portfolios in calculation 1 are no longer kept"),
        psycopg.connect(urls.libpq) as c,
    ):
        c.execute("select * from margin.rows_of(null::margin.portfolios, 1)")
    assert storage.read_published(urls, KEPT, "portfolios")["equity"].tolist() == [104.0]


def test_the_history_of_a_kept_date_is_what_it_was(book):
    urls, _ = book
    running = storage.begin(urls, KEPT, "another", "1", {})
    before = storage.read_history(urls, running, KEPT, "prices")
    retention.execute(urls, CUT_OFF, EXEMPT)
    pd.testing.assert_frame_equal(storage.read_history(urls, running, KEPT, "prices"), before)
    assert len(before) == 4


def test_what_was_done_is_in_the_audit_log_which_loses_nothing(book):
    urls, _ = book
    before = audit.verify(urls).rows
    retention.execute(urls, CUT_OFF, EXEMPT)
    rows = storage.execute(urls, "select event, details from margin.audit_log where audit_id > %s order by audit_id", (before,))
    assert [event for event, _ in rows] == ["retention_planned", "retention_executed"]
    assert (rows[0][1]["before"], rows[0][1]["months"], rows[0][1]["rows"]) == ("2022-12-01", ["2022-10"], 3)
    assert rows[1][1]["partitions"] == {"portfolios_y2022m10": 3}
    assert (rows[1][1]["month"], rows[1][1]["dates"]) == ("2022-10", ["2022-10-13", "2022-10-14"])
    assert audit.verify(urls).broken is None


def test_nothing_is_dropped_without_its_row_in_the_log(book):
    urls, _ = book
    storage.execute(urls, "alter table margin_data.audit_log add constraint full_disk check (event <> 'retention_executed')")
    with pytest.raises(StorageError, match="full_disk"):
        retention.execute(urls, CUT_OFF, EXEMPT)
    assert count(urls, "portfolios") == 3
    assert storage.read_published(urls, OLD, "portfolios")["equity"].tolist() == [101.0]


def test_doing_it_again_does_nothing(book):
    urls, _ = book
    retention.execute(urls, CUT_OFF, EXEMPT)
    before = audit.verify(urls).rows
    assert retention.execute(urls, CUT_OFF, EXEMPT).dropped == []
    assert audit.verify(urls).rows == before


def test_a_date_that_was_dropped_can_be_run_again_from_the_same_files(book):
    urls, publish = book
    retention.execute(urls, CUT_OFF, EXEMPT)
    again = publish(OLD, "again", 101.0, "files 1")
    assert storage.read_published(urls, OLD, "portfolios")["equity"].tolist() == [101.0]
    states = storage.execute(
        urls, "select calculation_id, state, known_to is null from margin.calculations where as_of = %s order by 1", (OLD,)
    )
    assert states[-2:] == [(2, "superseded", False), (again, "published", True)]
    assert storage.execute(urls, "select retired_at from margin.calculations where calculation_id = %s", (again,)) == [(None,)]
    assert publish(OLD, "and again", 101.0, "files 1") != again
    assert storage.execute(urls, "select state from margin.calculations order by calculation_id desc limit 1") == [("repeated",)]
    assert [p.rows for p in retention.execute(urls, CUT_OFF, EXEMPT).dropped if p.table == "portfolios"] == [1]
    assert len(storage.execute(urls, "select 1 from margin.retired_partitions where table_name = 'portfolios'")) == 2


def test_a_stage_alone_cannot_carry_over_tables_that_are_gone(book, prices):
    urls, _ = book
    retention.execute(urls, CUT_OFF, EXEMPT)
    calculation_id = storage.begin(urls, OLD, "prices alone", "1", {})
    storage.write_table(urls, calculation_id, OLD, "prices", prices({OLD: 1.0}))
    with pytest.raises(StorageError, match="portfolios of 2022-10-13 has not been calculated: run the whole chain"):
        storage.publish(urls, calculation_id, input_hash="h", scope="chain", expected_tables=["prices", "portfolios", "landed_files"])


def test_a_month_in_which_a_calculation_runs_stays(book, portfolios):
    urls, _ = book
    running = storage.begin(urls, OLD_TOO, "running", "1", {})
    plan = retention.execute(urls, CUT_OFF, EXEMPT)
    assert plan.dropped == []
    reasons = {p.kept_because for p in plan.partitions if p.first_day == dt.date(2022, 10, 1)}
    assert reasons == {f"calculation {running} of the month is running"}
    assert storage.write_table(urls, running, OLD_TOO, "portfolios", portfolios(1.0)) == 1
    storage.abandon(urls, running)
    assert retention.execute(urls, CUT_OFF, EXEMPT).dropped != []


def test_a_calculation_that_begins_while_a_month_is_dropped_finds_its_partitions(book, portfolios):
    urls, publish = book
    go, failures = threading.Barrier(2), []

    def begin_many():
        go.wait()
        for number in range(8):
            try:
                publish(OLD_TOO, f"beside {number}", 50.0 + number, f"beside {number}")
            except Exception as error:  # noqa: BLE001 - whatever it is, it fails the test
                failures.append(error)

    thread = threading.Thread(target=begin_many)
    thread.start()
    go.wait()
    for _ in range(8):
        retention.execute(urls, CUT_OFF, EXEMPT)
    thread.join()
    assert failures == []
    retention.execute(urls, CUT_OFF, EXEMPT)
    publish(OLD_TOO, "last", 60.0, "last")
    assert storage.read_published(urls, OLD_TOO, "portfolios")["equity"].tolist() == [60.0]
    assert audit.verify(urls).broken is None


def test_readers_make_it_wait_and_never_the_other_way_round(book, monkeypatch):
    urls, _ = book
    monkeypatch.setattr(retention, "ATTEMPTS", 2)
    with psycopg.connect(urls.libpq) as reader:
        reader.execute("select * from margin.portfolios")
        with pytest.raises(StorageError, match="readers hold tables of 2022-10 for too long"):
            retention.execute(urls, CUT_OFF, EXEMPT)
    assert count(urls, "portfolios") == 3
    assert retention.execute(urls, CUT_OFF, EXEMPT).dropped != []


def test_the_newest_date_stays_whatever_the_cut_off(book):
    urls, _ = book
    retention.execute(urls, dt.date(2030, 1, 1), EXEMPT)
    assert storage.read_published(urls, KEPT, "portfolios")["equity"].tolist() == [104.0]
    assert count(urls, "portfolios", "2022-11") == 0


def test_a_month_goes_only_when_all_of_it_lies_before_the_cut_off(book):
    urls, _ = book
    assert retention.plan(urls, dt.date(2022, 10, 31), EXEMPT).partitions == []
    assert all(p.first_day < dt.date(2022, 11, 1) for p in retention.plan(urls, dt.date(2022, 11, 1), EXEMPT).partitions)
