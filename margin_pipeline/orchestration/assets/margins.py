"""Margin of positions, groups and portfolios.

Belongs here: the margin assets. Not here: rules (`margin`).
"""

import pandas as pd

from margin_pipeline.margin import house_additions as additions
from margin_pipeline.margin import liquidation, portfolio, reconciliation, registry, schedules, strategy_based
from margin_pipeline.margin.our_margins import OurMargins
from margin_pipeline.margin.scenario_tables import ScenarioTables, scenario_shares
from margin_pipeline.orchestration import checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.reports import figures_margin


@table_asset(
    group_name="margins",
    checks=[
        checks.margins_are_not_negative("position_margins"),
        Check("position_margins", checks.every_position_has_a_margin_or_a_reason),
    ],
    history={"prices": 10, "fx_rates": 10, "futures_margins": None, "margin_schedules": None, "margin_rates": None},
    metrics=lambda f: {
        "maintenance_margin": float(f["position_margins"]["maintenance_margin"].sum()),
        "without_margin": int(f["position_margins"]["missing"].notna().sum()),
    },
)
def position_margins(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    house_margins: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Stand-alone initial and maintenance margin of every position, by the model its instrument and account call for."""
    return registry.stand_alone_margins(
        positions,
        instruments,
        portfolios,
        prices,
        fx_rates,
        futures_margins,
        margin_schedules,
        margin_rates,
        symbol_risk,
        context.as_of,
        at=context.at,
        calendar_open=context.market_is_open,
        house_margins=house_margins,
    )


@table_asset(
    group_name="margins",
    tables=["strategy_groups", "strategy_group_legs", "grouping_proofs"],
    checks=[
        checks.margins_are_not_negative("strategy_groups"),
        Check("strategy_group_legs", checks.every_grouped_quantity_is_held),
        Check("strategy_group_legs", checks.group_shares_add_up),
    ],
    history={"prices": 10, "fx_rates": 10},
    metrics=lambda f: {"groups": len(f["strategy_groups"]), "largest_gap": float(f["grouping_proofs"]["gap"].fillna(0).max() or 0)},
    pool="compute",
)
def strategy_groups(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Stock and option positions in the groups that need the least maintenance margin, with the proof."""
    grouping = strategy_based.group_positions(
        positions, instruments, portfolios, prices, fx_rates, context.as_of, house_margins, threads=context.compute.threads
    )
    return grouping.groups, grouping.legs, grouping.proofs


@table_asset(
    group_name="margins",
    checks=[Check("house_additions", checks.house_never_lowers_maintenance)],
    history={"prices": 10, "fx_rates": 10},
    metrics=lambda f: {"maintenance_margin": float(f["house_additions"]["maintenance_margin"].sum())},
    pool="compute",
)
def house_additions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    house_margins: pd.DataFrame,
    portfolio_margin_classes: pd.DataFrame,
    portfolio_margin_groups: pd.DataFrame,
    portfolio_margin_positions: pd.DataFrame,
    span_margins: pd.DataFrame,
    span_positions: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """What house rates add to the margin that the rules alone would ask, by method and component."""
    return additions.house_additions(
        positions,
        instruments,
        portfolios,
        prices,
        fx_rates,
        position_margins,
        strategy_groups,
        house_margins,
        context.as_of,
        ScenarioTables(portfolio_margin_classes, portfolio_margin_groups, portfolio_margin_positions, span_margins, span_positions),
        threads=context.compute.threads,
    )


@table_asset(
    group_name="margins",
    tables=["margin_schedule_tiers", "margin_schedule_positions"],
    checks=[
        Check("margin_schedule_tiers", checks.marginal_schedules_have_no_cliff),
        Check("margin_schedule_positions", checks.own_reading_is_the_margin),
    ],
    history={"margin_schedules": None, "fx_rates": 10},
    metrics=lambda f: {"largest_jump": float(f["margin_schedule_tiers"]["maintenance_jump"].fillna(0).max() or 0)},
)
def margin_schedule_positions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    fx_rates: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Margin schedules in force tier by tier, with their cliffs, and where positions stand in them under both readings."""
    tiers = schedules.schedule_tiers(margin_schedules, context.as_of)
    return tiers, schedules.schedule_positions(positions, instruments, position_margins, margin_schedules, fx_rates, context.as_of)


@table_asset(
    group_name="margins",
    history={"margin_schedules": None, "futures_margins": None, "fx_rates": 10},
    metrics=lambda f: {"positions_without_liquidation_price": int(f["liquidation_prices"]["liquidation_price"].isna().sum())},
)
def liquidation_prices(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    position_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    futures_margins: pd.DataFrame,
    fx_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    portfolio_margin_classes: pd.DataFrame,
    portfolio_margin_groups: pd.DataFrame,
    portfolio_margin_positions: pd.DataFrame,
    span_margins: pd.DataFrame,
    span_positions: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Price at which each leveraged position would be liquidated, others unchanged."""
    return liquidation.liquidation_prices(
        positions,
        instruments,
        portfolios,
        position_margins,
        margin_schedules,
        futures_margins,
        fx_rates,
        context.thresholds,
        context.as_of,
        house_margins,
        ScenarioTables(portfolio_margin_classes, portfolio_margin_groups, portfolio_margin_positions, span_margins, span_positions),
    )


@table_asset(
    group_name="portfolio_margins",
    tables=["portfolio_margins", "portfolio_margin_components", "portfolio_method_notes"],
    checks=[
        checks.margins_are_not_negative("portfolio_margins"),
        Check("portfolio_margin_components", checks.components_add_up),
        Check("portfolio_margins", checks.every_portfolio_has_one_governing_row),
    ],
    history={"fx_rates": 10},
    metrics=lambda f: {
        **{
            f"portfolios_{status}": int(count)
            for status, count in f["portfolio_margins"].query("is_governing")["status"].value_counts().items()
        },
        "maintenance_margin": float(f["portfolio_margins"].query("is_governing")["maintenance_margin"].sum()),
    },
    pictures={"margin_by_method": lambda f: figures_margin.margin_by_method(f["portfolio_margins"])},
)
def portfolio_margins(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    cross_margin_benefits: pd.DataFrame,
    netting_set_margins: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    fx_rates: pd.DataFrame,
    house_additions: pd.DataFrame,
    portfolio_margin_classes: pd.DataFrame,
    portfolio_margin_groups: pd.DataFrame,
    portfolio_margin_positions: pd.DataFrame,
    span_margins: pd.DataFrame,
    span_positions: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Margin, equity, excess, utilization and status of every portfolio under every method that applies."""
    composed = portfolio.compose(
        portfolios,
        positions,
        instruments,
        position_margins,
        strategy_groups,
        cross_margin_benefits,
        netting_set_margins,
        rejected_rows,
        fx_rates,
        context.thresholds,
        context.as_of,
        house_additions,
        ScenarioTables(portfolio_margin_classes, portfolio_margin_groups, portfolio_margin_positions, span_margins, span_positions),
    )
    return composed.portfolio_margins, composed.components, composed.notes


@table_asset(
    group_name="portfolio_margins",
    checks=[
        Check("margin_reconciliation", checks.every_statement_is_answered),
        Check("margin_reconciliation", checks.differences_add_up),
    ],
    history={"fx_rates": 10},
    metrics=lambda f: {f"rows_{status}": int(count) for status, count in f["margin_reconciliation"]["status"].value_counts().items()},
)
def margin_reconciliation(
    broker_margins: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    strategy_group_legs: pd.DataFrame,
    grouping_proofs: pd.DataFrame,
    margin_schedule_positions: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    portfolio_margin_components: pd.DataFrame,
    portfolio_margin_classes: pd.DataFrame,
    portfolio_margin_groups: pd.DataFrame,
    portfolio_margin_positions: pd.DataFrame,
    span_margins: pd.DataFrame,
    span_positions: pd.DataFrame,
    fx_rates: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Our margins against the broker's, with the hypothesis that explains most of each difference."""
    scenarios = ScenarioTables(portfolio_margin_classes, portfolio_margin_groups, portfolio_margin_positions, span_margins, span_positions)
    ours = OurMargins(
        portfolio_margins,
        portfolio_margin_components,
        position_margins,
        positions,
        strategy_groups,
        strategy_group_legs,
        grouping_proofs,
        margin_schedule_positions,
        scenario_shares(scenarios),
    )
    return reconciliation.reconcile(ours, broker_margins, rejected_rows, portfolios, fx_rates, context.as_of)
