"""Scenario margin of portfolios: charges worked by hand, what fails closed, what holds of any book.

Belongs here: the composed margin. Not here: published figures, single formulas.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.span import span_margins
from margin_pipeline_tests.margin.span.span_book import (
    AS_OF,
    JUNE,
    MARCH,
    NO_ARRAYS,
    NO_PARAMETERS,
    RATES,
    SEPTEMBER,
    arrays,
    closes,
    future,
    instruments,
    option,
    parameters,
    portfolios,
    positions,
)

BOOK = instruments(
    future("H"), future("M", JUNE), future("U", SEPTEMBER), future("NQ", root="NQ", multiplier=100.0), future("X", root="XX"),
    option("C", "H", "call", 410.0), option("P", "H", "put", 400.0),
)  # fmt: skip
RANGE = {"class_group": "SP", "term": "price_scan_range", "value": 10000.0}
VOLATILITY = {"class_group": "SP", "term": "volatility_scan_range", "value": 0.05}
OTHER_RANGE = {"class_group": "NQ", "term": "price_scan_range", "value": 7000.0}
TIERS = (
    {"class_group": "SP", "term": "tier", "tier_1": 1.0, "expiry_from": MARCH, "expiry_to": MARCH},
    {"class_group": "SP", "term": "tier", "tier_1": 2.0, "expiry_from": JUNE, "expiry_to": SEPTEMBER},
)
CHARGES = (
    {"class_group": "SP", "term": "intra_spread_charge", "tier_1": 1.0, "tier_2": 2.0, "priority": 1.0, "value": 400.0},
    {"class_group": "SP", "term": "intra_spread_charge", "tier_1": 2.0, "tier_2": 2.0, "priority": 2.0, "value": 200.0},
)
DELIVERY = (
    {"class_group": "SP", "term": "delivery_charge", "expiry_from": MARCH, "expiry_to": MARCH, "value": 250.0},
    {"class_group": "SP", "term": "delivery_spread_charge", "expiry_from": MARCH, "expiry_to": MARCH, "value": 100.0},
)
CREDIT = {
    "class_group": "SP", "class_group_2": "NQ", "term": "inter_commodity_credit", "delta_2": 2.0, "priority": 1.0, "value": 0.8,
}  # fmt: skip
MINIMUM = {"class_group": "SP", "term": "short_option_minimum", "value": 30.0}
CLOSES = closes(H=400.0, C=8.0, P=9.0)


def result(held, terms=NO_PARAMETERS, given_arrays=NO_ARRAYS, prices=CLOSES, book=BOOK):
    rows = held if isinstance(held, pd.DataFrame) else positions(*held)
    return span_margins(rows, book, portfolios(rows), prices, RATES, given_arrays, terms, AS_OF)


def row(found, group="SP", portfolio="A"):
    margins = found.margins
    return margins[(margins["class_group"] == group) & (margins["portfolio_id"] == portfolio)].iloc[0]


def test_spreads_and_delivery_worked_by_hand():
    """Ten March against six June and one September: seven spreads of 400; three of ten March deltas are outright."""
    held = [("A", "H", 10), ("A", "M", -6), ("A", "U", -1)]
    sp = row(result(held, parameters(RANGE, *TIERS, *CHARGES, *DELIVERY)))
    assert sp["scan_risk"] == pytest.approx(3 * 10000)
    assert sp["intra_commodity_charge"] == pytest.approx(7 * 400)
    assert sp["delivery_charge"] == pytest.approx(3 * 250 + 7 * 100)
    assert sp["maintenance_margin"] == pytest.approx(30000 + 2800 + 1450)
    assert json.loads(sp["explanation"])["spreads"] == [{"tiers": [1, 2], "spreads": 7.0, "charge_a_spread": 400.0}]


def test_within_a_tier_the_second_charge_applies_to_what_the_first_left():
    """Two March long, five June short, four September long: two spreads of 400, then three of 200."""
    sp = row(result([("A", "H", 2), ("A", "M", -5), ("A", "U", 4)], parameters(RANGE, *TIERS, *CHARGES)))
    assert sp["intra_commodity_charge"] == pytest.approx(2 * 400 + 3 * 200)
    assert sp["scan_risk"] == pytest.approx(10000)


def test_credit_worked_by_hand():
    """Three against two, two for one: one spread; 80 % of one SP delta of 10,000 and of two NQ deltas of 7,000."""
    found = result([("A", "H", 3), ("A", "NQ", -2)], parameters(RANGE, OTHER_RANGE, CREDIT))
    sp, nq = row(found), row(found, "NQ")
    assert (sp["inter_commodity_credit"], nq["inter_commodity_credit"]) == pytest.approx((8000, 11200))
    assert (sp["credited_delta"], nq["credited_delta"]) == (1, 2)
    assert (sp["maintenance_margin"], nq["maintenance_margin"]) == pytest.approx((22000, 2800))


def test_positions_on_the_same_side_earn_no_credit_and_those_of_two_portfolios_neither():
    terms = parameters(RANGE, OTHER_RANGE, CREDIT)
    assert result([("A", "H", 3), ("A", "NQ", 2)], terms).margins["inter_commodity_credit"].tolist() == [0, 0]
    assert result([("A", "H", 3), ("B", "NQ", -2)], terms).margins["inter_commodity_credit"].tolist() == [0, 0]


def test_a_delta_that_a_spread_between_expiries_used_earns_no_credit():
    held = [("A", "H", 3), ("A", "M", -3), ("A", "NQ", -2)]
    found = result(held, parameters(RANGE, OTHER_RANGE, CREDIT, *TIERS, *CHARGES))
    assert found.margins["inter_commodity_credit"].tolist() == [0, 0]


def test_short_options_need_their_minimum():
    given_arrays = arrays({"C": [0.0] * 16, "P": [0.0] * 16, "H": [0.0] * 16})
    held = [("A", "C", -3), ("A", "P", -2), ("A", "H", 1)]
    sp = row(result(held, parameters(MINIMUM), given_arrays))
    assert sp["maintenance_margin"] == sp["short_option_minimum"] == 150
    assert bool(sp["minimum_binds"]) is True
    assert row(result([("A", "C", 3)], parameters(MINIMUM), given_arrays))["maintenance_margin"] == 0


def test_net_option_value_is_shown_and_not_subtracted():
    given_arrays = arrays({"C": [-100.0] * 16})
    sp = row(result([("A", "C", 2, 8.0)], NO_PARAMETERS, given_arrays))
    assert sp["net_option_value"] == 2 * 500 * 8
    assert sp["maintenance_margin"] == 200


def test_amounts_are_in_base_currency():
    sp = row(result([("A", "H", 10, 400.0, 1.25), ("A", "M", -6, 400.0, 1.25)], parameters(RANGE, *TIERS, *CHARGES)))
    assert (sp["scan_risk"], sp["intra_commodity_charge"]) == pytest.approx((4 * 10000 * 1.25, 6 * 400 * 1.25))


def test_a_range_of_another_contract_is_scaled_to_the_held_one():
    book = instruments(future("ES", multiplier=50.0), future("MES", multiplier=5.0))
    terms = parameters({**RANGE, "contract_multiplier": 50.0}, {**CHARGES[1], "tier_1": 0.0, "tier_2": 0.0})
    found = row(result([("A", "ES", 1), ("A", "MES", -10)], terms, book=book))
    assert found["scan_risk"] == pytest.approx(0, abs=1e-9)
    assert found["net_delta"] == pytest.approx(0)
    missing = row(result([("A", "ES", 1), ("A", "MES", -10)], parameters(RANGE), book=book))["missing"]
    reason = "contract_multiplier of price_scan_range of SP"
    assert missing == f"risk array of ES: {reason}; risk array of MES: {reason}"


@pytest.mark.parametrize(("effective", "risk"), [("2022-12-28", 12000.0), ("2022-12-29", 10000.0)])
def test_newer_terms_apply_from_their_day_on(effective, risk):
    terms = parameters(RANGE, {**RANGE, "value": 12000.0, "effective_date": effective})
    assert row(result([("A", "H", 1)], terms))["scan_risk"] == risk


def test_without_arrays_and_parameters_nothing_is_covered():
    found = result([("A", "H", 1), ("A", "X", 1)], parameters(RANGE))
    assert found.margins["class_group"].tolist() == ["SP"]
    assert found.covered[["portfolio_id", "strategy", "symbol"]].to_numpy().tolist() == [["A", "core", "H"]]
    assert result([("A", "X", 1)]).margins.empty
    assert result([("A", "X", 1)]).scenario_losses.empty


MISSING = {
    "an array of one contract and no parameters": (
        [("A", "H", 1), ("A", "M", 1)], NO_PARAMETERS, arrays({"H": [1.0] * 16}), CLOSES, "risk array of M: price_scan_range of SP",
    ),
    "a scenario of an array": (
        [("A", "H", 1), ("A", "M", 1)], NO_PARAMETERS, arrays({"H": [1.0] * 16, "M": [1.0] * 15}), CLOSES,
        "risk array of M: price_scan_range of SP",
    ),
    "no volatility range": ([("A", "C", 1)], parameters(RANGE), NO_ARRAYS, CLOSES, "risk array of C: volatility_scan_range of SP"),
    "no price of the underlying": (
        [("A", "C", 1)], parameters(RANGE, VOLATILITY), NO_ARRAYS, closes(C=8), "risk array of C: C: no close of its underlying H",
    ),
    "no price of the option": (
        [("A", "C", 1, np.nan)], parameters(RANGE, VOLATILITY), NO_ARRAYS, closes(H=400),
        "risk array of C: C: no implied volatility (missing input)",
    ),
    "no exchange rate": ([("A", "H", 1, 400.0, np.nan)], parameters(RANGE), NO_ARRAYS, CLOSES, "exchange rate of USD into USD"),
    "parameters in another currency": (
        [("A", "H", 1)], parameters({**RANGE, "currency": "EUR"}), NO_ARRAYS, CLOSES, "span_parameters of SP in USD, the currency of H",
    ),
    "a rejected row": (
        [("A", "H", 1)], parameters(RANGE, {"class_group": "SP", "term": "unknown"}), NO_ARRAYS, CLOSES,
        "span_parameters SP: a row was rejected",
    ),
    "a rejected charge of spreads": (
        [("A", "H", 1), ("A", "M", -1)], parameters(RANGE, {"class_group": "SP", "term": "intra_spread_charge"}), NO_ARRAYS, CLOSES,
        "intra_spread_charge of SP, a row of which was rejected",
    ),
    "a rejected delivery charge": (
        [("A", "H", 1)], parameters(RANGE, {"class_group": "SP", "term": "delivery_charge"}), NO_ARRAYS, CLOSES,
        "delivery charge of SP, a row of which was rejected",
    ),
    "a rejected minimum": (
        [("A", "C", -1)], parameters({**MINIMUM, "value": None}), arrays({"C": [1.0] * 16}), CLOSES,
        "short_option_minimum of SP, a row of which was rejected",
    ),
    "an expiry without a tier": (
        [("A", "U", 1)], parameters(RANGE, TIERS[0], CHARGES[0]), NO_ARRAYS, CLOSES, "tier of the expiry of U",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_leaves_the_margin_empty(case):
    held, terms, given_arrays, prices, reason = MISSING[case]
    found = result(held, terms, given_arrays, prices)
    sp = row(found)
    assert sp["missing"] == reason
    assert sp[["scan_risk", "maintenance_margin", "initial_margin", "inter_commodity_credit"]].isna().all()
    assert found.scenario_losses.empty
    assert len(found.covered) == len(held)


def test_a_contract_that_is_flat_needs_no_array():
    held = positions(("A", "H", 1), ("A", "M", 1), ("A", "M", -1))
    held["strategy"] = ["x", "y", "z"]
    found = result(held, NO_PARAMETERS, arrays({"H": [-5.0] * 16}))
    assert row(found)["maintenance_margin"] == 5
    assert len(found.covered) == 3


COUNTS = st.lists(st.integers(-20, 20), min_size=4, max_size=4)
TERMS = parameters(RANGE, VOLATILITY, OTHER_RANGE, *TIERS, *CHARGES, *DELIVERY, CREDIT, MINIMUM)
PER_SYMBOL = dict(zip(("H", "M", "NQ", "C"), np.random.default_rng(5).normal(0, 1000, (4, 16)), strict=True))
ARRAYS = arrays(PER_SYMBOL, {"H": 1.0, "M": 1.0, "NQ": 1.0, "C": 0.4})


def held_by(portfolio, counts):
    return [(portfolio, symbol, count) for symbol, count in zip(PER_SYMBOL, counts, strict=True)]


@settings(max_examples=10, deadline=None)
@given(COUNTS, st.sampled_from([2, 7, 100]))
def test_k_times_a_book_needs_k_times_the_margin(counts, k):
    one, many = (result(held_by("A", [c * f for c in counts]), TERMS, ARRAYS).margins for f in (1, k))
    np.testing.assert_allclose(many["maintenance_margin"], k * one["maintenance_margin"], rtol=1e-9, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(COUNTS, COUNTS)
def test_merging_portfolios_never_raises_scan_risk_above_the_sum(first, second):
    apart = result(held_by("A", first) + held_by("B", second), TERMS, ARRAYS).margins
    together = result(held_by("A", [a + b for a, b in zip(first, second, strict=True)]), TERMS, ARRAYS).margins
    sums = apart.groupby("class_group")["scan_risk"].sum()
    for group, risk in together.set_index("class_group")["scan_risk"].items():
        assert risk <= sums[group] + 1e-6


@settings(max_examples=6, deadline=None)
@given(COUNTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(counts, random):
    held = positions(*held_by("A", counts), *held_by("B", counts[::-1]))
    order = list(range(len(held)))
    random.shuffle(order)
    given_rows, terms = ARRAYS.sample(frac=1, random_state=len(order)), TERMS.sample(frac=1, random_state=3)
    expected, actual = result(held, TERMS, ARRAYS), result(held.iloc[order], terms, given_rows)
    arrays_of = ["price_moves", "volatility_moves", "losses"]
    pd.testing.assert_frame_equal(actual.margins.drop(columns=arrays_of), expected.margins.drop(columns=arrays_of))
    pd.testing.assert_frame_equal(actual.scenario_losses, expected.scenario_losses)
    pd.testing.assert_frame_equal(actual.covered, expected.covered)


def test_long_and_short_of_one_contract_risk_nothing():
    held = positions(("A", "C", 5), ("A", "C", -5))
    held["strategy"] = ["x", "y"]
    assert result(held, TERMS, ARRAYS).margins["maintenance_margin"].tolist() == [0]


def test_positions_carry_the_scan_risk():
    held = positions(("A", "H", 3), ("A", "C", -4), ("A", "M", -1), ("B", "H", -1))
    found = result(held, TERMS, ARRAYS)
    lost = found.covered.groupby(["portfolio_id", "class_group"])["loss"].sum()
    assert lost.tolist() == pytest.approx(found.margins["scan_risk"].tolist())
    assert set(found.covered["array_source"]) == {"given"}
    assert set(result([("A", "H", 1)], parameters(RANGE)).covered["array_source"]) == {"computed"}
