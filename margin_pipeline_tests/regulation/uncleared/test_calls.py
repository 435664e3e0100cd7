"""Margin calls of uncleared derivatives: worked examples by regime, what is missing, and properties of whole books."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.regulation.uncleared.calls import COLUMNS, uncleared_margin_calls
from margin_pipeline_tests.regulation.uncleared.uncleared_book import AS_OF, BILLION, MILLION, calls, frames

DELIVERED = "delivery_amount"


@pytest.mark.parametrize(
    ("regime", "base", "threshold", "fx"),
    [("emir", "EUR", 50.0, ()), ("uk", "EUR", 50.0, ()), ("us_prudential", "USD", 50.0, ()), ("cftc", "USD", 50.0, ()),
     ("mas", "SGD", 80.0, ()), ("emir", "USD", 50.0 * 1.25, (("EUR", 1.25),))],
)  # fmt: skip
def test_initial_margin_is_called_above_the_threshold_of_the_regime(regime, base, threshold, fx):
    found = calls({"regime": regime, "call": 100 * MILLION, "post": 40 * MILLION}, base=base, aana_currency=base, fx=fx)
    call, post = found.loc[("NS1", "initial", "call")], found.loc[("NS1", "initial", "post")]
    assert call["threshold"] == threshold * MILLION
    assert call[DELIVERED] == pytest.approx((100 - threshold) * MILLION)
    assert (post["requirement_after_threshold"], post[DELIVERED]) == (0.0, 0.0)


def test_two_netting_sets_with_one_counterparty_share_one_threshold():
    found = calls({"call": 40 * MILLION}, {"call": 30 * MILLION}, {"call": 45 * MILLION, "counterparty": "Other"})
    total = found.loc[("", "initial", "call")].set_index("counterparty")
    assert total.loc["Dealer", [DELIVERED, "threshold"]].tolist() == pytest.approx([20 * MILLION, 50 * MILLION])
    assert total.loc["Other", DELIVERED] == 0.0
    assert found.loc[("NS1", "initial", "call"), DELIVERED] == pytest.approx(20 * MILLION * 4 / 7)


def test_what_is_held_is_topped_up_and_an_excess_is_returned():
    short = calls({"call": 60 * MILLION, "initial_margin_held": 8 * MILLION}).loc[("NS1", "initial", "call")]
    over = calls({"call": 60 * MILLION, "initial_margin_held": 12 * MILLION}).loc[("NS1", "initial", "call")]
    assert (short[DELIVERED], short["return_amount"]) == (2 * MILLION, 0.0)
    assert (over[DELIVERED], over["return_amount"]) == (0.0, 2 * MILLION)


@pytest.mark.parametrize(("excess", "called"), [(0.499999, False), (0.5, True), (0.6, True)])
def test_nothing_moves_below_the_minimum_transfer_amount_and_all_of_it_from_there_on(excess, called):
    found = calls({"call": (50 + excess) * MILLION, "minimum_transfer_amount": 0.5 * MILLION}).loc[("NS1", "initial", "call")]
    assert found["shortfall"] == pytest.approx(excess * MILLION)
    assert found[DELIVERED] == pytest.approx(excess * MILLION if called else 0.0)


def test_initial_and_variation_margin_of_one_agreement_reach_the_minimum_together():
    given_set = {"call": 50.3 * MILLION, "value": 0.3 * MILLION, "minimum_transfer_amount": 0.5 * MILLION}
    found = calls(given_set)[DELIVERED]
    assert found["NS1", "initial", "call"] == pytest.approx(0.3 * MILLION)
    assert found["NS1", "variation", "call"] == pytest.approx(0.3 * MILLION)
    assert calls({**given_set, "value": -0.3 * MILLION})[DELIVERED].sum() == 0.0


@pytest.mark.parametrize(
    ("value", "held", "call", "returned", "post"),
    [(10, 0, 10, 0, 0), (10, 4, 6, 0, 0), (4, 10, 0, 6, 0), (-3, 2, 0, 2, 3), (-3, -3, 0, 0, 0), (0, 0, 0, 0, 0)],
)
def test_variation_margin_brings_what_is_held_to_the_value(value, held, call, returned, post):
    found = calls({"value": value * MILLION, "variation_margin": held * MILLION})
    ours, theirs = found.loc[("NS1", "variation", "call")], found.loc[("NS1", "variation", "post")]
    assert (ours[DELIVERED], ours["return_amount"], theirs[DELIVERED]) == (call * MILLION, returned * MILLION, post * MILLION)


def test_the_regime_asks_for_all_variation_margin_whatever_threshold_is_agreed():
    inside = {"value": 10 * MILLION, "threshold": 4 * MILLION}
    outside = {**inside, "counterparty_type": "non_financial"}
    assert calls(inside).loc[("NS1", "variation", "call"), DELIVERED] == 10 * MILLION
    assert calls(outside).loc[("NS1", "variation", "call"), DELIVERED] == 6 * MILLION
    assert calls({**outside, "margined": False}).loc[("NS1", "variation", "call"), DELIVERED] == 0.0


def test_an_agreement_above_the_greatest_amounts_counts_only_up_to_them():
    found = calls({"call": 100 * MILLION, "initial_margin_threshold": 70 * MILLION, "minimum_transfer_amount": 2 * MILLION})
    row = found.loc[("NS1", "initial", "call")]
    assert (row["threshold"], row["minimum_transfer_amount"], row[DELIVERED]) == (50 * MILLION, 0.5 * MILLION, 50 * MILLION)
    explanation = json.loads(row["explanation"])
    assert (explanation["agreed_threshold"], explanation["agreed_minimum_transfer_amount"]) == (70 * MILLION, 2 * MILLION)


def test_a_lower_agreed_threshold_counts():
    found = calls({"call": 100 * MILLION, "initial_margin_threshold": 20 * MILLION}).loc[("NS1", "initial", "call")]
    assert found[DELIVERED] == 80 * MILLION


@pytest.mark.parametrize(("day", "called"), [("2021-08-31", 0.0), ("2021-09-01", 10.0), ("2022-09-01", 10.0)])
def test_initial_margin_starts_with_the_phase_that_both_parties_fall_into(day, called):
    amounts = {"call": 60 * MILLION, "counterparty_average_notional": 51 * BILLION}
    found = calls(amounts, aana=60 * BILLION, as_of=dt.date.fromisoformat(day)).loc[("NS1", "initial", "call")]
    assert found[DELIVERED] == called * MILLION
    assert bool(found["in_scope"]) is (called > 0)


def test_averages_convert_into_the_currency_of_the_regime():
    near = {"counterparty_average_notional": 8.4 * BILLION, "call": 60 * MILLION}
    arguments = {"base": "USD", "aana": 8.1 * BILLION, "fx": (("EUR", 1.0625),)}  # 8.4bn dollars are 7.9bn euros
    assert calls(near, **arguments).loc[("NS1", "initial", "call"), "scope_reason"].endswith("does not exceed EUR 8,000,000,000")
    assert calls({**near, "counterparty_average_notional": 8.6 * BILLION}, **arguments).loc[("NS1", "initial", "call"), "in_scope"]


@pytest.mark.parametrize(
    ("terms", "book", "kind", "reason"),
    [
        ({}, {"aana": None}, "initial", "entity figure aana of portfolio P"),
        ({}, {"aana_currency": "JPY"}, "initial", "exchange rate of JPY to EUR"),
        ({"counterparty_average_notional": np.nan}, {}, "initial", "average aggregate notional amount of counterparty Dealer"),
        ({"counterparty_type": None}, {}, "initial", "counterparty type of counterparty Dealer"),
        ({"counterparty_type": None, "margined": None}, {}, "variation", "counterparty type of counterparty Dealer"),
        ({"counterparty": None}, {}, "initial", "name of the counterparty, who has one threshold: netting set NS1"),
        ({"call": np.nan}, {}, "initial", "model of NS1"),
        ({"initial_margin_held": np.nan}, {}, "initial", "initial margin held of netting set NS1"),
        ({"variation_margin": np.nan}, {}, "variation", "variation margin held of netting set NS1"),
        ({"value": np.nan}, {}, "variation", "market value of trade T-NS1"),
        ({"currency": "JPY", "value": 1.0}, {}, "variation", "exchange rate of JPY to EUR"),
        ({"regime": "hkma", "threshold": 1.0}, {}, "variation", "regime hkma of uncleared margin is not known"),
        ({"regime": "hkma"}, {}, "initial", "there are cftc, emir, mas, uk, us_prudential"),
        ({}, {"base": "GBP", "fx": (("GBP", 1.2),)}, "initial", "exchange rate of GBP to EUR"),
    ],
)  # fmt: skip
def test_what_is_missing_leaves_no_call_and_is_named(terms, book, kind, reason):
    row = calls({"call": 60 * MILLION, **terms}, **book).loc[("NS1", kind, "call")]
    assert pd.isna(row[DELIVERED])
    assert pd.isna(row["return_amount"])
    assert reason in row["missing"]


def test_a_margin_that_one_netting_set_lacks_leaves_its_counterparty_without_a_call_and_no_other():
    found = calls({"call": np.nan}, {"call": 60 * MILLION}, {"call": 60 * MILLION, "counterparty": "Other"})
    assert found.loc[("NS2", "initial", "call"), "missing"] == "model of NS1"
    assert found.loc[("NS3", "initial", "call"), DELIVERED] == 10 * MILLION


def test_contradicting_rows_of_a_counterparty_are_not_chosen_between():
    found = calls({}, {"counterparty_average_notional": 90 * BILLION})
    assert "contradict each other" in found.loc[("NS1", "initial", "call"), "missing"]
    told_once = calls({"call": 60 * MILLION}, {"counterparty_average_notional": np.nan, "counterparty_type": None})
    assert told_once.loc[("NS2", "initial", "call"), "in_scope"]


def test_the_regime_comes_from_the_netting_set_else_from_the_portfolio():
    found = calls({"regime": "mas"}, {"regime": None}, jurisdiction=None, entity_type="bank")["regime"]
    assert (found["NS1", "initial", "call"], found["NS2", "initial", "call"]) == ("mas", "us_prudential")


def test_thresholds_of_two_regimes_are_two():
    found = calls({"call": 60 * MILLION}, {"call": 60 * MILLION, "regime": "uk"})[DELIVERED]
    assert found["NS1", "initial", "call"] == found["NS2", "initial", "call"] == 10 * MILLION


def test_cleared_netting_sets_and_empty_books_have_no_calls():
    assert calls({"is_cleared": True}).empty
    empty = uncleared_margin_calls(**frames(), as_of=AS_OF)
    assert empty.empty
    assert list(empty.columns) == COLUMNS


def test_before_the_requirement_only_the_agreement_is_called():
    found = calls({"call": 60 * MILLION, "value": 5 * MILLION, "threshold": 2 * MILLION}, as_of=dt.date(2015, 6, 1))
    assert found.loc[("NS1", "initial", "call"), [DELIVERED, "in_scope"]].tolist() == [0.0, False]
    assert found.loc[("NS1", "variation", "call"), DELIVERED] == 3 * MILLION


SETS = st.fixed_dictionaries(
    {
        "counterparty": st.sampled_from(["A", "B"]), "call": st.integers(0, 120), "post": st.integers(0, 120),
        "value": st.integers(-50, 50),
        "variation_margin": st.integers(-50, 50), "initial_margin_held": st.integers(0, 80), "minimum_transfer_amount": st.integers(0, 3),
        "initial_margin_threshold": st.sampled_from([None, 0, 20, 90]), "threshold": st.sampled_from([0, 5]),
    }
)  # fmt: skip


def scaled(rows):
    """Rows with amounts in millions; no agreed threshold is NaN."""
    return [{name: v if name == "counterparty" else np.nan if v is None else v * MILLION for name, v in row.items()} for row in rows]


@settings(max_examples=15, deadline=None)
@given(st.lists(SETS, min_size=1, max_size=4))
def test_calls_cover_requirements_but_for_the_minimum_and_do_not_depend_on_row_order(rows):
    given_frames = frames(*scaled(rows))
    found = uncleared_margin_calls(**given_frames, as_of=AS_OF)
    sets = found[found["netting_set_id"] != ""]
    left = sets["requirement_after_threshold"] - sets["held"] - sets[DELIVERED]
    assert (left <= sets["minimum_transfer_amount"] + 1e-3).all()
    variation = sets[sets["kind"] == "variation"].pivot(index="netting_set_id", columns="side", values=DELIVERED)
    assert ((variation["call"] == 0) | (variation["post"] == 0)).all()
    mirrored = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in given_frames.items()}
    pd.testing.assert_frame_equal(uncleared_margin_calls(**mirrored, as_of=AS_OF), found)


@settings(max_examples=15, deadline=None)
@given(st.lists(SETS, min_size=1, max_size=3), st.integers(1, 40))
def test_more_exposure_never_lowers_a_call(rows, more):
    before = calls(*scaled(rows))[DELIVERED]
    exposed = calls(*scaled([{**rows[0], "value": rows[0]["value"] + more, "call": rows[0]["call"] + more}, *rows[1:]]))[DELIVERED]
    for kind in ("initial", "variation"):
        assert exposed["NS1", kind, "call"] >= before["NS1", kind, "call"] - 1e-6
