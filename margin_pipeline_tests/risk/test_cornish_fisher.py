"""Cornish-Fisher: moments by hand, a distribution with known quantiles, components as derivatives, the domain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2, norm

from margin_pipeline.risk.cornish_fisher import (
    Moments,
    components,
    expected_shortfall_expansion,
    is_in_domain,
    moments,
    value_at_risk_expansion,
)


def shape(skewness=0.0, excess_kurtosis=0.0):
    return Moments(np.zeros(1), np.ones(1), np.array([skewness]), np.array([excess_kurtosis]))


def test_population_moments_by_hand():
    found = moments(np.array([[1.0, 2, 3, 10]]))
    # Deviations -3 -2 -1 6: squares add up to 50, cubes to 180, fourth powers to 1394.
    assert found.mean == [4]
    assert found.deviation == pytest.approx([np.sqrt(12.5)])
    assert found.skewness == pytest.approx([45 / 12.5**1.5])
    assert found.excess_kurtosis == pytest.approx([348.5 / 12.5**2 - 3])


def test_without_skewness_and_kurtosis_it_is_the_normal_quantile():
    assert value_at_risk_expansion(0.99).loss(shape()) == pytest.approx([norm.ppf(0.99)])
    assert expected_shortfall_expansion(0.99).loss(shape()) == pytest.approx([norm.pdf(norm.ppf(0.99)) / 0.01])


@pytest.mark.parametrize("freedom", [20, 50])
def test_quantiles_of_a_chi_squared_loss(freedom):
    # Skewness √(8/ν) and excess kurtosis 12/ν; the profit is minus a chi-squared variable.
    known = Moments(np.array([-freedom]), np.array([np.sqrt(2 * freedom)]), np.array([-np.sqrt(8 / freedom)]), np.array([12 / freedom]))
    assert is_in_domain(known, 0.99).all()
    assert value_at_risk_expansion(0.99).loss(known) == pytest.approx([chi2.ppf(0.99, freedom)], rel=2e-3)


@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_the_shortfall_is_the_mean_of_the_quantiles_of_the_tail(confidence):
    given_shape = shape(-0.4, 1.5)
    mean = quad(lambda u: value_at_risk_expansion(1 - u).loss(given_shape)[0], 0, 1 - confidence, epsabs=1e-12)[0] / (1 - confidence)
    assert expected_shortfall_expansion(confidence).loss(given_shape) == pytest.approx([mean], rel=1e-6)


@pytest.mark.parametrize(
    ("skewness", "kurtosis", "inside"),
    [
        (0, 0, True),
        (0, 7.9, True),
        (0, 8.1, False),
        (-1.0, 4.0, True),
        (0, -0.5, True),
        (-2.24, 6.99, False),
        (3.0, 5.0, False),
        (0, -1.2, False),
    ],
)
def test_the_domain(skewness, kurtosis, inside):
    # Excess kurtosis of 8 is the end of Maillard's domain without skewness.
    assert is_in_domain(shape(float(skewness), float(kurtosis)), 0.99)[0] == inside


profits = st.integers(0, 1000).map(lambda seed: np.random.default_rng(seed).gamma(4.0, 100.0, (1 + seed % 5, 100 + seed)) - 390.0)


@given(profits, st.floats(0.9, 0.995))
@settings(max_examples=30)
def test_components_add_up_and_are_derivatives(profit, confidence):
    step = 1e-6
    for expansion in (value_at_risk_expansion(confidence), expected_shortfall_expansion(confidence)):
        parts = components(profit, expansion)
        total = expansion.loss(moments(profit.sum(axis=0)[None]))[0]
        scale = np.abs(profit).max()
        assert parts.sum() == pytest.approx(total, rel=1e-9, abs=1e-9 * scale)
        up, down = (expansion.loss(moments((profit.sum(axis=0) + d * profit[0])[None]))[0] for d in (step, -step))
        assert parts[0] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-4 * scale)


def test_a_book_that_never_moves_has_its_constant_profit():
    assert value_at_risk_expansion(0.99).loss(moments(np.full((1, 50), 0.1))) == pytest.approx([-0.1])
    assert list(components(np.zeros((2, 50)), value_at_risk_expansion(0.99))) == [0, 0]
