"""Sums by group: as exact as the rounded true sum, and the same in every order."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.regulation.exact_sums import group_sums

NUMBERS = st.lists(st.floats(-1e12, 1e12, allow_nan=False), min_size=1, max_size=60)


@settings(max_examples=80, deadline=None)
@given(NUMBERS, st.randoms(use_true_random=False))
def test_order_changes_not_even_the_last_bit(values, random):
    groups = [n % 3 for n in range(len(values))]
    pairs = list(zip(values, groups, strict=True))
    first = group_sums(np.array(values), np.array(groups), 3)
    random.shuffle(pairs)
    again = group_sums(np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]), 3)
    assert first.tolist() == again.tolist()


@settings(max_examples=80, deadline=None)
@given(NUMBERS)
def test_the_sum_is_the_true_one_to_the_last_bits_of_the_greatest_term(values):
    greatest = max(abs(v) for v in values)
    assert abs(group_sums(np.array(values), np.zeros(len(values), dtype=int), 1)[0] - math.fsum(values)) <= 1e-15 * greatest * len(values)


def test_a_missing_value_leaves_its_group_unknown_and_no_other():
    found = group_sums(np.array([1.0, np.nan, 2.0]), np.array([0, 1, 0]), 3)
    assert found[[0, 2]].tolist() == [3.0, 0.0]
    assert np.isnan(found[1])


def test_small_terms_survive_beside_great_ones_that_cancel():
    assert group_sums(np.array([1e15, 1.25, -1e15]), np.zeros(3, dtype=int), 1).tolist() == [1.25]
