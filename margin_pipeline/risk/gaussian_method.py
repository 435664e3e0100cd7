"""Gaussian figures of a whole book from the stored estimates.

Belongs here: joining the book with volatilities and correlations. Not here: the closed forms (`gaussian`), the estimators (`market`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.estimates import FactorEstimates
from margin_pipeline.risk.figures import RiskFigures, find_gaps
from margin_pipeline.risk.gaussian import DailyDeviations, daily_deviations, expected_shortfall_factor, value_at_risk_factor

Floats = npt.NDArray[Any]
METHOD = "gaussian"


def gaussian_figures(
    book: Book, estimates: FactorEstimates, settings: RiskSettings, portfolio_reasons: dict[int, str]
) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings.

    Parameters
    ----------
    book : the book.
    estimates : volatilities and correlations of its factors.
    settings : confidences, horizons, days a year.
    portfolio_reasons : portfolios that have no figure, by row.
    """
    gaps = find_gaps(book, estimates.lacking, portfolio_reasons)
    deviations = daily_deviations(
        book.delta_exposure[:, estimates.columns].toarray(),
        book.portfolio_of,
        len(book.portfolios),
        estimates.correlation,
        estimates.daily_volatility,
    )
    no_count = np.full(len(book.portfolios), np.nan)
    annual = deviations.portfolio * np.sqrt(settings.trading_days)
    return [
        RiskFigures(METHOD, confidence, horizon, *_scaled(book, deviations, confidence, horizon), no_count, gaps, annual)
        for confidence in settings.confidences
        for horizon in settings.horizons_days
    ]


def _scaled(book: Book, deviations: DailyDeviations, confidence: float, horizon: int) -> tuple[dict[str, Floats], dict[str, Floats]]:
    for_var, for_shortfall = value_at_risk_factor(confidence, horizon), expected_shortfall_factor(confidence, horizon)
    portfolio = {
        "var": for_var * deviations.portfolio,
        "expected_shortfall": for_shortfall * deviations.portfolio,
        "standard_error": np.full(len(book.portfolios), np.nan),
    }
    strategy = {
        "var": for_var * deviations.strategy,
        "expected_shortfall": for_shortfall * deviations.strategy,
        "component_var": for_var * deviations.component,
        "component_expected_shortfall": for_shortfall * deviations.component,
        "incremental_var": for_var * (deviations.portfolio[book.portfolio_of] - deviations.without_strategy),
    }
    return portfolio, strategy
