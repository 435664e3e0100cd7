"""Historical risk: ranks by hand, ties, Euler components, the error of a quantile."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from margin_pipeline.risk.historical import bandwidth, components, standard_error, tail_rank, tail_risk

LOSSES = np.array([[-50.0, 10, -40, 20, -30, 30, -20, 40, -10, 50] + [100.0] * 90])


@pytest.mark.parametrize(
    ("scenarios", "confidence", "rank"),
    [(500, 0.99, 5), (500, 0.95, 25), (250, 0.99, 3), (250, 0.95, 13), (100, 0.95, 5), (100, 0.99, 1), (20, 0.99, 1), (1000, 0.999, 1)],
)
def test_the_rank_is_the_ceiling_of_the_tail_and_rounding_does_not_push_it_up(scenarios, confidence, rank):
    # In floating point 100 x (1 - 0.95) is 5.000000000000004: a bare ceiling would take the sixth.
    assert tail_rank(scenarios, confidence) == rank


def test_value_at_risk_and_expected_shortfall_by_hand():
    # Ascending: -50 -40 -30 -20 -10 10 …; 97 % of 100 scenarios: rank 3.
    found = tail_risk(LOSSES, 0.97)
    assert found.value_at_risk == pytest.approx([30])
    assert found.expected_shortfall == pytest.approx([(50 + 40 + 30) / 3])
    assert tail_risk(LOSSES, 0.99).value_at_risk == [50]
    assert tail_risk(LOSSES, 0.94).value_at_risk == [-10]  # the sixth scenario is a profit


def test_equal_losses_all_count_in_the_expected_shortfall():
    profit = np.array([[-9.0, -5, -5, -5, 0, 0, 0, 0, 0, 0]])
    found = tail_risk(profit, 0.8)  # rank 2, but three scenarios stand at it
    assert found.value_at_risk == [5]
    assert found.expected_shortfall == pytest.approx([(9 + 5 + 5 + 5) / 4])


def test_a_book_that_never_moves_risks_nothing():
    flat = np.zeros((2, 50))
    assert list(tail_risk(flat, 0.99).value_at_risk) == [0, 0]
    parts = components(flat, flat.sum(axis=0), 0.99)
    assert list(parts.value_at_risk) == [0, 0]
    assert standard_error(flat[0], 0.99) == 0


def test_kernel_components_of_many_normal_scenarios_are_the_gaussian_ones():
    random = np.random.default_rng(11)
    covariance = np.array([[4.0, 1.2, 0], [1.2, 1.0, -0.5], [0, -0.5, 2.0]])
    profit = random.multivariate_normal(np.zeros(3), covariance, 200_000).T
    found = components(profit, profit.sum(axis=0), 0.95)
    sigma = np.sqrt(covariance.sum())
    assert found.value_at_risk == pytest.approx(norm.ppf(0.95) * covariance.sum(axis=1) / sigma, rel=0.03)
    assert found.expected_shortfall == pytest.approx(norm.pdf(norm.ppf(0.95)) / 0.05 * covariance.sum(axis=1) / sigma, rel=0.03)


def test_the_component_of_a_strategy_that_is_the_portfolio_is_the_whole():
    random = np.random.default_rng(2)
    profit = random.normal(size=(1, 300))
    assert components(profit, profit[0], 0.99).value_at_risk == pytest.approx(tail_risk(profit, 0.99).value_at_risk)


def test_an_outlying_loss_narrows_the_kernel_to_it():
    # The kernel at Silverman's width would see scenarios of profit only beside the single loss.
    random = np.random.default_rng(4)
    profit = random.normal(0, 1, (3, 60))
    profit[:, 7] = [-400, 100, -700]
    found = components(profit, profit.sum(axis=0), 0.99)
    assert found.value_at_risk == pytest.approx([400, -100, 700], rel=1e-6)


def test_the_standard_error_of_a_normal_quantile_is_the_asymptotic_one():
    n = 4000
    profit = norm.ppf((np.arange(n) + 0.5) / n)
    expected = np.sqrt(0.95 * 0.05 / n) / norm.pdf(norm.ppf(0.95))
    assert standard_error(profit, 0.95) == pytest.approx(expected, rel=0.1)
    assert standard_error(profit, 0.95, horizon_days=10) == pytest.approx(standard_error(profit, 0.95) * np.sqrt(10))


def test_the_standard_error_is_the_spread_of_repeated_samples():
    random = np.random.default_rng(8)
    samples = random.standard_t(5, (400, 500))
    spread = tail_risk(samples, 0.95).value_at_risk.std()
    assert np.mean([standard_error(s, 0.95) for s in samples]) == pytest.approx(spread, rel=0.15)


def test_the_bandwidth_is_silvermans():
    profit = norm.ppf((np.arange(5000) + 0.5) / 5000)
    assert bandwidth(profit) == pytest.approx(0.9 * 5000**-0.2, rel=0.02)
    assert bandwidth(np.array([0.0] * 98 + [-1, 1])) > 0  # quartiles coincide


profits = st.integers(0, 10_000).map(
    lambda seed: np.random.default_rng(seed).standard_t(3, (1 + seed % 6, 20 + seed % 200)) * 10.0 ** (seed % 7 - 1)
)
confidences = st.floats(0.8, 0.995)


@given(profits, confidences)
@settings(max_examples=100)
def test_components_add_up_to_value_at_risk_and_expected_shortfall(profit, confidence):
    total = profit.sum(axis=0)
    risk, parts = tail_risk(total[None, :], confidence), components(profit, total, confidence)
    scale = np.abs(profit).max()
    assert parts.value_at_risk.sum() == pytest.approx(risk.value_at_risk[0], abs=1e-9 * scale)
    assert parts.expected_shortfall.sum() == pytest.approx(risk.expected_shortfall[0], abs=1e-9 * scale)


@given(profits, confidences, st.floats(0.01, 1000))
@settings(max_examples=50)
def test_risk_scales_with_the_book_and_components_with_it(profit, confidence, factor):
    once, scaled = tail_risk(profit, confidence), tail_risk(profit * factor, confidence)
    assert scaled.value_at_risk == pytest.approx(once.value_at_risk * factor, rel=1e-9)
    assert scaled.expected_shortfall == pytest.approx(once.expected_shortfall * factor, rel=1e-9)


@given(profits, confidences, st.floats(0, 0.1))
@settings(max_examples=100)
def test_risk_never_falls_with_confidence_and_shortfall_never_below_value_at_risk(profit, confidence, more):
    low, high = tail_risk(profit, confidence), tail_risk(profit, min(confidence + more, 0.999))
    scale = np.abs(profit).max()
    assert np.all(high.value_at_risk >= low.value_at_risk)
    assert np.all(high.expected_shortfall >= low.expected_shortfall - 1e-12 * scale)
    assert np.all(low.expected_shortfall >= low.value_at_risk - 1e-12 * scale)


@given(profits, confidences, st.integers(0, 100))
@settings(max_examples=50)
def test_the_order_of_scenarios_does_not_matter(profit, confidence, seed):
    order = np.random.default_rng(seed).permutation(profit.shape[1])
    shuffled = profit[:, order]
    assert tail_risk(shuffled, confidence).value_at_risk == pytest.approx(tail_risk(profit, confidence).value_at_risk, rel=1e-12)
    parts, again = components(profit, profit.sum(axis=0), confidence), components(shuffled, shuffled.sum(axis=0), confidence)
    assert again.value_at_risk == pytest.approx(parts.value_at_risk, rel=1e-6, abs=1e-9 * np.abs(profit).max())
