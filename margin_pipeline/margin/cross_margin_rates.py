"""Saving rates of many pairs at once, tile by tile in single precision.

Belongs here: what a unit of matched exposure saves, to choose pairs by and to prove bounds with. Not here: the rates that offsets are
granted at, which are computed again in full (`cross_margin_pairs`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from margin_pipeline.margin.cross_margin_correlation import ReturnCorrelation
from margin_pipeline.margin.cross_margin_pairs import NetPositions
from margin_pipeline.parameters.cross_margin import CrossMarginRules

TILE = 1 << 17
"""Entries of a tile: with its temporaries it stays in the cache of a core."""
ROUNDING = 2e-6
"""Relative rounding of a rate in single precision, with room to spare."""
_UP = np.float32(1 + 2.0**-22)


class SavingRates:
    """Rates of pairs of one portfolio, never below the exact ones by more than `ROUNDING`; 0 where a pair doesn't qualify."""

    def __init__(self, held: NetPositions, correlation: ReturnCorrelation, benefit_table: np.ndarray, rules: CrossMarginRules) -> None:
        self._held, self._correlation, self._rules = held, correlation, rules
        self._unit = (held.margin / held.capacity).astype(np.float32)
        self._sign = held.sign.astype(np.float32)
        # NO_BENEFIT is -2: with two zeros at the end it indexes a zero.
        self._benefit_table = benefit_table
        self._fraction = np.array([c.rate for c in rules.class_benefits] + [0, 0], dtype=np.float32)
        self._smaller = np.array([c.basis == "smaller" for c in rules.class_benefits] + [False, False])
        self._matched = np.array([c.condition == "matched_duration" for c in rules.class_benefits] + [False, False])

    def block(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(r, c) float32 rates of positions `rows`, which must stand group by group, with `columns`."""
        result = np.empty((len(rows), len(columns)), dtype=np.float32)
        for part in self.chunks(rows, len(columns)):
            result[part] = self.tile(rows[part], columns)
        return result

    def chunks(self, rows: np.ndarray, width: int) -> Iterator[slice]:
        """Slices of `rows` of one group each, whose tiles of that width are small enough for the cache."""
        most = max(1, TILE // max(width, 1))
        ends = [*(np.flatnonzero(np.diff(self._held.group[rows])) + 1).tolist(), len(rows)]
        start = 0
        for end in ends:
            while start < end:
                yield slice(start, min(start + most, end))
                start = min(start + most, end)

    def offset_tile(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(r, c) float32 s of the pairs: correlation of opposite signs, -correlation of equal ones, rounded up from float64."""
        given = self._correlation.tile(rows, columns)
        offset = given.astype(np.float32, copy=False)
        if given.dtype != np.float32:
            offset *= _UP
        offset *= -self._sign[rows][:, None]
        offset *= self._sign[columns][None, :]
        return offset

    def tile(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(r, c) float32 rates of positions `rows`, all of one group, with `columns`."""
        offset = self.offset_tile(rows, columns)
        a, b = self._unit[rows][:, None], self._unit[columns][None, :]
        total = a + b
        root = a - b
        root *= root
        product = (2 * a) * b
        # a + b - sqrt((a - b)^2 + 2ab(1 - s)), written without the difference of two nearly equal numbers.
        root += product * (1 - offset)
        np.sqrt(np.maximum(root, 0, out=root), out=root)
        root += total
        saving = (1 + offset) * product
        saving /= root
        benefit = self._benefit_table[self._held.group[rows[0]], self._held.group[columns]]
        np.copyto(saving, self._by_class(saving, total, offset, rows, columns, benefit), where=~(offset >= self._rules.threshold))
        if self._rules.hedge_ratio_tolerance is not None:
            c, d = self._held.capacity[rows][:, None], self._held.capacity[columns][None, :]
            saving[np.minimum(c, d) < (1 - self._rules.hedge_ratio_tolerance - ROUNDING) * np.maximum(c, d)] = 0
        saving[rows[:, None] == columns[None, :]] = 0
        return saving

    def _by_class(
        self, saving: np.ndarray, total: np.ndarray, offset: np.ndarray, rows: np.ndarray, columns: np.ndarray, benefit: np.ndarray
    ) -> np.ndarray:
        """Rates of class benefits, 0 where there is none; `total` is overwritten."""
        smaller = self._smaller[benefit]
        if smaller.any():
            least = np.minimum(self._unit[rows][:, None], self._unit[columns[smaller]][None, :])
            total[:, smaller] = least
        total *= self._fraction[benefit]
        np.minimum(total, saving, out=total)
        total *= offset >= self._rules.class_threshold
        matched = np.flatnonzero(self._matched[benefit])
        if len(matched):
            apart = np.abs(self._held.duration[rows][:, None] - self._held.duration[columns[matched]][None, :])
            total[:, matched] *= apart <= self._rules.duration_tolerance_years
        return total

    def pairs_of_one_sign(self, side: np.ndarray, most: int) -> np.ndarray | None:
        """(2, m) pairs of positions of one sign that qualify; None when there are more than `most`.

        `side` must stand group by group.
        """
        found, count = [np.zeros((2, 0), dtype=np.int64)], 0
        for part in self.chunks(side, len(side)):
            rows, columns = side[part], side[part.start :]
            if not (self.offset_tile(rows, columns) >= self._rules.class_threshold).any():
                continue
            row, column = np.nonzero(np.triu(self.tile(rows, columns)))
            found.append(np.stack([rows[row], columns[column]]))
            count += len(row)
            if count > most:
                return None
        return np.concatenate(found, axis=1)
