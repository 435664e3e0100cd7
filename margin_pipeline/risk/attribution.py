"""Value at risk of every portfolio and its attribution to strategies, under every method of the settings.

Belongs here: the one entry point that takes tables and returns tables. Not here: the methods.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend, ComputeReport, run_on
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book, build_book
from margin_pipeline.risk.cornish_fisher_method import cornish_fisher_figures
from margin_pipeline.risk.delta_gamma_method import delta_gamma_figures
from margin_pipeline.risk.estimates import FactorEstimates, factor_estimates
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.factor_view import factor_table, market_model
from margin_pipeline.risk.figures import RiskFigures, portfolio_table, strategy_components
from margin_pipeline.risk.gaussian_method import gaussian_figures
from margin_pipeline.risk.historical_method import historical_figures, historical_profits
from margin_pipeline.risk.monte_carlo_method import monte_carlo_figures
from margin_pipeline.risk.scenarios import FactorHistory, factor_history
from margin_pipeline.risk.summaries import summary_table

Floats = npt.NDArray[Any]
OTC_REASON = "trades of netting sets are not revalued: no value at risk of an otc account"


@dataclass(frozen=True)
class RiskResult:
    """Risk of a date.

    Attributes
    ----------
    portfolio_risk : frame of that table.
    strategy_risk_components : the risk columns of table strategy_risk.
    portfolio_risk_factors : frame of that table.
    risk_summaries : frame of that table.
    report : where options were revalued, and whether the device failed.
    """

    portfolio_risk: pd.DataFrame
    strategy_risk_components: pd.DataFrame
    portfolio_risk_factors: pd.DataFrame
    risk_summaries: pd.DataFrame
    report: ComputeReport


def assess(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbols: Sequence[str],
    correlation: Floats,
    symbol_risk: pd.DataFrame,
    settings: RiskSettings,
    as_of: dt.date,
    backend: Backend = NUMPY,
    threads: int = 1,
    benchmark: str = "SP500",
) -> RiskResult:
    """Risk of portfolios and strategies under the methods of the settings.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates, rates, dividends, symbol_risk : frames of those tables, histories
        resolved up to the date.
    symbols, correlation : (n,) factors and (n, n) their correlation, as estimated on the date.
    settings : methods, confidences, horizons, window, draws.
    as_of : business date.
    backend : where options are revalued and returns drawn (NumPy when it fails); everything else is float64 on the CPU.
    threads : portfolios and chunks of draws at once; no figure depends on it.
    benchmark : symbol that the betas of symbol_risk are against.

    Returns
    -------
    RiskResult; the figures of a portfolio are missing, with the reasons, where a position or a factor of it lacks an input.
    """
    held = risk_positions(positions, instruments, portfolios, prices, rates, dividends, as_of)
    book = build_book(held, positions, portfolios)
    unmodelled = _portfolios_without_figures(book.portfolios, portfolios)
    options = set(instruments.loc[instruments["option_type"].notna(), "symbol"])
    history = factor_history(prices, fx_rates, book.factors, options, settings, as_of)
    estimates = factor_estimates(book, symbols, correlation, symbol_risk, settings.trading_days)

    figures, report = run_on(backend, lambda device: _simulated_figures(book, history, estimates, settings, unmodelled, device, threads))
    figures += _closed_figures(book, estimates, settings, unmodelled, threads)
    names = book.factors[estimates.columns]
    model = market_model(names, tuple(symbols), correlation, symbol_risk, instruments, benchmark, settings.trading_days)
    return RiskResult(
        portfolio_risk=portfolio_table(book, figures),
        strategy_risk_components=strategy_components(book, figures),
        portfolio_risk_factors=factor_table(book, estimates, model, settings, unmodelled),
        risk_summaries=summary_table(book, figures),
        report=report,
    )


def _closed_figures(
    book: Book, estimates: FactorEstimates, settings: RiskSettings, portfolio_reasons: dict[int, str], threads: int
) -> list[RiskFigures]:
    """Figures of the methods with closed forms."""
    figures: list[RiskFigures] = []
    if "gaussian" in settings.methods:
        figures += gaussian_figures(book, estimates, settings, portfolio_reasons)
    if "delta_gamma" in settings.methods:
        figures += delta_gamma_figures(book, estimates, settings, portfolio_reasons, threads)
    return figures


def _simulated_figures(
    book: Book,
    history: FactorHistory,
    estimates: FactorEstimates,
    settings: RiskSettings,
    portfolio_reasons: dict[int, str],
    backend: Backend,
    threads: int,
) -> list[RiskFigures]:
    """Figures of the methods that revalue options."""
    figures: list[RiskFigures] = []
    if {"historical", "cornish_fisher"} & set(settings.methods):
        scenarios = historical_profits(book, history, settings, portfolio_reasons, backend)
        if "historical" in settings.methods:
            figures += historical_figures(book, scenarios, settings)
        if "cornish_fisher" in settings.methods:
            figures += cornish_fisher_figures(book, scenarios, settings)
    if "monte_carlo" in settings.methods:
        figures += monte_carlo_figures(book, estimates, settings, portfolio_reasons, backend, threads)
    return figures


def _portfolios_without_figures(names: pd.Index, portfolios: pd.DataFrame) -> dict[int, str]:
    # Their risk is in trades, which are no positions: 0 would be a claim.
    of_trades = portfolios.loc[portfolios["account_type"] == "otc", "portfolio_id"]
    return {int(row): OTC_REASON for row in np.sort(names.get_indexer(pd.Index(of_trades)))}
