"""Correlation estimators against loops, pandas and scikit-learn, with and without gaps.

Belongs here: market.covariance, market.gaps, market.weights. Not here: repair, beta, volatility.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import ledoit_wolf

from margin_pipeline.compute import backend_named
from margin_pipeline.compute.devices import why_unavailable
from margin_pipeline.market.covariance import correlation_weights, ledoit_wolf_correlation, weighted_correlation
from margin_pipeline.market.gaps import common_observations
from margin_pipeline.market.weights import effective_observations, exponential_weights


def sample_returns(rows=120, columns=6, seed=3, gaps=0.0):
    rng = np.random.default_rng(seed)
    returns = rng.standard_normal((rows, 1)) * 0.008 + rng.standard_normal((rows, columns)) * np.linspace(0.005, 0.02, columns)
    returns[rng.random(returns.shape) < gaps] = np.nan
    return returns


def loop_correlation(returns, weights):
    """Weighted correlation pair by pair, each over its common rows, written out."""
    columns = returns.shape[1]
    result = np.eye(columns)
    for i in range(columns):
        for j in range(columns):
            both = ~np.isnan(returns[:, i]) & ~np.isnan(returns[:, j])
            w = weights[both] / weights[both].sum()
            x, y = returns[both, i], returns[both, j]
            x, y = x - (w * x).sum(), y - (w * y).sum()
            if i != j:
                result[i, j] = (w * x * y).sum() / np.sqrt((w * x * x).sum() * (w * y * y).sum())
    return result


def test_two_columns_of_three_days_worked_by_hand():
    returns = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 6.0]]) / 100
    weights = np.ones(3)
    assert weighted_correlation(returns, weights).correlation[0, 1] == pytest.approx(4 / np.sqrt(2 * 14), rel=1e-12)


def test_weights_halve_every_half_life_and_add_up_to_one():
    weights = exponential_weights(200, 63.0)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[-1] / weights[-64] == pytest.approx(2.0)
    assert exponential_weights(4, np.inf) == pytest.approx([0.25] * 4)
    assert len(exponential_weights(0, 63.0)) == 0


def test_equal_weights_are_worth_their_number_of_observations():
    present = np.array([[True, False], [True, True], [True, True]])
    assert effective_observations(np.full(3, 0.2), present) == pytest.approx([3.0, 2.0])


@pytest.mark.parametrize("gaps", [0.0, 0.02, 0.3])
def test_exponentially_weighted_correlation_equals_the_loop(gaps):
    returns = sample_returns(gaps=gaps)
    weights = correlation_weights("exponentially_weighted", len(returns), 20.0)
    np.testing.assert_allclose(weighted_correlation(returns, weights).correlation, loop_correlation(returns, weights), atol=1e-12)


@pytest.mark.parametrize("gaps", [0.0, 0.05])
def test_exponentially_weighted_correlation_equals_that_of_pandas(gaps):
    returns = sample_returns(gaps=gaps)
    found = weighted_correlation(returns, correlation_weights("exponentially_weighted", len(returns), 63.0)).correlation
    expected = pd.DataFrame(returns).ewm(halflife=63).corr().loc[len(returns) - 1]
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("gaps", [0.0, 0.02, 0.3])
def test_sample_correlation_equals_that_of_pandas(gaps):
    returns = sample_returns(gaps=gaps)
    found = weighted_correlation(returns, correlation_weights("sample", len(returns), 63.0)).correlation
    np.testing.assert_allclose(found, pd.DataFrame(returns).corr(), atol=1e-12)


def test_ledoit_wolf_correlation_equals_that_of_scikit_learn():
    returns = sample_returns(rows=40, columns=12)
    covariance, _ = ledoit_wolf(returns)
    deviation = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(ledoit_wolf_correlation(returns).correlation, covariance / np.outer(deviation, deviation), atol=1e-12)


def test_ledoit_wolf_with_gaps_stays_between_the_sample_and_no_correlation():
    returns = sample_returns(rows=60, columns=8, gaps=0.05)
    sample = weighted_correlation(returns, np.ones(60)).correlation
    shrunk = ledoit_wolf_correlation(returns).correlation
    off = ~np.eye(8, dtype=bool)
    assert (np.abs(shrunk[off]) <= np.abs(sample[off])).all()
    assert np.isfinite(shrunk).all()


def test_a_column_without_variance_is_uncorrelated_with_all():
    returns = sample_returns(columns=4)
    returns[:, 1] = 0.001
    returns[:, 2] = 0.0
    for matrix in (weighted_correlation(returns, np.ones(len(returns))).correlation, ledoit_wolf_correlation(returns).correlation):
        assert (matrix[1] == [0, 1, 0, 0]).all()
        assert (matrix[2] == [0, 0, 1, 0]).all()
        assert matrix[0, 3] != 0


def test_columns_without_two_common_rows_are_uncorrelated():
    returns = sample_returns(columns=3)
    returns[:60, 0] = np.nan
    returns[60:, 1] = np.nan
    assert weighted_correlation(returns, np.ones(120)).correlation[0, 1] == 0.0


def test_fewer_rows_than_columns_without_gaps_are_known_to_be_singular():
    few, many = sample_returns(rows=10, columns=20), sample_returns(rows=100, columns=20)
    assert weighted_correlation(few, np.ones(10)).singular
    assert not weighted_correlation(many, np.ones(100)).singular
    gappy = sample_returns(rows=10, columns=20, gaps=0.05)
    assert not weighted_correlation(gappy, np.ones(10)).singular


def test_columns_that_do_not_move_do_not_count_towards_being_singular():
    returns = sample_returns(rows=30, columns=40)
    returns[:, 20:] = 0.0
    estimate = weighted_correlation(returns, np.ones(30))
    assert not estimate.singular
    assert np.linalg.eigvalsh(estimate.correlation)[0] > 1e-6


def test_products_on_mlx_equal_those_on_numpy():
    if why_unavailable("mlx-cpu"):
        pytest.skip(why_unavailable("mlx-cpu"))
    for gaps in (0.0, 0.05):
        returns = sample_returns(rows=80, columns=30, gaps=gaps)
        weights = exponential_weights(80, 63.0)
        on_mlx = weighted_correlation(returns, weights, backend_named("mlx-cpu"))
        assert on_mlx.report.backend == "mlx-cpu"
        np.testing.assert_allclose(on_mlx.correlation, weighted_correlation(returns, weights).correlation, atol=1e-12)


def test_common_observations_are_counted():
    present = ~np.isnan(sample_returns(gaps=0.2))
    np.testing.assert_array_equal(common_observations(present), present.astype(int).T @ present.astype(int))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.6), st.floats(2.0, 100.0))
def test_correlations_are_symmetric_and_within_one(seed, gaps, half_life):
    returns = sample_returns(rows=25, columns=7, seed=seed, gaps=gaps)
    found = weighted_correlation(returns, exponential_weights(25, half_life)).correlation
    assert (np.abs(found) <= 1.0).all()
    assert (found == found.T).all()
    assert (np.diag(found) == 1.0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.4), st.permutations(range(7)))
def test_the_order_of_columns_and_their_scale_change_nothing(seed, gaps, order):
    returns = sample_returns(rows=40, columns=7, seed=seed, gaps=gaps)
    weights = exponential_weights(40, 20.0)
    found = weighted_correlation(returns, weights).correlation
    scaled = weighted_correlation(returns[:, order] * np.linspace(0.1, 5.0, 7) - 0.01, weights).correlation
    np.testing.assert_allclose(scaled, found[np.ix_(order, order)], atol=1e-9)
