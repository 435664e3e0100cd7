"""Monte Carlo figures of a whole book.

Belongs here: joining draws with the statistics of simulated profits. Not here: draws and profits (`monte_carlo`), statistics.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.parameters.risk import MonteCarloSettings, RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.draws import group_means
from margin_pipeline.risk.estimates import FactorEstimates
from margin_pipeline.risk.figures import RiskFigures, find_gaps
from margin_pipeline.risk.historical import density, tail_risk
from margin_pipeline.risk.monte_carlo import drawn_profits
from margin_pipeline.risk.simulation import portfolio_deviation, simulated_figures

Floats = npt.NDArray[Any]
METHOD = "monte_carlo"


def monte_carlo_figures(
    book: Book,
    estimates: FactorEstimates,
    settings: RiskSettings,
    portfolio_reasons: dict[int, str],
    backend: Backend = NUMPY,
    threads: int = 1,
) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings.

    Parameters
    ----------
    book : the book.
    estimates : volatilities and correlations of its factors.
    settings : confidences, horizons, draws.
    portfolio_reasons : portfolios that have no figure, by row.
    backend : where products and option values are computed.
    threads : chunks at once; the result does not depend on it.
    """
    draws = settings.monte_carlo
    gaps = find_gaps(book, estimates.lacking, portfolio_reasons)
    profits = drawn_profits(book, estimates, settings.horizons_days, draws, backend, threads)
    starts = np.zeros(len(book.portfolios), dtype=np.int64)
    count = np.full(len(book.portfolios), draws.scenarios)
    figures = []
    for horizon, profit in zip(settings.horizons_days, profits, strict=True):
        annual = portfolio_deviation(book, profit, starts) * np.sqrt(settings.trading_days / horizon)
        for confidence in settings.confidences:
            parts = simulated_figures(book, profit, starts, confidence, lambda total, c: simulation_error(total, c, draws), threads)
            figures.append(RiskFigures(METHOD, confidence, horizon, *parts, count, gaps, annual))
    return figures


def simulation_error(profit: Floats, confidence: float, settings: MonteCarloSettings) -> float:
    """Standard error of the value at risk of drawn profits, base currency.

    Parameters
    ----------
    profit : (n,) base currency, in the order of the draws.
    confidence : fraction.
    settings : how they were drawn.

    Notes
    -----
    Error of the share of scenarios below the quantile, over the density there (Glasserman, section 9.1, for independent draws
    √(c(1 − c)/n)/f). The error of the share is that of the mean over pairs, or over replications, which are independent where
    scenarios are not.
    """
    quantile = -float(tail_risk(profit[None, :], confidence).value_at_risk[0])
    at = density(profit, quantile)
    if at == 0:
        return 0.0
    means = group_means(profit <= quantile, settings)
    return float(means.std(ddof=1) / np.sqrt(len(means)) / at)
