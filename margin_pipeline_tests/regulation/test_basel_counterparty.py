"""Counterparty and CVA risk: hand-computed capital, both formulas, and what is missing."""

import datetime as dt
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters.basel_cva import cva_rules
from margin_pipeline.regulation.basel.cva import discount_factor, diversified
from margin_pipeline_tests.regulation.basel_bank import BEFORE_2023, CAPITAL, IN_2023, assets_of, lines_of, netting_sets, sa_ccr, trades

TWO_YEARS = {BEFORE_2023: "2024-12-27", IN_2023: "2025-06-29"}  # 730 days
SETS = [
    {"netting_set_id": "A", "counterparty": "One", "counterparty_class": "bank", "counterparty_rating": "A"},
    {"netting_set_id": "B", "counterparty": "Two", "counterparty_class": "corporate", "counterparty_rating": "BB",
     "counterparty_sector": "energy"},
]  # fmt: skip


def book(as_of=IN_2023, sets=SETS, exposures=(100.0, 50.0), otc=None, missing=None):
    ids = [row["netting_set_id"] for row in sets]
    two_years = [{"netting_set_id": i, "notional": 1000.0, "maturity": TWO_YEARS[as_of]} for i in ids]
    figures = [
        {"netting_set_id": i, "exposure_at_default": e, "value": e, "add_on": e, "missing": missing}
        for i, e in zip(ids, exposures, strict=False)
    ]
    return {
        "netting_sets": netting_sets(sets),
        "otc_trades": trades(two_years if otc is None else otc),
        "sa_ccr_netting_sets": sa_ccr(figures),
    }


def rows(risk_type, as_of=IN_2023, **given):
    found = assets_of(as_of, **book(as_of, **given))
    return found[found["risk_type"] == risk_type].set_index("item")


def capital(amounts, rho=0.5):
    """The formula of MAR50.14, written out."""
    return math.sqrt((rho * sum(amounts)) ** 2 + (1 - rho**2) * sum(a * a for a in amounts))


DISCOUNT = (1 - math.exp(-0.05 * 2)) / (0.05 * 2)


def test_counterparty_assets_are_exposure_at_default_times_the_weight_of_the_counterparty():
    found = rows("counterparty")
    assert found["risk_weighted_assets"].tolist() == [100 * 0.3, 50 * 1.0]  # bank rated A, corporate rated BB


@pytest.mark.parametrize(("as_of", "weight"), [(IN_2023, 0.02), (BEFORE_2023, 0.02)])
def test_what_is_cleared_weighs_two_percent_and_has_no_cva(as_of, weight):
    cleared = [{**SETS[0], "is_cleared": True, "counterparty_class": None}]
    assert rows("counterparty", as_of, sets=cleared).loc["A", "risk_weighted_assets"] == pytest.approx(100 * weight)
    assert rows("cva", as_of, sets=cleared).empty


def test_the_basic_approach_by_hand():
    """MAR50.14-50.16: 5 % for financials of investment grade, 7 % for energy below it; alpha 1.4, scalar 0.65, maturity two years."""
    alone = [0.05 / 1.4 * 2 * 100 * DISCOUNT, 0.07 / 1.4 * 2 * 50 * DISCOUNT]
    assert rows("cva")["risk_weighted_assets"].sum() == pytest.approx(12.5 * 0.65 * capital(alone))
    assert pytest.approx(0.951626, abs=1e-6) == DISCOUNT


def test_the_charge_of_2010_by_hand():
    """BCBS 189, Annex 4, paragraph 104: 0.8 % for A, 2 % for BB, 2.33, horizon of a year."""
    alone = [0.008 * 2 * 100 * DISCOUNT, 0.02 * 2 * 50 * DISCOUNT]
    found = rows("cva", BEFORE_2023)
    assert found["risk_weighted_assets"].sum() == pytest.approx(12.5 * 2.33 * capital(alone))


@pytest.mark.parametrize(
    ("sector", "investment_grade", "other"),
    [("sovereign", 0.005, 0.02), ("local_government", 0.01, 0.04), ("financials", 0.05, 0.12), ("manufacturing", 0.03, 0.07),
     ("transportation", 0.03, 0.085), ("telecommunications", 0.02, 0.055), ("health care", 0.015, 0.05), ("other", 0.05, 0.12)],
)  # fmt: skip
def test_weights_of_sectors_are_those_of_mar50_16(sector, investment_grade, other):
    for rating, weight in (("BBB-", investment_grade), ("BB+", other), (None, other)):
        found = rows("cva", sets=[{**SETS[0], "counterparty_rating": rating, "counterparty_sector": sector}])
        assert found.loc["A", "risk_weighted_assets"] == pytest.approx(12.5 * 0.65 * weight / 1.4 * 2 * 100 * DISCOUNT)


@pytest.mark.parametrize(
    ("rating", "weight"), [("AAA", 0.007), ("AA-", 0.007), ("A", 0.008), ("BBB", 0.01), ("BB", 0.02), ("B", 0.03), ("CCC", 0.1)]
)
def test_weights_of_ratings_are_those_of_2010(rating, weight):
    found = rows("cva", BEFORE_2023, sets=[{**SETS[0], "counterparty_rating": rating}])
    assert found.loc["A", "risk_weighted_assets"] == pytest.approx(12.5 * 2.33 * weight * 2 * 100 * DISCOUNT)


def test_maturity_is_weighted_by_notional_and_not_below_a_year_nor_capped_at_five():
    otc = [
        {"netting_set_id": "A", "notional": 300.0, "maturity": "2033-06-27"},  # 10 years of 365 days
        {"netting_set_id": "A", "notional": 100.0, "currency": "EUR", "maturity": "2025-06-29"},
        {"netting_set_id": "A", "notional": 1e9, "maturity": "2023-06-29"},  # matured yesterday
        {"netting_set_id": "B", "notional": 5.0, "maturity": "2023-07-03"},
    ]
    found = rows("cva", otc=otc)["explanation"].map(json.loads)
    assert found["A"]["effective_maturity_years"] == pytest.approx((300 * 10 + 110 * 2) / 410)
    assert found["B"]["effective_maturity_years"] == 1.0


def test_netting_sets_with_one_counterparty_do_not_diversify():
    same = [SETS[0], {**SETS[0], "netting_set_id": "B"}]
    alone = 0.05 / 1.4 * 2 * DISCOUNT
    assert rows("cva", sets=same)["risk_weighted_assets"].sum() == pytest.approx(12.5 * 0.65 * alone * 150)
    unnamed = [{**row, "counterparty": None} for row in same]
    assert rows("cva", sets=unnamed)["risk_weighted_assets"].sum() == pytest.approx(12.5 * 0.65 * capital([alone * 100, alone * 50]))


@pytest.mark.parametrize(
    ("as_of", "change", "reason"),
    [
        (IN_2023, {"counterparty_sector": None}, "counterparty_sector of netting set A"),
        (IN_2023, {"counterparty_sector": "piracy"}, "counterparty_sector of netting set A: piracy is none of MAR50.16"),
        (IN_2023, {"counterparty_rating": "good"}, "counterparty_rating of netting set A: good is on no scale"),
        (BEFORE_2023, {"counterparty_rating": None}, "counterparty_rating of netting set A"),
    ],
)
def test_what_cva_lacks_leaves_the_whole_bank_without_it(as_of, change, reason):
    found = rows("cva", as_of, sets=[{**SETS[0], **change}, SETS[1]])
    assert found["risk_weighted_assets"].isna().all()
    assert found.loc["A", "missing"] == reason
    line = lines_of(as_of, **book(as_of, sets=[{**SETS[0], **change}, SETS[1]])).loc["cva_risk_weighted_assets"]
    assert line["status"] == "undetermined"
    assert reason in line["reason"]


@pytest.mark.parametrize(
    ("otc", "reason"),
    [
        ([], "effective maturity of netting set A: trades that are not matured"),
        (
            [{"netting_set_id": "A", "notional": 0.0, "maturity": "2025-06-29"}],
            "maturity of netting set A: notional of its trades",
        ),
        ([{"netting_set_id": "A", "notional": 1.0, "currency": "CHF", "maturity": "2025-06-29"}], "exchange rate of CHF to USD"),
    ],
)
def test_a_netting_set_without_maturity_is_undetermined(otc, reason):
    found = rows("cva", sets=SETS[:1], otc=otc)
    assert np.isnan(found.loc["A", "risk_weighted_assets"])
    assert reason in found.loc["A", "missing"]


def test_a_missing_class_or_exposure_is_named():
    unknown = rows("counterparty", sets=[{**SETS[0], "counterparty_class": None}])
    assert unknown.loc["A", "missing"] == "counterparty_class of netting set A"
    without = rows("counterparty", exposures=(100.0,))
    assert without.loc["B", "missing"] == "exposure at default of netting set B: it has none under SA-CCR"
    lacking = rows("counterparty", exposures=(np.nan, 50.0), missing="market value of trade T1")
    assert lacking.loc["A", "missing"] == "exposure at default of netting set A: market value of trade T1"
    line = lines_of(IN_2023, **book(exposures=(100.0,))).loc["total_capital_ratio"]
    assert (line["status"], "netting set B" in line["reason"]) == ("undetermined", True)


def test_a_netting_set_without_exposure_needs_nothing_for_cva():
    found = rows("cva", sets=[{**SETS[0], "counterparty_sector": None}, SETS[1]], exposures=(0.0, 50.0))
    assert found.loc["A", "risk_weighted_assets"] == 0
    assert found.loc["B", "risk_weighted_assets"] == pytest.approx(12.5 * 0.65 * 0.07 / 1.4 * 2 * 50 * DISCOUNT)


@pytest.mark.parametrize(("date", "status"), [("2012-12-31", "not_applicable"), ("2013-01-02", "information")])
def test_cva_has_capital_from_basel_iii_on(date, status):
    assert lines_of(dt.date.fromisoformat(date)).loc["cva_risk_weighted_assets", "status"] == status


def test_other_entities_have_no_assets():
    tables = book()
    tables["netting_sets"]["portfolio_id"] = "FUND"
    assert set(assets_of(**tables)["risk_type"]) == {"credit"}


def test_the_line_adds_up_the_rows():
    capital_figures = CAPITAL | {"operational_risk_rwa": 0.0}
    found = lines_of(IN_2023, capital=capital_figures, **book())
    assert found.loc["counterparty_risk_weighted_assets", "value"] == pytest.approx(80)
    assert found.loc["cva_risk_weighted_assets", "value"] == pytest.approx(rows("cva")["risk_weighted_assets"].sum())


AMOUNTS = st.lists(st.just(0.0) | st.floats(0.01, 1e9), min_size=1, max_size=12)


@given(AMOUNTS)
def test_diversified_capital_lies_between_root_of_squares_and_sum(amounts):
    found = diversified(np.array(amounts), 0.5)
    assert found <= sum(amounts) * (1 + 1e-12)
    assert found >= 0.5 * sum(amounts) * (1 - 1e-12)
    assert found == pytest.approx(capital(amounts))


@given(st.floats(1, 60))
def test_the_discount_factor_is_the_mean_of_discounting_at_five_percent(years):
    times = (np.arange(20_000) + 0.5) / 20_000 * years
    assert discount_factor(np.array([years]), 0.05)[0] == pytest.approx(np.exp(-0.05 * times).mean(), rel=1e-6)


@settings(max_examples=6, deadline=None)
@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_contributions_add_up_to_the_capital_and_do_not_depend_on_order(exposures, random):
    sets = [{"netting_set_id": f"N{i}", "counterparty": f"C{i // 2}"} for i in range(len(exposures))]
    tables = book(sets=sets, exposures=exposures)
    found = assets_of(**tables)
    cva = found[found["risk_type"] == "cva"]
    alone = np.array(exposures) * 0.05 / 1.4 * 2 * DISCOUNT
    together = [alone[i : i + 2].sum() for i in range(0, len(alone), 2)]
    assert cva["risk_weighted_assets"].sum() == pytest.approx(12.5 * 0.65 * capital(together))
    seed = random.randrange(1000)
    shuffled = assets_of(**{name: table.sample(frac=1, random_state=seed) for name, table in tables.items()})
    assert shuffled["risk_weighted_assets"].to_numpy() == pytest.approx(found["risk_weighted_assets"].to_numpy())


def test_every_sector_of_the_rule_can_be_named_by_itself():
    rules = cva_rules(IN_2023)
    assert all(rules.sector_of[sector] == sector for sector in rules.sector_weights)
