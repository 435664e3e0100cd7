"""Volatility against loops and pandas, and the floors of article 28.

Belongs here: market.volatility. Not here: correlation.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.volatility import annual_volatility, weighted_variance
from margin_pipeline.parameters.estimation import EstimationSettings

SETTINGS = EstimationSettings()


def returns_of(rows, columns=3, seed=5, gaps=0.0):
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((rows, columns)) * 0.01
    returns[rng.random(returns.shape) < gaps] = np.nan
    return returns


def test_equal_weights_give_the_sample_variance():
    returns = np.array([[0.01], [0.03], [-0.01]])
    assert weighted_variance(returns, np.ones(3)) == pytest.approx([0.0004])


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_volatility_is_that_of_pandas_exponentially_weighted_times_the_root_of_252(gaps):
    returns = returns_of(400, gaps=gaps)
    expected = pd.DataFrame(returns).ewm(halflife=63).std().iloc[-1].to_numpy() * np.sqrt(252)
    np.testing.assert_allclose(annual_volatility(returns, SETTINGS), expected, rtol=1e-10)


def test_nineteen_returns_are_too_few_and_twenty_are_enough():
    returns = returns_of(40, columns=2)
    returns[:21, 0] = np.nan
    returns[:20, 1] = np.nan
    assert np.isnan(annual_volatility(returns, SETTINGS)).tolist() == [True, False]


def test_returns_before_the_window_do_not_count():
    returns = returns_of(800)
    wild = returns.copy()
    wild[: 800 - SETTINGS.window] *= 50
    np.testing.assert_array_equal(annual_volatility(wild, SETTINGS), annual_volatility(returns, SETTINGS))


def test_a_price_that_does_not_move_has_volatility_zero_and_so_has_one_that_grows_evenly():
    closes = np.column_stack([np.full(200, 50.0), 50.0 * 1.001 ** np.arange(200)])
    assert (annual_volatility(np.diff(np.log(closes), axis=0), SETTINGS) == 0.0).all()


def test_a_quarter_of_the_weight_goes_to_the_stressed_period():
    settings_ = replace(SETTINGS, volatility_floor="stressed_weight", stressed_window=50)
    returns = returns_of(600, columns=1)
    returns[100:150] *= 5.0
    recent = weighted_variance(returns, np.exp2(np.arange(600) / 63.0))
    runs = [returns[k : k + 50].var(ddof=1) for k in range(551)]
    assert 90 <= int(np.argmax(runs)) <= 110
    expected = np.sqrt(252 * (0.75 * recent + 0.25 * max(runs)))
    np.testing.assert_allclose(annual_volatility(returns, settings_), expected, rtol=1e-9)


def test_the_long_look_back_is_a_floor_with_equal_weights():
    settings_ = replace(SETTINGS, volatility_floor="long_look_back")
    returns = returns_of(2000, columns=2)
    returns[:1000, 0] *= 4.0
    returns[-60:, 1] *= 4.0
    found = annual_volatility(returns, settings_)
    assert found[0] == pytest.approx(returns[:, 0].std(ddof=1) * np.sqrt(252), rel=1e-9)
    assert found[1] == annual_volatility(returns, SETTINGS)[1]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.5), st.sampled_from(["stressed_weight", "long_look_back"]))
def test_a_floor_never_lowers_a_volatility(seed, gaps, floor):
    returns = returns_of(300, columns=4, seed=seed, gaps=gaps)
    floored = annual_volatility(returns, replace(SETTINGS, volatility_floor=floor, stressed_window=60))
    assert (floored >= annual_volatility(returns, SETTINGS) - 1e-15).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 20.0))
def test_volatility_scales_with_the_returns(seed, scale):
    returns = returns_of(100, seed=seed, gaps=0.1)
    np.testing.assert_allclose(annual_volatility(returns * scale, SETTINGS), scale * annual_volatility(returns, SETTINGS), rtol=1e-9)
