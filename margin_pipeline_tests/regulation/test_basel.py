"""Capital, leverage and liquidity of a bank: hand-computed figures, dates of the minimums, and what is missing."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline_tests.regulation.basel_bank import (
    BEFORE_2023,
    BEFORE_2023_ASSETS,
    BOOK,
    CAPITAL,
    IN_2023,
    IN_2023_ASSETS,
    IN_2028,
    frames,
    lines_of,
    netting_sets,
    portfolio,
    sa_ccr,
)  # fmt: skip

RATIOS = ["cet1_ratio", "tier1_ratio", "total_capital_ratio"]
BUFFERS = ["capital_conservation_buffer", "combined_buffer", "maximum_distribution_ratio"]


def test_ratios_follow_the_risk_weights_of_basel_ii_before_2023():
    found = lines_of()
    assets = BEFORE_2023_ASSETS
    assert found.loc["credit_risk_weighted_assets", "value"] == pytest.approx(assets)
    assert found.loc["total_risk_weighted_assets", "value"] == pytest.approx(assets)
    assert found.loc["cet1_ratio", "value"] == pytest.approx(60 / assets)
    assert found.loc["tier1_ratio", "value"] == pytest.approx(75 / assets)
    assert found.loc["total_capital_ratio", "value"] == pytest.approx(100 / assets)
    assert found.loc["capital_conservation_buffer", "value"] == pytest.approx(min(60 / 800 - 0.045, 75 / 800 - 0.06, 100 / 800 - 0.08))
    assert found.loc["leverage_ratio", "value"] == pytest.approx(75 / (1500 + 500))
    assert (found.loc[[*RATIOS, "leverage_ratio"], "status"] == "pass").all()


def test_ratios_follow_cre20_from_2023():
    found = lines_of(IN_2023)
    assert found.loc["credit_risk_weighted_assets", "value"] == pytest.approx(IN_2023_ASSETS)
    assert found.loc["credit_risk_weighted_assets", "reference"].startswith("Basel Framework CRE20")
    assert found.loc["leverage_ratio", "parameter_set"] == "basel:2023"
    assert found.loc["leverage_ratio", "effective_date"] == pd.Timestamp("2023-01-01")


def test_total_is_the_sum_over_kinds_of_risk_and_says_what_it_covers():
    capital = CAPITAL | {"operational_risk_rwa": 90.0, "credit_risk_rwa_other": 40.0, "market_risk_rwa_other": 30.0}
    found = lines_of(IN_2023, capital=capital)
    assert found.loc["credit_risk_weighted_assets", "value"] == pytest.approx(IN_2023_ASSETS + 40)
    assert found.loc["market_risk_weighted_assets", "value"] == pytest.approx(30)
    assert found.loc["operational_risk_weighted_assets", "value"] == pytest.approx(90)
    assert found.loc["total_risk_weighted_assets", "value"] == pytest.approx(IN_2023_ASSETS + 160)
    assert "operational risk as given" in json.loads(found.loc["cet1_ratio", "inputs"])["covers"]


def test_without_operational_risk_ratios_are_upper_bounds_that_say_so():
    found = lines_of(IN_2023)
    assert found.loc["operational_risk_weighted_assets", "status"] == "undetermined"
    assert found.loc["cet1_ratio", "status"] == "pass"
    assert "no operational risk, so that capital ratios are upper bounds" in json.loads(found.loc["cet1_ratio", "inputs"])["covers"]


@pytest.mark.parametrize(("tier1", "status"), [(60.0, "pass"), (59.9, "breach")])
def test_a_leverage_ratio_below_three_percent_is_a_breach(tier1, status):
    found = lines_of(capital=CAPITAL | {"tier1": tier1}, book=[{"exposure_class": "sovereign", "rating": "AAA", "amount": 1500.0}])
    assert found.loc["leverage_ratio", "limit_value"] == 0.03
    assert found.loc["leverage_ratio", "status"] == status


def test_a_buffer_used_up_is_no_breach_of_the_minimums():
    found = lines_of(capital=CAPITAL | {"cet1": 50.0, "tier1": 50.0, "total_capital": 70.0})
    assert found.loc["capital_conservation_buffer", "value"] == pytest.approx(min(50 / 800 - 0.045, 50 / 800 - 0.06, 70 / 800 - 0.08))
    assert found.loc["capital_conservation_buffer", "status"] == "breach"
    assert (found.loc[RATIOS, "status"] == "pass").all()


def bank_with_cet1_left(left, **figures):
    """Lines of a bank whose CET1 left after the minimums is a fraction of its assets, all of it CET1."""
    amount = (0.08 + left) * BEFORE_2023_ASSETS
    return lines_of(capital=CAPITAL | {"cet1": amount, "tier1": amount, "total_capital": amount} | figures)


@pytest.mark.parametrize(
    ("left", "share"),
    [(0.0, 0.0), (0.0062, 0.0), (0.0063, 0.2), (0.0124, 0.2), (0.0126, 0.4), (0.0187, 0.4), (0.0188, 0.6), (0.0249, 0.6), (0.0251, 1.0),
     (-0.01, 0.0)],
)  # fmt: skip
def test_distributions_follow_the_quartiles_of_rbc30_4(left, share):
    """Table 1 of RBC30.4 in terms of CET1: up to 5.125 % conserve 100 %, 5.75 % 80 %, 6.375 % 60 %, 7 % 40 %, above it nothing."""
    assert bank_with_cet1_left(left).loc["maximum_distribution_ratio", "value"] == share


def test_the_combined_buffer_adds_the_countercyclical_and_the_systemic_one():
    found = bank_with_cet1_left(0.04, countercyclical_buffer_rate=0.005, systemic_buffer_rate=0.01)
    assert found.loc["combined_buffer", "limit_value"] == pytest.approx(0.025 + 0.005 + 0.01)
    assert found.loc["combined_buffer", "value"] == pytest.approx(0.04)
    short = bank_with_cet1_left(0.0399, countercyclical_buffer_rate=0.005, systemic_buffer_rate=0.01)
    assert short.loc["combined_buffer", "status"] == "breach"
    assert short.loc["capital_conservation_buffer", "status"] == "pass"
    assert short.loc["maximum_distribution_ratio", "value"] == 0.6


@pytest.mark.parametrize(("as_of", "limit"), [("2016-12-30", 0.0125), ("2018-12-31", 0.0375), ("2019-01-02", 0.045)])
def test_the_countercyclical_buffer_phases_in_with_the_conservation_buffer(as_of, limit):
    found = lines_of(dt.date.fromisoformat(as_of), capital=CAPITAL | {"countercyclical_buffer_rate": 0.02})
    assert found.loc["combined_buffer", "limit_value"] == pytest.approx(limit)


@pytest.mark.parametrize(
    ("as_of", "cet1", "buffer", "leverage", "coverage", "funding"),
    [
        ("1990-01-02", None, None, None, None, None),
        ("2012-12-31", None, None, None, None, None),
        ("2013-06-28", 0.035, None, None, None, None),
        ("2014-12-31", 0.04, None, None, None, None),
        ("2015-01-01", 0.045, None, None, 0.6, None),
        ("2016-01-04", 0.045, 0.00625, None, 0.7, None),
        ("2017-12-29", 0.045, 0.0125, None, 0.8, None),
        ("2018-01-02", 0.045, 0.01875, 0.03, 0.9, 1.0),
        ("2019-01-02", 0.045, 0.025, 0.03, 1.0, 1.0),
    ],
)
def test_minimums_apply_from_the_dates_of_the_phase_in(as_of, cet1, buffer, leverage, coverage, funding):
    found = lines_of(dt.date.fromisoformat(as_of))
    limits = {
        "cet1_ratio": cet1, "capital_conservation_buffer": buffer, "leverage_ratio": leverage, "liquidity_coverage_ratio": coverage,
        "net_stable_funding_ratio": funding,
    }  # fmt: skip
    for item, limit in limits.items():
        if limit is None:
            assert found.loc[item, "status"] == "not_applicable"
            assert "not in force" in found.loc[item, "reason"]
        else:
            assert found.loc[item, "limit_value"] == limit


@pytest.mark.parametrize(("as_of", "status"), [("2006-12-29", "not_applicable"), ("2007-01-02", "information")])
def test_risk_weights_apply_from_basel_ii_on(as_of, status):
    found = lines_of(dt.date.fromisoformat(as_of))
    assert (found.loc[["credit_risk_weighted_assets", "total_risk_weighted_assets"], "status"] == status).all()


@pytest.mark.parametrize(
    ("as_of", "floor"),
    [("2023-01-02", 0.5), ("2024-01-02", 0.55), ("2025-06-30", 0.6), ("2026-06-30", 0.65), ("2027-12-31", 0.7), ("2028-01-03", 0.725)],
)
def test_the_output_floor_binds_below_its_share_of_the_standardised_assets(as_of, floor):
    date = dt.date.fromisoformat(as_of)
    low = lines_of(date, capital=CAPITAL | {"internal_model_rwa": (floor - 0.01) * IN_2023_ASSETS})
    assert low.loc["total_risk_weighted_assets", "value"] == pytest.approx(floor * IN_2023_ASSETS)
    assert low.loc["cet1_ratio", "value"] == pytest.approx(60 / (floor * IN_2023_ASSETS))
    assert low.loc["output_floor", "limit_value"] == floor
    assert json.loads(low.loc["output_floor", "inputs"])["floor_binds"] is True
    high = lines_of(date, capital=CAPITAL | {"internal_model_rwa": (floor + 0.01) * IN_2023_ASSETS})
    assert high.loc["total_risk_weighted_assets", "value"] == pytest.approx((floor + 0.01) * IN_2023_ASSETS)


def test_the_output_floor_does_not_apply_before_2023_nor_without_internal_models():
    early = lines_of(BEFORE_2023, capital=CAPITAL | {"internal_model_rwa": 1.0})
    assert early.loc["output_floor", "status"] == "not_applicable"
    assert early.loc["total_risk_weighted_assets", "value"] == pytest.approx(BEFORE_2023_ASSETS)
    assert lines_of(IN_2028).loc["output_floor", "status"] == "not_applicable"


def test_internal_models_do_not_hide_standardised_assets_that_are_missing():
    book = [*BOOK, {"exposure_class": "moon_base", "amount": 1.0}]
    found = lines_of(IN_2023, capital=CAPITAL | {"internal_model_rwa": 1e6}, book=book)
    assert (found.loc[["total_risk_weighted_assets", "output_floor", *RATIOS], "status"] == "undetermined").all()


def test_liquidity_ratios_hold_stock_against_need():
    found = lines_of(IN_2023)
    assert found.loc["liquidity_coverage_ratio", "value"] == pytest.approx(1.2)
    assert found.loc["net_stable_funding_ratio", "value"] == pytest.approx(1.2)
    short = lines_of(IN_2023, capital=CAPITAL | {"hqla": 99.0, "required_stable_funding": 901.0})
    assert (short.loc[["liquidity_coverage_ratio", "net_stable_funding_ratio"], "status"] == "breach").all()


def test_no_outflow_is_no_pass():
    line = lines_of(IN_2023, capital=CAPITAL | {"net_outflows_30d": 0.0}).loc["liquidity_coverage_ratio"]
    assert (line["status"], line["reason"]) == ("undetermined", "the denominator is zero")


def derivatives(**figures):
    sets = netting_sets([{"netting_set_id": "A"}, {"netting_set_id": "B"}])
    exposure = sa_ccr(
        [{"netting_set_id": "A", "exposure_at_default": 20.0, "value": 10.0, "add_on": 30.0},
         {"netting_set_id": "B", "exposure_at_default": 0.0, "value": -50.0, "add_on": 5.0}]
    )  # fmt: skip
    return {"netting_sets": sets, "sa_ccr_netting_sets": exposure, "capital": CAPITAL | {"operational_risk_rwa": 0.0} | figures}


def test_the_leverage_exposure_contains_derivatives_without_collateral_from_2023():
    """LEV30: 1.4 x (max(10, 0) + 30) + 1.4 x (max(-50, 0) + 5)."""
    line = lines_of(IN_2023, **derivatives()).loc["leverage_ratio"]
    assert line["value"] == pytest.approx(75 / (1500 + 500 + 1.4 * 40 + 1.4 * 5))


def test_derivatives_are_never_counted_twice():
    included = lines_of(IN_2023, **derivatives(other_leverage_exposure_includes_derivatives=1)).loc["leverage_ratio"]
    assert included["value"] == pytest.approx(75 / 2000)
    early = lines_of(BEFORE_2023, **derivatives()).loc["leverage_ratio"]
    assert early["value"] == pytest.approx(75 / 2000)
    unclear = lines_of(IN_2023, **derivatives(other_leverage_exposure_includes_derivatives=0.5)).loc["leverage_ratio"]
    assert unclear["status"] == "undetermined"


def test_a_netting_set_without_exposure_leaves_the_leverage_ratio_undetermined():
    tables = derivatives()
    tables["sa_ccr_netting_sets"] = tables["sa_ccr_netting_sets"].iloc[:1]
    line = lines_of(IN_2023, **tables).loc["leverage_ratio"]
    assert line["status"] == "undetermined"
    assert "netting set B" in line["reason"]


@pytest.mark.parametrize(
    ("figure", "items"),
    [
        ("cet1", {"cet1_ratio", *BUFFERS}),
        ("tier1", {"tier1_ratio", *BUFFERS, "leverage_ratio"}),
        ("total_capital", {"total_capital_ratio", *BUFFERS}),
        ("other_leverage_exposure", {"leverage_ratio"}),
        ("countercyclical_buffer_rate", set(BUFFERS[1:])),
        ("hqla", {"liquidity_coverage_ratio"}),
        ("required_stable_funding", {"net_stable_funding_ratio"}),
        ("operational_risk_rwa", {"operational_risk_weighted_assets"}),
    ],
)
def test_a_missing_figure_leaves_its_lines_undetermined_and_is_named(figure, items):
    capital = {name: value for name, value in (CAPITAL | {"operational_risk_rwa": 1.0}).items() if name != figure}
    found = lines_of(capital=capital)
    assert set(found.index[found["status"] == "undetermined"]) == items
    assert all(f"entity figure {figure}" in reason for reason in found.loc[sorted(items), "reason"])
    empty = sorted(items - {"combined_buffer"} if figure == "countercyclical_buffer_rate" else items)
    assert found.loc[empty, "value"].isna().all()


def test_a_figure_below_zero_that_cannot_be_is_not_used():
    line = lines_of(capital=CAPITAL | {"net_outflows_30d": -1.0}).loc["liquidity_coverage_ratio"]
    assert line["status"] == "undetermined"
    assert "below zero" in line["reason"]
    assert lines_of(capital=CAPITAL | {"cet1": -5.0}).loc["cet1_ratio", "status"] == "breach"  # capital can be used up


@pytest.mark.parametrize(("exposure_class", "rating"), [("moon_base", "AAA"), ("corporate", "five stars"), ("covered_bond", "AAA")])
def test_an_unknown_class_or_rating_is_not_taken_for_another(exposure_class, rating):
    found = lines_of(book=[*BOOK, {"exposure_class": exposure_class, "rating": rating, "amount": 1.0}])
    assert found.loc["total_capital_ratio", "status"] == "undetermined"
    assert "exposure E5" in found.loc["total_capital_ratio", "reason"]
    assert found.loc["leverage_ratio", "status"] == "pass"  # needs no risk weight


def test_a_bank_without_exposures_has_undetermined_ratios():
    found = lines_of(book=[])
    assert (found.loc[[*RATIOS, *BUFFERS, "leverage_ratio", "credit_risk_weighted_assets"], "status"] == "undetermined").all()


def test_a_missing_exchange_rate_leaves_everything_undetermined():
    capital = CAPITAL | {"operational_risk_rwa": 1.0}
    found = lines_of(capital=capital, currency="CHF").drop(
        ["counterparty_risk_weighted_assets", "cva_risk_weighted_assets", "market_risk_weighted_assets", "output_floor"]
    )
    assert (found["status"] == "undetermined").all()


def test_ratios_do_not_depend_on_the_currency_of_the_figures_and_rates_are_not_converted():
    dollars, euros = lines_of(), lines_of(currency="EUR")
    ratios = dollars.index[(dollars["unit"] == "ratio") & dollars["value"].notna()]
    assert euros.loc[ratios, "value"].to_numpy() == pytest.approx(dollars.loc[ratios, "value"].to_numpy())
    assert euros.loc["combined_buffer", "limit_value"] == dollars.loc["combined_buffer", "limit_value"]
    assert euros.loc["credit_risk_weighted_assets", "value"] == pytest.approx(1.1 * dollars.loc["credit_risk_weighted_assets", "value"])


@pytest.mark.parametrize("entity_type", ["hedge_fund", None, np.nan, ""])
def test_what_is_no_bank_says_why_the_lines_do_not_apply(entity_type):
    found = lines_of(portfolios=portfolio(entity_type=entity_type))
    assert found.index.tolist() == ["capital_ratios"]
    assert not found["applicable"].any()
    assert found["reason"].str.contains("entity type").all()


def test_the_firm_adds_up_its_banks_in_dollars():
    both = pd.concat([portfolio(), portfolio("EUR", portfolio_id="EUROPE")], ignore_index=True)
    tables = frames(portfolios=both)
    for name in ("exposures", "entity_figures"):
        tables[name] = pd.concat([tables[name], tables[name].assign(portfolio_id="EUROPE", currency="EUR")], ignore_index=True)
    found = lines_of(IN_2023, scope="firm", **{k: tables[k] for k in ("portfolios", "exposures", "entity_figures")})
    assert found.loc["total_risk_weighted_assets", "value"] == pytest.approx(2.1 * IN_2023_ASSETS)
    assert (found["portfolio_id"] == "").all()
    assert (found["unit"] == "USD").all()


def test_the_firm_is_undetermined_where_a_bank_is():
    found = lines_of(IN_2023, scope="firm", book=[])
    assert found.loc["total_risk_weighted_assets", "status"] == "undetermined"
    assert "BANK: credit exposures: none given" in found.loc["total_risk_weighted_assets", "reason"]
    none = lines_of(IN_2023, scope="firm", portfolios=portfolio(entity_type="fund"))
    assert none.loc["total_risk_weighted_assets", "status"] == "not_applicable"


@settings(max_examples=6, deadline=None)
@given(st.floats(0.1, 1e6))
def test_scaling_bank_and_book_alike_changes_no_ratio(scale):
    first = lines_of()
    fixed = ("countercyclical_buffer_rate",)
    capital = {n: v if n in fixed else v * scale for n, v in CAPITAL.items()}
    scaled = lines_of(capital=capital, book=[{**row, "amount": row["amount"] * scale} for row in BOOK])
    ratios = first.index[(first["unit"] == "ratio") & first["value"].notna()]
    assert scaled.loc[ratios, "value"].to_numpy() == pytest.approx(first.loc[ratios, "value"].to_numpy())


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(["cet1", "tier1", "total_capital"]), st.floats(0, 500))
def test_more_capital_never_lowers_a_ratio_or_what_may_be_distributed(figure, more):
    first, richer = lines_of(), lines_of(capital=CAPITAL | {figure: CAPITAL[figure] + more})
    items = [*RATIOS, *BUFFERS, "leverage_ratio"]
    assert (richer.loc[items, "value"].to_numpy() >= first.loc[items, "value"].to_numpy() - 1e-12).all()


def test_lines_do_not_depend_on_the_order_of_rows():
    tables = frames()
    shuffled = {name: t.sample(frac=1, random_state=3) for name, t in tables.items()}
    first = lines_of(**{k: v for k, v in tables.items() if k != "portfolios"})
    second = lines_of(**{k: v for k, v in shuffled.items() if k != "portfolios"})
    pd.testing.assert_frame_equal(first, second)
