"""Volatilities implied by American prices: the round trip, bounds, and an answer to everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market import implied_volatility as reasons
from margin_pipeline.market.american_implied_volatility import american_implied_volatility
from margin_pipeline.market.american_options import american_value
from margin_pipeline.market.implied_volatility import implied_volatility

anything = st.floats(allow_nan=True, allow_infinity=True)


def test_the_volatility_of_a_published_price_comes_back():
    # Huang, Subrahmanyam and Yu (1996), table 1: an American put worth 5.7056 has volatility 30 %.
    assert american_implied_volatility(5.7056, 40, 45, 0.3333, 0.0488, 0, False).volatility == pytest.approx([0.3], abs=1e-4)


def test_the_volatility_of_a_price_comes_back():
    random = np.random.default_rng(5)
    n = 1500
    spot, years = random.uniform(5, 500, n), random.uniform(2 / 365, 4, n)
    strike, volatility = spot * np.exp(random.normal(0, 0.25, n)), random.uniform(0.05, 2, n)
    rate, dividend_yield, is_call = random.uniform(-0.01, 0.08, n), random.uniform(0, 0.05, n), random.random(n) < 0.5
    price = american_value(spot, strike, years, rate, dividend_yield, volatility, is_call)
    found = american_implied_volatility(price, spot, strike, years, rate, dividend_yield, is_call)
    solved = found.reason == reasons.SOLVED
    assert solved.mean() > 0.8
    assert set(found.reason[~solved]) == {reasons.AT_OR_BELOW_INTRINSIC}
    again = american_value(spot, strike, years, rate, dividend_yield, found.volatility, is_call)
    assert np.abs(again - price)[solved].max() < 1e-6
    telling = solved & (american_value(spot, strike, years, rate, dividend_yield, volatility + 1e-4, is_call) - price > 1e-6 * spot)
    assert telling.mean() > 0.7
    assert found.volatility[telling] == pytest.approx(volatility[telling], abs=1e-4)


def test_early_exercise_lowers_the_volatility_that_a_price_implies():
    same = ([12.0, 6.0, 2.0], 100, [110, 100, 90], 1, 0.06, 0, False)
    assert (american_implied_volatility(*same).volatility < implied_volatility(*same).volatility - 1e-3).all()
    without_yield = (8.0, 100, 100, 1, 0.03, 0, True)
    assert american_implied_volatility(*without_yield).volatility == implied_volatility(*without_yield).volatility


def test_a_price_above_the_european_bound_has_an_american_volatility():
    same = (98.0, 10, 105, 3, 0.05, 0, False)  # above 105·exp(-0.15) = 90.4
    assert implied_volatility(*same).reason == [reasons.AT_OR_ABOVE_UPPER_BOUND]
    found = american_implied_volatility(*same)
    assert found.reason == [reasons.SOLVED]
    assert american_value(10, 105, 3, 0.05, 0, found.volatility, False) == pytest.approx([98.0], abs=1e-6)


@pytest.mark.parametrize(
    ("given_", "reason", "volatility"),
    [
        ((10, 100, 90, 1, 0.0, 0, True), reasons.AT_OR_BELOW_INTRINSIC, 0.0),
        ((11, 100, 90, 1, 0.1, 0, True), reasons.AT_OR_BELOW_INTRINSIC, 0.0),  # below 100 - 90·exp(-0.1) = 18.56
        ((10, 90, 100, 1, 0.1, 0, False), reasons.AT_OR_BELOW_INTRINSIC, 0.0),
        ((0, 100, 120, 1, 0.0, 0, True), reasons.AT_OR_BELOW_INTRINSIC, 0.0),
        ((5, 100, 100, 0, 0.0, 0, True), reasons.EXPIRED, 0.0),
        ((100, 100, 100, 1, 0.0, 0.02, True), reasons.AT_OR_ABOVE_UPPER_BOUND, np.nan),
        ((100, 10, 100, 1, 0.05, 0, False), reasons.AT_OR_ABOVE_UPPER_BOUND, np.nan),
        ((99.9999, 100, 100, 1 / 365, 0.0, 0.02, True), reasons.AT_OR_ABOVE_UPPER_BOUND, np.nan),  # takes more than 2,000 %
        ((np.nan, 100, 100, 1, 0.0, 0, True), reasons.MISSING_INPUT, np.nan),
        ((5, 100, 100, np.inf, 0.0, 0, True), reasons.MISSING_INPUT, np.nan),
        ((-1, 100, 100, 1, 0.0, 0, True), reasons.INVALID_INPUT, np.nan),
        ((5, 0, 100, 1, 0.0, 0, True), reasons.INVALID_INPUT, np.nan),
    ],
)
def test_where_there_is_none_the_reason_is_given(given_, reason, volatility):
    found = american_implied_volatility(*given_)
    assert found.reason == [reason]
    assert found.volatility == pytest.approx([volatility], nan_ok=True)


@settings(max_examples=80, deadline=None)
@given(st.tuples(anything, anything, anything, anything, st.floats(-0.2, 0.5), st.floats(-0.2, 0.5), st.booleans()))
def test_anything_gets_an_answer(given_):
    found = american_implied_volatility(*given_)
    decided = found.reason[0] in (reasons.SOLVED, reasons.AT_OR_BELOW_INTRINSIC, reasons.EXPIRED)
    assert np.isfinite(found.volatility[0]) == decided
    assert found.reason[0] != reasons.NOT_CONVERGED


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 150), st.floats(20, 200), st.floats(1 / 365, 5), st.floats(-0.05, 0.15), st.floats(-0.05, 0.15), st.booleans())
def test_a_price_is_reproduced_or_its_reason_named(price, spot, years, rate, dividend_yield, is_call):
    found = american_implied_volatility(price, spot, 100, years, rate, dividend_yield, is_call)
    if found.reason[0] == reasons.SOLVED:
        value = american_value(spot, 100, years, rate, dividend_yield, found.volatility, is_call)
        # A tree, which serves some options under negative rates, moves in steps.
        assert value == pytest.approx([price], abs=1e-4 if rate < 0 or dividend_yield < 0 else 1e-6)
