"""Tests of reading records: what a line means, and that lines parsed together mean the same as lines parsed singly.

Belongs here: CSV and Parquet to text cells. Not here: types and contracts.
"""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.landing import LandingError
from margin_pipeline.landing.parquet import read_parquet
from margin_pipeline.landing.records import read_csv


def cells(records, name):
    by_row = dict(zip(records.row_number.tolist(), records.cells[name].to_pylist(), strict=True))
    return [by_row[row] for row in sorted(by_row)]


def reasons(records):
    return {rejection.row_number: rejection.reason for rejection in records.unparsed}


def test_cells_are_text_and_no_word_is_missing():
    records = read_csv("f.csv", b"a,b\nNA,TRUE\nNULL,\nnan,1e5\n", ["a", "b"])
    assert cells(records, "a") == ["NA", "NULL", "nan"]
    assert cells(records, "b") == ["TRUE", "", "1e5"]


def test_row_numbers_are_line_numbers_and_blank_lines_are_no_records():
    records = read_csv("f.csv", b"\xef\xbb\xbf\r\na,b\r\n1,2\r\n\r\n  \r\n3,4", ["a", "b"])
    assert records.row_number.tolist() == [3, 6]
    assert cells(records, "b") == ["2", "4"]
    assert records.rows_read == 2


def test_a_stray_quote_loses_only_its_line():
    records = read_csv("f.csv", b'a,b\n1,2\n3,"4\n5,6\n7,"8\n9,10\n', ["a", "b"])
    assert cells(records, "a") == ["1", "5", "9"]
    assert reasons(records) == {3: "the line does not parse: a quote is opened and not closed", 5: reasons(records)[3]}
    assert records.raw(3) == {"line": '3,"4'}


def test_quotes_hold_commas_and_quotes():
    records = read_csv("f.csv", b'a,b\n"x,y","say ""hi"""\n5" pipe,2\n', ["a", "b"])
    assert cells(records, "a") == ["x,y", '5" pipe']
    assert cells(records, "b") == ['say "hi"', "2"]


def test_lines_with_a_field_too_many_or_too_few_are_rejected_alone():
    records = read_csv("f.csv", b"a,b\n1,2,3\n4\n5,6\n", ["a", "b"])
    assert cells(records, "a") == ["5"]
    assert reasons(records) == {2: "the line has 3 fields, the header 2", 3: "the line has 1 fields, the header 2"}


def test_bytes_that_are_no_utf_8_reject_their_line_and_are_shown_as_escapes():
    records = read_csv("f.csv", "a,b\nZürich,1\n".encode() + b"Z\xfcrich,2\n", ["a", "b"])
    assert cells(records, "a") == ["Zürich"]
    assert reasons(records) == {3: "the line is not valid UTF-8 text"}
    assert records.raw(3) == {"line": "Z\\xfcrich,2"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
        (b"a,A \n1,2\n", "more than one column"),
        (b'a,"b\n1,2\n', "header does not parse"),
    ],
)
def test_a_file_without_a_usable_header_is_an_error_of_one_line(data, words):
    with pytest.raises(LandingError, match=words) as error:
        read_csv("f.csv", data, ["a"])
    assert len(error.value.messages) == 1
    assert "\n" not in error.value.messages[0]


LINES = st.lists(
    st.text(st.sampled_from('ab,"1 \r\té\x00\x85\u2028'), max_size=8)
    | st.tuples(st.sampled_from(["x", "NA", "1", ""]), st.sampled_from(["2", "y z", ""])).map(",".join),
    max_size=12,
)


@given(lines=LINES, ending=st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=200, deadline=None)
def test_every_line_means_what_the_strict_reader_says(lines, ending):
    records = read_csv("f.csv", ending.join(["a,b", *lines]).encode(), ["a", "b"])
    expected = {}
    count = 0
    for number, line in enumerate(ending.join(["a,b", *lines]).encode().split(b"\n")[1:], start=2):
        text = line.removesuffix(b"\r").decode()
        if not text.encode().strip():
            continue
        count += 1
        try:
            row = next(csv.reader([text], strict=True))
        except csv.Error:
            continue
        if len(row) == 2:
            expected[number] = row
    assert records.rows_read == count
    assert sorted(records.row_number.tolist()) == sorted(expected)
    assert cells(records, "a") == [expected[number][0] for number in sorted(expected)]
    assert cells(records, "b") == [expected[number][1] for number in sorted(expected)]


def test_parquet_gives_the_same_text_as_a_csv():
    frame = pd.DataFrame(
        {
            "symbol": ["NA", "AAPL"],
            "date": pd.to_datetime(["2022-12-27", "2022-12-28"]),
            "close": [0.1, 126.04],
            "lots": [1, None],
            "live": [True, False],
            "kind": pd.Categorical(["a", "b"]),
        }
    )
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    records = read_parquet("f.parquet", buffer.getvalue(), list(frame.columns))
    assert records.row_number.tolist() == [1, 2]
    assert {name: cells(records, name) for name in frame.columns} == {
        "symbol": ["NA", "AAPL"],
        "date": ["2022-12-27", "2022-12-28"],
        "close": ["0.1", "126.04"],
        "lots": ["1", None],
        "live": ["true", "false"],
        "kind": ["a", "b"],
    }
    assert records.raw(2)["close"] == "126.04"


def test_an_instant_in_a_parquet_column_of_dates_takes_no_other_date_with_it():
    buffer = io.BytesIO()
    days = pd.to_datetime(["2022-12-28", "2022-12-27 03:00", None, "2022-12-27"], format="ISO8601")
    pd.DataFrame({"date": days}).to_parquet(buffer)
    cells = read_parquet("f.parquet", buffer.getvalue(), ["date"]).cells["date"].to_pylist()
    assert (cells[0], cells[2], cells[3]) == ("2022-12-28", None, "2022-12-27")
    assert cells[1].startswith("2022-12-27 03:00")


def test_a_file_that_is_no_parquet_or_holds_lists_is_an_error_of_one_line():
    buffer = io.BytesIO()
    pd.DataFrame({"a": [[1, 2]]}).to_parquet(buffer)
    for data, words in ((b"not parquet", "cannot be read as Parquet"), (buffer.getvalue(), "column a")):
        with pytest.raises(LandingError, match=words) as error:
            read_parquet("f.parquet", data, ["a"])
        assert "\n" not in error.value.messages[0]
