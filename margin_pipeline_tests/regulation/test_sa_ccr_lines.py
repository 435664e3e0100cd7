"""Lines of SA-CCR: items of netting sets, totals of portfolios and the firm, and where there is nothing to say."""

import datetime as dt

import pandas as pd
import pytest

from margin_pipeline.regulation.inputs import FIRM, RegulatoryInputs
from margin_pipeline.regulation.line import table
from margin_pipeline.regulation.sa_ccr.lines import lines
from margin_pipeline_tests.regulation.sa_ccr_book import AS_OF, EXAMPLE_1, EXAMPLE_2, EXAMPLE_3, MARGINED_EXAMPLE, tables

SETS = ({"netting_set_id": "A"}, {"netting_set_id": "B", **MARGINED_EXAMPLE}, {"netting_set_id": "C", "portfolio_id": "Q"})
TRADES = [
    *({**trade, "netting_set_id": "A"} for trade in EXAMPLE_2),
    *({**trade, "netting_set_id": "B"} for trade in EXAMPLE_1 + EXAMPLE_3),
    *({**trade, "netting_set_id": "C"} for trade in EXAMPLE_3),
]


def found(trades=TRADES, bases=(("P", "USD"), ("Q", "USD"), ("R", "USD")), fx=(("EUR", 1.0),), as_of=AS_OF):
    portfolios = pd.DataFrame(bases, columns=["portfolio_id", "base_currency"])
    rates = pd.DataFrame({"date": pd.Timestamp(as_of), "currency": [c for c, _ in fx], "usd_rate": [r for _, r in fx]})
    sets = tables(trades, SETS, fx=fx, as_of=as_of)[2]
    frame = table(lines(RegulatoryInputs(as_of, {"portfolios": portfolios, "sa_ccr_netting_sets": sets}, rates)))
    assert not frame.duplicated(["portfolio_id", "scope", "regime", "line_item", "netting_set_id", "side"]).any()
    assert (frame["regime"] == "sa_ccr").all()
    return frame.set_index(["portfolio_id", "netting_set_id", "line_item"]).sort_index()


def test_a_netting_set_has_a_line_a_step_and_one_for_each_class_in_it():
    rows = found().loc[("P", "B")]
    assert rows["value"].round(3).to_dict() == {
        "value": 80, "collateral": 200, "replacement_cost": 0, "add_on_interest_rate": 123.089, "add_on_commodity": 1277.873,
        "add_on": 1400.962, "multiplier": 0.958, "potential_future_exposure": 1342.295, "exposure_at_default": 1879.213,
    }  # fmt: skip
    assert set(rows["status"]) == {"information"}
    assert rows["unit"].to_dict() == {**dict.fromkeys(rows.index, "USD"), "multiplier": "ratio"}
    assert set(rows["parameter_set"]) == {"sa_ccr:bcbs279"}
    assert set(rows["effective_date"]) == {pd.Timestamp("2017-01-01")}


def test_exposures_of_a_portfolio_and_of_the_firm_add_up():
    rows = found()
    assert rows.loc[("P", "", "exposure_at_default"), "value"] == pytest.approx(381.238319 + 1879.212632)
    assert rows.loc[(FIRM, "", "exposure_at_default"), "value"] == pytest.approx(381.238319 + 1879.212632 + 5405.615982)
    assert rows.loc[(FIRM, "", "exposure_at_default"), "scope"] == "firm"


def test_the_firm_adds_up_in_dollars_and_not_without_a_rate():
    rows = found(bases=(("P", "USD"), ("Q", "CHF")), fx=(("EUR", 1.0), ("CHF", 1.1)))
    assert rows.loc[(FIRM, "", "exposure_at_default"), "value"] == pytest.approx(381.238319 + 1879.212632 + 1.1 * 5405.615982)
    without = found(bases=(("P", "USD"), ("Q", "CHF"))).loc[(FIRM, "", "exposure_at_default")]
    assert (without["status"], without["reason"]) == ("undetermined", "exposure at default of portfolio Q")


def test_what_is_missing_stays_missing_up_to_the_firm():
    rows = found([{**TRADES[0], "direction": None}, *TRADES[1:]])
    of_set = rows.loc[("P", "A")]
    assert of_set["status"].to_dict() == {
        "value": "information", "collateral": "information", "replacement_cost": "information", "add_on_credit": "undetermined",
        "add_on": "undetermined", "multiplier": "undetermined", "potential_future_exposure": "undetermined",
        "exposure_at_default": "undetermined",
    }  # fmt: skip
    assert set(of_set["reason"].dropna()) == {"trade T000: direction"}
    assert rows.loc[("P", "", "exposure_at_default"), "reason"] == "exposure at default of netting set A"
    assert rows.loc[(FIRM, "", "exposure_at_default"), "reason"] == "exposure at default of portfolio P"
    assert rows.loc[("Q", "", "exposure_at_default"), "status"] == "information"


def test_a_portfolio_without_netting_sets_says_so_once():
    row = found().loc["R"]
    assert len(row) == 1
    assert row[["status", "reason"]].values.tolist() == [["not_applicable", "no netting set of derivatives"]]


@pytest.mark.parametrize(
    ("as_of", "status", "reference"),
    [
        (dt.date(2016, 12, 30), "not_applicable", "BCBS 279, paragraphs 128 and 129"),
        (dt.date(2017, 1, 3), "information", "BCBS 279, paragraphs 128 and 129"),
        (dt.date(2023, 1, 3), "information", "Basel Framework CRE52.1 and CRE52.2"),
    ],
)
def test_lines_name_the_rule_of_their_date(as_of, status, reference):
    rows = found(as_of=as_of)
    row = rows.loc[("P", "", "exposure_at_default")]
    assert (row["status"], row["reference"]) == (status, reference)
    assert (len(rows) == 4) == (status == "not_applicable")
