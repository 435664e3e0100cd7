"""Tests of reading a whole date: what bad input gets, what stops a date, what is compared between files.

Belongs here: folders of files as users bring them. Not here: the parts on their own.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from margin_pipeline.landing import CONTRACTS, LANDED_TABLES, LandingError, describe, fingerprint, list_folders, missing_files, read_date
from margin_pipeline.landing.validation import empty_frame

POSITIONS = "portfolio_id,strategy,symbol,quantity,price\n"


def rejections(landed, source):
    rows = landed.tables["rejected_rows"]
    rows = rows[rows["source"] == source]
    return [
        tuple(row) for row in rows[["row_number", "column_name", "reason", "portfolio_id"]].fillna("").itertuples(index=False, name=None)
    ]


def test_a_right_folder_gives_every_table_and_rejects_nothing(land):
    landed = land()
    assert tuple(landed.tables) == LANDED_TABLES
    assert landed.tables["rejected_rows"].empty
    assert landed.tables["position_records"]["quantity"].tolist() == [100, -1, 10]
    assert landed.tables["instruments"].set_index("symbol")["multiplier"].to_dict() == {
        "AAPL": 1,
        "AAPL_C130": 100,
        "AAPL_OLD": 100,
        "ESH3": 50,
        "NA": 1,
    }
    assert set(landed.tables["portfolios"]["base_currency"]) == {"USD"}
    for name, contract in CONTRACTS.items():
        frame = landed.tables[contract.table]
        assert frame.dtypes.equals(empty_frame(contract).dtypes), name
    assert landed.notes == ["instruments: SP500 is named as underlying but not described; rules that need its attributes go without"]


BAD_ROWS = [
    ("positions.csv", POSITIONS + "P1,core,AAPL,ten,\n", "quantity", '"ten" is not a number', "P1"),
    ("positions.csv", POSITIONS + "P1,core,AAPL,NaN,\n", "quantity", '"NaN" is not a finite number', "P1"),
    ("positions.csv", POSITIONS + "P1,core,AAPL,inf,\n", "quantity", '"inf" is not a finite number', "P1"),
    ("positions.csv", POSITIONS + "P1,core,AAPL,1e999,\n", "quantity", '"1e999" is too large for a number', "P1"),
    ("positions.csv", POSITIONS + "P1,core,AAPL,,\n", "quantity", "a value is required", "P1"),
    ("positions.csv", POSITIONS + "P1,core,XYZ,1,\n", "symbol", '"XYZ" is not among the accepted instruments', "P1"),
    (
        "positions.csv",
        POSITIONS + "P1,core,'; DROP TABLE positions; --,1,\n",
        "symbol",
        '"\'; DROP TABLE positions; --" is not among the accepted instruments',
        "P1",
    ),
    ("positions.csv", POSITIONS + "P9,core,AAPL,1,\n", "portfolio_id", '"P9" is not among the accepted portfolios', ""),
    ("positions.csv", POSITIONS + "P1,core,AAPL_OLD,1,\n", "symbol", 'expired on 2022-12-16: "AAPL_OLD"', "P1"),
    ("positions.csv", POSITIONS + "P1,core,AAPL,1,-5\n", "price", '"-5" is below 0', "P1"),
    (
        "positions.csv",
        POSITIONS + "P1,core,AAPL,1,0\n",
        "price",
        "a price of 0 is no mark of equity; only an option can be worthless",
        "P1",
    ),
    ("positions.csv", POSITIONS + "P1,core,AAPL,1,2,3\n", "", "the line has 6 fields, the header 5", "P1"),
    ("positions.csv", POSITIONS + 'P1,core,"AAPL,1,2\n', "", "the line does not parse: a quote is opened and not closed", "P1"),
    ("positions.csv", POSITIONS.encode() + b"P1,caf\xe9,AAPL,1,2\n", "", "the line is not valid UTF-8 text", "P1"),
    ("positions.csv", POSITIONS + f"P1,{'x' * 10_000},AAPL,1,\n", "strategy", "the cell has 10,000 characters, more than 200", "P1"),
    ("positions.csv", POSITIONS + "P1,co\x00re,AAPL,1,\n", "strategy", "the cell holds a control character", "P1"),
    ("prices.csv", "date,symbol,close\n2022-12-29,AAPL,1\n", "date", '"2022-12-29" is in the future: the folder is of 2022-12-28', ""),
    ("prices.csv", "date,symbol,close\n2022-12-28,AAPL,0\n", "close", '"0" is not above 0', ""),
    ("prices.csv", "date,symbol,close\n2022-12-28,AAPL,-3\n", "close", '"-3" is not above 0', ""),
    ("prices.csv", "date,symbol,close\n28.12.2022,AAPL,3\n", "date", '"28.12.2022" is not a date (YYYY-MM-DD)', ""),
    ("portfolios.csv", "portfolio_id,account_type,equity\nP1,margin,5\n", "account_type", "is none of cash, reg_t", ""),
    ("portfolios.csv", "portfolio_id,account_type,equity,base_currency\nP1,cash,5,usd\n", "base_currency", "three capital letters", ""),
    ("instruments.csv", "symbol,asset_class\nAAPL,stonk\n", "asset_class", '"stonk" is none of equity, etf', ""),
    ("instruments.csv", "symbol,asset_class\nES,future\n", "multiplier", "a future, or an option on one, needs a multiplier", ""),
    ("instruments.csv", "symbol,asset_class,multiplier\nES,future,0\n", "multiplier", '"0" is not above 0', ""),
    (
        "instruments.csv",
        "symbol,asset_class,underlying,option_type,strike\nX,equity_option,AAPL,call,5\n",
        "expiry",
        "an option needs an expiry",
        "",
    ),
]


@pytest.mark.parametrize(("source", "content", "column", "reason", "portfolio"), BAD_ROWS)
def test_a_bad_row_is_kept_with_its_reason_and_stops_nothing(land, source, content, column, reason, portfolio):
    landed = land({source: content})
    (row, at, why, owner), *more = rejections(landed, source)
    assert (row, at, owner) == (2, column, portfolio)
    assert reason in why
    assert not more
    assert len(landed.tables["landed_files"]) == 4


def test_the_row_is_kept_as_it_was_read(land):
    landed = land(append={"positions.csv": b'P1,core,"A,B",ten\nP1,\x00\xff\n'})
    raw = landed.tables["rejected_rows"]["raw"]
    assert json.loads(raw[0]) == {"portfolio_id": "P1", "strategy": "core", "symbol": "A,B", "quantity": "ten"}
    assert json.loads(raw[1]) == {"line": "P1,\\x00\\xff"}
    assert "\\u0000" not in raw[1]


def test_a_line_for_a_person_says_what_where_and_why(land):
    landed = land(append={"positions.csv": "P1,core,AAPL,ten\nP1\n"})
    assert describe(landed.tables["rejected_rows"]) == [
        'positions.csv, row 5, column quantity: "ten" is not a number (kept in margin.rejected_rows)',
        "positions.csv, row 6: the line has 1 fields, the header 4 (kept in margin.rejected_rows)",
    ]


def test_a_line_that_does_not_parse_is_charged_to_the_portfolio_it_names_anywhere(land):
    landed = land({"positions.csv": 'strategy,symbol,portfolio_id,quantity\ncore,AAPL,P2\ncore,P1,1\n"core,AAPL,"P2,1\ncore,AAPL,P9\n'})
    assert landed.tables["rejected_rows"]["portfolio_id"].fillna("").tolist() == ["P2", "P1", "P2", ""]


def test_odd_symbols_are_symbols(land):
    odd = ["NA", "TRUE", "NULL", "'; DROP TABLE portfolios; --", '5" PIPE', "Ü1", "1e5"]
    quoted = ['"' + symbol.replace('"', '""') + '"' for symbol in odd]
    landed = land(
        {
            "instruments.csv": "symbol,asset_class\n" + "".join(f"{symbol},equity\n" for symbol in quoted),
            "positions.csv": "portfolio_id,strategy,symbol,quantity\n" + "".join(f"P1,core,{symbol},1\n" for symbol in quoted),
        }
    )
    assert landed.tables["rejected_rows"].empty
    assert set(landed.tables["position_records"]["symbol"]) == set(odd)


def test_a_worthless_option_and_a_contract_on_its_last_day_are_positions(land):
    landed = land(
        {"positions.csv": POSITIONS + "P1,core,AAPL_C130,-1,0\nP1,core,LAST,1,0\n"},
        {"instruments.csv": "LAST,equity_option,AAPL,put,1,2022-12-28,\n"},
    )
    assert landed.tables["rejected_rows"].empty
    assert landed.tables["position_records"]["price"].tolist() == [0, 0]


def test_header_names_may_be_in_any_case_and_order_and_others_are_noted(land):
    landed = land({"prices.csv": "Close, SYMBOL ,note,date\n1,AAPL,hello,2022-12-28\n"})
    assert landed.tables["prices"]["close"].tolist() == [1]
    assert "prices.csv: columns without a meaning here were ignored: note" in landed.notes


def test_files_that_name_portfolios_and_netting_sets_are_compared(land):
    landed = land(
        {
            "entity_figures.csv": "portfolio_id,figure,value,currency\nP1,cet1,5,\nP9,cet1,5,USD\n",
            "netting_sets.csv": "netting_set_id,portfolio_id,margined\nN1,P2,true\nN2,P9,no\n",
            "otc_trades.csv": (
                "trade_id,netting_set_id,asset_class,notional,currency,maturity\n"
                "T1,N1,fx,1,EUR,2030-01-01\nT2,N2,fx,1,EUR,2030-01-01\nT3,N1,fx,1,EUR,2020-01-01\n"
            ),
            "portfolios.csv": "portfolio_id,account_type,equity,base_currency\nP1,reg_t,1,EUR\nP2,otc,1,USD\n",
        }
    )
    assert landed.tables["entity_figures"].values.tolist() == [["P1", "cet1", 5, "EUR"]]
    assert [row[:2] for row in rejections(landed, "netting_sets.csv")] == [(3, "portfolio_id")]
    assert [(row[0], row[3]) for row in rejections(landed, "otc_trades.csv")] == [(3, ""), (4, "P2")]
    assert landed.tables["otc_trades"]["trade_id"].tolist() == ["T1"]
    assert landed.tables["netting_sets"]["margined"].tolist() == [True]


def test_parquet_and_csv_give_the_same_tables(land, write, as_of):
    expected = land().tables
    folder = write()
    for name in ("positions", "prices", "instruments", "portfolios"):
        frame = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])
        for column in frame.columns.intersection(["date", "expiry"]):
            frame[column] = pd.to_datetime(frame[column])
        frame.to_parquet(folder / f"{name}.parquet")
        (folder / f"{name}.csv").unlink()
    actual = read_date(folder, as_of).tables
    for table in set(LANDED_TABLES) - {"landed_files"}:
        pd.testing.assert_frame_equal(actual[table], expected[table])


STOPPED = [
    ({"positions.csv": None}, "positions.csv (or positions.parquet) is missing"),
    ({"prices.csv": "date,symbol\n"}, "prices.csv has no column close; add it to the header (found: date, symbol)"),
    ({"prices.csv": b""}, "prices.csv is empty"),
    ({"prices.csv": "date,symbol,close\n"}, "prices.csv has a header and no rows"),
    ({"rates.csv": b""}, "rates.csv is empty"),
    ({"rates.csv": "date,rate\n"}, "rates.csv has no column currency"),
    ({"prices.csv": "date,symbol,close\n1,2,3\n".encode("utf-16")}, "prices.csv is not UTF-8 text"),
    ({"prices.parquet": b"PAR1"}, "holds both prices.csv and prices.parquet"),
    ({"prices.csv": None, "prices.parquet": b"PAR1 or not"}, "prices.parquet cannot be read as Parquet"),
]


@pytest.mark.parametrize(("changes", "words"), STOPPED)
def test_a_date_that_cannot_be_used_is_one_clear_line(write, as_of, changes, words):
    with pytest.raises(LandingError) as error:
        read_date(write(changes), as_of)
    (message,) = error.value.messages
    assert words in message
    assert "\n" not in message


def test_everything_wrong_is_said_at_once(write, as_of, tmp_path):
    with pytest.raises(LandingError) as error:
        read_date(write({"positions.csv": None, "prices.csv": "date\n", "instruments.csv": b""}), as_of)
    assert len(error.value.messages) == 3
    with pytest.raises(LandingError, match="there is no folder"):
        read_date(tmp_path / "2022-12-29", as_of)


def test_a_folder_in_the_place_of_a_file_is_one_clear_line(write, as_of):
    folder = write({"prices.csv": None})
    (folder / "prices.csv").mkdir()
    with pytest.raises(LandingError, match=r"prices\.csv cannot be read"):
        read_date(folder, as_of)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_clear_line(write, as_of):
    folder = write()
    (folder / "prices.csv").chmod(0)
    with pytest.raises(LandingError, match=r"prices\.csv cannot be read"):
        read_date(folder, as_of)


def test_a_flat_book_is_a_date_with_a_note(land):
    landed = land({"positions.csv": POSITIONS})
    assert landed.tables["position_records"].empty
    assert any("no position was accepted" in note for note in landed.notes)


def test_unknown_files_and_missing_closes_are_noted(land):
    landed = land({"todo.txt": "x", "prices.csv": "date,symbol,close\n2022-12-27,AAPL,1\n"})
    assert "todo.txt is no input file and was not read" in landed.notes
    assert any("no close of 2022-12-28" in note for note in landed.notes)


def test_the_fingerprint_follows_the_content_of_known_files_alone(write, as_of):
    folder = write()
    first = fingerprint(folder)
    assert first == read_date(folder, as_of).content_hash
    (folder / "notes.txt").write_text("x")
    assert fingerprint(folder) == first
    (folder / "rates.csv").write_text("date,currency,rate\n")
    with_rates = fingerprint(folder)
    assert with_rates != first
    (folder / "rates.csv").rename(folder / "dividends.csv")
    assert fingerprint(folder) not in (first, with_rates)


def test_folders_are_the_calendar_days_of_the_landing_zone(tmp_path):
    for name in ("2022-12-28", "2022-12-21", "2022-13-01", "latest", "20221229"):
        (tmp_path / name).mkdir()
    (tmp_path / "2022-12-30").write_text("a file")
    assert list_folders(tmp_path) == [dt.date(2022, 12, 21), dt.date(2022, 12, 28)]
    assert list_folders(tmp_path / "nowhere") == []
    assert missing_files(tmp_path / "2022-12-21") == ["portfolios", "instruments", "positions", "prices"]


def test_the_order_of_rows_changes_no_table(land, as_of):
    files = {
        "prices.csv": (
            "date,symbol,close\n",
            [f"2022-12-{day:02d},{symbol},{day}.5\n" for day in range(1, 29) for symbol in ("B", "AAPL", "C")],
        ),
        "positions.csv": (POSITIONS, [f"P{i % 2 + 1},core,AAPL,{i / 7},\n" for i in range(20)]),
    }
    forward = land({name: header + "".join(rows) for name, (header, rows) in files.items()}).tables
    backward = land({name: header + "".join(reversed(rows)) for name, (header, rows) in files.items()}).tables
    for table in ("prices", "position_records"):
        pd.testing.assert_frame_equal(forward[table], backward[table], check_exact=True)


CELL = st.sampled_from(
    ["P1", "core", "AAPL", "AAPL_OLD", "NA", "1", "-2.5", "ten", "", " ", '"', '"a,b"', "nan", "2022-12-28", "é", "\x00", "reg_t", "equity"]
)
LINE = st.lists(CELL, min_size=1, max_size=6).map(",".join)
FILE = st.lists(LINE | st.binary(max_size=20).map(lambda b: b.decode("latin-1")), max_size=8).map("\n".join)


@given(portfolios=FILE, instruments=FILE, positions=FILE, prices=FILE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_is_ever_lost_and_nothing_but_a_landing_error_is_raised(land, portfolios, instruments, positions, prices):
    headers = {
        "portfolios.csv": "portfolio_id,account_type,equity\nP1,reg_t,1\n",
        "instruments.csv": "symbol,asset_class,expiry\nAAPL,equity,\n",
        "positions.csv": POSITIONS,
        "prices.csv": "date,symbol,close\n2022-12-28,AAPL,1\n",
    }
    bodies = (portfolios, instruments, positions, prices)
    content = {name: (header + body).encode("utf-8") for (name, header), body in zip(headers.items(), bodies, strict=True)}
    landed = land(content)
    files = landed.tables["landed_files"].set_index("source")
    for name, data in content.items():
        records = [line for line in data.split(b"\n")[1:] if line.strip()]
        assert files.loc[name, "rows_read"] == len(records)
    for raw in landed.tables["rejected_rows"]["raw"]:
        assert "\\u0000" not in json.dumps(json.loads(raw))


@given(data=st.binary(max_size=200))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_rows_or_a_landing_error(land, data):
    with contextlib.suppress(LandingError):
        landed = land({"prices.csv": data})
        assert "prices.csv" in set(landed.tables["landed_files"]["source"])
