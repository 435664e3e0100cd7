"""The stages of the chain, one module each: thin assets over pure functions.

Belongs here: which table is made of which. Not here: formulas, SQL.
"""

from margin_pipeline.orchestration.assets import (
    backtest,
    capital,
    clusters,
    day_to_day,
    decisions,
    estimation,
    forecast,
    greeks,
    margins,
    netting,
    regulation,
    risk,
    sa_ccr,
    scenarios,
    simm,
    span,
    stress,
    uncleared_margin,
    valuation,
)
from margin_pipeline.orchestration.table_asset import TableAsset

TABLE_ASSETS: tuple[TableAsset, ...] = (
    valuation.positions,
    estimation.symbol_risk,
    margins.position_margins,
    margins.strategy_groups,
    scenarios.portfolio_margin_classes,
    span.span_margins,
    margins.house_additions,
    margins.margin_schedule_positions,
    margins.liquidation_prices,
    netting.cross_margin_benefits,
    clusters.correlation_clusters,
    simm.simm_results,
    regulation.netting_set_margins,
    margins.portfolio_margins,
    margins.margin_reconciliation,
    greeks.position_greeks,
    simm.listed_sensitivities,
    risk.portfolio_risk,
    backtest.backtest_results,
    stress.stress_results,
    stress.reverse_stress,
    uncleared_margin.uncleared_margin_calls,
    sa_ccr.sa_ccr_exposures,
    capital.risk_weighted_assets,
    regulation.regulatory_lines,
    forecast.margin_forecasts,
    day_to_day.margin_changes,
    day_to_day.margin_deficiencies,
    day_to_day.announced_margins,
    day_to_day.expiry_exposures,
    decisions.liquidation_plans,
    decisions.collateral_allocations,
)
"""Stages in the order of the chain; landing, publication, alerts and margin calls are declared apart."""
