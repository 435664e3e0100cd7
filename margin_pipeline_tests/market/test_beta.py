"""Beta, its standard error and R² against closed forms; shrinkage towards 1.

Belongs here: market.beta. Not here: the returns it is estimated from.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from margin_pipeline.market.beta import BetaEstimate, vasicek_shrunk, weighted_beta
from margin_pipeline.market.weights import exponential_weights


def market_and_stocks(rows=300, betas=(0.5, 1.0, 1.7), seed=11):
    rng = np.random.default_rng(seed)
    benchmark = rng.standard_normal(rows) * 0.01
    return benchmark, benchmark[:, None] * np.array(betas) + rng.standard_normal((rows, len(betas))) * 0.015 + 0.0003


def test_with_equal_weights_it_is_the_textbook_regression():
    benchmark, stocks = market_and_stocks()
    found = weighted_beta(stocks, benchmark, np.ones(len(benchmark)))
    for k in range(3):
        expected = linregress(benchmark, stocks[:, k])
        assert found.beta[k] == pytest.approx(expected.slope, rel=1e-10)
        assert found.standard_error[k] == pytest.approx(expected.stderr, rel=1e-10)
        assert found.r_squared[k] == pytest.approx(expected.rvalue**2, rel=1e-10)


def test_with_weights_it_solves_the_normal_equations():
    benchmark, stocks = market_and_stocks()
    weights = exponential_weights(len(benchmark), 63.0)
    design = np.column_stack([np.ones_like(benchmark), benchmark])
    expected = np.linalg.solve(design.T @ (weights[:, None] * design), design.T @ (weights[:, None] * stocks))[1]
    np.testing.assert_allclose(weighted_beta(stocks, benchmark, weights).beta, expected, rtol=1e-10)


def test_the_standard_error_is_the_error_that_estimates_have():
    rows, samples = 400, 3000
    rng = np.random.default_rng(2)
    benchmark = rng.standard_normal(rows) * 0.01
    stocks = benchmark[:, None] + rng.standard_normal((rows, samples)) * 0.02
    found = weighted_beta(stocks, benchmark, exponential_weights(rows, 40.0))
    assert np.sqrt(np.mean(found.standard_error**2)) == pytest.approx(np.std(found.beta), rel=0.1)


def test_the_benchmark_has_beta_one_without_error():
    benchmark, _ = market_and_stocks()
    found = weighted_beta(np.column_stack([benchmark, 2.0 * benchmark]), benchmark, exponential_weights(len(benchmark), 63.0))
    np.testing.assert_allclose(found.beta, [1.0, 2.0], rtol=1e-12)
    assert (found.standard_error == 0.0).all()
    assert (found.r_squared == 1.0).all()


def test_gaps_of_either_side_are_left_out():
    benchmark, stocks = market_and_stocks()
    weights = exponential_weights(len(benchmark), 63.0)
    benchmark[10:20] = np.nan
    stocks[200:230, 0] = np.nan
    both = ~np.isnan(benchmark) & ~np.isnan(stocks[:, 0])
    found, alone = weighted_beta(stocks, benchmark, weights), weighted_beta(stocks[both], benchmark[both], weights[both])
    assert found.beta[0] == pytest.approx(alone.beta[0], rel=1e-12)
    assert found.standard_error[0] == pytest.approx(alone.standard_error[0], rel=1e-12)


def test_too_few_common_observations_or_no_benchmark_give_no_beta():
    benchmark, stocks = market_and_stocks()
    stocks[:-19, 0] = np.nan
    found = weighted_beta(stocks, benchmark, np.ones(300))
    assert np.isnan(found.beta).tolist() == [True, False, False]
    absent = weighted_beta(stocks, np.full(300, np.nan), np.ones(300))
    assert np.isnan(absent.beta).all()
    assert np.isnan(absent.standard_error).all()
    assert np.isnan(absent.r_squared).all()
    flat = weighted_beta(stocks, np.zeros(300), np.ones(300))
    assert np.isnan(flat.beta).all()


def test_a_stock_that_does_not_move_has_beta_zero_and_no_explained_share():
    benchmark, stocks = market_and_stocks()
    stocks[:, 1] = 0.0
    found = weighted_beta(stocks, benchmark, np.ones(300))
    assert (found.beta[1], found.standard_error[1]) == (0.0, 0.0)
    assert np.isnan(found.r_squared[1])


def test_shrinkage_weighs_by_precision():
    estimate = BetaEstimate(np.array([2.0, 0.2]), np.array([0.3, 0.1]), np.array([0.5, 0.4]))
    prior = (1.0 + 0.64) / 2 - (0.09 + 0.01) / 2
    found = vasicek_shrunk(estimate, np.array([True, True]))
    for k, (beta, error) in enumerate([(2.0, 0.3), (0.2, 0.1)]):
        assert found.beta[k] == pytest.approx((beta / error**2 + 1 / prior) / (1 / error**2 + 1 / prior))
        assert found.standard_error[k] == pytest.approx((1 / error**2 + 1 / prior) ** -0.5)


def test_columns_outside_the_cross_section_are_not_shrunk_and_neither_is_a_single_one():
    estimate = BetaEstimate(np.array([2.0, 0.2, 0.1]), np.array([0.3, 0.1, 0.2]), np.zeros(3))
    found = vasicek_shrunk(estimate, np.array([True, True, False]))
    assert found.beta[2] == 0.1
    assert vasicek_shrunk(estimate, np.array([True, False, False])) is estimate


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(5.0, 200.0))
def test_explained_share_is_a_share_and_shrinkage_moves_towards_one(seed, half_life):
    benchmark, stocks = market_and_stocks(rows=80, betas=(-0.5, 0.3, 0.9, 2.5), seed=seed)
    found = weighted_beta(stocks, benchmark, exponential_weights(80, half_life))
    assert ((found.r_squared >= 0) & (found.r_squared <= 1)).all()
    assert (found.standard_error > 0).all()
    shrunk = vasicek_shrunk(found, np.ones(4, dtype=bool))
    assert (np.abs(shrunk.beta - 1) <= np.abs(found.beta - 1) + 1e-12).all()
    assert (shrunk.standard_error <= found.standard_error + 1e-12).all()
