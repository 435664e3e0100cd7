"""Backtests of value at risk and of margin.

Belongs here: the backtest asset. Not here: series and tests (`risk`).
"""

import pandas as pd

from margin_pipeline.orchestration import checks_backtest
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.parameters.backtest import backtest_settings
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.reports import figures_backtest
from margin_pipeline.risk.backtest import backtest

HISTORY_SESSIONS = 760
"""Closes read: 250 days that are tested, 500 returns before the first of them, a margin period and some more."""


@table_asset(
    group_name="risk",
    tables=["backtest_results", "backtest_days", "margin_coverage"],
    checks=[
        Check("backtest_results", checks_backtest.every_portfolio_is_tested_or_named),
        Check("backtest_results", checks_backtest.p_values_are_probabilities),
        Check("backtest_days", checks_backtest.exceptions_are_the_flagged_days),
        Check("margin_coverage", checks_backtest.coverage_is_of_every_margin),
    ],
    history={"prices": HISTORY_SESSIONS, "fx_rates": HISTORY_SESSIONS, "rates": None},
    metrics=lambda f: {
        "portfolios_tested": int(f["backtest_results"].loc[f["backtest_results"]["missing"].isna(), "portfolio_id"].nunique()),
        "value_at_risk_rejected": int(f["backtest_results"]["passed"].eq(False).sum()),
        "margins_below_their_coverage": int(f["margin_coverage"]["passed"].eq(False).sum()),
    },
    pictures={"value_at_risk_backtest": lambda f: figures_backtest.value_at_risk_backtest(f["backtest_results"], f["backtest_days"])},
    pool="compute",
)
def backtest_results(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Value at risk and margin of every portfolio against what its positions would have lost on past days."""
    backend = context.compute.backend("elementwise", len(positions), context.notes)
    settings = (risk_settings(context.as_of), estimation_settings(context.as_of), backtest_settings(context.as_of))
    market = (prices, fx_rates, rates, dividends, portfolio_margins)
    result = backtest(positions, instruments, portfolios, *market, *settings, context.as_of, backend=backend)
    context.notes.update(result.report.as_metadata())
    return result.results, result.days, result.margin_coverage
