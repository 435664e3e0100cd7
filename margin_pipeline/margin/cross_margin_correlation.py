"""Correlation of the returns of positions in base currency, computed where it is needed.

Belongs here: tiles and single entries of that correlation, from the correlation of risk factors as it is given. Not here: estimates of
risk factors (`market`), which pairs offset each other (`cross_margin_pairs`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CurrencyPart:
    """What exchange rates add to the returns of n positions that hold k different currencies.

    Attributes
    ----------
    volatility : (n,) volatility of the local return.
    kind : (n,) which of the k currencies a position is in.
    with_kind : (n, k) covariance of each local return with what each currency adds.
    between_kinds : (k, k) covariance of what the currencies add.
    deviation : (n,) standard deviation of the return in base currency.
    """

    volatility: np.ndarray
    kind: np.ndarray
    with_kind: np.ndarray
    between_kinds: np.ndarray
    deviation: np.ndarray


@dataclass(frozen=True)
class ReturnCorrelation:
    """Correlation of the returns of n positions: local return + currency - base currency.

    Attributes
    ----------
    matrix : (f, f) correlation of the risk factors, float32 or float64; never copied as a whole.
    factor : (n,) risk factor of each position.
    currencies : what exchange rates add; None where every position is in the base currency.
    """

    matrix: np.ndarray
    factor: np.ndarray
    currencies: CurrencyPart | None = None

    def tile(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(r, c) correlations of some positions with others, in the precision of the matrix; the caller may change them."""
        row, column = self.factor[rows][:, None], self.factor[columns][None, :]
        if self.matrix.flags.c_contiguous:
            # Two to four times as fast as indexing by rows and columns.
            local = self.matrix.reshape(-1).take(row * self.matrix.shape[1] + column, mode="clip")
        else:
            local = self.matrix[row, column]
        if self.currencies is None:
            return local
        return self._in_base(local, (rows[:, None], columns[None, :]))

    def entries(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """(m,) float64 correlations of m pairs of positions."""
        local = self.matrix[self.factor[first], self.factor[second]].astype(np.float64)
        return local if self.currencies is None else self._in_base(local, (first, second))

    def _in_base(self, local: np.ndarray, pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        part, (one, other) = self.currencies, pair
        assert part is not None
        covariance = local * (part.volatility[one] * part.volatility[other])
        covariance += part.with_kind[one, part.kind[other]] + part.with_kind[other, part.kind[one]]
        covariance += part.between_kinds[part.kind[one], part.kind[other]]
        scale = part.deviation[one] * part.deviation[other]
        return np.clip(np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0), -1.0, 1.0)


def currency_part(matrix: np.ndarray, volatility: np.ndarray, factor: np.ndarray, kind: np.ndarray, loading: np.ndarray) -> CurrencyPart:
    """What exchange rates add to the returns of positions.

    Parameters
    ----------
    matrix : (f, f) correlation of the risk factors.
    volatility : (f,) their volatilities; NaN counts as 0.
    factor : (n,) risk factor of the local return of each position.
    kind : (n,) which currency each position is in.
    loading : (k, f) loading of each currency on the risk factors: 1 on the currency, -1 on the base currency, 0 for one in the base.

    Returns
    -------
    The part, all covariances in float64.
    """
    used = np.flatnonzero(loading.any(axis=0))
    known = np.nan_to_num(volatility)
    weighted = loading[:, used] * known[used]
    with_kind = known[factor][:, None] * (matrix[np.ix_(factor, used)].astype(np.float64) @ weighted.T)
    between = weighted @ matrix[np.ix_(used, used)].astype(np.float64) @ weighted.T
    own = known[factor]
    variance = own**2 + 2 * with_kind[np.arange(len(factor)), kind] + between[kind, kind]
    return CurrencyPart(own, kind, with_kind, between, np.sqrt(np.maximum(variance, 0.0)))
