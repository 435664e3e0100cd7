"""Cornish-Fisher figures of a whole book from the profits of historical simulation.

Belongs here: joining profits, portfolio by portfolio, and what has no figure. Not here: the expansion (`cornish_fisher`).

Moments are those of the profits over the horizon itself (full revaluation; horizons over a day overlap), so nothing is scaled: an
option book does not earn over ten days the sum of ten days' profits of today.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.cornish_fisher import (
    Moments,
    components,
    expected_shortfall_expansion,
    is_in_domain,
    moments,
    value_at_risk_expansion,
)
from margin_pipeline.risk.figures import PORTFOLIO_FIGURES, STRATEGY_FIGURES, Gaps, RiskFigures
from margin_pipeline.risk.historical_method import HistoricalProfits, annual_deviation

Floats = npt.NDArray[Any]
METHOD = "cornish_fisher"


def cornish_fisher_figures(book: Book, scenarios: Sequence[HistoricalProfits], settings: RiskSettings) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings.

    Parameters
    ----------
    book : the book.
    scenarios : profits of every horizon.
    settings : confidences, days a year.

    Notes
    -----
    Outside of the domain of the expansion a portfolio has no figure, for the reason given, and a strategy none of its own. Where the
    portfolio without a strategy is outside, there is no incremental figure.
    """
    figures = []
    for given in scenarios:
        annual = annual_deviation(book, given, settings)
        own_moments = [_moments(book, given, row) for row in range(len(book.portfolios))]
        for confidence in settings.confidences:
            parts = _figures(book, given, own_moments, confidence)
            gaps = _gaps(book, given, own_moments, confidence)
            figures.append(RiskFigures(METHOD, confidence, given.horizon_days, *parts, given.observations, gaps, annual))
    return figures


def _profit(book: Book, given: HistoricalProfits, row: int) -> Floats:
    return given.profit[book.strategies_of(row), given.starts[row] :]


def _moments(book: Book, given: HistoricalProfits, row: int) -> Moments | None:
    """Moments of the portfolio, of each strategy, and of the portfolio without it, in that order; None without any profits."""
    own = _profit(book, given, row)
    total = own.sum(axis=0)
    return moments(np.vstack([total[None, :], own, total - own])) if own.size else None


def _figures(
    book: Book, given: HistoricalProfits, own_moments: Sequence[Moments | None], confidence: float
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    # Without positions nothing can be lost: 0. The moments come without an error.
    portfolio = {name: np.zeros(len(book.portfolios)) for name in PORTFOLIO_FIGURES}
    portfolio["standard_error"] = np.full(len(book.portfolios), np.nan)
    strategy = {name: np.zeros(len(book.strategies)) for name in STRATEGY_FIGURES}
    expansions = {"var": value_at_risk_expansion(confidence), "expected_shortfall": expected_shortfall_expansion(confidence)}
    for row, found in enumerate(own_moments):
        if found is None:
            continue
        rows, own = book.strategies_of(row), _profit(book, given, row)
        n = len(own)
        for name, expansion in expansions.items():
            loss = expansion.loss(found)
            portfolio[name][row] = loss[0]
            strategy[name][rows] = loss[1 : n + 1]
            strategy[f"component_{name}"][rows] = components(own, expansion)
            if name == "var":
                without_is_known = is_in_domain(found, confidence)[n + 1 :]
                strategy["incremental_var"][rows] = np.where(without_is_known, loss[0] - loss[n + 1 :], np.nan)
    return portfolio, strategy


def _gaps(book: Book, given: HistoricalProfits, own_moments: Sequence[Moments | None], confidence: float) -> Gaps:
    """What the profits lack, and what the domain leaves out."""
    reasons, alone = list(given.gaps.portfolio), given.gaps.strategy_is_complete.copy()
    for row, found in enumerate(own_moments):
        if found is None:
            continue
        rows, inside = book.strategies_of(row), is_in_domain(found, confidence)
        alone[rows] &= inside[1 : 1 + rows.stop - rows.start]
        if not inside[0] and not reasons[row]:
            shape = f"skewness {found.skewness[0]:.2f} and excess kurtosis {found.excess_kurtosis[0]:.2f}"
            reasons[row] = (f"{shape} are outside the domain of the Cornish-Fisher expansion at {confidence:g}",)
    return Gaps(tuple(reasons), alone)
