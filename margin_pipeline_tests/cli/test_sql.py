"""`margin-pipeline sql`: rows for people and programs. Not here: what may be run (`storage.query`)."""

import csv
import datetime as dt
import decimal
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.cli.sql import show, split_statements
from margin_pipeline.storage import QueryResult

ROWS = QueryResult(
    ["portfolio_id", "margin", "as_of", "missing"],
    [("P", 1.5, dt.date(2022, 12, 28), None), ("'; DROP", float("inf"), dt.date(2022, 12, 29), ["a,b", 'q"'])],
    "SELECT 2",
)


def printed(result, form):
    out = io.StringIO()
    show(result, form, out)
    return out.getvalue()


def test_a_table_is_aligned_and_counts_its_rows():
    assert printed(ROWS, "table").splitlines() == [
        "portfolio_id  margin    as_of       missing",
        "------------  --------  ----------  --------------",
        "P                  1.5  2022-12-28",
        '\'; DROP       Infinity  2022-12-29  ["a,b", "q\\""]',
        "(2 rows)",
    ]


def test_long_cells_are_cut_in_tables_only():
    result = QueryResult(["text"], [("x" * 500,)], "SELECT 1")
    assert max(map(len, printed(result, "table").splitlines())) == 60
    assert "x" * 500 in printed(result, "csv")


def test_csv_can_be_read_again():
    rows = list(csv.reader(io.StringIO(printed(ROWS, "csv"))))
    assert rows == [
        ["portfolio_id", "margin", "as_of", "missing"],
        ["P", "1.5", "2022-12-28", ""],
        ["'; DROP", "Infinity", "2022-12-29", '["a,b", "q\\""]'],
    ]


def test_json_is_valid_and_keeps_numbers_and_lists():
    found = json.loads(printed(ROWS, "json"), parse_constant=pytest.fail)
    assert found[0] == {"portfolio_id": "P", "margin": 1.5, "as_of": "2022-12-28", "missing": None}
    assert (found[1]["margin"], found[1]["missing"]) == ("Infinity", ["a,b", 'q"'])


def test_numeric_sums_are_numbers_in_json():
    result = QueryResult(["n", "x"], [(decimal.Decimal("3"), decimal.Decimal("1.5"))], "SELECT 1")
    assert json.loads(printed(result, "json")) == [{"n": 3, "x": 1.5}]


def test_a_statement_without_rows_says_what_it_did():
    assert printed(QueryResult([], [], "UPDATE 3"), "table") == "UPDATE 3\n"
    assert printed(QueryResult([], [], "UPDATE 3"), "csv") == ""


def test_an_empty_result_still_names_its_columns():
    assert printed(QueryResult(["a"], [], "SELECT 0"), "table") == "a\n-\n(0 rows)\n"


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';' as a; select \";\"", ["select ';' as a", 'select ";"']),
        ("select 'it''s; fine'", ["select 'it''s; fine'"]),
        ("-- one; two\nselect 1", ["-- one; two\nselect 1"]),
        ("select /* ; */ 1;", ["select /* ; */ 1"]),
        ("do $$ begin; end $$; select $1; select 3", ["do $$ begin; end $$", "select $1", "select 3"]),
        ("do $tag$ ; $$ ; $tag$; select 1", ["do $tag$ ; $$ ; $tag$", "select 1"]),
        ("select 'open; ", ["select 'open;"]),
        (" ;; ", []),
    ],
)
def test_statements_end_at_semicolons_outside_quotes(text, statements):
    assert split_statements(text) == statements


@given(st.text("a;'\"$-/*\n "))
def test_splitting_loses_nothing_but_semicolons_and_spaces(text):
    def kept(found):
        return found.replace(";", "").replace(" ", "").replace("\n", "")

    assert kept("".join(split_statements(text))) == kept(text)
