"""Backtest of the value at risk and of the margin of today's book over the price history.

Belongs here: the one entry point that takes tables and returns tables. Not here: profits and series (`backtest_profits`,
`backtest_series`), tests (`backtest_tests`), tables of results (`backtest_results`), margin (`margin_coverage`).

The backtest is hypothetical: today's positions are held on every day, options are revalued in full, and time does not pass for them.
So it tests the model on the book that is at risk now, not on the books that were held.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend, ComputeReport, run_on
from margin_pipeline.parameters.backtest import BacktestSettings
from margin_pipeline.parameters.estimation import EstimationSettings
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk import gaussian_method, historical_method
from margin_pipeline.risk.attribution import OTC_REASON
from margin_pipeline.risk.backtest_profits import PastProfits, past_profits
from margin_pipeline.risk.backtest_results import Series, day_rows, result_rows
from margin_pipeline.risk.backtest_series import gaussian_series, historical_series
from margin_pipeline.risk.book import Book, build_book
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.figures import find_gaps
from margin_pipeline.risk.margin_coverage import coverage_rows
from margin_pipeline.risk.scenarios import factor_history

Floats = npt.NDArray[Any]
Reasons = tuple[tuple[str, ...], ...]
NOTHING_HELD = "no position: nothing to test"


@dataclass(frozen=True)
class BacktestResult:
    """Backtests of a date.

    Attributes
    ----------
    results, days, margin_coverage : frames of tables backtest_results, backtest_days, margin_coverage.
    report : where options were revalued, and whether the device failed.
    """

    results: pd.DataFrame
    days: pd.DataFrame
    margin_coverage: pd.DataFrame
    report: ComputeReport


def backtest(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    risk: RiskSettings,
    estimation: EstimationSettings,
    settings: BacktestSettings,
    as_of: dt.date,
    backend: Backend = NUMPY,
) -> BacktestResult:
    """Test value at risk and margin of every portfolio against the profits of its positions on past days.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates, rates, dividends, portfolio_margins : frames of those tables, histories
        resolved up to the date.
    risk : confidences, window of historical simulation, calendar, least returns of a factor.
    estimation : half-life and window of the gaussian value at risk.
    settings : days, tests, margin period and targets.
    as_of : business date.
    backend : where options are revalued (NumPy when it fails); everything else is float64 on the CPU.

    Returns
    -------
    BacktestResult; a portfolio that lacks an input, or has too short a history, has rows without figures that say why.

    Notes
    -----
    Both methods are held against profits revalued in full (the hypothetical profit of MAR32.13 ff.): a gaussian value at risk that
    leaves the curvature of options out must show it. Its own deviation is that of the delta profits, as in `gaussian`.
    """
    book = build_book(risk_positions(positions, instruments, portfolios, prices, rates, dividends, as_of), positions, portfolios)
    options = set(instruments.loc[instruments["option_type"].notna(), "symbol"])
    longer = replace(risk, historical_window=risk.historical_window + settings.days, horizons_days=(settings.margin_period_days,))
    history = factor_history(prices, fx_rates, book.factors, options, longer, as_of)
    past, report = run_on(backend, lambda b: past_profits(book, history, risk, settings, b))
    otc = set(portfolios.loc[portfolios["account_type"] == "otc", "portfolio_id"])
    tested = [
        Series(method, confidence, past.sessions, past.daily, value, past.gross_exposure)
        for method, values in _values_at_risk(past, risk, estimation, settings).items()
        for confidence, value in zip(risk.confidences, values, strict=True)
    ]
    daily_least = settings.min_window + settings.min_days
    daily_reasons = _reasons(book, otc, past.unusable, past.daily, f"{daily_least} daily profits", daily_least)
    needed = f"{settings.min_days} profits over {settings.margin_period_days} days"
    period_reasons = _reasons(book, otc, past.unusable, past.period, needed, settings.min_days)
    return BacktestResult(
        result_rows(book.portfolios, tested, daily_reasons, settings),
        day_rows(book.portfolios, tested, daily_reasons),
        coverage_rows(book.portfolios, portfolio_margins, past.period, past.gross_exposure, period_reasons, otc, settings),
        report,
    )


def _values_at_risk(
    past: PastProfits, risk: RiskSettings, estimation: EstimationSettings, settings: BacktestSettings
) -> dict[str, npt.NDArray[np.float64]]:
    """(confidences, portfolios, days) by method."""
    given = (risk.confidences, settings.days)
    return {
        gaussian_method.METHOD: gaussian_series(past.delta, *given, estimation.window, estimation.half_life, settings.min_window),
        historical_method.METHOD: historical_series(past.daily, *given, risk.historical_window, settings.min_window),
    }


def _reasons(book: Book, otc: set[str], unusable: dict[str, str], profit: Floats, needed: str, least: int) -> Reasons:
    """What each portfolio lacks for a figure, sorted; empty: nothing."""
    holds = np.zeros(len(book.portfolios), dtype=bool)
    holds[book.portfolio_of[book.held.nonzero()[0]]] = True
    # A position without an exposure is a position all the same, and says itself what it lacks.
    holds[book.portfolio_of[book.reasons["row"].to_numpy(np.int64)]] = True
    count = (~np.isnan(profit)).sum(axis=1)
    own: dict[int, str] = {int(p): f"only {count[p]} of the {needed} that are needed" for p in np.flatnonzero(holds & (count < least))}
    own |= {int(p): NOTHING_HELD for p in np.flatnonzero(~holds)}
    own |= {int(p): OTC_REASON for p in np.flatnonzero(book.portfolios.isin(list(otc)))}
    return find_gaps(book, unusable, own).portfolio
