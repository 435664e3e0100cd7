"""Option books as functions of the return of one underlying, tabulated once and interpolated in every scenario.

Belongs here: which functions to tabulate, their tables, interpolation. Not here: option values (`revaluation`), draws (`draws`).

With volatility held, all options of a strategy on one underlying are one smooth function of its return. It is valued in full at knots
and interpolated linearly between them; of a long book this errs upwards and of a short one downwards by less than an eighth of the
squared distance of knots times the gamma. Where strategies hold the same few series, each series is a function instead: whichever
makes fewer look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.revaluation import option_value_changes

Floats = npt.NDArray[Any]
NORMAL_REACH = 8.0
"""Standard deviations from 0 to the outermost knot; beyond it values go on in a straight line."""
FUNCTIONS_A_BLOCK = 512
_LOOK_UP, _ADDITION = 3.0, 1.0
"""Relative costs of interpolating a function and of adding it to a strategy."""


@dataclass(frozen=True)
class Spacing:
    """Knots at standardised returns, evenly spaced, or evenly spaced in their inverse hyperbolic sine where tails are fat.

    Attributes
    ----------
    knots : count, odd.
    reach : outermost knot, standard deviations.
    is_stretched : whether knots are evenly spaced in the inverse hyperbolic sine.
    """

    knots: int
    reach: float
    is_stretched: bool

    def at_knots(self) -> Floats:
        """(knots,) standardised returns, ascending, 0 in the middle."""
        end = np.arcsinh(self.reach) if self.is_stretched else self.reach
        even = np.linspace(-1, 1, self.knots) * end
        return np.sinh(even) if self.is_stretched else even

    def positions(self, returns: Floats) -> Floats:
        """Place of standardised returns among the knots, of the returns' shape and precision: 0 the first, knots − 1 the last."""
        stretched = np.arcsinh(returns) if self.is_stretched else returns
        end = np.arcsinh(self.reach) if self.is_stretched else self.reach
        middle = (self.knots - 1) // 2
        return np.asarray(stretched * returns.dtype.type(middle / end) + returns.dtype.type(middle))


@dataclass(frozen=True)
class Block:
    """Some underlyings and the functions of their returns.

    Attributes
    ----------
    underlyings : (u,) rows of the returns.
    tables : one an underlying, (2, horizons x functions, knots − 1) float32: value at the knot and rise to the next.
    first : (u + 1,) where the functions of each underlying begin.
    weights : one a currency group, (strategies, functions) sparse.
    """

    underlyings: npt.NDArray[np.int64]
    tables: tuple[Floats, ...]
    first: npt.NDArray[np.int64]
    weights: tuple[Any, ...]


def option_blocks(
    book: Book,
    columns: npt.NDArray[np.int64],
    daily_volatility: Floats,
    horizons_days: Sequence[int],
    spacing: Spacing,
    backend: Backend = NUMPY,
) -> list[Block]:
    """Tables of all option books.

    Parameters
    ----------
    book : the book.
    columns : (n,) factors that are drawn, as columns of the book.
    daily_volatility : (n,) of them.
    horizons_days : horizons.
    spacing : knots.
    backend : where options are valued.
    """
    column = book.factors.get_indexer(pd.Index(book.option_series["risk_factor"].astype(object)))
    place = pd.Index(columns).get_indexer(pd.Index(column))
    series = np.flatnonzero(place >= 0)
    if not len(series):
        return []
    values = _values(book, series, place, daily_volatility, horizons_days, spacing, backend)
    sizes = [group.option_size[:, series] for group in book.currency_groups]
    combine, underlying, weights = _functions(sizes, place[series])
    order = np.argsort(underlying, kind="stable")
    return _blocks(combine[order], values, underlying[order], [w[:, order] for w in weights], len(horizons_days))


def add_option_profits(block: Block, position: Floats, results: list[list[Floats]]) -> None:
    """Add the price results of a block's options.

    Parameters
    ----------
    block : of `option_blocks`.
    position : (factors, draws) float32 places among the knots.
    results : by horizon and currency group, (strategies, draws) float64, added to.
    """
    horizons, draws = len(results), position.shape[1]
    changes = np.empty((horizons, int(block.first[-1]), draws))
    at = position[block.underlyings]
    knot = np.clip(at, 0, block.tables[0].shape[2] - 1).astype(np.intp)
    beyond = at - knot.astype(np.float32)
    # One look-up for all functions of an underlying: rows of draws, so that arithmetic runs along them.
    for table, place, part, first, last in zip(block.tables, knot, beyond, block.first[:-1], block.first[1:], strict=True):
        value, rise = table.take(place, axis=2, mode="clip").reshape(2, horizons, -1, draws)
        rise *= part
        value += rise
        changes[:, first:last] = value
    for change, by_group in zip(changes, results, strict=True):
        for weights, result in zip(block.weights, by_group, strict=True):
            if weights.nnz:
                result += weights @ change


def _values(
    book: Book, series: Any, place: Any, daily_volatility: Floats, horizons_days: Sequence[int], spacing: Spacing, backend: Backend
) -> Floats:
    """(series, horizons x knots) change of the value of each series at the knots."""
    knots = spacing.at_knots()
    held = np.unique(place[series])
    deviation = daily_volatility[held]
    moves = np.hstack([np.maximum(deviation[:, None] * np.sqrt(h) * knots, -1.0) for h in horizons_days])
    names = pd.Index(book.option_series["risk_factor"].to_numpy(object)[series][np.unique(place[series], return_index=True)[1]])
    return option_value_changes(book.option_series.iloc[series].reset_index(drop=True), names, moves, backend)


def _functions(sizes: list[Any], underlying: npt.NDArray[np.int64]) -> tuple[Any, npt.NDArray[np.int64], list[Any]]:
    """Functions as (functions, series) sparse combinations, the underlying of each, and the weight of each in every strategy."""
    entries = [size.tocoo() for size in sizes]
    pairs = [np.unique(np.stack([entry.coords[0], underlying[entry.coords[1]]]), axis=1) for entry in entries]
    held, series = sum(entry.nnz for entry in entries), len(underlying)
    if (_LOOK_UP + _ADDITION) * sum(pair.shape[1] for pair in pairs) >= _LOOK_UP * series + _ADDITION * held:
        return sparse.eye_array(series, format="csr"), underlying, [size.tocsr() for size in sizes]
    total = sum(pair.shape[1] for pair in pairs)
    combine, weights, first = [], [], 0
    for entry, pair, size in zip(entries, pairs, sizes, strict=True):
        held_by, on = entry.coords[0], underlying[entry.coords[1]]
        key = pd.MultiIndex.from_arrays([pair[0], pair[1]]).get_indexer(pd.MultiIndex.from_arrays([held_by, on]))
        combine.append(sparse.coo_array((entry.data, (key, entry.coords[1])), shape=(pair.shape[1], series)))
        ones = (np.ones(pair.shape[1]), (pair[0], first + np.arange(pair.shape[1])))
        weights.append(sparse.coo_array(ones, shape=(size.shape[0], total)).tocsr())
        first += pair.shape[1]
    return sparse.vstack(combine).tocsr(), np.concatenate([pair[1] for pair in pairs]), weights


def _blocks(combine: Any, values: Floats, underlying: npt.NDArray[np.int64], weights: list[Any], horizons: int) -> list[Block]:
    """Functions ordered by underlying, cut where an underlying ends."""
    found, starts = np.unique(underlying, return_index=True)
    ends = np.append(starts[1:], len(underlying))
    blocks, begin = [], 0
    while begin < len(found):
        end = max(begin + 1, int(np.searchsorted(ends, starts[begin] + FUNCTIONS_A_BLOCK, side="right")))
        rows = slice(int(starts[begin]), int(ends[end - 1]))
        table = np.asarray(combine[rows] @ values).reshape(rows.stop - rows.start, horizons, -1)
        both = np.stack([table[:, :, :-1], np.diff(table, axis=2)])
        first = np.append(starts[begin:end], ends[end - 1]) - starts[begin]
        tables = tuple(both[:, a:b].transpose(0, 2, 1, 3).reshape(2, horizons * (b - a), -1).astype(np.float32) for a, b in pairwise(first))
        blocks.append(Block(found[begin:end], tables, first, tuple(w[:, rows].tocsr() for w in weights)))
        begin = end
    return blocks
