"""The parts of scenario margin on their own: arrays against an independent formula, credits, price risk.

Belongs here: single formulas and their properties. Not here: the composed margin.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.span.arrays import OPTIONS_A_CHUNK, PAIRED, PRICE_STEPS, composite_deltas, option_arrays
from margin_pipeline.margin.span.inter_commodity import inter_commodity_credits
from margin_pipeline.margin.span.minimum import short_option_minimum
from margin_pipeline.margin.span.scan import scan_risk
from margin_pipeline.margin.span.spread import Spread, intra_commodity_charge
from margin_pipeline.market.option_scenarios import OptionTerms

WEIGHTS = (0.27 / 0.998, 0.217 / 0.998, 0.11 / 0.998, 0.037 / 0.998)


def cdf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def black(forward, strike, years, rate, volatility, call):
    """Black (1976), Hull eq. 18.9 and 18.10, written out."""
    d1 = (math.log(forward / strike) + volatility**2 * years / 2) / (volatility * math.sqrt(years))
    d2 = d1 - volatility * math.sqrt(years)
    sign = 1 if call else -1
    return math.exp(-rate * years) * sign * (forward * cdf(sign * d1) - strike * cdf(sign * d2))


def one(forward=400.0, strike=410.0, years=0.25, rate=0.04, volatility=0.2, call=True, american=False, n=1):
    full = lambda value: np.full(n, value)  # noqa: E731
    return OptionTerms(full(forward), full(strike), full(years), full(rate), full(rate), full(volatility), full(call), full(american))


def ones(value, n=1):
    return np.full(n, float(value))


@pytest.mark.parametrize("call", [True, False])
def test_computed_arrays_are_differences_of_black_values(call):
    gains = option_arrays(one(call=call), ones(20), ones(0.05), ones(500), ones(2), ones(0.35))[0]
    base = black(400, 410, 0.25, 0.04, 0.2, call)
    for i, step in enumerate(PRICE_STEPS):
        if i < 14:
            expected = 500 * (black(400 + 20 * step, 410, 0.25, 0.04, 0.2 + (0.05 if i % 2 == 0 else -0.05), call) - base)
        else:
            expected = 0.35 * 500 * (black(400 + 40 * step, 410, 0.25, 0.04, 0.2, call) - base)
        assert gains[i] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_an_american_put_deep_in_the_money_moves_with_the_future():
    gains = option_arrays(one(strike=800, volatility=0.05, call=False, american=True), ones(20), ones(0.0), ones(1), ones(2), ones(0.35))
    assert gains[0, [2, 4, 10, 12]] == pytest.approx([-20 / 3, 20 / 3, -20, 20])


def test_chunks_change_nothing():
    count = OPTIONS_A_CHUNK + 3
    few = option_arrays(one(), ones(20), ones(0.05), ones(500), ones(2), ones(0.35))
    many = option_arrays(one(n=count), *(ones(v, count) for v in (20, 0.05, 500, 2, 0.35)))
    np.testing.assert_array_equal(many[[0, -1]], few[[0, 0]])


def test_composite_delta_is_near_the_delta_and_exact_deep_in_the_money():
    d1 = (math.log(400 / 410) + 0.2**2 * 0.25 / 2) / (0.2 * math.sqrt(0.25))
    assert composite_deltas(one(), ones(1e-9), WEIGHTS)[0] == pytest.approx(math.exp(-0.04 * 0.25) * cdf(d1))
    assert composite_deltas(one(strike=1, rate=0.0), ones(20), WEIGHTS)[0] == pytest.approx(1)


def test_the_parts_of_scan_risk():
    """Worst is 13 (price down, volatility up): paired with 14."""
    losses = np.zeros((1, 16))
    losses[0, [0, 1]], losses[0, 12], losses[0, 13] = (10, 30), 100, 60
    found = scan_risk(losses)
    assert PAIRED[12] == 13
    assert (found.risk[0], found.first_worst[0]) == (100, 13)
    assert (found.volatility_risk[0], found.time_risk[0], found.price_risk[0]) == (20, 20, 60)


def test_nothing_lost_has_no_worst_scenario():
    found = scan_risk(-np.ones((1, 16)))
    assert (found.risk[0], found.first_worst[0], found.price_risk[0]) == (0, 0, 0)


def test_short_calls_and_puts_add_up_or_the_greater_counts():
    unit, charge, call = np.array([0, 0, 1]), np.array([90.0, 60.0, 30.0]), np.array([True, False, False])
    assert short_option_minimum(unit, 2, charge, call, "both").tolist() == [150, 30]
    assert short_option_minimum(unit, 2, charge, call, "greater").tolist() == [90, 30]


GROUPS = ("A", "B", "C")
SPREADS = st.lists(
    st.builds(
        Spread,
        st.sampled_from(GROUPS),
        st.sampled_from(GROUPS),
        st.sampled_from([1.0, 2.0, 3.0, 0.5]),
        st.sampled_from([1.0, 2.0, 5.0]),
        st.booleans(),
        st.floats(0, 1),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=6, max_size=6), st.lists(st.floats(0, 1e5), min_size=6, max_size=6), SPREADS)
def test_a_delta_earns_credit_once(deltas, risks, spreads):
    delta, risk = np.array(deltas), np.array(risks)
    portfolio, group = np.repeat(["P", "Q"], 3), np.tile(GROUPS, 2)
    found = inter_commodity_credits(portfolio, group, delta, risk, spreads)
    assert (found.used <= np.abs(delta) * (1 + 1e-12)).all()
    assert (found.credit <= np.abs(delta) * risk * (1 + 1e-9) + 1e-12).all()
    assert (found.credit >= 0).all()
    told = np.zeros(6)
    for spread, first, second, count in found.formed:
        np.add.at(told, first, count * spread.delta_1)
        np.add.at(told, second, count * spread.delta_2)
    np.testing.assert_allclose(told, found.used, rtol=1e-9, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=4, max_size=4), st.floats(0.5, 3), st.floats(0.5, 3))
def test_spreads_within_a_class_group_use_no_more_than_there_is(counts, delta_1, delta_2):
    spreads = [Spread(1, 2, delta_1, delta_2, True, 400.0), Spread(2, 2, 1.0, 1.0, True, 200.0), Spread(1, 1, 1.0, 1.0, True, 100.0)]
    deltas, tier = np.array([counts], dtype=float), np.array([1, 1, 2, 2])
    found = intra_commodity_charge(deltas, tier, spreads)
    long_used = (np.maximum(deltas, 0) * (1 - found.unspread)).sum()
    short_used = (np.maximum(-deltas, 0) * (1 - found.unspread)).sum()
    formed = found.formed[0]
    assert ((found.unspread >= 0) & (found.unspread <= 1)).all()
    assert long_used + short_used == pytest.approx(formed @ [delta_1 + delta_2, 2, 2], abs=1e-6)
    assert found.charge[0] == pytest.approx(formed @ [400, 200, 100])
