"""Matches taken one after the other, the best at given prices first.

Belongs here: filling capacities in the order of scores. Not here: the prices (`cross_margin_prices`), what is proven of the result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.cross_margin_prices import row_parts

SMALL = 1 << 12
"""What remains is put in order as a whole when it has no more entries than this."""


@dataclass(frozen=True)
class Extra:
    """Pairs beside those of the score matrix.

    Attributes
    ----------
    first, second : (m,) positions.
    score : (m,) the greater, the earlier.
    """

    first: np.ndarray
    second: np.ndarray
    score: np.ndarray


def fill(
    score: np.ndarray, rows: np.ndarray, columns: np.ndarray, capacity: np.ndarray, extra: Extra
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Match the pair with the greatest score as far as capacities allow, then the next, until nothing can be matched.

    Parameters
    ----------
    score : (r, c) scores of positions `rows` with `columns`, -inf where a pair doesn't qualify. A position may be a row and a column.
    rows, columns : (r,) and (c,) positions.
    capacity : (n,) exposure of each position, > 0.
    extra : further pairs.

    Returns
    -------
    first, second, matched : positions of the pairs that were matched and how much of each.

    Notes
    -----
    In rounds: the best partner of every row and of every column is tried in the order of scores. In each round at least one position is
    used up, usually about half of them are, so that all rounds together look at little more than the matrix once.
    """
    left: list[float] = capacity.tolist()
    taken: list[tuple[int, int, float]] = []
    pair = np.stack([extra.first, extra.second])
    extra_score = extra.score
    while score.size or pair.size:
        first, second, value = _contenders(score, rows, columns)
        first, second = np.concatenate([first, pair[0]]), np.concatenate([second, pair[1]])
        value = np.concatenate([value, extra_score])
        if not len(value):
            break
        order = np.lexsort((second, first, -value))
        _take(first[order].tolist(), second[order].tolist(), left, taken)
        alive = np.array(left) > 0
        keep = alive[pair[0]] & alive[pair[1]]
        pair, extra_score = pair[:, keep], extra_score[keep]
        row, column = np.flatnonzero(alive[rows]), np.flatnonzero(alive[columns])
        score = _selected(score, row, column)
        rows, columns = rows[row], columns[column]
    if not taken:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    one, other, matched = zip(*taken, strict=True)
    return np.array(one), np.array(other), np.array(matched)


def _selected(score: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Some rows and columns of scores, part by part: twice as fast as both at once, and no second copy of the rows."""
    result = np.empty((len(row), len(column)), dtype=score.dtype)
    for part in row_parts((len(row), score.shape[1])):
        score[row[part]].take(column, axis=1, out=result[part], mode="clip")
    return result


def _take(first: list[int], second: list[int], left: list[float], taken: list[tuple[int, int, float]]) -> None:
    for i, j in zip(first, second, strict=True):
        size = min(left[i], left[j])
        if size > 0:
            left[i] -= size
            left[j] -= size
            taken.append((i, j, size))


def _contenders(score: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions and scores of the best pair of each row and each column, or of all pairs where they are few."""
    if score.size <= SMALL:
        row, column = np.nonzero(score > -np.inf)
    else:
        row, column = _best(score)
    value = score[row, column]
    qualifies = value > -np.inf
    row, column = row[qualifies], column[qualifies]
    return rows[row], columns[column], value[qualifies]


def _best(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    of_row = np.empty(score.shape[0], dtype=np.int64)
    of_column = np.zeros(score.shape[1], dtype=np.int64)
    best = np.full(score.shape[1], -np.inf, dtype=score.dtype)
    every = np.arange(score.shape[1])
    for part in row_parts(score.shape):
        tile = score[part]
        of_row[part] = tile.argmax(axis=1)
        # The greatest of each column is quick to find, its row is not: look for it only where it has risen.
        value = tile.max(axis=0)
        better = np.flatnonzero(value > best)
        best[better] = value[better]
        of_column[better] = tile[:, better].argmax(axis=0) + part.start
    pair = np.unique(np.concatenate([np.arange(len(of_row)) * score.shape[1] + of_row, of_column * score.shape[1] + every]))
    return pair // score.shape[1], pair % score.shape[1]
