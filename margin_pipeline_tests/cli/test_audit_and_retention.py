"""`margin-pipeline audit` and `retention`: what they print and how they end. Not here: the log (`storage.audit`), dropping."""

from __future__ import annotations

import csv
import datetime as dt
import json

import pandas as pd
import psycopg
import pytest

from margin_pipeline import cli, storage
from margin_pipeline.cli.retention import described
from margin_pipeline.storage import audit
from margin_pipeline.storage.retention import HISTORY, Partition, Plan

OLD, NEWER = dt.date(2022, 10, 13), dt.date(2022, 12, 28)


@pytest.fixture
def call(fresh_database, monkeypatch, tmp_path, capsys):
    """Call the command on a database; gives its exit status and what it printed."""
    monkeypatch.setenv("MARGIN_DATABASE_URL", fresh_database.libpq)
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))

    def run(*arguments):
        capsys.readouterr()
        status = cli.main(arguments)
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_the_log_is_listed_oldest_first_and_verified(fresh_database, call):
    audit.record(fresh_database, "noted", as_of=NEWER, details={"a": 1})
    status, out, _ = call("audit", "--format", "json")
    rows = json.loads(out)
    assert status == 0
    assert [row["event"] for row in rows] == ["audit_log_opened", "database_upgraded", "noted"]
    assert (rows[-1]["as_of"], rows[-1]["details"]) == ("2022-12-28", {"a": 1})
    status, out, _ = call("audit", "--verify")
    assert (status, out) == (0, f"the audit log is whole: 3 rows, the last hash is {rows[-1]['row_hash']}\n")
    assert call("audit", "--verify", "--holds", rows[0]["row_hash"])[0] == 0


def test_rows_can_be_chosen(fresh_database, call):
    for number in range(3):
        audit.record(fresh_database, "noted", as_of=NEWER if number else OLD, calculation_id=number)

    def numbers(*options):
        return [row["calculation_id"] for row in csv.DictReader(call("audit", "--format", "csv", *options)[1].splitlines())]

    assert numbers("--as-of", "2022-12-28") == ["1", "2"]
    assert numbers("--event", "noted", "--last", "1") == ["2"]
    assert numbers("--calculation", "1") == ["1"]
    assert numbers("--event", "never") == []


def test_a_broken_log_ends_with_status_1_and_its_first_broken_row(fresh_database, call):
    with psycopg.connect(fresh_database.libpq) as connection:
        connection.execute("alter table margin_data.audit_log disable trigger all")
        connection.execute("update margin_data.audit_log set actor = 'nobody' where audit_id = 2")
    status, _, err = call("audit", "--verify")
    assert status == 1
    assert err == "margin-pipeline: the audit log is broken after 1 rows: row 2 was altered: its values do not give its hash\n"
    status, _, err = call("audit", "--verify", "--holds", "0" * 64)
    assert status == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["audit", "--holds", "x"], "--holds goes with --verify"),
        (["audit", "--last", "0"], "say how many rows"),
        (["audit", "--as-of", "yesterday"], "--as-of yesterday is not a date"),
        (["retention"], "rows are kept for ever"),
        (["retention", "--keep-days", "0"], "say how many days are kept"),
        (["retention", "--before", "soon"], "--before soon is not a date"),
        (["run", "--parameters-of", "1"], "--parameters-of goes with one date"),
    ],
)
def test_a_call_that_cannot_be_used_ends_with_status_2_and_one_line(call, arguments, said):
    status, _, err = call(*arguments)
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_retention_only_says_what_it_would_do_until_it_is_told_to(fresh_database, call, monkeypatch):
    for date in (OLD, NEWER):
        calculation_id = storage.begin(fresh_database, date, f"run {date}", "1", {})
        portfolios = pd.DataFrame({"portfolio_id": ["P"], "account_type": ["reg_t"], "equity": [1.0], "base_currency": ["USD"]})
        storage.write_table(fresh_database, calculation_id, date, "portfolios", portfolios.assign(jurisdiction=None, entity_type=None))
        storage.publish(fresh_database, calculation_id, input_hash="h", scope="chain" if date == NEWER else "landing", expected_tables=[])

    def count():
        return storage.execute(fresh_database, "select count(*) from margin_data.portfolios")[0][0]

    monkeypatch.setenv("MARGIN_RETENTION_DAYS", "30")
    status, out, _ = call("retention")
    assert (status, count()) == (0, 2)
    assert "2022-10: would drop" in out
    assert "2022-12-28, which the first date after it is compared with" in out
    assert out.endswith("Nothing was changed. Say --execute to drop them.\n")
    status, out, _ = call("retention", "--before", "2022-12-01", "--execute")
    assert (status, count()) == (0, 1)
    assert "2022-10: dropped" in out
    assert call("retention", "--execute")[1].startswith("nothing to drop")


def test_a_plan_names_tables_rows_sizes_and_reasons():
    october = dt.date(2022, 10, 1)
    partitions = [
        Partition("positions", "positions_y2022m10", october, 12_345, 2_500_000, None),
        Partition("prices", "prices_y2022m10", october, 10, 100, HISTORY),
        Partition("symbol_risk", "symbol_risk_y2022m10", october, 0, 8_192, None),
    ]
    lines = list(described(Plan(dt.date(2022, 12, 1), partitions, 1), done=False))
    assert lines[0] == "2022-10: would drop"
    assert lines[1].split() == ["positions", "12,345", "rows", "2.5", "MB"]
    assert lines[2] == "would drop 1 partitions, 12,345 rows, 2.5 MB of months before 2022-12-01"
    assert lines[3] == f"kept: prices of 2022-10 ({HISTORY})"
    assert lines[4].startswith("kept: 1 later month (not wholly before 2022-12-01), the audit log")
