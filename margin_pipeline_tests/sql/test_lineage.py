"""A number of a report is found again, superseded or not, with all that it came from. Not here: what reports print."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.parameters import in_force
from margin_pipeline.reports.export import identifier
from margin_pipeline.storage import StorageError

DATE = dt.date(2022, 12, 28)
KEYS = [
    ("BANK", "entity", "basel", "cet1_ratio", "", ""),
    ("BANK", "entity", "sa_ccr", "exposure", "NS/1", ""),
    ("FUND/A", "entity", "finra", "minimum_equity", "", ""),
    ("FUND", "entity", "finra", "minimum_equity", "", ""),
    ("100%25 %FF", "portfolio", "finra", "minimum_equity", "", ""),
    ("Zürich", "portfolio", "schedule_im", "initial_margin", "NS", "call"),
    ("", "firm", "basel", "cet1_ratio", "", ""),
]
FINRA = in_force("finra", DATE)


def lines(value: float) -> pd.DataFrame:
    frame = pd.DataFrame(KEYS, columns=["portfolio_id", "scope", "regime", "line_item", "netting_set_id", "side"])
    frame["value"] = [value + number for number in range(len(frame))]
    frame["inputs"] = '{"equity": 1}'
    return frame.assign(
        unit="ratio",
        limit_value=0.07,
        status="pass",
        applicable=True,
        reason=None,
        reference="RBC20.1",
        parameter_set=FINRA.label,
        effective_date=pd.Timestamp(FINRA.effective_date),
    )


def files(content: str) -> pd.DataFrame:
    frame = pd.DataFrame({"source": ["positions.csv", "portfolios.csv"], "content_hash": [content * 32, content * 32]})
    return frame.assign(rows_read=3, rows_accepted=2, rows_rejected=1)


@pytest.fixture(scope="module")
def book(database: storage.DatabaseUrls) -> tuple[storage.DatabaseUrls, list[int]]:
    made = []
    for number, content in enumerate(("ab", "cd")):
        calculation_id = storage.begin(database, DATE, f"run {number}", "1.0+code", {}, [FINRA])
        storage.write_table(database, calculation_id, DATE, "regulatory_lines", lines(10.0 * number))
        storage.write_table(database, calculation_id, DATE, "landed_files", files(content))
        storage.publish(database, calculation_id, input_hash=f"hash {number}", scope="chain", expected_tables=[], content_hash=content)
        made.append(calculation_id)
    return database, made


def found(urls: storage.DatabaseUrls, written: str, calculation: int | None = None) -> pd.DataFrame:
    return storage.read_query(urls, "select * from margin.find_line($1, $2::bigint)", (written, calculation))


@pytest.mark.parametrize("number", range(len(KEYS)))
def test_a_line_is_found_by_its_key_and_by_what_reports_print(book, number: int):
    urls, (_, newest) = book
    for written in (f"{DATE}/{'/'.join(KEYS[number])}", identifier(DATE, *KEYS[number])):
        row = found(urls, written)
        assert row["value"].tolist() == [10.0 + number]
        assert row["calculation_id"].tolist() == [newest]
        assert row["id"].tolist() == [f"{DATE}/{'/'.join(KEYS[number])}"]


def test_a_superseded_number_is_found_with_the_time_during_which_it_was_known(book):
    urls, (old, newest) = book
    row = found(urls, f"{DATE}/BANK/entity/basel/cet1_ratio//", old).iloc[0]
    assert (row["value"], row["calculation_state"], row["input_hash"], row["content_hash"]) == (0.0, "superseded", "hash 0", "ab")
    newer = found(urls, f"{DATE}/BANK/entity/basel/cet1_ratio//", newest).iloc[0]
    assert row["known_to"] == newer["known_from"]
    assert pd.isna(newer["known_to"])


def test_everything_that_a_number_came_from_stands_beside_it(book):
    row = found(book[0], f"{DATE}/FUND/entity/finra/minimum_equity//").iloc[0]
    assert (row["unit"], row["limit_value"], row["reference"], row["parameter_set"]) == ("ratio", 0.07, "RBC20.1", FINRA.label)
    assert (row["run_id"], row["code_version"]) == ("run 1", "1.0+code")
    assert json.loads(row["inputs"]) == {"equity": 1}
    assert json.loads(row["parameter_values"])["minimum_equity_usd"] == FINRA.values["minimum_equity_usd"]
    assert [(file["source"], file["content_hash"]) for file in json.loads(row["files"])] == [
        ("portfolios.csv", "cd" * 32),
        ("positions.csv", "cd" * 32),
    ]


@pytest.mark.parametrize(
    "written",
    [f"{DATE}/BANK/entity/basel/cet1_ratio", f"{DATE}/bank/entity/basel/cet1_ratio//", "2022-12-27/BANK/entity/basel/cet1_ratio//"],
)
def test_what_is_no_line_is_not_found(book, written: str):
    assert found(book[0], written).empty


def test_a_calculation_of_another_date_has_no_line_of_this_one(book):
    urls, _ = book
    other = storage.begin(urls, dt.date(2022, 12, 27), "other", "1", {})
    assert found(urls, f"{DATE}/BANK/entity/basel/cet1_ratio//", other).empty


def test_the_documented_query_finds_a_line_of_the_newest_date(book):
    urls, (_, newest) = book
    query = (Path(__file__).parents[2] / "sql" / "queries" / "find_the_number.sql").read_text().rstrip().rstrip(";")
    row = storage.read_query(urls, query)
    assert row[["id", "calculation_id", "value"]].to_numpy().tolist() == [[f"{DATE}//firm/basel/cet1_ratio//", newest, 16.0]]


def test_rows_of_any_table_are_those_that_a_calculation_shows(book):
    urls, (old, newest) = book
    text = "select content_hash from margin.rows_of(null::margin.landed_files, $1) order by source"
    assert storage.read_query(urls, text, (old,))["content_hash"].tolist() == ["ab" * 32] * 2
    assert storage.read_query(urls, text, (newest,))["content_hash"].tolist() == ["cd" * 32] * 2
    with pytest.raises(StorageError, match=f"calculation {newest} has no table positions"):
        storage.read_query(urls, "select * from margin.rows_of(null::margin.positions, $1)", (newest,))


def test_every_column_says_what_it_means(book):
    text = (
        "select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "where c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and a.attnum > 0 and not a.attisdropped "
        "and c.relname in ('audit_log', 'calculations', 'parameter_sets', 'calculation_parameters', 'retired_partitions', "
        "'monthly_partitions') and c.relkind in ('v', 'r') and col_description(c.oid, a.attnum) is null"
    )
    assert storage.read_query(book[0], text)["name"].tolist() == []
