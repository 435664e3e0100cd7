"""Historical simulation of a whole book.

Belongs here: joining the book with scenarios, portfolio by portfolio. Not here: statistics (`historical`), revaluation, histories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.figures import Gaps, RiskFigures, find_gaps
from margin_pipeline.risk.historical import standard_error
from margin_pipeline.risk.revaluation import profits
from margin_pipeline.risk.scenarios import FactorHistory, horizon_returns
from margin_pipeline.risk.simulation import portfolio_deviation, simulated_figures

Floats = npt.NDArray[Any]
METHOD = "historical"


@dataclass(frozen=True)
class HistoricalProfits:
    """Profits of all strategies in the scenarios of one horizon.

    Attributes
    ----------
    horizon_days : sessions that a scenario spans.
    profit : (strategies, scenarios) base currency, options revalued in full.
    starts : (portfolios,) first scenario of each portfolio.
    gaps : what is missing.
    """

    horizon_days: int
    profit: Floats
    starts: npt.NDArray[np.int64]
    gaps: Gaps

    @property
    def observations(self) -> npt.NDArray[np.int64]:
        """(portfolios,) scenarios of each portfolio."""
        return self.profit.shape[1] - self.starts


def historical_profits(
    book: Book, history: FactorHistory, settings: RiskSettings, portfolio_reasons: dict[int, str], backend: Backend = NUMPY
) -> list[HistoricalProfits]:
    """Profits for every horizon of the settings.

    Parameters
    ----------
    book : the book.
    history : daily returns of its factors.
    settings : horizons, window, least observations.
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
    found = []
    for horizon in settings.horizons_days:
        known = horizon_returns(history, horizon, settings.historical_window)
        returns = np.where(usable, np.hstack([known, np.full((len(known), 1), np.nan)])[:, place], np.nan)
        starts = _first_scenarios(book, returns, usable)
        too_few = _too_few(book, len(returns) - starts, horizon, settings, portfolio_reasons)
        gaps = find_gaps(book, short, too_few)
        for row in set(too_few) - set(portfolio_reasons):
            gaps.strategy_is_complete[book.strategies_of(row)] = False
        found.append(HistoricalProfits(horizon, profits(book, returns, backend), starts, gaps))
    return found


def historical_figures(book: Book, scenarios: Sequence[HistoricalProfits], settings: RiskSettings) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings, from the profits of `historical_profits`."""
    figures = []
    for given in scenarios:
        annual = annual_deviation(book, given, settings)

        def error(profit: Floats, confidence: float, horizon: int = given.horizon_days) -> float:
            return standard_error(profit, confidence, horizon)

        for confidence in settings.confidences:
            parts = simulated_figures(book, given.profit, given.starts, confidence, error)
            figures.append(RiskFigures(METHOD, confidence, given.horizon_days, *parts, given.observations, given.gaps, annual))
    return figures


def annual_deviation(book: Book, given: HistoricalProfits, settings: RiskSettings) -> Floats:
    """(portfolios,) standard deviation of the profits of the horizon, scaled to a year by the square root of time."""
    return portfolio_deviation(book, given.profit, given.starts) * np.sqrt(settings.trading_days / given.horizon_days)


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
