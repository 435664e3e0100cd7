"""The stored form of a correlation matrix.

Belongs here: market.triangle. Not here: estimating the matrix.
"""

import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.triangle import pack_triangle, stored_correlation, unpack_triangle

THREE = np.array([[1.0, 0.5, -0.25], [0.5, 1.0, 0.125], [-0.25, 0.125, 1.0]])


def test_the_triangle_is_the_strict_upper_one_by_rows_in_little_endian_floats():
    assert pack_triangle(THREE) == struct.pack("<3f", 0.5, -0.25, 0.125)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 15), st.integers(0, 10**6))
def test_what_is_packed_comes_back_in_single_precision(n, seed):
    matrix = np.corrcoef(np.random.default_rng(seed).standard_normal((n, 30))) if n > 1 else np.eye(n)
    back = unpack_triangle(pack_triangle(matrix), n)
    assert back.dtype == np.float64
    assert (back == back.T).all()
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_array_equal(back[off], matrix[off].astype(np.float32))
    assert (np.diag(back) == 1.0).all()


def test_bytes_of_another_number_of_symbols_are_refused():
    with pytest.raises(ValueError, match="4 symbols has 24 bytes, this one 12"):
        unpack_triangle(pack_triangle(THREE), 4)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("names", [["A", "B", "C"], np.array(["A", "B", "C"], dtype=object)], ids=["list", "array"])
def test_the_stored_row_is_read_back(kind, names):
    frame = pd.DataFrame({"symbols": [names], "triangle": [kind(pack_triangle(THREE))], "minimum_eigenvalue": [0.4], "repaired": [False]})
    symbols, matrix = stored_correlation(frame)
    assert symbols == ("A", "B", "C")
    np.testing.assert_array_equal(matrix, THREE)


def test_no_stored_row_is_no_symbols_and_two_are_refused():
    frame = pd.DataFrame({"symbols": [["A"], ["A"]], "triangle": [b"", b""]})
    symbols, matrix = stored_correlation(frame.iloc[:0])
    assert (symbols, matrix.shape) == ((), (0, 0))
    with pytest.raises(ValueError, match="not 2"):
        stored_correlation(frame)
