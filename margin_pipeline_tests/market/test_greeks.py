"""Sensitivities: textbook figures, differences of the values, parity and limits."""

import numpy as np
import pytest

from margin_pipeline.market.american_options import american_value
from margin_pipeline.market.greeks import american_greeks, european_greeks, option_greeks
from margin_pipeline.market.option_pricing import black_76, black_scholes_merton

HULL = (49, 50, 0.3846, 0.05, 0, 0.20)


def test_sensitivities_are_what_hull_prints():
    # Hull, Options, Futures, and Other Derivatives, examples 19.1 to 19.7: 0.522, 0.066, 12.1, -4.31 a year, 8.91.
    found = european_greeks(*HULL, True)
    assert found.delta == pytest.approx([0.522], abs=0.0005)
    assert found.gamma == pytest.approx([0.066], abs=0.0005)
    assert found.vega == pytest.approx([12.1], abs=0.05)
    assert found.theta * 365 == pytest.approx([-4.31], abs=0.005)
    assert found.rho == pytest.approx([8.91], abs=0.005)


def book(n, seed):
    random = np.random.default_rng(seed)
    spot, years = random.uniform(70, 140, n), random.uniform(0.05, 3, n)
    rate, dividend_yield = random.uniform(-0.02, 0.1, n), random.uniform(0, 0.08, n)
    return [spot, np.full(n, 100.0), years, rate, dividend_yield, random.uniform(0.1, 0.9, n)], random.random(n) < 0.5


def slope(value, given, call, position, step):
    up, down = ([x + way * step * (i == position) for i, x in enumerate(given)] for way in (1, -1))
    return (value(*up, call) - value(*down, call)) / (2 * step)


@pytest.mark.parametrize(("value", "greeks", "seed"), [(black_scholes_merton, european_greeks, 1), (american_value, american_greeks, 2)])
def test_sensitivities_are_slopes_of_the_value(value, greeks, seed):
    given, call = book(200, seed)
    found = greeks(*given, call)
    # Near the boundary of early exercise a difference spans a kink of gamma.
    waits = np.abs(found.value - np.maximum(np.where(call, 1, -1) * (given[0] - 100), 0)) > 0.3
    assert found.delta[waits] == pytest.approx(slope(value, given, call, 0, 0.01)[waits], abs=5e-4)
    assert found.vega[waits] == pytest.approx(slope(value, given, call, 5, 0.002)[waits], rel=2e-3, abs=0.02)
    assert found.rho[waits] == pytest.approx(slope(value, given, call, 3, 0.0005)[waits], rel=2e-3, abs=0.05)
    assert found.theta[waits] * 365 == pytest.approx(-slope(value, given, call, 2, 0.002)[waits], rel=5e-3, abs=0.03)


def test_parity_holds_of_every_sensitivity():
    given, _ = book(50, 3)
    spot, strike, years, rate, dividend_yield, _ = given
    call, put = (european_greeks(*given, is_call) for is_call in (True, False))
    spot_leg, strike_leg = np.exp(-dividend_yield * years), strike * np.exp(-rate * years)
    assert call.delta - put.delta == pytest.approx(spot_leg)
    assert call.gamma == pytest.approx(put.gamma)
    assert call.vega == pytest.approx(put.vega)
    assert call.rho - put.rho == pytest.approx(years * strike_leg)
    assert (call.theta - put.theta) * 365 == pytest.approx(dividend_yield * spot * spot_leg - rate * strike_leg)


def test_rho_of_an_option_on_a_future_discounts_only():
    given = (20, 20, 4 / 12, 0.09, 0.09, 0.25)
    assert european_greeks(*given, False, True).rho == pytest.approx([-4 / 12 * black_76(20, 20, 4 / 12, 0.09, 0.25, False)])
    american = american_greeks(*given, False, True).rho
    assert -4 / 12 * american_value(*given, False) < american < 0


def test_exercised_options_move_with_the_spot_alone():
    found = american_greeks(50, 100, 1, 0.05, 0, 0.1, False)
    assert [found.value[0], found.delta[0], found.gamma[0], found.vega[0], found.theta[0], found.rho[0]] == [50, -1, 0, 0, 0, 0]


def test_where_early_exercise_is_worth_nothing_both_styles_agree():
    given = ([80, 100, 130], 100, 2, 0.05, 0, 0.3, True)
    american, european = american_greeks(*given), european_greeks(*given)
    for name in ("value", "delta", "gamma", "vega", "theta", "rho"):
        assert getattr(american, name) == pytest.approx(getattr(european, name), rel=1e-4), name


@pytest.mark.parametrize("greeks", [european_greeks, american_greeks])
def test_at_expiry_the_payoff_is_left(greeks):
    found = greeks(100, [90, 110, 100], 0, 0.05, 0.02, 0.3, True)
    assert found.delta == pytest.approx([1, 0, 0.5])
    assert found.gamma.tolist() == [0, 0, np.inf]
    for name in ("vega", "theta", "rho"):
        assert getattr(found, name).tolist() == [0, 0, 0], name


@pytest.mark.parametrize("greeks", [european_greeks, american_greeks])
def test_without_volatility_the_limit_is_taken(greeks):
    for call in (True, False):
        for spot in (60.0, 160.0):
            zero, small = (greeks(spot, 100, 1, 0.06, 0.02, volatility, call) for volatility in (0, 0.005))
            for name in ("value", "delta", "gamma", "vega", "theta", "rho"):
                assert getattr(zero, name) == pytest.approx(getattr(small, name), abs=1e-3), (name, call, spot)


def test_a_call_exercised_before_expiry_for_certain_keeps_its_curvature():
    # Without volatility, exercise is best at 6.76 years: the value is smooth in spot and rate there.
    given = (100, 60, 10, 0.1, 0.04)
    found = american_greeks(*given, 0, True)
    zero = lambda spot, rate: american_value(spot, 60, 10, rate, 0.04, 0, True)  # noqa: E731
    assert found.delta == pytest.approx((zero(100.01, 0.1) - zero(99.99, 0.1)) / 0.02, rel=1e-5)
    assert found.gamma == pytest.approx((zero(101, 0.1) - 2 * zero(100, 0.1) + zero(99, 0.1)), rel=1e-3)
    assert found.rho == pytest.approx((zero(100, 0.1001) - zero(100, 0.0999)) / 0.0002, rel=1e-5)
    assert found.theta == [0]


def test_a_missing_input_gives_none_and_styles_are_told_apart():
    found = option_greeks(100, 100, 1, 0.05, 0.06, [0.2, 0.2, np.nan], True, [True, False, True])
    assert found.value[0] > found.value[1]
    assert all(np.isnan(x[2]) and np.isfinite(x[:2]).all() for x in vars(found).values())
    assert all(np.isnan(x).all() for x in vars(european_greeks(100, 100, [np.nan], 0, 0, 0.2, True)).values())
