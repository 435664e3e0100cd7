"""Tails of quadratic forms: published probabilities, closed forms, brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, ncx2, norm

from margin_pipeline.risk.quadratic import Quadratics, contours, cumulants, tails


def form(curvature, slope, constant=0.0, normal_variance=0.0):
    curvature, slope = np.array([curvature], float), np.array([slope], float)
    variance = normal_variance + (slope**2).sum() + (curvature**2).sum() / 2
    return Quadratics(np.array([constant + curvature.sum() / 2]), np.array([variance]), curvature, slope)


def lower_tail(given_form, probability):
    return tails(given_form, contours(given_form, probability), probability)


@pytest.mark.parametrize(("at", "above"), [(0.1, 0.9458), (2.0, 0.1240)])
def test_imhofs_table(at, above):
    # Imhof (1961), "Computing the distribution of quadratic forms in normal variables", table 1, Q1 = 0.6 χ² + 0.3 χ² + 0.1 χ².
    weights = 2 * np.array([0.6, 0.3, 0.1])
    if above > 0.5:
        assert lower_tail(form(weights, np.zeros(3)), 1 - above).quantile[0] == pytest.approx(at, rel=2e-3)
    else:
        assert -lower_tail(form(-weights, np.zeros(3)), above).quantile[0] == pytest.approx(at, rel=2e-3)


@pytest.mark.parametrize("probability", [0.2, 0.05, 0.01, 0.001])
def test_without_curvature_it_is_the_normal_distribution(probability):
    found = lower_tail(form([0.0], [0.0], constant=3.0, normal_variance=4.0), probability)
    z = norm.ppf(probability)
    assert found.quantile[0] == pytest.approx(3 + 2 * z, rel=1e-10)
    assert found.mean_below[0] == pytest.approx(3 - 2 * norm.pdf(z) / probability, rel=1e-10)


@pytest.mark.parametrize("probability", [0.2, 0.05, 0.01, 0.001])
@pytest.mark.parametrize(("curvature", "slope"), [(2.0, 0.0), (-2.0, 0.0), (2.0, 1.0), (-2.0, 1.0), (2.0, 5.0), (0.01, 1.0), (-0.01, 1.0)])
def test_one_variable_has_a_noncentral_chi_squared_distribution(curvature, slope, probability):
    # b y + λ/2 y² = λ/2 (y + b/λ)² − b²/(2λ)
    centre, lowest = (slope / curvature) ** 2, -(slope**2) / (2 * curvature)
    square = chi2(1) if slope == 0 else ncx2(1, centre)
    expected = lowest + curvature / 2 * (square.ppf(probability) if curvature > 0 else square.isf(probability))
    assert lower_tail(form([curvature], [slope]), probability).quantile[0] == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("count", [2, 3, 10])
@pytest.mark.parametrize("normal_variance", [0.0, 1e-6, 0.5])
def test_many_variables_against_brute_force(count, normal_variance):
    random = np.random.default_rng(count)
    curvature, slope = random.normal(size=count), random.normal(size=count)
    y, n = random.standard_normal((400_000, count)), random.standard_normal(400_000)
    drawn = 0.1 + y @ slope + y**2 @ curvature / 2 + np.sqrt(normal_variance) * n
    for probability in (0.05, 0.01):
        found = lower_tail(form(curvature, slope, 0.1, normal_variance), probability)
        error = np.sqrt(probability * (1 - probability) / len(drawn))
        assert np.mean(drawn <= found.quantile[0]) == pytest.approx(probability, abs=4 * error)
        assert drawn[drawn <= found.quantile[0]].mean() == pytest.approx(found.mean_below[0], rel=0.02)


def test_cumulants_are_those_of_the_sum_of_its_variables():
    # Independent factors: each is a noncentral chi-squared variable, whose cumulants add up (Mathai and Provost, section 3.2b).
    curvature, slope, deviation = np.array([3.0, -1.0, 0.5]), np.array([1.0, 2.0, -0.5]), np.array([0.5, 1.0, 2.0])
    weight, centre = curvature * deviation**2 / 2, (slope / (curvature * deviation)) ** 2
    found = cumulants(0.7, slope, curvature, np.diag(deviation**2))
    lowest = 0.7 - (slope**2 / (2 * curvature)).sum()
    expected = [2 ** (k - 1) * f * (weight**k * (1 + k * centre)).sum() for k, f in ((1, 1), (2, 1), (3, 2), (4, 6))]
    assert found == pytest.approx([expected[0] + lowest, *expected[1:]])


def test_cumulants_with_correlation_are_the_sample_ones():
    random = np.random.default_rng(1)
    root = random.normal(size=(3, 3))
    slope, curvature = random.normal(size=3), random.normal(size=3)
    r = random.standard_normal((1_000_000, 3)) @ root.T
    drawn = r @ slope + r**2 @ curvature / 2
    centred = drawn - drawn.mean()
    mean, variance, third, fourth = cumulants(0.0, slope, curvature, root @ root.T)
    assert drawn.mean() == pytest.approx(mean, abs=0.01 * np.sqrt(variance))
    assert centred.var() == pytest.approx(variance, rel=0.02)
    assert (centred**3).mean() / variance**1.5 == pytest.approx(third / variance**1.5, abs=0.1)
    assert (centred**4).mean() / variance**2 - 3 == pytest.approx(fourth / variance**2, rel=0.15)


@given(st.integers(0, 10_000), st.floats(0.001, 0.2))
@settings(max_examples=40)
def test_the_distribution_function_at_the_quantile_is_the_probability_on_another_curve(seed, probability):
    random = np.random.default_rng(seed)
    count = 1 + seed % 5
    given_form = form(random.normal(size=count), random.normal(size=count) * (seed % 3), normal_variance=seed % 2 * 0.3)
    own, other = lower_tail(given_form, probability), tails(given_form, contours(given_form, probability / 3), probability)
    scale = np.sqrt(given_form.variance[0])
    assert own.quantile[0] == pytest.approx(other.quantile[0], abs=1e-7 * scale)
    assert own.mean_below[0] == pytest.approx(other.mean_below[0], abs=1e-7 * scale)
    assert own.mean_below[0] <= own.quantile[0]
