"""Figures of a whole book from the profits of its strategies in scenarios, portfolio by portfolio.

Belongs here: value at risk, shortfall, components and errors of simulated profits. Not here: where the profits come from
(`historical_method`, `monte_carlo_method`), the statistics of one book (`historical`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import map_chunks
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.figures import PORTFOLIO_FIGURES, STRATEGY_FIGURES
from margin_pipeline.risk.historical import components, tail_risk

Floats = npt.NDArray[Any]
ErrorOfVar = Callable[[Floats, float], float]
"""Standard error of the value at risk of the profits of a portfolio, (n,), at a confidence."""


def simulated_figures(
    book: Book, profit: Floats, starts: npt.NDArray[np.int64], confidence: float, error: ErrorOfVar, threads: int = 1
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Figures of portfolios and of strategies, by name.

    Parameters
    ----------
    book : the book.
    profit : (strategies, scenarios) base currency.
    starts : (portfolios,) first scenario of each portfolio.
    confidence : fraction.
    error : standard error of a portfolio's value at risk.
    threads : portfolios at once; the result does not depend on it.
    """
    # Without positions nothing can be lost: 0, and no error of it.
    portfolio = {name: np.zeros(len(book.portfolios)) for name in PORTFOLIO_FIGURES}
    strategy = {name: np.zeros(len(book.strategies)) for name in STRATEGY_FIGURES}

    def fill(row: int) -> None:
        rows = book.strategies_of(row)
        own = profit[rows, starts[row] :]
        if not own.size:
            return
        total = own.sum(axis=0)
        tail = tail_risk(np.vstack([total[None, :], own, total - own]), confidence)
        parts = components(own, total, confidence)
        n = len(own)
        portfolio["var"][row] = tail.value_at_risk[0]
        portfolio["expected_shortfall"][row] = tail.expected_shortfall[0]
        portfolio["standard_error"][row] = error(total, confidence)
        strategy["var"][rows] = tail.value_at_risk[1 : n + 1]
        strategy["expected_shortfall"][rows] = tail.expected_shortfall[1 : n + 1]
        strategy["component_var"][rows] = parts.value_at_risk
        strategy["component_expected_shortfall"][rows] = parts.expected_shortfall
        strategy["incremental_var"][rows] = tail.value_at_risk[0] - tail.value_at_risk[n + 1 :]

    map_chunks(fill, range(len(book.portfolios)), workers=threads)
    return portfolio, strategy


def portfolio_deviation(book: Book, profit: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """(portfolios,) population standard deviation of the profit of each portfolio; 0 without positions."""
    deviation = np.zeros(len(book.portfolios))
    for row, start in enumerate(starts):
        own = profit[book.strategies_of(row), start:]
        if own.size:
            deviation[row] = own.sum(axis=0).std()
    return deviation
