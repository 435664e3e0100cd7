"""The nearest shock with a loss: closed form, brute force, and books that cannot lose it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.option_scenarios import OptionTerms
from margin_pipeline.risk.reverse_stress import FactorBook, market_move, nearest_shock

NO_OPTIONS = OptionTerms(*(np.zeros(0) for _ in range(6)), np.zeros(0, bool), np.zeros(0, bool))


def linear(delta):
    return FactorBook(np.asarray(delta, float), NO_OPTIONS, np.zeros(0, dtype=np.int64), np.zeros(0))


def optional(size, *, delta=(0.0, 0.0), strike=(95.0,), is_call=(False,), factor=(0,)):
    n = len(strike)
    spot, years = np.full(n, 100.0), np.full(n, 0.25)
    terms = OptionTerms(spot, np.array(strike), years, np.full(n, 0.03), np.zeros(n), np.full(n, 0.3), np.array(is_call), np.zeros(n, bool))
    return FactorBook(np.asarray(delta, float), terms, np.array(factor), np.asarray(size, float))


COVARIANCE = np.array([[0.0025, 0.0008], [0.0008, 0.0016]])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e5, 1e5).filter(lambda x: abs(x) > 100), min_size=3, max_size=3), st.floats(0.1, 5.0), st.integers(0, 99))
def test_linear_book_has_the_closed_form(delta, deviations, seed):
    mixing = np.random.default_rng(seed).normal(0, 0.01, (3, 3))
    covariance = mixing @ mixing.T + 1e-5 * np.eye(3)
    delta = np.array(delta)
    sigma = np.sqrt(delta @ covariance @ delta)
    loss = deviations * sigma
    expected = -loss * covariance @ delta / sigma**2
    found = nearest_shock(linear(delta), covariance, loss)
    if (expected > -1).all():
        assert found.is_reachable
        assert found.distance == pytest.approx(deviations, rel=1e-9)
        assert found.moves == pytest.approx(expected, rel=1e-7, abs=1e-12)
        assert np.sqrt(found.moves @ np.linalg.solve(covariance, found.moves)) == pytest.approx(deviations, rel=1e-6)


def brute_force(book, covariance, loss):
    """Least distance over directions on a fine circle, each followed to where the loss is reached."""
    root = np.linalg.cholesky(covariance)
    best = np.inf
    for angle in np.linspace(0, 2 * np.pi, 1441):
        direction = root @ np.array([np.cos(angle), np.sin(angle)])
        steps = np.linspace(0, 12, 4801)
        hits = np.flatnonzero(book.losses(np.outer(direction, steps)) >= loss)
        if len(hits):
            best = min(best, steps[hits[0]])
    return best


@pytest.mark.parametrize(
    ("book", "loss"),
    [
        (optional([-1000.0]), 4_000.0),
        (optional([-1000.0], delta=(0.0, 20_000.0)), 5_000.0),
        (optional([-1000.0, -1000.0], strike=(95.0, 105.0), is_call=(False, True), factor=(0, 0)), 6_000.0),
        (optional([-1000.0, -800.0], strike=(95.0, 105.0), is_call=(False, True), factor=(0, 1)), 5_000.0),
        (optional([-1000.0, 1000.0], strike=(95.0, 85.0), is_call=(False, False), factor=(0, 0)), 6_000.0),
    ],
)
def test_books_with_options_agree_with_brute_force(book, loss):
    found = nearest_shock(book, COVARIANCE, loss)
    assert found.is_reachable
    assert found.loss == pytest.approx(loss, rel=1e-6)
    assert float(book.losses(found.moves[:, None])[0]) == pytest.approx(loss, rel=1e-6)
    assert found.distance == pytest.approx(brute_force(book, COVARIANCE, loss), abs=0.004)


def test_long_options_lose_no_more_than_they_are_worth():
    book = optional([1000.0])
    worth = -float(book.losses(np.array([[5.0], [0.0]]))[0])
    beyond = nearest_shock(book, COVARIANCE, 1.01 * -worth if worth < 0 else 1.01 * worth)
    assert not beyond.is_reachable
    assert np.isnan(beyond.distance)
    assert nearest_shock(book, COVARIANCE, 0.5 * abs(worth)).is_reachable


def test_a_stock_loses_no_more_than_its_value():
    book = linear([10_000.0])
    assert not nearest_shock(book, np.array([[0.01]]), 10_001.0).is_reachable
    assert nearest_shock(book, np.array([[0.01]]), 9_999.0).distance == pytest.approx(9.999)


def test_nothing_left_is_no_distance_away_and_nothing_held_is_out_of_reach():
    assert nearest_shock(linear([1.0]), np.eye(1), 0.0).distance == 0.0
    assert not nearest_shock(linear([]), np.zeros((0, 0)), 1.0).is_reachable


def test_market_move_by_beta():
    assert market_move(linear([10_000.0, 5_000.0]), np.array([1.2, 0.6]), 3_000.0) == pytest.approx(-3_000 / 15_000)
    assert market_move(linear([-10_000.0]), np.array([1.0]), 2_500.0) == pytest.approx(0.25)
    assert np.isnan(market_move(linear([1_000.0]), np.array([1.0]), 1_001.0))
    # A short straddle falls either way; the nearer side counts.
    straddle = optional([-1000.0, -1000.0], strike=(100.0, 100.0), is_call=(False, True), factor=(0, 0))
    move = market_move(straddle, np.array([1.0, 0.0]), 5_000.0)
    assert float(straddle.losses(np.array([[move], [0.0]]))[0]) == pytest.approx(5_000.0, rel=1e-9)
    other = [m for m in np.linspace(-abs(move), abs(move), 4001) if straddle.losses(np.array([[m], [0.0]]))[0] > 5_000.0 * (1 + 1e-9)]
    assert not other
