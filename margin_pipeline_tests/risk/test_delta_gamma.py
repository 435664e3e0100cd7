"""Delta-gamma risk: brute force, components as derivatives, linear books, singular covariances, many underlyings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from margin_pipeline.risk.delta_gamma import portfolio_forms
from margin_pipeline.risk.delta_gamma_method import horizon_figures

CONFIDENCES = (0.95, 0.99)


def market(factors, seed=1, observations=80):
    random = np.random.default_rng(seed)
    correlation = np.atleast_2d(np.corrcoef(random.normal(size=(factors, observations)) + 0.6 * random.normal(size=(1, observations))))
    volatility = random.uniform(0.01, 0.03, factors)
    return correlation * volatility * volatility[:, None]


def exposures(strategies, factors, seed=2, curvature=3e6):
    random = np.random.default_rng(seed)
    gamma = random.normal(-0.3, 1, (strategies, factors)) * curvature
    gamma[:, ::3] = 0  # factors without options
    return random.normal(size=(strategies, factors)) * 1e5, gamma


def figures(delta, gamma, covariance, horizon=1, most=64, confidences=CONFIDENCES):
    forms = portfolio_forms(delta, gamma, delta @ covariance, covariance, most)
    return list(horizon_figures([forms], confidences, horizon)[0].values())


@pytest.fixture(scope="module")
def drawn():
    random = np.random.default_rng(5)
    covariance = market(6)
    returns = np.sqrt(10) * random.standard_normal((400_000, 6)) @ np.linalg.cholesky(covariance).T
    return covariance, returns


def test_portfolio_strategies_and_what_is_left_without_one_against_brute_force(drawn):
    covariance, returns = drawn
    delta, gamma = exposures(3, 6)
    profit = returns @ delta.T + returns**2 @ gamma.T / 2
    total = profit.sum(axis=1)
    for confidence, (portfolio, strategy) in zip(CONFIDENCES, figures(delta, gamma, covariance, 10), strict=True):
        tail = 1 - confidence
        error = 4 * np.sqrt(tail * confidence / len(total))
        assert np.mean(total <= -portfolio["var"]) == pytest.approx(tail, abs=error)
        assert -total[total <= -portfolio["var"]].mean() == pytest.approx(portfolio["expected_shortfall"], rel=0.02)
        shortfalls = -profit[total <= -portfolio["var"]].mean(axis=0)
        assert strategy["component_expected_shortfall"] == pytest.approx(shortfalls, abs=0.02 * portfolio["expected_shortfall"])
        for s in range(3):
            assert np.mean(profit[:, s] <= -strategy["var"][s]) == pytest.approx(tail, abs=error)
            without = portfolio["var"] - strategy["incremental_var"][s]
            assert np.mean(total - profit[:, s] <= -without) == pytest.approx(tail, abs=error)


def test_components_are_derivatives_in_the_size_of_a_strategy_and_add_up():
    covariance, (delta, gamma) = market(6), exposures(3, 6)
    step = 1e-5
    for number in (0, 1):
        portfolio, strategy = figures(delta, gamma, covariance, 10)[number]
        for name, part in (("var", "component_var"), ("expected_shortfall", "component_expected_shortfall")):
            assert strategy[part].sum() == pytest.approx(portfolio[name], rel=1e-9)
            for s in range(3):
                size = np.ones((3, 1))
                size[s] += step
                up = figures(delta * size, gamma * size, covariance, 10)[number][0][name]
                size[s] -= 2 * step
                down = figures(delta * size, gamma * size, covariance, 10)[number][0][name]
                assert strategy[part][s] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-5 * portfolio[name])


def test_a_book_without_gamma_has_the_gaussian_figures():
    covariance, (delta, gamma) = market(5), exposures(4, 5)
    for confidence, (portfolio, strategy) in zip(CONFIDENCES, figures(delta, 0 * gamma, covariance, 10), strict=True):
        total = delta.sum(axis=0)
        deviation = np.sqrt(10 * total @ covariance @ total)
        assert portfolio["var"] == pytest.approx(norm.ppf(confidence) * deviation, rel=1e-9)
        expected = 10 * delta @ covariance @ total / deviation * norm.ppf(confidence)
        assert strategy["component_var"] == pytest.approx(expected, rel=1e-8, abs=1e-9 * portfolio["var"])


def test_one_strategy_is_the_portfolio_and_without_it_nothing_is_left():
    delta, gamma = exposures(1, 6)
    portfolio, strategy = figures(delta, gamma, market(6))[1]
    for name in ("var", "component_var", "incremental_var"):
        assert strategy[name][0] == pytest.approx(portfolio["var"], rel=1e-9)


def test_a_hedged_book_risks_nothing():
    delta, gamma = exposures(1, 6)
    portfolio, strategy = figures(np.vstack([delta, -delta]), np.vstack([gamma, -gamma]), market(6))[0]
    assert portfolio["var"] == 0
    assert strategy["component_var"].sum() == 0
    assert (strategy["var"] > 0).all()


def test_two_names_of_one_factor_count_as_one():
    # A covariance of rank one: two share classes that never part.
    one = np.array([[1e-4]])
    both = np.full((2, 2), 1e-4)
    expected = figures(np.array([[3e5]]), np.array([[-5e6]]), one)
    found = figures(np.array([[1e5, 2e5]]), np.array([[-2e6, -3e6]]), both)
    assert found[1][0]["var"] == pytest.approx(expected[1][0]["var"], rel=1e-6)


def test_leading_variables_of_many_underlyings_come_close_to_all():
    covariance, (delta, gamma) = market(120, observations=300), exposures(4, 120)
    exact, leading = (figures(delta, gamma, covariance, 10, most) for most in (200, 16))
    for (portfolio, strategy), (near, near_strategy) in zip(exact, leading, strict=True):
        assert near["var"] == pytest.approx(portfolio["var"], rel=0.005)
        assert near_strategy["component_var"].sum() == pytest.approx(near["var"], rel=1e-9)
        for name in ("var", "component_var", "incremental_var"):
            assert near_strategy[name] == pytest.approx(strategy[name], abs=0.02 * portfolio["var"])


def test_long_gamma_loses_less_than_delta_alone_and_short_gamma_more():
    covariance, (delta, gamma) = market(3), exposures(1, 3)
    plain, long, short = (figures(delta, sign * np.abs(gamma), covariance, 10)[1][0]["var"] for sign in (0, 1, -1))
    assert long < plain < short


@given(st.integers(0, 1000), st.floats(1e-3, 1e3))
@settings(max_examples=20)
def test_risk_scales_with_the_book_and_components_add_up(seed, factor):
    covariance = market(1 + seed % 5, seed)
    delta, gamma = exposures(1 + seed % 3, 1 + seed % 5, seed)
    for once, scaled in zip(figures(delta, gamma, covariance), figures(factor * delta, factor * gamma, covariance), strict=True):
        assert scaled[0]["var"] == pytest.approx(factor * once[0]["var"], rel=1e-9)
        assert scaled[0]["expected_shortfall"] == pytest.approx(factor * once[0]["expected_shortfall"], rel=1e-9)
        assert once[1]["component_var"].sum() == pytest.approx(once[0]["var"], rel=1e-9, abs=1e-9 * np.abs(once[1]["var"]).max())
        assert once[0]["expected_shortfall"] >= once[0]["var"]


@given(st.floats(0.55, 0.999), st.integers(0, 50))
@settings(max_examples=20)
def test_confidences_together_give_what_each_gives_alone(confidence, seed):
    covariance, (delta, gamma) = market(4, seed), exposures(2, 4, seed)
    together = figures(delta, gamma, covariance, confidences=(0.6, confidence, 0.999))[1][0]
    alone = figures(delta, gamma, covariance, confidences=(confidence,))[0][0]
    assert together["var"] == pytest.approx(alone["var"], rel=1e-8, abs=1e-8 * alone["expected_shortfall"])
