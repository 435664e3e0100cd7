"""Gaussian risk: closed forms of two assets, SciPy's normal distribution, Euler's theorem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from margin_pipeline.risk.gaussian import daily_deviations, expected_shortfall_factor, value_at_risk_factor

TWO = np.array([[1.0, 0.3], [0.3, 1.0]])


def test_two_assets_risk_what_hull_prints():
    # Hull, Options, Futures, and Other Derivatives, section 22.3: $10m Microsoft at 2 % a day, $5m AT&T at 1 %, correlation 0.3;
    # standard deviation 220,200, ten-day 99 % VaR 1,620,100; on their own 1,471,300 and 367,800.
    found = daily_deviations(np.array([[10e6, 0], [0, 5e6]]), np.array([0, 0]), 1, TWO, np.array([0.02, 0.01]))
    assert found.portfolio == pytest.approx([220_227], abs=1)
    factor = value_at_risk_factor(0.99, 10)
    assert factor * found.portfolio[0] == pytest.approx(1_620_100, abs=200)
    assert factor * found.strategy == pytest.approx([1_471_300, 367_800], abs=200)


def test_components_of_two_assets_are_their_covariances_with_the_total():
    found = daily_deviations(np.array([[10e6, 0], [0, 5e6]]), np.array([0, 0]), 1, TWO, np.array([0.02, 0.01]))
    sigma = np.sqrt(0.2e6**2 + 0.05e6**2 + 2 * 0.3 * 0.2e6 * 0.05e6)
    assert found.component == pytest.approx([(0.2e6**2 + 0.3 * 0.2e6 * 0.05e6) / sigma, (0.05e6**2 + 0.3 * 0.2e6 * 0.05e6) / sigma])
    assert found.without_strategy == pytest.approx([0.05e6, 0.2e6])


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.9, 0.95, 0.975, 0.99, 0.999])
def test_any_confidence_has_its_own_quantile_and_tail_mean(confidence):
    assert value_at_risk_factor(confidence, 1) == pytest.approx(norm.ppf(confidence), abs=1e-12)
    tail, _ = quad(lambda x: x * norm.pdf(x), norm.ppf(confidence), 12)
    assert expected_shortfall_factor(confidence, 1) == pytest.approx(tail / (1 - confidence), rel=1e-7)
    assert expected_shortfall_factor(confidence, 10) == pytest.approx(expected_shortfall_factor(confidence, 1) * np.sqrt(10))


def test_a_perfectly_hedged_portfolio_risks_nothing_and_has_no_components():
    found = daily_deviations(np.array([[1e6], [-1e6]]), np.array([0, 0]), 1, np.ones((1, 1)), np.array([0.02]))
    assert found.portfolio == [0]
    assert list(found.component) == [0, 0]
    assert found.without_strategy == pytest.approx([20_000, 20_000])


def test_without_its_only_strategy_a_portfolio_risks_exactly_nothing():
    random = np.random.default_rng(1)
    correlation = np.corrcoef(random.normal(size=(6, 50)))
    found = daily_deviations(random.normal(size=(1, 6)) * 1e6, np.array([0]), 1, correlation, np.full(6, 0.01))
    assert list(found.without_strategy) == [0]


@st.composite
def books(draw):
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    strategies, factors = draw(st.integers(1, 8)), draw(st.integers(1, 10))
    portfolios = draw(st.integers(1, 3))
    exposure = random.normal(size=(strategies, factors)) * 10 ** random.uniform(0, 7, (strategies, 1))
    owner = np.sort(random.integers(0, portfolios, strategies))
    # Fewer observations than factors at times: singular correlations are to be met in practice.
    correlation = np.atleast_2d(np.corrcoef(random.normal(size=(factors, draw(st.integers(3, 30))))))
    return exposure, owner, portfolios, correlation, random.uniform(0, 0.05, factors)


@given(books())
@settings(max_examples=100)
def test_components_add_up_to_the_portfolio(book):
    exposure, owner, portfolios, correlation, volatility = book
    found = daily_deviations(*book)
    sums = np.bincount(owner, weights=found.component, minlength=portfolios)
    scale = np.bincount(owner, weights=np.abs(exposure) @ volatility, minlength=portfolios)
    assert np.all(np.abs(sums - found.portfolio) <= 1e-9 * np.maximum(scale, 1))
    for portfolio in range(portfolios):
        total = exposure[owner == portfolio].sum(axis=0) * volatility
        assert found.portfolio[portfolio] ** 2 == pytest.approx(max(total @ correlation @ total, 0), abs=1e-9 * (1 + scale[portfolio] ** 2))


@given(books(), st.floats(0.01, 100))
@settings(max_examples=50)
def test_risk_scales_with_the_book(book, factor):
    once, scaled = daily_deviations(*book), daily_deviations(book[0] * factor, *book[1:])
    scale = np.abs(book[0]).sum() * factor
    for name in ("portfolio", "strategy", "without_strategy", "component"):
        assert getattr(scaled, name) == pytest.approx(factor * getattr(once, name), rel=1e-6, abs=1e-6 * scale)


@given(st.floats(0.5, 0.99), st.floats(0.001, 0.009), st.integers(1, 20))
def test_risk_rises_with_confidence_and_horizon(confidence, more, horizon):
    assert value_at_risk_factor(confidence + more, horizon) > value_at_risk_factor(confidence, horizon)
    assert expected_shortfall_factor(confidence + more, horizon) > expected_shortfall_factor(confidence, horizon)
    assert expected_shortfall_factor(confidence, horizon + 1) > expected_shortfall_factor(confidence, horizon)
    assert expected_shortfall_factor(confidence, horizon) > value_at_risk_factor(confidence, horizon)
