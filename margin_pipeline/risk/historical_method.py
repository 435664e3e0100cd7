"""Historical simulation of a whole book.

Belongs here: joining the book with scenarios, portfolio by portfolio. Not here: statistics (`historical`), revaluation, histories.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.figures import PORTFOLIO_FIGURES, STRATEGY_FIGURES, RiskFigures, find_gaps
from margin_pipeline.risk.historical import components, standard_error, tail_risk
from margin_pipeline.risk.revaluation import profits
from margin_pipeline.risk.scenarios import FactorHistory, horizon_returns

Floats = npt.NDArray[Any]
METHOD = "historical"


def historical_figures(
    book: Book, history: FactorHistory, settings: RiskSettings, portfolio_reasons: dict[int, str], backend: Backend = NUMPY
) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings.

    Parameters
    ----------
    book : the book.
    history : daily returns of its factors.
    settings : confidences, horizons, window, least observations.
    portfolio_reasons : portfolios that have no figure, by row.
    backend : where options are revalued.

    Notes
    -----
    A portfolio's scenarios are the newest of the window in which every factor that it holds had a return; all its strategies are
    judged on the same ones. Fewer than the least observations of a factor, or scenarios of the portfolio, leave no figure.
    """
    place = history.factors.get_indexer(book.factors)
    count = np.where(place >= 0, np.append(history.observations, 0)[place], 0)
    usable = count >= settings.min_observations
    short = {
        name: f"{name}: only {n} daily returns, {settings.min_observations} needed"
        for name, n in zip(book.factors[~usable], count[~usable], strict=True)
    }
    figures = []
    for horizon in settings.horizons_days:
        known = horizon_returns(history, horizon, settings.historical_window)
        returns = np.where(usable, np.hstack([known, np.full((len(known), 1), np.nan)])[:, place], np.nan)
        starts = _first_scenarios(book, returns, usable)
        too_few = _too_few(book, len(returns) - starts, horizon, settings, portfolio_reasons)
        gaps = find_gaps(book, short, too_few)
        for row in set(too_few) - set(portfolio_reasons):
            gaps.strategy_is_complete[book.strategies_of(row)] = False
        profit = profits(book, returns, backend)
        figures += [
            RiskFigures(METHOD, confidence, horizon, *_statistics(book, profit, starts, confidence, horizon), len(returns) - starts, gaps)
            for confidence in settings.confidences
        ]
    return figures


def _first_scenarios(book: Book, returns: Floats, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """(portfolios,) first scenario in which every usable factor of the portfolio has a return."""
    # Returns are missing only at the beginning, so counting the missing ones finds the first one.
    first_of_factor = np.where(usable, np.isnan(returns).sum(axis=0), 0)
    starts = np.zeros(len(book.portfolios), dtype=np.int64)
    strategy, factor = book.held.nonzero()
    np.maximum.at(starts, book.portfolio_of[strategy], first_of_factor[factor])
    return starts


def _too_few(book: Book, scenarios: npt.NDArray[np.int64], horizon: int, settings: RiskSettings, given: dict[int, str]) -> dict[int, str]:
    """Reasons of portfolios that hold something and have fewer scenarios than needed, with those given."""
    holds = np.zeros(len(book.portfolios), dtype=bool)
    holds[book.portfolio_of[book.held.nonzero()[0]]] = True
    short = np.flatnonzero(holds & (scenarios < settings.min_observations))
    return {int(p): f"only {scenarios[p]} scenarios of {horizon} days, {settings.min_observations} needed" for p in short} | given


def _statistics(
    book: Book, profit: Floats, starts: npt.NDArray[np.int64], confidence: float, horizon: int
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    # Without positions nothing can be lost: 0, and no error of it.
    portfolio = {name: np.zeros(len(book.portfolios)) for name in PORTFOLIO_FIGURES}
    strategy = {name: np.zeros(len(book.strategies)) for name in STRATEGY_FIGURES}
    for row, start in enumerate(starts):
        rows = book.strategies_of(row)
        own = profit[rows, start:]
        if not own.size:
            continue
        total = own.sum(axis=0)
        tail = tail_risk(np.vstack([total[None, :], own, total - own]), confidence)
        parts = components(own, total, confidence)
        n = len(own)
        portfolio["var"][row] = tail.value_at_risk[0]
        portfolio["expected_shortfall"][row] = tail.expected_shortfall[0]
        portfolio["standard_error"][row] = standard_error(total, confidence, horizon)
        strategy["var"][rows] = tail.value_at_risk[1 : n + 1]
        strategy["expected_shortfall"][rows] = tail.expected_shortfall[1 : n + 1]
        strategy["component_var"][rows] = parts.value_at_risk
        strategy["component_expected_shortfall"][rows] = parts.expected_shortfall
        strategy["incremental_var"][rows] = tail.value_at_risk[0] - tail.value_at_risk[n + 1 :]
    return portfolio, strategy
