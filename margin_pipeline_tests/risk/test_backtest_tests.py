"""Tests of value at risk: published tables, formulas written out, and what happens at the edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from margin_pipeline.risk import backtest_tests as tests

KUPIEC_REGIONS = {
    # Kupiec (1995), table 3; Jorion, Value at Risk, table 6-2: numbers of exceptions N that are not rejected at 5 %.
    (0.99, 255): (0, 7), (0.99, 510): (1, 11), (0.99, 1000): (4, 17),
    (0.975, 255): (2, 12), (0.975, 510): (6, 21), (0.975, 1000): (15, 36),
    (0.95, 255): (6, 21), (0.95, 510): (16, 36), (0.95, 1000): (37, 65),
    (0.925, 255): (11, 28), (0.925, 510): (27, 51), (0.925, 1000): (59, 92),
    (0.90, 255): (16, 36), (0.90, 510): (38, 65), (0.90, 1000): (81, 120),
}  # fmt: skip
BCBS_TABLE_2 = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
"""BCBS (January 1996), table 2: cumulative probability in per cent of 0 to 10 exceptions of 250 at 99 %."""


def runs(text):
    """A row of exceptions from a string of 0 and 1, all days observed."""
    row = np.array([[c == "1" for c in text]])
    return tests.transitions(row, np.ones_like(row))


@pytest.mark.parametrize(("case", "region"), KUPIEC_REGIONS.items())
def test_the_regions_of_kupiecs_table_are_not_rejected_and_their_neighbours_are(case, region):
    confidence, days = case
    counts = np.arange(days + 1)
    accepted = counts[tests.kupiec(counts, np.full(days + 1, days), confidence).p_value > 0.05]
    assert (accepted.min(), accepted.max()) == (region[0] + 1, region[1] - 1)


def test_kupiec_is_the_ratio_of_the_two_likelihoods():
    x, n, p = 7, 250, 0.01
    expected = 2 * np.log(((1 - x / n) ** (n - x) * (x / n) ** x) / ((1 - p) ** (n - x) * p**x))
    found = tests.kupiec(np.array([x]), np.array([n]), 1 - p)
    assert found.statistic == pytest.approx(expected)
    assert found.p_value == pytest.approx(chi2.sf(expected, 1))


def test_kupiec_is_defined_without_and_with_nothing_but_exceptions():
    found = tests.kupiec(np.array([0, 250, 0]), np.array([250, 250, 0]), 0.99)
    assert found.statistic == pytest.approx([-500 * np.log(0.99), -500 * np.log(0.01), 0.0])
    assert found.p_value == pytest.approx([chi2.sf(-500 * np.log(0.99), 1), 0.0, 1.0])


def test_exactly_the_expected_number_gives_a_statistic_of_zero():
    found = tests.kupiec(np.array([5]), np.array([100]), 0.95)
    assert found.statistic == pytest.approx(0.0, abs=1e-12)
    assert found.p_value == pytest.approx(1.0, abs=1e-5)


def test_transitions_are_counted_between_observed_neighbours_only():
    row = np.array([[True, True, False, False, True, False]])
    assert tests.transitions(row, np.ones_like(row)).tolist() == [[[1, 1], [2, 1]]]
    unseen = np.array([[False, True, True, True, True, True]])
    assert tests.transitions(row, unseen).tolist() == [[[1, 1], [2, 0]]]


def test_independence_is_christoffersens_ratio():
    n00, n01, n10, n11 = 480.0, 9.0, 7.0, 4.0
    p01, p11, p = n01 / (n00 + n01), n11 / (n10 + n11), (n01 + n11) / 500
    expected = 2 * (n00 * np.log(1 - p01) + n01 * np.log(p01) + n10 * np.log(1 - p11) + n11 * np.log(p11))
    expected -= 2 * ((n00 + n10) * np.log(1 - p) + (n01 + n11) * np.log(p))
    found = tests.independence(np.array([[[n00, n01], [n10, n11]]]))
    assert found.statistic == pytest.approx(expected)
    assert found.p_value == pytest.approx(chi2.sf(expected, 1))


@pytest.mark.parametrize("text", ["0" * 250, "1" * 250, "0", "1", "01", "10"])
def test_independence_says_nothing_where_nothing_can_be_told(text):
    found = tests.independence(runs(text))
    assert np.isfinite(found.statistic).all()
    assert found.p_value >= 0.05


def test_one_cluster_is_rejected_and_the_same_number_spread_out_is_not():
    clustered, spread = "0" * 120 + "1" * 8 + "0" * 122, ("0" * 30 + "1") * 8 + "00"
    assert tests.independence(runs(clustered)).p_value < 0.001
    assert tests.independence(runs(spread)).p_value > 0.3


def test_conditional_coverage_is_the_sum_of_both_with_two_degrees_of_freedom():
    coverage, clustering = tests.kupiec(np.array([7]), np.array([250]), 0.99), tests.independence(runs("0" * 100 + "11" + "0" * 100))
    both = tests.conditional_coverage(coverage, clustering)
    total = coverage.statistic + clustering.statistic
    assert both.statistic == pytest.approx(total)
    assert both.p_value == pytest.approx(chi2.sf(total, 2))


def test_cumulative_probabilities_are_those_of_the_basel_table():
    found = 100 * tests.cumulative_probability(np.arange(11), np.full(11, 250), 0.99)
    assert found == pytest.approx(BCBS_TABLE_2, abs=0.0051)


def test_zones_of_250_days_at_99_per_cent_are_those_of_the_basel_table():
    zones = tests.traffic_light(np.arange(12), np.full(12, 250), 0.99, 0.95, 0.9999)
    assert zones.tolist() == ["green"] * 5 + ["yellow"] * 5 + ["red"] * 2


@pytest.mark.parametrize(("days", "confidence"), [(500, 0.99), (250, 0.95), (125, 0.975), (3, 0.99)])
def test_zones_of_other_cases_begin_where_the_binomial_distribution_says(days, confidence):
    counts = np.arange(1, days + 1)
    zones = tests.traffic_light(counts, np.full(days, days), confidence, 0.95, 0.9999)
    probability = binom.cdf(counts, days, 1 - confidence)
    assert zones.tolist() == np.select([probability >= 0.9999, probability >= 0.95], ["red", "yellow"], "green").tolist()
    assert tests.traffic_light(np.array([0]), np.array([days]), confidence, 0.95, 0.9999)[0] == "green"


def test_the_last_addition_counts_for_more_exceptions():
    assert tests.multiplier_addition(np.array([0, 4, 5, 10, 60]), [0, 0, 0, 0, 0, 0.4, 0.5, 0.65, 0.75, 0.85, 1.0]).tolist() == [
        0,
        0,
        0.4,
        1,
        1,
    ]


@settings(max_examples=60)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.floats(0.5, 0.999))
def test_every_series_has_figures_and_probabilities(days, confidence):
    row = np.array([days])
    coverage = tests.kupiec(row.sum(axis=1), np.array([len(days)]), confidence)
    clustering = tests.independence(tests.transitions(row, np.ones_like(row)))
    for found in (coverage, clustering, tests.conditional_coverage(coverage, clustering)):
        assert found.statistic >= 0
        assert 0 <= found.p_value <= 1
