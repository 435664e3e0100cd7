"""What a figure calls for: liquidation plans and collateral.

Belongs here: the decision assets. Not here: plans and allocations (`decisions`).
"""

import pandas as pd

from margin_pipeline.decisions import collateral as treasury
from margin_pipeline.decisions import liquidation_plan
from margin_pipeline.decisions.recalculation import Setting
from margin_pipeline.orchestration import checks_decisions
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset


@table_asset(
    group_name="decisions",
    tables=["liquidation_plans", "liquidation_plan_summaries"],
    checks=[
        Check("liquidation_plan_summaries", checks_decisions.plans_meet_their_target),
        Check("liquidation_plans", checks_decisions.positions_only_come_nearer_to_zero),
        Check("liquidation_plans", checks_decisions.released_margin_adds_up),
    ],
    history={
        "prices": 10,
        "fx_rates": 10,
        "rates": None,
        "futures_margins": None,
        "margin_schedules": None,
        "margin_rates": None,
        "span_parameters": None,
    },
    metrics=lambda f: {
        **{f"plans_{status}": int(count) for status, count in f["liquidation_plan_summaries"]["plan_status"].value_counts().items()},
        "cost": float(f["liquidation_plan_summaries"]["cost"].sum()),
    },
    pool="compute",
)
def liquidation_plans(
    portfolios: pd.DataFrame,
    position_records: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    portfolio_margin_positions: pd.DataFrame,
    span_positions: pd.DataFrame,
    liquidity: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trades of least cost that bring portfolios back to their target utilization, and what equity is worth to them."""
    tables = {name: frame for name, frame in locals().items() if isinstance(frame, pd.DataFrame)}
    setting = Setting(context.as_of, context.thresholds, context.at, context.market_is_open)
    found = liquidation_plan.liquidation_plans(tables, setting, threads=context.compute.threads)
    return found.plans, found.summaries


@table_asset(
    group_name="decisions",
    tables=["collateral_allocations", "collateral_summaries"],
    checks=[
        Check("collateral_summaries", checks_decisions.requirements_are_covered),
        Check("collateral_allocations", checks_decisions.no_asset_is_given_twice),
    ],
    history={"fx_rates": 10},
    metrics=lambda f: {
        "short": int((f["collateral_summaries"]["status"] == "short").sum()),
        "cost": float(f["collateral_allocations"]["cost"].sum()),
    },
)
def collateral_allocations(
    collateral: pd.DataFrame,
    collateral_requirements: pd.DataFrame,
    collateral_eligibility: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Assets that cover the collateral requirements of every portfolio at the least carry cost."""
    found = treasury.collateral_tables(
        collateral, collateral_requirements, collateral_eligibility, portfolios, fx_rates, rejected_rows, context.as_of
    )
    return found.allocations, found.summaries
