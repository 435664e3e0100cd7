"""Candidate pairs of a large portfolio: rates of all pairs that matter, and what prices say of them.

Belongs here: the table of rates, scores at given prices, the greatest scores, the bound. Not here: choosing matches
(`cross_margin_matching`), what prices there are (`cross_margin_prices`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.cross_margin_pairs import Pairs
from margin_pipeline.margin.cross_margin_prices import Prices, feasible, row_parts
from margin_pipeline.margin.cross_margin_rates import ROUNDING


@dataclass(frozen=True)
class RateTable:
    """Rates of all pairs of a portfolio that qualify.

    Attributes
    ----------
    rates : (r, c) float32, of positions `rows` with positions `columns`; 0 where a pair doesn't qualify.
    rows, columns : (r,) and (c,) positions: long and short, or all and all.
    extra : pairs of one sign that don't stand in `rates`.
    """

    rates: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    extra: Pairs

    @property
    def is_doubled(self) -> bool:
        """Whether rows and columns are the same positions, so that each pair stands twice."""
        return self.rows is self.columns

    def count(self) -> int:
        """Pairs that qualify."""
        stand = int(sum(np.count_nonzero(self.rates[part]) for part in row_parts(self.rates.shape)))
        return stand // (2 if self.is_doubled else 1) + len(self.extra)

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions of all pairs that qualify."""
        row, column = np.nonzero(np.triu(self.rates) if self.is_doubled else self.rates)
        return np.concatenate([self.rows[row], self.extra.first]), np.concatenate([self.columns[column], self.extra.second])

    def by_position(self, prices: Prices, count: int) -> np.ndarray:
        """(n,) float64 prices of the positions; 0 for one that is in no pair."""
        result = np.zeros(count)
        result[self.columns] = prices.columns
        result[self.rows] = prices.rows
        return result

    def at(self, price: np.ndarray, softness: float) -> Prices:
        """Prices of rows and columns from those of the positions."""
        single = price.astype(np.float32)
        return Prices(single[self.rows], single[self.columns], softness)

    def scores(self, prices: Prices, seed: int) -> np.ndarray:
        """(r, c) rate less both prices, -inf where a pair doesn't qualify; spread at random within the softness of the prices.

        Where many matchings are equally good, every row would have the same best column without that.
        """
        random = np.random.default_rng(seed)
        parts, width = list(row_parts(self.rates.shape)), self.rates.shape[1]
        # One tile of noise serves all rows, each time from another column on: numbers of their own would take longer than all else here.
        noise = random.random((parts[0].stop if parts else 0, 2 * width), dtype=np.float32) * np.float32(prices.softness)
        result = np.empty_like(self.rates)
        for part, start in zip(parts, random.integers(0, max(width, 1), len(parts)).tolist(), strict=True):
            tile = result[part]
            np.add(self.rates[part], noise[: len(tile), start : start + width], out=tile)
            tile -= prices.rows[part, None]
            tile -= prices.columns
            tile[self.rates[part] <= 0] = -np.inf
        return result

    def called_for(self, score: np.ndarray, count: int, least: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions of the `count` greatest scores above `least` of each row and each column."""
        one = _greatest(score, count, least)
        other = _greatest(score.T, count, least) if not self.is_doubled else one[::-1]
        return self.rows[np.concatenate([one[0], other[1]])], self.columns[np.concatenate([one[1], other[0]])]

    def bound(self, prices: Prices, capacity: np.ndarray) -> float:
        """What no matching saves more than, base currency: the cost of all capacity at the least feasible prices near the given ones.

        Weak duality of the program: prices p >= 0 with rate_ij <= p_i + p_j for all pairs cost at least what any matching saves. Where
        every pair stands twice so does every capacity, hence the half.
        """
        rows, columns = feasible(self.rates, prices)
        if self.is_doubled:
            return float((capacity[self.rows] @ rows + capacity[self.columns] @ columns) / 2 * (1 + ROUNDING))
        price = np.zeros(len(capacity))
        price[self.rows], price[self.columns] = rows, columns
        return float(self._raised(price, capacity) @ capacity * (1 + ROUNDING))

    def _raised(self, price: np.ndarray, capacity: np.ndarray) -> np.ndarray:
        """Prices that also cover the extra pairs: where they don't, that of the smaller position of the pair is raised."""
        first, second = self.extra.first, self.extra.second
        smaller = np.where(capacity[first] <= capacity[second], first, second)
        lacking = np.zeros_like(price)
        np.maximum.at(lacking, smaller, self.extra.saving_rate - price[first] - price[second])
        return price + lacking


def _greatest(score: np.ndarray, count: int, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the `count` greatest scores of each row that exceed `least`."""
    kept = min(count, score.shape[1])
    found = [np.zeros((2, 0), dtype=np.int64)]
    for part in row_parts(score.shape):
        tile = np.ascontiguousarray(score[part])
        # Of the negative: selecting from the low end is four times faster where most scores are equal.
        column = np.argpartition(-tile, kept - 1, axis=1)[:, :kept].ravel()
        row = np.repeat(np.arange(len(tile)), kept)
        above = tile[row, column] > least
        found.append(np.stack([row[above] + part.start, column[above]]))
    row, column = np.concatenate(found, axis=1)
    return row, column
