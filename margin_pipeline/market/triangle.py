"""Correlation matrices as they are stored: the strict upper triangle by rows, single precision, little endian.

Belongs here: packing and unpacking. Not here: estimating the matrix.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

_ENTRY = np.dtype("<f4")


def pack_triangle(correlation: Floats) -> bytes:
    """Strict upper triangle of an (n, n) matrix, by rows: n (n - 1) / 2 entries of four bytes, little endian."""
    return correlation[_above_diagonal(len(correlation))].astype(_ENTRY).tobytes()


def unpack_triangle(triangle: bytes, n: int) -> Floats:
    """(n, n) symmetric float64 matrix with ones on the diagonal, from its packed triangle.

    Raises
    ------
    ValueError : the bytes are not those of n symbols.
    """
    expected = n * (n - 1) // 2 * _ENTRY.itemsize
    if len(triangle) != expected:
        raise ValueError(f"a triangle of {n} symbols has {expected} bytes, this one {len(triangle)}")
    matrix = np.zeros((n, n))
    matrix[_above_diagonal(n)] = np.frombuffer(triangle, dtype=_ENTRY)
    matrix += matrix.T
    np.fill_diagonal(matrix, 1.0)
    return matrix


def stored_correlation(correlation_matrices: pd.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """Symbols and matrix of the one row of the table correlation_matrices; nothing and (0, 0) when it has none.

    Raises
    ------
    ValueError : more than one row, or bytes that do not fit the symbols.
    """
    if len(correlation_matrices) > 1:
        raise ValueError(f"a date has one correlation matrix, not {len(correlation_matrices)}")
    if correlation_matrices.empty:
        return (), np.zeros((0, 0))
    row = correlation_matrices.iloc[0]
    symbols = tuple(str(name) for name in row["symbols"])
    return symbols, unpack_triangle(bytes(row["triangle"]), len(symbols))


@lru_cache(maxsize=1)
def _above_diagonal(n: int) -> npt.NDArray[np.bool_]:
    """(n, n) mask of the strict upper triangle, kept since a date packs and unpacks the same size several times."""
    mask = np.triu(np.ones((n, n), dtype=bool), 1)
    mask.setflags(write=False)
    return mask
