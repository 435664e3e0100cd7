"""The nearest correlation matrix and the tests for being one.

Belongs here: market.positive_semidefinite. Not here: estimating matrices.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.positive_semidefinite import (
    is_positive_semidefinite,
    minimum_eigenvalue,
    nearest_correlation,
    shrunk_towards_identity,
    sound_correlation,
)

HIGHAM_3 = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
HIGHAM_4 = 2.0 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)


def symmetric(size, seed, spread):
    """Random symmetric matrix with ones on the diagonal and entries in [-spread, spread]."""
    entries = np.random.default_rng(seed).uniform(-spread, spread, (size, size))
    matrix = np.triu(entries, 1)
    return matrix + matrix.T + np.eye(size)


def test_the_three_by_three_example_of_higham_2002():
    found = nearest_correlation(HIGHAM_3)
    published = [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]
    np.testing.assert_allclose(found.correlation, published, atol=5e-5)
    assert np.linalg.norm(found.correlation - HIGHAM_3) == pytest.approx(0.5278, abs=5e-5)
    assert found.converged


def test_the_four_by_four_example_of_higham_2002():
    published = [
        [1.0, -0.8084, 0.1916, 0.1068],
        [-0.8084, 1.0, -0.6562, 0.1916],
        [0.1916, -0.6562, 1.0, -0.8084],
        [0.1068, 0.1916, -0.8084, 1.0],
    ]
    found = nearest_correlation(HIGHAM_4).correlation
    np.testing.assert_allclose(found, published, atol=5e-5)


def test_a_correlation_matrix_is_its_own_nearest():
    matrix = np.array([[1.0, 0.3], [0.3, 1.0]])
    found = nearest_correlation(matrix)
    np.testing.assert_allclose(found.correlation, matrix, atol=1e-14)
    assert found.iterations == 1


def test_perfect_contradiction_of_two_columns_is_brought_back_to_one():
    found = nearest_correlation(np.array([[1.0, 1.2], [1.2, 1.0]])).correlation
    np.testing.assert_allclose(found, np.ones((2, 2)), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10**6), st.floats(0.1, 1.0))
def test_the_nearest_is_a_correlation_matrix_and_nearer_than_others(size, seed, spread):
    matrix = symmetric(size, seed, spread)
    found = nearest_correlation(matrix).correlation
    assert minimum_eigenvalue(found) >= -1e-12
    assert (np.diag(found) == 1.0).all()
    assert (found == found.T).all()
    assert np.abs(found).max() <= 1.0
    least = minimum_eigenvalue(matrix)
    shrunk = shrunk_towards_identity(matrix, max(-least / (1.0 - least), 0.0) + 1e-12)
    assert np.linalg.norm(found - matrix) <= np.linalg.norm(shrunk - matrix) + 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(0, 10**6), st.floats(0.1, 1.0))
def test_stopped_early_it_is_a_correlation_matrix_all_the_same(size, seed, spread):
    found = nearest_correlation(symmetric(size, seed, spread), most_iterations=1)
    assert found.iterations == 1
    assert minimum_eigenvalue(found.correlation) >= -1e-12
    assert (np.diag(found.correlation) == 1.0).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10), st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_the_test_by_factorisation_agrees_with_the_eigenvalues(size, seed, spread):
    matrix = symmetric(size, seed, spread)
    least = minimum_eigenvalue(matrix)
    if abs(least + 1e-8) > 1e-12:
        assert is_positive_semidefinite(matrix) == (least >= -1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(0.0, 1.0))
def test_a_sound_matrix_stays_one_when_it_is_stored_in_single_precision(size, seed, spread):
    sound = sound_correlation(symmetric(size, seed, spread))
    stored = sound.correlation.astype(np.float32).astype(np.float64)
    assert minimum_eigenvalue(stored) >= -1e-8
    assert sound.minimum_eigenvalue == pytest.approx(minimum_eigenvalue(sound.correlation), abs=1e-9)


def test_identical_columns_are_moved_by_less_than_a_millionth():
    sound = sound_correlation(np.ones((40, 40)))
    assert not sound.repaired
    assert np.abs(sound.correlation - 1.0).max() < 1e-6
    assert minimum_eigenvalue(sound.correlation.astype(np.float32).astype(np.float64)) >= -1e-8


def test_a_matrix_that_needs_no_repair_is_returned_as_it_is():
    matrix = np.array([[1.0, 0.3], [0.3, 1.0]])
    sound = sound_correlation(matrix)
    assert sound.correlation is matrix
    assert sound.minimum_eigenvalue == pytest.approx(0.7)
    assert not sound.repaired


def test_a_matrix_that_needs_repair_says_so():
    sound = sound_correlation(HIGHAM_3)
    assert sound.repaired
    assert 0.0 <= sound.minimum_eigenvalue < 1e-6


def test_a_matrix_without_rows_is_sound():
    sound = sound_correlation(np.zeros((0, 0)))
    assert sound.correlation.shape == (0, 0)
    assert not sound.repaired
