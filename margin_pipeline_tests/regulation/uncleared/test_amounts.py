"""Thresholds, credit support amounts and minimum transfer amounts: worked figures, then properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.regulation.uncleared.amounts import moves, scaled_to, threshold_shares, variation_margin_due, variation_sides

NONE = np.array([np.nan])
AMOUNTS = st.floats(0, 1e9).map(lambda x: round(x, 2))
SIGNED = st.floats(-1e9, 1e9).map(lambda x: round(x, 2))


def due(value, threshold=0.0, held=0.0):
    """Variation margin due to us for one netting set."""
    return float(variation_margin_due(np.array([value]), np.array([threshold]), np.array([held]))[0])


def sides(value, threshold=0.0, held=0.0, minimum=0.0):
    """Call and post side of variation margin of one netting set: what is delivered and returned on each."""
    v, t, h, m = (np.array([x]) for x in (value, threshold, held, minimum))
    owed = variation_margin_due(v, t, h)
    moving = moves((np.maximum(owed, 0.0),), m), moves((np.maximum(-owed, 0.0),), m)
    call, post = variation_sides(v, t, h, moving)
    return float(call.delivery[0]), float(call.returned[0]), float(post.delivery[0]), float(post.returned[0])


@pytest.mark.parametrize(
    ("value", "threshold", "held", "expected"),
    [
        (10e6, 0.0, 0.0, 10e6), (10e6, 2e6, 0.0, 8e6), (1e6, 2e6, 0.0, 0.0), (10e6, 2e6, 9e6, -1e6), (-10e6, 2e6, 0.0, -8e6),
        (-10e6, 0.0, -10e6, 0.0), (3e6, 0.0, -2e6, 5e6), (-3e6, 0.0, 2e6, -5e6), (0.0, 0.0, 4e6, -4e6),
    ],
)  # fmt: skip
def test_what_is_due_is_the_credit_support_amount_less_what_is_held(value, threshold, held, expected):
    assert due(value, threshold, held) == expected  # ISDA Credit Support Annex, paragraph 3


def test_what_moves_first_returns_what_was_given_then_is_delivered():
    assert sides(3e6, held=-2e6) == (3e6, 0.0, 0.0, 2e6)
    assert sides(-3e6, held=2e6) == (0.0, 2e6, 3e6, 0.0)


@pytest.mark.parametrize(("value", "moved"), [(499_999.99, 0.0), (500_000.0, 500_000.0), (500_000.01, 500_000.01)])
def test_an_amount_moves_in_full_once_it_reaches_the_minimum(value, moved):
    assert sides(value, minimum=500_000.0) == (moved, 0.0, 0.0, 0.0)
    assert sides(-value, minimum=500_000.0) == (0.0, 0.0, moved, 0.0)


def test_initial_and_variation_margin_reach_the_minimum_together():
    minimum = np.array([500.0, 500.0, 500.0, 500.0])
    first, second = np.array([300.0, 300.0, 300.0, np.nan]), np.array([200.0, 199.0, np.nan, 600.0])
    found = moves((first, second), minimum)
    assert found[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found[2])
    assert found[3] == 1.0


def test_one_threshold_serves_all_netting_sets_of_a_counterparty():
    shares = threshold_shares(np.full(3, np.nan), np.array([60.0, 30.0, 20.0]), np.array([0, 0, 1]), np.array([50.0, 50.0]))
    after = np.maximum(np.array([60.0, 30.0, 20.0]) - shares, 0.0)
    assert after[:2].sum() == pytest.approx(60 + 30 - 50)
    assert after[2] == 0.0


def test_agreed_thresholds_come_first_and_never_add_up_to_more_than_the_greatest():
    pair, greatest = np.zeros(2, dtype=int), np.array([50.0])
    assert threshold_shares(np.array([20.0, np.nan]), np.array([70.0, 70.0]), pair, greatest).tolist() == [20.0, 30.0]
    assert threshold_shares(np.array([60.0, 40.0]), np.array([70.0, 70.0]), pair, greatest).tolist() == [30.0, 20.0]
    assert threshold_shares(np.array([60.0, np.nan]), np.array([70.0, 70.0]), pair, greatest).tolist() == [50.0, 0.0]


def test_an_unknown_requirement_leaves_the_shares_of_its_counterparty_unknown():
    shares = threshold_shares(np.full(3, np.nan), np.array([60.0, np.nan, 20.0]), np.array([0, 0, 1]), np.array([50.0, 50.0]))
    assert np.isnan(shares[:2]).all()
    assert shares[2] == 50.0


@given(st.lists(st.tuples(AMOUNTS, st.one_of(st.none(), AMOUNTS)), min_size=1, max_size=6), AMOUNTS)
def test_shares_never_exceed_the_greatest_threshold_and_without_agreement_use_all_of_it(rows, greatest):
    requirement = np.array([row[0] for row in rows])
    agreed = np.array([np.nan if row[1] is None else row[1] for row in rows])
    pair, limit = np.zeros(len(rows), dtype=int), np.array([greatest])
    assert threshold_shares(agreed, requirement, pair, limit).sum() <= greatest * (1 + 1e-9) + 1e-6
    shares = threshold_shares(np.full(len(rows), np.nan), requirement, pair, limit)
    after = np.maximum(requirement - shares, 0.0).sum()
    assert after == pytest.approx(max(requirement.sum() - greatest, 0.0), rel=1e-9, abs=1e-6 * max(greatest, 1.0))


@given(SIGNED, AMOUNTS, SIGNED, AMOUNTS)
def test_nobody_delivers_both_ways_and_no_more_is_left_than_the_minimum(value, threshold, held, minimum):
    call, call_returned, post, post_returned = sides(value, threshold, held, minimum)
    assert call == 0.0 or post == 0.0
    assert call_returned == 0.0 or post_returned == 0.0
    after = held + call - call_returned - post + post_returned
    asked = max(value - threshold, 0.0) - max(-value - threshold, 0.0)
    assert abs(asked - after) <= max(minimum, 1e-6)


@given(SIGNED, AMOUNTS, SIGNED, AMOUNTS, AMOUNTS)
def test_more_exposure_never_lowers_a_call(value, threshold, held, minimum, more):
    assert sides(value + more, threshold, held, minimum)[0] >= sides(value, threshold, held, minimum)[0]
    assert sides(value - more, threshold, held, minimum)[2] >= sides(value, threshold, held, minimum)[2]


@given(st.lists(st.tuples(AMOUNTS, st.integers(0, 2)), min_size=1, max_size=6), AMOUNTS)
def test_scaled_amounts_keep_their_proportions_and_the_greatest_sum(rows, greatest):
    agreed, pair = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    found = scaled_to(agreed, pair, np.array([greatest, np.inf, np.nan]))
    assert found[pair == 0].sum() <= greatest * (1 + 1e-9)
    assert found[pair == 1].tolist() == agreed[pair == 1].tolist()
    assert np.isnan(found[pair == 2]).all()
    if agreed[pair == 0].sum() <= greatest:
        assert found[pair == 0].tolist() == agreed[pair == 0].tolist()
