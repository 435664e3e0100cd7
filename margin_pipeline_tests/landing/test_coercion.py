"""Tests of coercion: which text is a number, a date, a boolean.

Belongs here: single cells. Not here: ranges, rows, files.
"""

from __future__ import annotations

import math
import re

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.landing.coercion import LONGEST_CELL, coerce


def column(*cells):
    return pa.chunked_array([pa.array(cells, pa.string())])


@pytest.mark.parametrize("cell", ["0", "-12", "+3", "1.", ".5", "1.25e-3", "1E6", " 7 ", "0007"])
def test_plain_decimals_are_numbers(cell):
    values, problems = coerce(column("1", cell), "number")
    assert values[1] == float(cell)
    assert problems == {}


@pytest.mark.parametrize(
    "cell",
    ["ten", "nan", "NaN", "inf", "-Infinity", "1e999", "1,000", "0x10", "1_000", "12%", "$5", "1e", "--1", "1 2", ".", "１２", "1\x00"],
)
def test_everything_else_is_a_problem_and_no_number(cell):
    values, problems = coerce(column("1", cell, None), "number")
    assert list(problems) == [1]
    assert values[0] == 1.0
    assert math.isnan(values[1])
    assert math.isnan(values[2])


def test_the_reason_quotes_the_cell():
    assert coerce(column("ten"), "number").problems == {0: '"ten" is not a number'}
    assert coerce(column("NaN"), "number").problems == {0: '"NaN" is not a finite number'}
    assert coerce(column("1e999"), "number").problems == {0: '"1e999" is too large for a number'}
    assert coerce(column("-1e19"), "number").problems == {0: '"-1e19" is too large for a number'}
    assert coerce(column("x" * 10_000), "text").problems == {0: "the cell has 10,000 characters, more than 200"}


CELLS = st.one_of(
    st.text(st.sampled_from("0123456789+-.eE"), max_size=7),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.text(max_size=5),
    st.none(),
)


@given(cells=st.lists(CELLS, max_size=8))
@settings(max_examples=300, deadline=None)
def test_numbers_are_those_of_the_grammar_and_the_nearest_floats(cells):
    values, problems = coerce(column(*cells), "number")
    for i, cell in enumerate(cells):
        text = (cell or "").strip()
        plain = re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", text)
        if plain and abs(float(text)) <= 1e18:
            assert values[i] == float(text)
            assert i not in problems
        else:
            assert math.isnan(values[i])
            assert (i in problems) == bool(text)


@pytest.mark.parametrize(
    "cell", ["20221228", "2022-12-32", "2023-02-29", "28/12/2022", "2022-12-28 00:00", "2022-W52-3", "1066-10-14", "today"]
)
def test_only_days_of_the_calendar_written_the_iso_way_are_dates(cell):
    values, problems = coerce(column("2022-12-28", cell, None, "2022-12-28"), "date")
    assert list(problems) == [1]
    assert values.dtype == "datetime64[us]"
    assert values.isna().tolist() == [False, True, True, False]
    assert values[3] == pd.Timestamp(2022, 12, 28)


def test_booleans_are_words_and_missing_stays_missing():
    values, problems = coerce(column("true", "NO", "1", None, "maybe"), "boolean")
    assert values.fillna(False).tolist() == [True, False, True, False, False]
    assert values.isna().tolist() == [False, False, False, True, True]
    assert problems == {4: '"maybe" is not true or false'}


def test_text_is_trimmed_and_turned_into_the_case_asked_for():
    values, problems = coerce(column(" Call ", "", "  ", "\u00a0put", "NA"), "text", "lower")
    assert values.fillna("-").tolist() == ["call", "-", "-", "put", "na"]
    assert problems == {}
    assert coerce(column("NA"), "text").values.tolist() == ["NA"]


def test_control_characters_and_long_cells_are_problems():
    values, problems = coerce(column("a\x00b", "x\ny", "x" * (LONGEST_CELL + 1), "x" * LONGEST_CELL), "text")
    assert sorted(problems) == [0, 1, 2]
    assert values.isna().tolist() == [True, True, True, False]


@pytest.mark.parametrize("kind", ["text", "number", "date", "boolean"])
def test_a_column_without_rows_has_its_type(kind):
    dtypes = {"text": "str", "number": "float64", "date": "datetime64[us]", "boolean": "boolean"}
    assert coerce(pa.chunked_array([], pa.string()), kind).values.dtype == dtypes[kind]
