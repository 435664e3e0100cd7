"""Option values and deltas: textbook figures, then parity, bounds and derivatives."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.compute import NUMPY, available_backends, backend_named
from margin_pipeline.market.option_pricing import (
    black_76,
    black_scholes_merton,
    discounted_legs,
    intrinsic_value,
    option_delta,
    option_sign,
    option_value,
    value_of_discounted,
    years_to_expiry,
)

prices = st.floats(1, 1000)
terms = st.tuples(prices, prices, st.floats(1 / 365, 5), st.floats(-0.03, 0.15), st.floats(0, 0.1), st.floats(0.01, 2))


def test_a_stock_option_is_worth_what_hull_prints():
    # Hull, Options, Futures, and Other Derivatives, example 15.6: call 4.76, put 0.81.
    assert black_scholes_merton(42, 40, 0.5, 0.10, 0, 0.20, [True, False]) == pytest.approx([4.76, 0.81], abs=0.005)


def test_an_index_option_is_worth_what_hull_prints():
    # Hull, example 17.1: 51.83.
    assert black_scholes_merton(930, 900, 2 / 12, 0.08, 0.03, 0.20, True) == pytest.approx(51.83, abs=0.005)


def test_a_put_on_a_future_is_worth_what_hull_prints():
    # Hull, example 18.6: 1.12.
    assert black_76(20, 20, 4 / 12, 0.09, 0.25, False) == pytest.approx(1.12, abs=0.005)


def test_delta_is_what_hull_prints():
    # Hull, example 19.1: call 0.522, so put -0.478.
    given_ = (49, 50, 0.3846, 0.05, 0, 0.20)
    assert option_delta(*given_, [True, False], [False, False]) == pytest.approx([0.522, -0.478], abs=0.0005)


def test_time_is_calendar_days_over_365():
    expiry = np.array(["2023-12-28", "2022-12-28", "2022-12-27", "NaT"], dtype="datetime64[ns]")
    assert years_to_expiry(expiry, dt.date(2022, 12, 28)) == pytest.approx([1.0, 0.0, -1 / 365, np.nan], nan_ok=True)


def test_without_time_or_volatility_the_discounted_payoff_remains():
    assert black_scholes_merton(100, [90, 110], 0, 0.1, 0, 0.5, True) == pytest.approx([10, 0])
    assert black_scholes_merton(100, [90, 110], 1, 0.1, 0, 0, True) == pytest.approx([100 - 90 * np.exp(-0.1), 100 - 110 * np.exp(-0.1)])
    assert option_delta(100, [90, 200], 1, 0.1, 0.02, 0, True, False) == pytest.approx([np.exp(-0.02), 0])


def test_a_deep_american_put_stands_at_its_intrinsic_value_and_moves_one_for_one():
    deep = (50, 100, 1, 0.05, 0, 0.1, False)
    assert black_scholes_merton(*deep) < 50
    assert option_value(*deep, True) == 50
    assert option_delta(*deep, True) == -1
    assert option_delta(*deep, False) > -1


def test_a_worthless_underlying_leaves_the_discounted_strike_to_puts():
    assert black_scholes_merton(0, 100, 1, 0.05, 0, 0.3, [True, False]) == pytest.approx([0, 100 * np.exp(-0.05)])


def test_missing_inputs_stay_missing():
    assert np.isnan(black_scholes_merton([100, np.nan], [np.nan, 100], 1, 0, 0, 0.2, True)).all()
    assert np.isnan(option_delta([100, np.nan], [np.nan, 100], 1, 0, 0, 0.2, True, True)).all()


@given(terms)
@settings(max_examples=200)
def test_call_less_put_is_the_forward_discounted(given_):
    spot, strike, years, rate, dividend_yield, _ = given_
    call, put = black_scholes_merton(*given_, [True, False])
    forward = spot * np.exp(-dividend_yield * years) - strike * np.exp(-rate * years)
    assert call - put == pytest.approx(forward, abs=1e-9 * (spot + strike))


@given(terms, st.booleans())
@settings(max_examples=200)
def test_values_stay_within_their_bounds_and_rise_with_volatility(given_, is_call):
    spot, strike, years, rate, dividend_yield, volatility = given_
    low = black_scholes_merton(*given_, is_call)
    high = black_scholes_merton(*given_[:5], volatility * 1.5, is_call)
    bound = spot * np.exp(-dividend_yield * years) if is_call else strike * np.exp(-rate * years)
    assert 0 <= low <= bound * (1 + 1e-12)
    assert high >= low - 1e-9 * (spot + strike)
    assert option_value(*given_, is_call, True) >= intrinsic_value(spot, strike, is_call)


@given(terms, st.booleans(), st.booleans())
@settings(max_examples=200)
def test_delta_is_the_slope_of_the_value(given_, is_call, is_american):
    spot, rest = given_[0], given_[1:]
    step = spot * 1e-5
    values = [float(option_value(s, *rest, is_call, is_american)) for s in (spot - step, spot, spot + step)]
    intrinsic = [float(intrinsic_value(s, rest[0], is_call)) for s in (spot - step, spot, spot + step)]
    if len({value > floor for value, floor in zip(values, intrinsic, strict=True)}) > 1:
        return  # the step straddles the kink of the floor
    slope = (values[2] - values[0]) / (2 * step)
    assert float(option_delta(spot, *rest, is_call, is_american)) == pytest.approx(slope, abs=2e-4 + 0.5 * step * abs(values[0]))


@pytest.mark.parametrize("name", available_backends())
def test_every_backend_gives_the_same_grid(name):
    other_backend = backend_named(name)
    random = np.random.default_rng(3)
    spot, strike = random.uniform(50, 150, (40, 25)), random.uniform(50, 150, (40, 1))
    years, volatility, sign = random.uniform(0.01, 2, (40, 1)), random.uniform(0, 1, (40, 1)), option_sign(random.random((40, 1)) < 0.5)
    legs = (*discounted_legs(spot, strike, years, 0.03, 0.01, volatility), sign)
    expected = value_of_discounted(*legs, NUMPY)
    for dtype in other_backend.dtypes:
        with other_backend.on_device():
            found = other_backend.to_numpy(value_of_discounted(*(other_backend.array(leg, dtype) for leg in legs), other_backend))
        # MLX has the error function in single precision only, also on arrays of double precision.
        exact = name == NUMPY.name and dtype == "float64"
        assert found == pytest.approx(expected, rel=0, abs=0 if exact else 1e-6 * 150)
