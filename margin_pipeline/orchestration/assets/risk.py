"""Value at risk of portfolios and its attribution to strategies.

Belongs here: the risk assets. Not here: estimators and attribution (`risk`).
"""

import pandas as pd

from margin_pipeline.margin import portfolio
from margin_pipeline.margin.scenario_tables import ScenarioTables, scenario_shares
from margin_pipeline.market import triangle
from margin_pipeline.orchestration import checks, checks_risk
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.reports import figures_margin
from margin_pipeline.risk import assess, strategy_table

HISTORY_SESSIONS = 520
"""Closes read: 500 returns over up to ten days and a margin."""


def portfolios_without_risk(portfolio_risk: pd.DataFrame) -> int:
    """Portfolios that lack a figure under some method; the domain of the Cornish-Fisher expansion aside, since nothing is missing there."""
    rows = portfolio_risk[portfolio_risk["method"] != "cornish_fisher"]
    return int(rows.loc[rows["var"].isna(), "portfolio_id"].nunique())


@table_asset(
    group_name="risk",
    tables=["portfolio_risk", "strategy_risk", "portfolio_risk_factors", "risk_summaries"],
    checks=[
        Check("strategy_risk", checks.risk_components_add_up),
        Check("portfolio_risk_factors", checks_risk.factor_components_add_up),
        Check("risk_summaries", checks_risk.diversification_never_costs),
    ],
    history={"prices": HISTORY_SESSIONS, "fx_rates": HISTORY_SESSIONS, "rates": None, "strategy_returns": 252},
    metrics=lambda f: {"portfolios_without_risk": portfolios_without_risk(f["portfolio_risk"])},
    pictures={"risk_by_strategy": lambda f: figures_margin.risk_by_strategy(f["strategy_risk"])},
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
    portfolio_margin_classes: pd.DataFrame,
    portfolio_margin_groups: pd.DataFrame,
    portfolio_margin_positions: pd.DataFrame,
    span_margins: pd.DataFrame,
    span_positions: pd.DataFrame,
    strategy_returns: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Value at risk and expected shortfall of every portfolio; its strategies and factors, which add up to it; diversification."""
    symbols, correlation = triangle.stored_correlation(correlation_matrices)
    backend = context.compute.backend("elementwise", len(positions), context.notes)
    settings = risk_settings(context.as_of)
    market = (prices, fx_rates, rates, dividends, symbols, correlation, symbol_risk)
    result = assess(
        *(positions, instruments, portfolios, *market, settings, context.as_of),
        backend=backend,
        threads=context.compute.threads,
        benchmark=estimation_settings(context.as_of).benchmark,
    )
    context.notes.update(result.report.as_metadata())
    scenarios = ScenarioTables(portfolio_margin_classes, portfolio_margin_groups, portfolio_margin_positions, span_margins, span_positions)
    groups = (strategy_groups, strategy_group_legs, cross_margin_benefits)
    attribution = portfolio.margin_attribution(portfolio_margins, position_margins, *groups, shares=scenario_shares(scenarios))
    strategies = strategy_table(result.strategy_risk_components, attribution, strategy_returns)
    return result.portfolio_risk, strategies, result.portfolio_risk_factors, result.risk_summaries
