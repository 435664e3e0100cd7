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
from margin_pipeline.risk.cornish_fisher import components, expected_shortfall_expansion, is_in_domain, moments, value_at_risk_expansion
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
        reasons: dict[int, str] = {}
        alone = given.gaps.strategy_is_complete.copy()
        parts = {c: _empty(book) for c in settings.confidences}
        for row in range(len(book.portfolios)):
            rows = book.strategies_of(row)
            own = given.profit[rows, given.starts[row] :]
            if own.size:
                reason, inside = _fill(parts, row, rows, own)
                alone[rows] &= inside
                if reason and not given.gaps.portfolio[row]:
                    reasons[row] = reason
        portfolio_gaps = tuple((reasons[r],) if r in reasons else found for r, found in enumerate(given.gaps.portfolio))
        gaps = Gaps(portfolio_gaps, alone)
        figures += [RiskFigures(METHOD, c, given.horizon_days, *parts[c], given.observations, gaps, annual) for c in settings.confidences]
    return figures


def _empty(book: Book) -> tuple[dict[str, Floats], dict[str, Floats]]:
    # Without positions nothing can be lost: 0. The moments come without an error.
    portfolio = {name: np.zeros(len(book.portfolios)) for name in PORTFOLIO_FIGURES}
    portfolio["standard_error"] = np.full(len(book.portfolios), np.nan)
    return portfolio, {name: np.zeros(len(book.strategies)) for name in STRATEGY_FIGURES}


def _fill(
    parts: dict[float, tuple[dict[str, Floats], dict[str, Floats]]], row: int, rows: slice, own: Floats
) -> tuple[str | None, npt.NDArray[np.bool_]]:
    """Write the figures of a portfolio; why it has none, and which strategies have figures of their own."""
    total = own.sum(axis=0)
    found = moments(np.vstack([total[None, :], own, total - own]))
    inside = is_in_domain(found)
    n = len(own)
    for confidence, (portfolio, strategy) in parts.items():
        expansions = {"var": value_at_risk_expansion(confidence), "expected_shortfall": expected_shortfall_expansion(confidence)}
        for name, expansion in expansions.items():
            loss = expansion.loss(found)
            portfolio[name][row] = loss[0]
            strategy[name][rows] = loss[1 : n + 1]
            strategy[f"component_{name}"][rows] = components(own, expansion)
            if name == "var":
                strategy["incremental_var"][rows] = np.where(inside[n + 1 :], loss[0] - loss[n + 1 :], np.nan)
    outside = f"skewness {found.skewness[0]:.2f} and excess kurtosis {found.excess_kurtosis[0]:.2f} are outside the expansion's domain"
    return None if inside[0] else outside, inside[1 : n + 1]
