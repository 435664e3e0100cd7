"""A rejected input row makes unknown what it might have changed, and nothing else.

Belongs here: trades, netting sets, exposures and figures that were rejected. Not here: why rows are rejected (landing).
"""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd

from margin_pipeline.parameters.rule_version import RuleVersion
from margin_pipeline.regulation.incomplete import incomplete_sets, void, with_unknown_trades, withheld
from margin_pipeline.regulation.inputs import FIRM
from margin_pipeline.regulation.line import RegulatoryLine
from margin_pipeline.regulation.sa_ccr.tables import FIGURES, sa_ccr_tables
from margin_pipeline.regulation.schedule_im import schedule_margins
from margin_pipeline.regulation.uncleared.calls import uncleared_margin_calls
from margin_pipeline_tests.regulation import sa_ccr_book
from margin_pipeline_tests.regulation.uncleared.uncleared_book import AS_OF as UNCLEARED_DAY
from margin_pipeline_tests.regulation.uncleared.uncleared_book import frames as uncleared_frames

SETS = pd.DataFrame({"netting_set_id": ["NS1", "NS2"], "portfolio_id": ["P", "P"]})


def rejected(*rows):
    """Rejected rows of (source, row number, reason, portfolio, cells)."""
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    return pd.DataFrame([(*row[:4], json.dumps(row[4])) for row in rows], columns=columns)


TRADE = ("otc_trades.csv", 7, '"x" is not a number', "P", {"netting_set_id": "NS1", "notional": "x"})


def test_a_rejected_trade_makes_its_netting_set_incomplete_and_a_matured_one_does_not():
    matured = ("otc_trades.csv", 8, "expired on 2022-12-01: the trade has matured", "P", {"netting_set_id": "NS2"})
    nowhere = ("otc_trades.csv", 9, "is not among the accepted netting sets", None, {"netting_set_id": "NS9"})
    other = ("positions.csv", 7, "bad", "P", {"netting_set_id": "NS2"})
    assert incomplete_sets(rejected(TRADE, matured, nowhere, other), SETS) == {"NS1": 'otc_trades.csv row 7: "x" is not a number'}


def test_many_rejected_trades_are_named_briefly_whatever_their_order():
    rows = [(*TRADE[:1], n, *TRADE[2:]) for n in (9, 7, 8, 11, 10)]
    found = incomplete_sets(rejected(*rows), SETS)
    assert found == incomplete_sets(rejected(*reversed(rows)), SETS)
    assert found["NS1"].endswith("; and 2 more")


def test_schedule_margin_of_an_incomplete_set_is_unknown_and_says_why():
    trades = pd.DataFrame(
        {
            "trade_id": ["T1", "T2"], "netting_set_id": ["NS1", "NS2"], "asset_class": "fx", "instrument_type": None, "notional": 100.0,
            "currency": "USD", "second_currency": None, "maturity": pd.to_datetime(["2024-01-01"] * 2), "market_value": 1.0,
            "settlement": None,
        }
    ).astype({"instrument_type": "str", "second_currency": "str", "settlement": "str"})  # fmt: skip
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]})
    fx = pd.DataFrame({"date": pd.to_datetime([]), "currency": [], "usd_rate": []})
    sets, as_of = SETS.assign(im_model="schedule"), dt.date(2022, 12, 28)
    known = schedule_margins(sets, trades, fx, portfolios, as_of).set_index(["netting_set_id", "side"])
    completed = with_unknown_trades(trades, incomplete_sets(rejected(TRADE), SETS), SETS, as_of)
    found = schedule_margins(sets, completed, fx, portfolios, as_of).set_index(["netting_set_id", "side"])
    assert known["initial_margin"].notna().all()
    assert found.loc["NS1", "initial_margin"].isna().all()
    assert found.loc["NS1", "missing"].str.contains("otc_trades.csv row 7").all()
    pd.testing.assert_series_equal(found.loc["NS2", "initial_margin"], known.loc["NS2", "initial_margin"])


def test_variation_margin_of_an_incomplete_set_is_not_called():
    given = uncleared_frames({"value": 5e6}, {"value": 7e6, "counterparty": "Other"})
    key = {"otc_trades": given["otc_trades"]}
    incomplete = incomplete_sets(rejected(TRADE), given["netting_sets"])
    key["otc_trades"] = with_unknown_trades(given["otc_trades"], incomplete, given["netting_sets"], UNCLEARED_DAY)
    found = uncleared_margin_calls(**{**given, **key}, as_of=UNCLEARED_DAY).set_index(["netting_set_id", "kind", "side"])
    call = found.loc[("NS1", "variation", "call")]
    assert np.isnan(call["delivery_amount"])
    assert "otc_trades.csv row 7" in call["missing"]
    assert found.loc[("NS2", "variation", "call"), "delivery_amount"] == 7e6


def test_exposure_of_an_incomplete_set_is_void():
    sets = sa_ccr_book.frame(sa_ccr_book.NETTING_SETS, [{"netting_set_id": n, "portfolio_id": "P"} for n in ("NS1", "NS2")])
    rows = [
        {"currency": "USD", **trade, "trade_id": f"{n}-{i}", "netting_set_id": n}
        for n in ("NS1", "NS2")
        for i, trade in enumerate(sa_ccr_book.EXAMPLE_1)
    ]
    trades = sa_ccr_book.frame(sa_ccr_book.OTC_TRADES, rows)
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]})
    fx = pd.DataFrame({"date": [pd.Timestamp(sa_ccr_book.AS_OF)], "currency": ["EUR"], "usd_rate": [1.0]})
    table = sa_ccr_tables(sets, trades, portfolios, fx, sa_ccr_book.AS_OF)[2]
    found = void(table, incomplete_sets(rejected(TRADE), sets), FIGURES).set_index("netting_set_id")
    assert found.loc["NS1", FIGURES].isna().all()
    assert "otc_trades.csv row 7" in found.loc["NS1", "missing"]
    assert round(found.loc["NS2", "exposure_at_default"]) == 569
    assert pd.isna(found.loc["NS2", "missing"])


def line(regime, status="pass", portfolio="P", netting_set="", value=1.0):
    version = RuleVersion("rule:1", dt.date(2020, 1, 1))
    return RegulatoryLine(
        portfolio, "entity", regime, "item", "USD", status, "Rule 1", version, value=value, netting_set_id=netting_set,
        reason=None if status != "not_applicable" else "no",
    )  # fmt: skip


def statuses(lines, *rows):
    return [found.status for found in withheld(lines, rejected(*rows), FIRM)]


def test_a_rejected_exposure_withholds_capital_of_its_bank_and_of_the_firm_but_no_breach():
    row = ("exposures.csv", 3, '"-5" is below 0', "P", {})
    lines = [
        line("basel"),
        line("basel", "information"),
        line("basel", "breach"),
        line("basel", portfolio="Q"),
        line("finra"),
        line("basel", portfolio=FIRM),
    ]
    assert statuses(lines, row) == ["undetermined", "undetermined", "breach", "pass", "pass", "undetermined"]
    withheld_line = withheld(lines, rejected(row), FIRM)[0]
    assert (withheld_line.value, withheld_line.reason) == (None, 'exposures.csv row 3: "-5" is below 0')


def test_a_rejected_netting_set_withholds_sums_over_netting_sets_and_not_those_of_others():
    row = ("netting_sets.csv", 3, "bad", "P", {})
    lines = [line("sa_ccr"), line("sa_ccr", netting_set="NS1"), line("emir"), line("sec_15c3_1"), line("basel")]
    assert statuses(lines, row) == ["undetermined", "pass", "undetermined", "pass", "undetermined"]


def test_lines_that_do_not_apply_stay_and_without_rejections_all_do():
    lines = [line("basel", "not_applicable"), line("basel")]
    assert statuses(lines, ("exposures.csv", 3, "bad", "P", {}))[0] == "not_applicable"
    assert withheld(lines, rejected(), FIRM) == lines
