"""Volatility and correlation of the risk factors that a book holds.

Belongs here: joining the book's factors with the stored estimates. Not here: the estimators (`market`), what is computed with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.risk.book import Book

Floats = npt.NDArray[Any]


@dataclass(frozen=True)
class FactorEstimates:
    """Estimates of the held factors that have them.

    Attributes
    ----------
    columns : (n,) columns of the book that have a volatility and a correlation, ascending.
    correlation : (n, n) float64, positive semi-definite.
    daily_volatility : (n,) standard deviation of one day's return, fraction.
    lacking : reason by name of the factor without them.
    """

    columns: npt.NDArray[np.int64]
    correlation: Floats
    daily_volatility: Floats
    lacking: dict[str, str]

    @property
    def covariance(self) -> Floats:
        """(n, n) covariance of one day's returns."""
        return self.correlation * self.daily_volatility * self.daily_volatility[:, None]


def factor_estimates(
    book: Book, symbols: Sequence[str], correlation: Floats, symbol_risk: pd.DataFrame, trading_days: int
) -> FactorEstimates:
    """Estimates of the factors of a book.

    Parameters
    ----------
    book : the book.
    symbols, correlation : (n,) names and (n, n) correlation of the estimated factors.
    symbol_risk : frame of that table; annualised volatilities.
    trading_days : days a year.
    """
    annual = symbol_risk.set_index("symbol")["volatility"].reindex(book.factors).to_numpy(float)
    place = pd.Index(list(symbols), dtype=object).get_indexer(book.factors)
    estimated = ~np.isnan(annual) & (place >= 0)
    used = place[estimated]
    return FactorEstimates(
        columns=np.flatnonzero(estimated),
        correlation=np.asarray(correlation, dtype=np.float64)[np.ix_(used, used)],
        daily_volatility=annual[estimated] / np.sqrt(trading_days),
        lacking={name: f"{name}: no estimate of its volatility and correlation" for name in book.factors[~estimated]},
    )
