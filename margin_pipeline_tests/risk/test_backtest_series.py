"""Series of value at risk: against the closed forms, without a look ahead, and tests of simulated series."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from margin_pipeline.market.weights import exponential_weights
from margin_pipeline.parameters.backtest import backtest_settings
from margin_pipeline.risk.backtest_results import Series, day_rows, result_rows
from margin_pipeline.risk.backtest_series import exceptions, gaussian_series, historical_series
from margin_pipeline.risk.gaussian import daily_deviations, value_at_risk_factor
from margin_pipeline.risk.historical import tail_risk

CONFIDENCES = (0.95, 0.99)
HALF_LIFE = 63.0


def both(profit, days=40, window=120, least=30):
    """Both series, one array."""
    return np.stack(
        [gaussian_series(profit, CONFIDENCES, days, window, HALF_LIFE, least), historical_series(profit, CONFIDENCES, days, window, least)]
    )


def verdicts(profit, value_at_risk, confidence=0.99):
    """Row of the table for one portfolio."""
    sessions = pd.bdate_range("2020-01-01", periods=profit.shape[1]).to_numpy()
    series = Series("gaussian", confidence, sessions, profit, value_at_risk, np.zeros(len(profit)))
    names = pd.Index([f"P{i}" for i in range(len(profit))], dtype=object)
    given = backtest_settings(dt.date(2022, 1, 3))
    return result_rows(names, [series], [()] * len(names), given), day_rows(names, [series], [()] * len(names))


def test_gaussian_series_are_those_of_the_weighted_covariance_of_the_same_returns():
    random = np.random.default_rng(3)
    returns = random.normal(0, 0.01, (300, 6)) + random.normal(0, 0.01, (300, 1))
    exposure = random.normal(0, 1e5, (4, 6))
    days, window = 50, 250
    found = gaussian_series(exposure @ returns.T, CONFIDENCES, days, window, HALF_LIFE, 100)
    for day in (0, 17, days - 1):
        past = returns[300 - days + day - window : 300 - days + day]
        covariance = np.cov(past.T, aweights=exponential_weights(window, HALF_LIFE))
        volatility = np.sqrt(np.diag(covariance))
        deviations = daily_deviations(exposure, np.arange(4), 4, covariance / np.outer(volatility, volatility), volatility)
        for k, confidence in enumerate(CONFIDENCES):
            assert found[k, :, day] == pytest.approx(value_at_risk_factor(confidence, 1) * deviations.portfolio, rel=1e-10)


def test_historical_series_are_the_order_statistic_of_the_window_before_each_day():
    profit = np.random.default_rng(4).standard_t(4, (3, 400))
    found = historical_series(profit, CONFIDENCES, 60, 250, 100)
    for day in (0, 31, 59):
        for k, confidence in enumerate(CONFIDENCES):
            assert np.array_equal(found[k, :, day], tail_risk(profit[:, 90 + day : 340 + day], confidence).value_at_risk)


def test_a_short_history_is_used_as_far_as_it_goes_and_no_further_than_the_least():
    profit = np.random.default_rng(5).normal(size=(1, 90))
    profit[:, :20] = np.nan
    gaussian, historical = both(profit, days=60, window=120, least=30)
    # Day 30 of the series has 10 profits before it; the least are there from day 50 on.
    assert np.isnan(gaussian[:, 0, :20]).all()
    assert np.isnan(historical[:, 0, :20]).all()
    assert not np.isnan(gaussian[:, 0, 20:]).any()
    assert historical[0, 0, 20] == tail_risk(profit[:, 20:50], 0.95).value_at_risk[0]
    assert historical[1, 0, -1] == tail_risk(profit[:, 20:89], 0.99).value_at_risk[0]


@settings(max_examples=25)
@given(st.integers(0, 39), st.integers(0, 1000), st.floats(-1e6, 1e6))
def test_what_happens_on_a_day_or_later_never_changes_the_value_at_risk_of_the_day(day, seed, shock):
    profit = np.random.default_rng(seed).normal(size=(2, 150))
    changed = profit.copy()
    changed[:, 110 + day :] = shock * np.random.default_rng(seed + 1).normal(size=changed[:, 110 + day :].shape)
    before, after = both(profit), both(changed)
    assert np.array_equal(before[..., : day + 1], after[..., : day + 1])
    if day < 39 and abs(shock) > 1e-3:
        assert not np.array_equal(before[0][..., day + 1 :], after[0][..., day + 1 :])


def test_no_history_at_all_gives_no_days():
    for profit in (np.zeros((2, 0)), np.zeros((0, 5))):
        assert gaussian_series(profit, CONFIDENCES, 250, 100, HALF_LIFE, 10).shape == (2, len(profit), profit.shape[1])
        assert historical_series(profit, CONFIDENCES, 250, 100, 10).shape == (2, len(profit), profit.shape[1])


def test_a_loss_equal_to_the_value_at_risk_or_beyond_it_by_rounding_is_no_exception():
    loss = np.array([[-1.0, -1.0 - 1e-10, -1.001, 2.0, np.nan]])
    flags = exceptions(loss, np.array([[1.0, 1.0, 1.0, 1.0, 1.0]]), np.array([1000.0]))
    assert flags.tolist() == [[False, False, True, False, False]]


def test_exact_value_at_risk_of_a_normal_series_passes_and_one_that_is_too_small_fails():
    profit = np.random.default_rng(12).normal(0, 1000.0, (40, 1000))
    exact, _ = verdicts(profit, np.full((40, 250), norm.ppf(0.99) * 1000.0))
    small, days = verdicts(profit, np.full((40, 250), norm.ppf(0.95) * 1000.0))
    assert (exact["verdict"].isin(["too_low", "dependent"])).mean() <= 0.10
    assert exact["exceptions"].sum() == pytest.approx(40 * 2.5, abs=25)
    assert (small["verdict"] == "too_low").mean() >= 0.9
    assert (small["traffic_light"] != "green").mean() >= 0.95
    assert days["is_exception"].sum() == small["exceptions"].sum()


def test_both_methods_pass_on_a_normal_series_that_they_have_to_learn():
    profit = np.random.default_rng(21).normal(0, 1000.0, (40, 750))
    for value in (
        gaussian_series(profit, (0.99,), 250, 756, HALF_LIFE, 100)[0],
        historical_series(profit, (0.99,), 250, 500, 100)[0],
    ):
        table, _ = verdicts(profit, value)
        assert table["passed"].mean() >= 0.85


def test_exceptions_in_a_row_are_dependent_although_their_number_is_right():
    profit = np.full((1, 250), 10.0)
    profit[0, 100:103] = -200.0
    table, _ = verdicts(profit, np.full((1, 250), 100.0))
    row = table.iloc[0]
    assert (row["exceptions"], row["verdict"], row["passed"]) == (3, "dependent", False)
    assert row["kupiec_p_value"] > 0.5
    assert row["independence_p_value"] < 0.01


def test_the_addition_is_given_for_250_days_at_99_per_cent_alone():
    profit = np.full((1, 300), 10.0)
    profit[0, 60:300:40] = -200.0
    for confidence, days, expected in ((0.99, 250, 0.5), (0.99, 249, np.nan), (0.95, 250, np.nan)):
        table, _ = verdicts(profit, np.full((1, days), 100.0), confidence)
        assert table["exceptions"].item() == 6
        assert table["multiplier_addition"].item() == pytest.approx(expected, nan_ok=True)
