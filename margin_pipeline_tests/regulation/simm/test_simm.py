"""SIMM margins: published weights by hand, the engine asked directly, and what must hold of any CRIF.

Belongs here: the function over the tables. Not here: reading the file, tables of the database.
"""

from __future__ import annotations

import datetime as dt
import json
import sys

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.landing.contracts import CONTRACTS
from margin_pipeline.landing.crif_rules import crif_rejections
from margin_pipeline.landing.records import read_csv
from margin_pipeline.landing.validation import validate
from margin_pipeline.parameters.simm import simm_rules
from margin_pipeline_tests.regulation.simm.random_crif import AS_OF, CONFIGURATIONS, asked_directly, crif, given, part, random_rows, row

pytest.importorskip("ORE")
IN_FORCE = {
    name: day for day in ("2024-01-31", "2025-08-01", "2026-01-30", "2026-08-03") for name in [simm_rules(dt.date.fromisoformat(day)).name]
}
SIMM_2_6 = dt.date(2024, 1, 31)
TOTAL = ["product_class", "risk_class", "margin_type", "bucket"]


def margin(*rows, side="call", as_of=SIMM_2_6, **more):
    """Total of the winning regulation."""
    return part(given(rows, as_of=as_of, **more), side)


# Weights of ISDA SIMM 2.6, methodology sections D to I.
@pytest.mark.parametrize(
    ("sensitivity", "weight"),
    [
        (row("Risk_IRCurve", "USD", "1", "5y", "OIS"), 60),
        (row("Risk_IRCurve", "JPY", "2", "10y", "OIS"), 23),
        (row("Risk_IRCurve", "BRL", "3", "2w", "OIS"), 163),
        (row("Risk_Inflation", "USD"), 61),
        (row("Risk_XCcyBasis", "EUR"), 21),
        (row("Risk_FX", "EUR"), 7.4),
        (row("Risk_FX", "BRL"), 14.7),
        (row("Risk_FX", "USD"), 0),
        (row("Risk_Equity", "A", "1"), 30),
        (row("Risk_Equity", "A", "5"), 26),
        (row("Risk_Equity", "A", "11"), 19),
        (row("Risk_Equity", "A", "Residual"), 50),
        (row("Risk_CreditQ", "A", "1", "5y"), 75),
        (row("Risk_CreditQ", "A", "8", "5y"), 343),
        (row("Risk_CreditNonQ", "A", "1", "5y"), 280),
        (row("Risk_BaseCorr", "CDX IG"), 10),
        (row("Risk_Commodity", "WTI", "2"), 29),
        (row("Risk_Commodity", "Gas", "7"), 60),
    ],
)
def test_one_sensitivity_needs_its_published_weight(sensitivity, weight):
    assert margin(sensitivity) == pytest.approx(weight * 1_000.0, rel=1e-12)
    assert margin({**sensitivity, "amount": -1_000.0, "amount_usd": -1_000.0}, side="post") == pytest.approx(weight * 1_000.0, rel=1e-12)


def test_two_currencies_are_correlated_by_the_published_half():
    """SIMM 2.6: correlation of exchange rates of regular volatility 0.5, the calculation currency being one of them."""
    both = margin(row("Risk_FX", "EUR"), row("Risk_FX", "GBP", amount=-1_000.0))
    assert both == pytest.approx(7_400.0, rel=1e-12)
    assert margin(row("Risk_FX", "EUR"), row("Risk_FX", "GBP")) == pytest.approx(7_400.0 * 3**0.5, rel=1e-12)


def test_vega_of_an_equity_is_weighted_by_its_volatility_and_history():
    """VRW x HVR x RW sqrt(365 / 14) / z, z the 99 % quantile (2.326348): 0.45 x 0.6 x 30 x 5.105...; curvature is apart."""
    found = given([row("Risk_EquityVol", "A", "1", "1y")], as_of=SIMM_2_6)
    expected = 1_000.0 * 0.45 * 0.6 * 30 * (365 / 14) ** 0.5 / 2.3263478740408408
    assert part(found, product="Equity", risk="Equity", kind="Vega") == pytest.approx(expected, rel=1e-9)


def test_concentration_adds_beyond_the_threshold():
    """Doubling a small sensitivity doubles its margin; a large one is scaled by the root of how often it fills the threshold."""
    small, twice = margin(row("Risk_FX", "EUR", amount=1e6)), margin(row("Risk_FX", "EUR", amount=2e6))
    assert twice == pytest.approx(2 * small, rel=1e-12)
    large = margin(row("Risk_FX", "EUR", amount=1e12))
    assert large > 1e12 * 7.4 * 1.5
    assert margin(row("Risk_FX", "EUR", amount=4e12)) == pytest.approx(8 * large, rel=1e-12)


def test_add_ons_by_hand():
    rows = [
        row("Risk_Equity", "A", "1"),
        row("Param_ProductClassMultiplier", "Equity", amount=1.5),
        row("Param_AddOnFixedAmount", amount=700.0),
        row("Param_AddOnFixedAmount", amount=300.0),
        row("Param_AddOnNotionalFactor", "X", amount=2.0),
        row("Notional", "X", amount=10_000.0),
        row("Notional", "X", amount=5_000.0, trade_id="U"),
    ]
    found = given(rows, as_of=SIMM_2_6)
    assert part(found, product="Equity") == pytest.approx(45_000.0)
    assert part(found, product="AddOnFixedAmount") == 1_000.0
    assert part(found, product="AddOnNotionalFactor") == pytest.approx(300.0)
    assert part(found) == pytest.approx(46_300.0)
    assert part(found, kind="AdditionalIM") == pytest.approx(16_300.0)


@pytest.mark.parametrize("version", sorted(CONFIGURATIONS))
def test_a_random_crif_needs_what_the_engine_says_of_it_when_asked_directly(version):
    day = dt.date.fromisoformat(IN_FORCE[version])
    for seed in range(3):
        rows = random_rows(seed, 40 + 120 * seed)
        found = given(rows, as_of=day)
        assert found["missing"].isna().all()
        levels = found[found["bucket"] == "All"]
        ours = {tuple(key): value for *key, value in levels[["side", *TOTAL[:3], "initial_margin"]].itertuples(index=False, name=None)}
        theirs = asked_directly(rows, version)
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-6)
        assert len(theirs) > 60


def test_the_order_of_rows_and_of_trades_changes_no_bit():
    rows = random_rows(7, 150)
    table = crif(*rows)
    first = given(table)
    for seed in (1, 2):
        pd.testing.assert_frame_equal(given(table.sample(frac=1, random_state=seed)), first, check_exact=True)
    split = [{**r, "amount": r["amount"] / 2, "amount_usd": r["amount_usd"] / 2} for r in rows if r["risk_type"].startswith("Risk_")]
    params = [r for r in rows if not r["risk_type"].startswith("Risk_")]
    halves = given([*split, *split, *params])
    assert part(halves) == pytest.approx(part(first), rel=1e-12)


def test_opposite_sensitivities_of_two_trades_net_to_nothing():
    rows = [row("Risk_Equity", "A", "1"), row("Risk_Equity", "A", "1", amount=-1_000.0, trade_id="U")]
    assert margin(*rows) == 0.0


def test_call_and_post_differ_by_curvature_alone():
    rows = random_rows(3, 120)
    found = given(rows)
    for kind in ("Delta", "Vega", "BaseCorr"):
        assert part(found, "call", kind=kind) == pytest.approx(part(found, "post", kind=kind), rel=1e-12)
    assert part(found, "call", kind="Curvature") != pytest.approx(part(found, "post", kind="Curvature"), rel=1e-3)


def test_netting_sets_are_margined_apart():
    alone = given([row("Risk_FX", "EUR")])
    other = row("Risk_FX", "EUR", amount=-5_000.0, netting_set_id="OTHER")
    found = given([row("Risk_FX", "EUR"), other], sets=(("P", "NS"), ("P", "OTHER")))
    assert part(found) == part(alone)
    assert part(found, netting_set="OTHER") == pytest.approx(5 * part(alone))


def test_amounts_in_another_currency_and_margins_in_the_base_currency_are_converted():
    dollars = margin(row("Risk_Equity", "A", "1", amount=1_100.0))
    euro = row("Risk_Equity", "A", "1", amount_currency="EUR", amount_usd=np.nan)
    assert margin(euro, usd=[("EUR", 1.1)]) == pytest.approx(dollars)
    assert margin(euro, usd=[("EUR", 1.1)], base="EUR") == pytest.approx(dollars / 1.1)


def test_offshore_renminbi_and_turned_pairs_are_one_risk_factor():
    assert margin(row("Risk_FX", "CNH"), row("Risk_FX", "CNY", amount=-1_000.0)) == 0.0
    one = margin(row("Risk_FXVol", "EURUSD", label1="1y", amount=3_000.0))
    assert margin(row("Risk_FXVol", "EURUSD", label1="1y"), row("Risk_FXVol", "USDEUR", label1="1y", amount=2_000.0)) == pytest.approx(one)


def test_names_with_the_separators_of_a_file_are_names():
    odd = ("A\\B", 'x "y", z', "  ", "ISIN:US1")
    rows = [row("Risk_Equity", name, "1", amount=float(n + 1)) for n, name in enumerate(odd)]
    plain = [row("Risk_Equity", f"P{n}", "1", amount=float(n + 1)) for n in range(len(odd))]
    assert margin(*rows) == pytest.approx(margin(*plain), rel=1e-12)


def regulated(amount, collect="", post="", **rest):
    return row("Risk_FX", "EUR", amount=amount, collect_regulations=collect, post_regulations=post, **rest)


def test_the_regulation_that_asks_most_wins_each_side():
    rows = [regulated(1_000.0, "ESA", "ESA,USPR"), regulated(3_000.0, "USPR", "USPR"), regulated(500.0, "", "ESA")]
    found = given(rows, as_of=SIMM_2_6)
    totals = found[(found[TOTAL] == "All").all(axis=1)].set_index(["side", "regulation"])
    assert totals["initial_margin"].to_dict() == pytest.approx(
        {("call", "ESA"): 7_400, ("call", "USPR"): 22_200, ("post", "ESA"): 11_100, ("post", "USPR"): 29_600}
    )
    assert totals.index[totals["is_winning"]].tolist() == [("call", "USPR"), ("post", "USPR")]
    assert totals["rows_left_out"].to_dict() == {("call", "ESA"): 2, ("call", "USPR"): 2, ("post", "ESA"): 1, ("post", "USPR"): 1}


def test_rows_under_sec_include_those_under_cftc_and_add_ons_count_everywhere():
    rows = [regulated(1_000.0, "CFTC", "CFTC"), regulated(2_000.0, "SEC", "SEC"), row("Param_AddOnFixedAmount", amount=50.0)]
    totals = given(rows, as_of=SIMM_2_6)
    totals = totals[(totals[TOTAL] == "All").all(axis=1)].set_index(["side", "regulation"])["initial_margin"]
    assert totals["call"].to_dict() == pytest.approx({"CFTC": 7_450.0, "SEC": 22_250.0})


def test_a_side_without_regulations_beside_one_with_them_has_no_margin_and_says_so():
    found = given([regulated(1_000.0, "", "ESA")], as_of=SIMM_2_6)
    assert part(found, "post") == pytest.approx(7_400.0)
    call = found[found["side"] == "call"].iloc[0]
    assert np.isnan(call["initial_margin"])
    assert call["missing"].startswith("collect_regulations of netting set NS")


def test_a_side_that_is_excluded_needs_nothing():
    found = given([regulated(1_000.0, "Excluded", "ESA")], as_of=SIMM_2_6)
    assert (part(found, "call"), part(found, "post")) == (0.0, pytest.approx(7_400.0))


def missing(*rows, **more):
    found = given(rows, **more)
    assert len(found) == 2
    assert found["initial_margin"].isna().all()
    assert not found["is_winning"].any()
    assert found["missing"].nunique() == 1
    return found["missing"].iloc[0]


RIGHT = row("Risk_FX", "EUR")


def test_what_a_netting_set_lacks_leaves_it_without_a_margin():
    assert missing() == "no CRIF rows of netting set NS"
    assert missing(RIGHT, row("Risk_FX", "JPY", amount_currency="JPY", amount_usd=np.nan)) == "exchange rate of JPY to USD"
    assert missing(RIGHT, base="EUR") == "exchange rate of USD to EUR"
    assert missing(RIGHT, row("Risk_FX", "XXX")) == "currency XXX, which the SIMM engine does not know"
    assert missing(RIGHT, row("Risk_FXVol", "EURXXX", label1="1y")) == "currency XXX, which the SIMM engine does not know"
    two = (row("Risk_Equity", "A", "1"), row("Risk_EquityVol", "A", "12", "1y"))
    assert missing(*two) == "one bucket of A for Risk_Equity: 1 and 12 are given"
    assert missing(RIGHT, row("Param_AddOnNotionalFactor", "X", amount=5.0)) == "Notional of X for its Param_AddOnNotionalFactor"
    factors = [row("Param_ProductClassMultiplier", "Equity", amount=a) for a in (1.5, 1.2)]
    assert missing(RIGHT, *factors) == "one Param_ProductClassMultiplier of Equity: 1.2 and 1.5 are given"
    scheduled = row("Notional", "", im_model="Schedule", product_class="Rates", trade_id="S")
    assert missing(RIGHT, scheduled).startswith("1 rows of IMModel Schedule, which SIMM does not cover")


def test_factors_that_contradict_each_other_under_one_regulation_leave_no_margin():
    factors = [
        row("Param_ProductClassMultiplier", "RatesFX", amount=a, collect_regulations=r, post_regulations=r)
        for a, r in ((1.5, ""), (1.2, "ESA"))
    ]
    text = missing(regulated(1_000.0, "ESA", "ESA"), *factors)
    assert text == "one Param_ProductClassMultiplier of RatesFX under one regulation: 1.2 and 1.5 are given"


def test_other_sets_are_not_concerned_by_what_one_lacks():
    found = given([RIGHT, row("Risk_FX", "XXX", netting_set_id="BAD")], sets=(("P", "NS"), ("P", "BAD"), ("P", "NONE")))
    assert part(found) == margin(RIGHT, as_of=AS_OF)
    assert found.groupby("netting_set_id")["missing"].first().dropna().index.tolist() == ["BAD", "NONE"]


def rejected(raw, portfolio):
    return ("crif.csv", 9, "bucket", '"13" is no bucket', portfolio, json.dumps(raw))


def test_a_rejected_row_leaves_its_netting_set_without_a_margin():
    sets = (("P", "NS"), ("P", "TWO"), ("Q", "THREE"))
    rows = [RIGHT, {**RIGHT, "netting_set_id": "TWO"}, {**RIGHT, "netting_set_id": "THREE"}]

    def lacking(*bad):
        return sorted(set(given(rows, sets=sets, rejected=bad).dropna(subset="missing")["netting_set_id"]))

    assert lacking(rejected({"netting_set_id": "TWO"}, "P")) == ["TWO"]
    assert lacking(rejected({"line": "T1,NS"}, "P")) == ["NS", "TWO"]
    assert lacking(rejected({"netting_set_id": "NINE"}, None)) == []
    text = given(rows, sets=sets, rejected=[rejected({"netting_set_id": "NS"}, "P")])["missing"].dropna().iloc[0]
    assert text == 'crif.csv row 9: "13" is no bucket'


def test_without_the_engine_there_is_no_margin_and_the_reason_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ORE", None)
    assert "pip install open-source-risk-engine" in missing(RIGHT)


def test_cleared_sets_and_sets_under_the_schedule_are_left_out():
    from margin_pipeline.regulation.simm import simm_results

    sets = pd.DataFrame(
        {"netting_set_id": ["A", "B", "C"], "portfolio_id": "P", "im_model": ["simm", "schedule", None], "is_cleared": [True, None, None]}
    )
    nothing = pd.DataFrame(columns=["source", "row_number", "column_name", "reason", "portfolio_id", "raw"])
    rates = pd.DataFrame({"date": pd.to_datetime([]), "currency": [], "usd_rate": []})
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]})
    found = simm_results(crif({**RIGHT, "netting_set_id": "A"}), sets, portfolios, rates, nothing, AS_OF)
    assert found.empty


@pytest.mark.parametrize(
    ("day", "in_force", "computed"),
    [
        ("1995-06-01", "1.0", "2.6"), ("2022-12-28", "2.5", "2.6"), ("2023-11-30", "2.5A", "2.6"), ("2023-12-01", "2.6", "2.6"),
        ("2024-12-05", "2.6", "2.6"), ("2024-12-06", "2.7", "2.6"), ("2025-07-11", "2.7+2412", "2.7+2412"),
        ("2025-12-04", "2.7+2412", "2.7+2412"), ("2025-12-05", "2.8+2506", "2.8+2506"), ("2026-07-10", "2.8+2512", "2.8+2512"),
    ],
)  # fmt: skip
def test_version_of_the_close_of_business_is_used_or_the_nearest_that_was_known(day, in_force, computed):
    found = given([RIGHT], as_of=dt.date.fromisoformat(day))
    assert found[["simm_version", "computed_version"]].drop_duplicates().values.tolist() == [[in_force, computed]]


def test_a_file_with_tabs_or_commas_gives_the_same_margin():
    rows = random_rows(5, 60)
    names = (
        "TradeID",
        "PortfolioID",
        "ProductClass",
        "RiskType",
        "Qualifier",
        "Bucket",
        "Label1",
        "Label2",
        "AmountCurrency",
        "Amount",
        "AmountUSD",
    )
    keys = (
        "trade_id",
        "netting_set_id",
        "product_class",
        "risk_type",
        "qualifier",
        "bucket",
        "label1",
        "label2",
        "amount_currency",
        "amount",
        "amount_usd",
    )
    expected = given(rows)
    for mark in ("\t", ","):
        lines = [mark.join(names)]
        lines += [mark.join("" if isinstance(r[k], float) and np.isnan(r[k]) else str(r[k]) for k in keys) for r in rows]
        contract = CONTRACTS["crif"]
        records = read_csv("crif.csv", "\n".join(lines).encode(), contract.columns, contract.separators, contract.column_name)
        file = validate(records, contract)
        assert file.rejections == []
        assert crif_rejections(file.accepted, pd.DataFrame({"netting_set_id": ["NS"]})) == []
        pd.testing.assert_frame_equal(given(file.accepted), expected, check_exact=True)


def test_nothing_is_written_and_nothing_is_said(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given(random_rows(2, 80))
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
