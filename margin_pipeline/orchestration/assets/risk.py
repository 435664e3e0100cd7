"""Value at risk of portfolios and its attribution to strategies.

Belongs here: the risk assets. Not here: estimators and attribution (`risk`).
"""

import pandas as pd

from margin_pipeline.margin import portfolio
from margin_pipeline.market import triangle
from margin_pipeline.orchestration import checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.reports import figures
from margin_pipeline.risk import assess, strategy_table

HISTORY_SESSIONS = 520
"""Closes read: 500 returns over up to ten days and a margin."""


@table_asset(
    group_name="risk",
    tables=["portfolio_risk", "strategy_risk"],
    checks=[Check("strategy_risk", checks.risk_components_add_up)],
    history={"prices": HISTORY_SESSIONS, "fx_rates": HISTORY_SESSIONS, "rates": None, "strategy_returns": 252},
    metrics=lambda f: {
        "portfolios_without_risk": int(f["portfolio_risk"].groupby("portfolio_id")["var"].agg(lambda v: v.isna().any()).sum())
    },
    pictures={"margin_by_strategy": lambda f: figures.margin_by_strategy(f["strategy_risk"])},
    pool="compute",
)
def portfolio_risk(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    correlation_matrices: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    strategy_group_legs: pd.DataFrame,
    cross_margin_benefits: pd.DataFrame,
    strategy_returns: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Value at risk and expected shortfall of every portfolio; risk, margin and performance of its strategies, which add up to it."""
    symbols, correlation = triangle.stored_correlation(correlation_matrices)
    backend = context.compute.backend("elementwise", len(positions), context.notes)
    settings = risk_settings(context.as_of)
    market = (prices, fx_rates, rates, dividends, symbols, correlation, symbol_risk)
    result = assess(positions, instruments, portfolios, *market, settings, context.as_of, backend=backend)
    context.notes.update(result.report.as_metadata())
    attribution = portfolio.margin_attribution(
        portfolio_margins, position_margins, strategy_groups, strategy_group_legs, cross_margin_benefits
    )
    return result.portfolio_risk, strategy_table(result.strategy_risk_components, attribution, strategy_returns)
