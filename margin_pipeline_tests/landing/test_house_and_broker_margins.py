"""House rates and what brokers say: rows that mean something are used, others are quarantined with a reason.

Belongs here: the two files, and their comparison with instruments and portfolios. Not here: what the margins do with them.
"""

from __future__ import annotations

import pytest

HOUSE = "symbol,asset_class,initial_rate,maintenance_rate\n"
BROKER = "portfolio_id,symbol,initial_margin,maintenance_margin\n"


def rejections(landed):
    return landed.tables["rejected_rows"][["row_number", "column_name", "reason"]].values.tolist()


def test_house_rates_of_a_symbol_and_of_an_asset_class_are_accepted(land):
    landed = land({"house_margins.csv": HOUSE + "AAPL,,0.6,0.4\n,EQUITY,0.5,0.35\nAAPL,,0.6,0.4\n"})
    rows = landed.tables["house_margins"]
    assert rows.values.tolist() == [["", "equity", 0.5, 0.35], ["AAPL", "", 0.6, 0.4]]
    assert landed.tables["rejected_rows"].empty
    files = landed.tables["landed_files"].set_index("source")
    assert files.loc["house_margins.csv", ["rows_read", "rows_accepted"]].tolist() == [3, 3]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("AAPL,equity,0.6,0.4", "symbol", "a row is of a symbol or of an asset class: give one of them"),
        (",,0.6,0.4", "symbol", "a row is of a symbol or of an asset class: give one of them"),
        (",shares,0.6,0.4", "asset_class", "the asset class is none of equity, etf, index"),
        ("AAPL,,60,0.4", "initial_rate", '"60" is above 1'),
        ("AAPL,,0.6,-0.1", "maintenance_rate", '"-0.1" is below 0'),
        ("AAPL,,0.6,", "maintenance_rate", "a value is required"),
        ("GONE,,0.6,0.4", "symbol", '"GONE" is not among the accepted instruments'),
    ],
)
def test_house_rate_that_means_nothing_is_rejected(land, row, column, reason):
    landed = land({"house_margins.csv": f"{HOUSE}{row}\n"})
    [[number, at_fault, why]] = rejections(landed)
    assert (number, at_fault) == (2, column)
    assert why.startswith(reason)
    assert landed.tables["house_margins"].empty


def test_house_rates_that_contradict_each_other_are_all_rejected(land):
    landed = land({"house_margins.csv": HOUSE + "AAPL,,0.6,0.4\nAAPL,,0.6,0.5\n,equity,0.6,0.4\n"})
    assert [number for number, *_ in rejections(landed)] == [2, 3]
    assert landed.tables["house_margins"]["asset_class"].tolist() == ["equity"]


def test_house_rates_are_a_file_of_the_date(land):
    assert land().tables["house_margins"].empty


def test_broker_may_leave_out_a_measure_and_name_a_symbol_that_nobody_holds(land):
    landed = land({"broker_margins.csv": BROKER + "P1,,,2500\nP1,TSLA,10,20\n"})
    rows = landed.tables["broker_margins"].set_index(["portfolio_id", "symbol"])
    assert rows.loc[("P1", ""), "maintenance_margin"] == 2_500
    assert rows.loc[("P1", ""), "initial_margin"] != rows.loc[("P1", ""), "initial_margin"]
    assert rows.loc[("P1", "TSLA")].tolist() == [10, 20]


@pytest.mark.parametrize(
    ("rows", "column", "reason"),
    [
        ("P1,,,", "maintenance_margin", "a row gives an initial or a maintenance margin"),
        ("P9,,1,1", "portfolio_id", '"P9" is not among the accepted portfolios'),
        ("P1,,-1,1", "initial_margin", '"-1" is below 0'),
        ("P1,,1,1\nP1,,1,2", "maintenance_margin", "rows 2 and 3 have the same portfolio_id, symbol but differ in maintenance_margin"),
    ],
)
def test_statement_that_cannot_be_compared_is_rejected(land, rows, column, reason):
    landed = land({"broker_margins.csv": f"{BROKER}{rows}\n"})
    found = rejections(landed)
    assert {at_fault for _, at_fault, _ in found} == {column}
    assert all(why.startswith(reason) for *_, why in found)
    assert landed.tables["broker_margins"].empty
