"""Lines of uncleared margin: what applies, what breaches, what is undetermined; portfolios and the firm."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import COLUMNS, table
from margin_pipeline.regulation.uncleared.calls import uncleared_margin_calls
from margin_pipeline.regulation.uncleared.lines import lines
from margin_pipeline_tests.regulation.uncleared.uncleared_book import AS_OF, BILLION, MILLION, frames

REGIMES = {"us_prudential", "cftc", "emir", "uk", "mas"}


def lines_of(*netting_sets, as_of=AS_OF, **keywords):
    """Lines as the table, indexed by scope, regime, line item, netting set and side."""
    given = frames(*netting_sets, as_of=as_of, **keywords)
    given["uncleared_margin_calls"] = uncleared_margin_calls(**given, as_of=as_of)
    found = table(lines(RegulatoryInputs(as_of, given, given["fx_rates"])))
    assert not found.duplicated(COLUMNS[:6]).any()
    return found.set_index(["scope", "regime", "line_item", "netting_set_id", "side"]).sort_index()


def item(found, name, netting_set="", side="", regime="emir", scope="portfolio"):
    """One line."""
    return found.loc[(scope, regime, name, netting_set, side)]


def test_a_portfolio_without_uncleared_derivatives_has_one_line_a_regime_that_says_so():
    found = lines_of().loc["portfolio"].reset_index()
    assert set(found["regime"]) == REGIMES
    assert len(found) == len(REGIMES)
    assert set(found["line_item"]) == {"uncleared_margin"}
    assert set(found["status"]) == {"not_applicable"}
    assert set(found["reason"]) == {"no netting set of uncleared derivatives"}


def test_other_regimes_say_under_which_the_netting_sets_are():
    found = lines_of({})
    assert item(found, "uncleared_margin", regime="mas")["reason"] == "its netting sets are under emir"
    assert ("portfolio", "emir", "uncleared_margin", "", "") not in found.index


def test_the_average_notional_amount_stands_beside_the_amount_of_the_phase_in_its_currency():
    found = item(lines_of({}, aana=17 * BILLION, aana_currency="USD", fx=(("EUR", 1.0625),)), "average_aggregate_notional")
    assert (found["value"], found["limit_value"], found["unit"]) == (pytest.approx(16 * BILLION), 8 * BILLION, "EUR")
    assert found["status"] == "information"
    assert '"phase": 6' in found["inputs"]
    assert '"exceeds": true' in found["inputs"]
    missing = item(lines_of({}, aana=None), "average_aggregate_notional")
    assert (missing["status"], missing["reason"]) == ("undetermined", "entity figure aana of portfolio P")


@pytest.mark.parametrize(("held", "status"), [(10.0, "pass"), (9.5, "pass"), (9.49, "breach"), (0.0, "breach")])
def test_initial_margin_not_collected_is_a_breach_beyond_the_minimum_transfer_amount(held, status):
    found = lines_of({"call": 60 * MILLION, "initial_margin_held": held * MILLION, "minimum_transfer_amount": 0.5 * MILLION})
    line = item(found, "uncollected_initial_margin", "NS1", "call")
    assert (line["value"], line["limit_value"], line["status"]) == (pytest.approx((10 - held) * MILLION), 0.5 * MILLION, status)


def test_requirement_and_call_of_each_netting_set_and_side_are_reported():
    found = lines_of({"call": 60 * MILLION, "post": 55 * MILLION, "value": -2 * MILLION})
    assert item(found, "initial_margin_requirement", "NS1", "call")["value"] == 10 * MILLION
    assert item(found, "initial_margin_call", "NS1", "post")["value"] == 5 * MILLION
    assert item(found, "variation_margin_call", "NS1", "post")["value"] == 2 * MILLION
    assert item(found, "variation_margin_call", "NS1", "call")["value"] == 0.0


@pytest.mark.parametrize(("agreed", "status"), [(0.25, "pass"), (0.2500001, "breach")])
def test_minimum_transfer_amounts_of_one_counterparty_add_up_against_the_greatest(agreed, status):
    netting_set = {"minimum_transfer_amount": agreed * MILLION}
    found = item(lines_of(netting_set, netting_set, {"counterparty": "Other"}), "minimum_transfer_amount")
    assert (found["value"], found["limit_value"]) == (pytest.approx(2 * agreed * MILLION), 0.5 * MILLION)
    assert found["status"] == status
    assert '"counterparty": "Dealer"' in found["inputs"]


@pytest.mark.parametrize(("agreed", "value", "status"), [(np.nan, 50.0, "pass"), (50.0, 50.0, "pass"), (50.1, 50.1, "breach")])
def test_a_threshold_of_initial_margin_above_the_greatest_is_a_breach(agreed, value, status):
    found = item(lines_of({"initial_margin_threshold": agreed * MILLION}), "initial_margin_threshold")
    assert (found["value"], found["limit_value"], found["status"]) == (pytest.approx(value * MILLION), 50 * MILLION, status)


def test_a_threshold_of_variation_margin_and_no_exchange_at_all_are_breaches_in_scope():
    found = lines_of({"threshold": 1.0, "margined": False})
    assert item(found, "variation_margin_threshold")["status"] == "breach"
    assert item(found, "netting_sets_without_variation_margin")[["value", "status"]].tolist() == [1.0, "breach"]
    outside = lines_of({"threshold": 1.0, "margined": False, "counterparty_type": "non_financial"})
    assert item(outside, "variation_margin_threshold")["status"] == "not_applicable"
    assert item(outside, "initial_margin_requirement", "NS1", "call")["status"] == "not_applicable"
    assert ("portfolio", "emir", "uncollected_initial_margin", "NS1", "call") not in outside.index


def test_margin_exchanged_by_agreement_alone_is_reported_with_that_note():
    found = lines_of({"value": 5 * MILLION, "counterparty_type": "non_financial"})
    line = item(found, "variation_margin_call", "NS1", "call")
    assert (line["value"], line["status"]) == (5 * MILLION, "information")
    assert "exchanged_by_agreement_only" in line["inputs"]


def test_before_the_start_lines_say_when_the_requirement_starts():
    found = lines_of({"margined": False}, as_of=dt.date(2016, 8, 31))
    assert item(found, "average_aggregate_notional")["reason"] == "initial margin under emir starts on 2017-02-04"
    assert item(found, "minimum_transfer_amount")["reason"] == "variation margin under emir starts on 2017-02-04"
    assert set(found.loc["portfolio"]["status"]) == {"not_applicable"}


def test_what_is_missing_is_undetermined_with_its_reason_and_never_passes():
    found = lines_of({"call": np.nan, "variation_margin": np.nan})
    for name, side in [("initial_margin_requirement", "call"), ("initial_margin_call", "call"), ("uncollected_initial_margin", "call")]:
        line = item(found, name, "NS1", side)
        assert (line["status"], pd.isna(line["value"])) == ("undetermined", True)
        assert "model of NS1" in line["reason"]
    assert item(found, "variation_margin_call", "NS1", "call")["status"] == "undetermined"
    assert item(found, "initial_margin_call", "", "call", scope="firm")["status"] == "undetermined"


def test_an_unknown_regime_has_an_undetermined_line_that_lists_the_known_ones():
    found = item(lines_of({"regime": "hkma"}, {}), "uncleared_margin", "NS1")
    assert found["status"] == "undetermined"
    assert "there are cftc, emir, mas, uk, us_prudential" in found["reason"]


def test_a_jurisdiction_without_a_regime_leaves_its_netting_sets_undetermined():
    found = item(lines_of({"regime": None}, jurisdiction="JP"), "uncleared_margin", "NS1", regime="cftc")
    assert (found["status"], "of jurisdiction JP" in found["reason"]) == ("undetermined", True)


def test_the_firm_adds_up_notional_amounts_and_calls_in_dollars():
    physical = {"notional": 100 * MILLION, "value": 4 * MILLION, "call": 60 * MILLION}
    found = lines_of(physical, {"notional": 50 * MILLION, "currency": "USD"}, fx=(("EUR", 1.25),))
    assert item(found, "aggregate_notional", scope="firm")["value"] == pytest.approx(175 * MILLION)
    assert item(found, "initial_margin_call", "", "call", scope="firm")["value"] == pytest.approx(12.5 * MILLION)
    assert item(found, "variation_margin_call", "", "call", scope="firm")["value"] == pytest.approx(5 * MILLION)
    assert item(found, "aggregate_notional", regime="uk", scope="firm")["status"] == "not_applicable"


def test_a_missing_exchange_rate_leaves_the_notional_amount_of_the_firm_undetermined():
    found = item(lines_of({"notional": 1.0, "currency": "JPY"}), "aggregate_notional", scope="firm")
    assert (found["status"], found["reason"]) == ("undetermined", "exchange rate of JPY to USD")


def test_every_line_names_its_rule_and_version():
    found = lines_of({"call": 60 * MILLION}, {"counterparty_type": "sovereign"})
    assert (found["reference"].str.len() > 5).all()
    assert set(found["parameter_set"]) == {"uncleared_margin:2022-09"}
    assert found.loc[found["status"] == "not_applicable", "reason"].notna().all()
