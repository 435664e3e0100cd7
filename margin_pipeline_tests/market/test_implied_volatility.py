"""Implied volatility: a textbook figure, the round trip, and an answer to everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market import implied_volatility as module
from margin_pipeline.market.implied_volatility import implied_volatility
from margin_pipeline.market.option_pricing import black_scholes_merton

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_a_call_implies_what_hull_prints():
    # Hull, Options, Futures, and Other Derivatives, section 15.11: 1.875 implies 23.5 %.
    assert implied_volatility(1.875, 21, 20, 0.25, 0.10, 0, True).volatility == pytest.approx([0.235], abs=0.0005)


@pytest.mark.parametrize("is_call", [True, False])
def test_the_volatility_of_a_price_comes_back(is_call):
    random = np.random.default_rng(5)
    n = 4000
    spot, years = random.uniform(5, 500, n), random.uniform(1 / 365, 4, n)
    strike, volatility = spot * np.exp(random.normal(0, 0.25, n)), random.uniform(0.05, 2, n)
    rate, dividend_yield = random.uniform(-0.01, 0.08, n), random.uniform(0, 0.05, n)
    price = black_scholes_merton(spot, strike, years, rate, dividend_yield, volatility, is_call)
    found = implied_volatility(price, spot, strike, years, rate, dividend_yield, is_call)
    solved = found.reason == module.SOLVED
    assert solved.mean() > 0.8
    again = black_scholes_merton(spot, strike, years, rate, dividend_yield, found.volatility, is_call)
    assert again[solved] == pytest.approx(price[solved], rel=1e-9, abs=1e-12 * 500)
    # Where the price says much about the volatility, the volatility itself comes back.
    without = black_scholes_merton(spot, strike, years, rate, dividend_yield, 0, is_call)
    telling = solved & (price - without > 1e-4 * spot)
    assert found.volatility[telling] == pytest.approx(volatility[telling], rel=1e-8)


@pytest.mark.parametrize(
    ("moneyness", "volatility"),
    [*((m, v) for m in (0.3, 0.9, 1.0, 1.1, 3.0) for v in (0.2, 1.0, 5.0)), *((m, 0.02) for m in (0.6, 0.9, 1.0, 1.1, 2.0))],
)
def test_far_strikes_and_extreme_volatilities_are_solved(moneyness, volatility):
    price = black_scholes_merton(100, 100 * moneyness, 1, 0, 0, volatility, moneyness >= 1)
    found = implied_volatility(price, 100, 100 * moneyness, 1, 0, 0, moneyness >= 1)
    assert found.volatility == pytest.approx([volatility], rel=1e-9)


@pytest.mark.parametrize(
    ("given_", "reason", "volatility"),
    [
        ((10, 100, 90, 1, 0.0, 0, True), module.AT_OR_BELOW_INTRINSIC, 0.0),
        ((9, 100, 90, 1, 0.0, 0, True), module.AT_OR_BELOW_INTRINSIC, 0.0),
        ((11, 100, 90, 1, 0.1, 0, True), module.AT_OR_BELOW_INTRINSIC, 0.0),  # below 100 - 90·exp(-0.1) = 18.56
        ((0, 100, 120, 1, 0.0, 0, True), module.AT_OR_BELOW_INTRINSIC, 0.0),
        ((5, 100, 100, 0, 0.0, 0, True), module.EXPIRED, 0.0),
        ((100, 100, 100, 1, 0.0, 0, True), module.AT_OR_ABOVE_UPPER_BOUND, np.nan),
        ((96, 10, 100, 1, 0.05, 0, False), module.AT_OR_ABOVE_UPPER_BOUND, np.nan),  # above 100·exp(-0.05) = 95.12
        ((np.nan, 100, 100, 1, 0.0, 0, True), module.MISSING_INPUT, np.nan),
        ((5, np.nan, 100, 1, 0.0, 0, True), module.MISSING_INPUT, np.nan),
        ((5, 0, 100, 1, 0.0, 0, True), module.INVALID_INPUT, np.nan),
        ((-5, 100, 100, 1, 0.0, 0, True), module.INVALID_INPUT, np.nan),
    ],
)
def test_what_has_no_volatility_says_why(given_, reason, volatility):
    found = implied_volatility(*given_)
    assert found.reason[0] == reason
    assert found.volatility == pytest.approx([volatility], nan_ok=True)


@given(anything, anything, anything, anything, anything, anything, st.booleans())
@settings(max_examples=300)
def test_every_input_gets_a_volatility_or_a_reason(price, spot, strike, years, rate, dividend_yield, is_call):
    with np.errstate(all="ignore"):
        found = implied_volatility(price, spot, strike, years, rate, dividend_yield, is_call)
    assert (found.reason[0] == module.SOLVED) <= (np.isfinite(found.volatility[0]) and found.volatility[0] >= 0)
    assert (found.reason[0] not in (module.SOLVED, module.AT_OR_BELOW_INTRINSIC, module.EXPIRED)) == np.isnan(found.volatility[0])


@given(st.lists(st.tuples(st.floats(0.01, 60), st.floats(20, 200), st.floats(20, 200), st.booleans()), min_size=2, max_size=8))
@settings(max_examples=50)
def test_an_option_is_solved_alike_alone_and_among_others(options):
    price, spot, strike, is_call = (np.array(x) for x in zip(*options, strict=True))
    together = implied_volatility(price, spot, strike, 0.5, 0.02, 0.01, is_call).volatility
    alone = [implied_volatility(p, s, k, 0.5, 0.02, 0.01, c).volatility[0] for p, s, k, c in options]
    assert together == pytest.approx(alone, rel=1e-12, nan_ok=True)
