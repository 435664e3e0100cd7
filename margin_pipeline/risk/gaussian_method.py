"""Gaussian figures of a whole book from the stored estimates.

Belongs here: joining the book with volatilities and correlations. Not here: the closed forms (`gaussian`), the estimators (`market`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.figures import RiskFigures, find_gaps
from margin_pipeline.risk.gaussian import DailyDeviations, daily_deviations, expected_shortfall_factor, value_at_risk_factor

Floats = npt.NDArray[Any]
METHOD = "gaussian"


def gaussian_figures(
    book: Book,
    symbols: Sequence[str],
    correlation: Floats,
    symbol_risk: pd.DataFrame,
    settings: RiskSettings,
    portfolio_reasons: dict[int, str],
) -> list[RiskFigures]:
    """Figures for every confidence and horizon of the settings.

    Parameters
    ----------
    book : the book.
    symbols, correlation : (n,) names and (n, n) correlation of the estimated factors.
    symbol_risk : frame of that table; annualised volatilities.
    settings : confidences, horizons, days a year.
    portfolio_reasons : portfolios that have no figure, by row.
    """
    annual = symbol_risk.set_index("symbol")["volatility"].reindex(book.factors).to_numpy(float)
    place = pd.Index(list(symbols), dtype=object).get_indexer(book.factors)
    estimated = ~np.isnan(annual) & (place >= 0)
    lacking = {name: f"{name}: no estimate of its volatility and correlation" for name in book.factors[~estimated]}
    gaps = find_gaps(book, lacking, portfolio_reasons)
    used = place[estimated]
    deviations = daily_deviations(
        book.delta_exposure[:, np.flatnonzero(estimated)].toarray(),
        book.portfolio_of,
        len(book.portfolios),
        np.asarray(correlation, dtype=np.float64)[np.ix_(used, used)],
        annual[estimated] / np.sqrt(settings.trading_days),
    )
    no_count = np.full(len(book.portfolios), np.nan)
    return [
        RiskFigures(METHOD, confidence, horizon, *_scaled(book, deviations, confidence, horizon), no_count, gaps)
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
