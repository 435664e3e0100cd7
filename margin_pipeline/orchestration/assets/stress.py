"""Stress tests and reverse stress of every portfolio.

Belongs here: the stress assets. Not here: scenarios (`parameters`), profits and searches (`risk`), margin after a shock (`decisions`).
"""

import pandas as pd

from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.decisions.stress import stress_tables
from margin_pipeline.market import triangle
from margin_pipeline.orchestration import checks_stress
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.stress import stress_rules
from margin_pipeline.reports import figures_stress
from margin_pipeline.risk.reverse_stress_table import reverse_stress_table
from margin_pipeline.risk.stress import shocked_positions

REPLAY_SESSIONS = 800
"""Closes read: episodes of the last three years are replayed, earlier ones follow betas."""
FACTOR_SESSIONS = 60
"""Closes read to tell which futures move with what they are on: more than the least observations."""


@table_asset(
    group_name="stress",
    tables=["stress_results", "stress_strategy_results"],
    checks=[
        Check("stress_strategy_results", checks_stress.strategies_add_up_to_the_portfolio),
        Check("stress_results", checks_stress.there_is_a_scenario),
        Check("stress_results", checks_stress.undetermined_is_never_passed),
    ],
    history={
        "prices": REPLAY_SESSIONS,
        "fx_rates": 10,
        "rates": None,
        "futures_margins": None,
        "margin_schedules": None,
        "margin_rates": None,
        "span_parameters": None,
    },
    metrics=lambda f: {
        "scenarios": int(f["stress_results"]["scenario"].nunique()),
        "failed": int((f["stress_results"].query("is_governing")["passed"] == False).sum()),  # noqa: E712 - missing is neither
        "undetermined": int(f["stress_results"].query("is_governing")["passed"].isna().sum()),
    },
    pictures={
        "stress_waterfall": lambda f: figures_stress.stress_waterfall(f["stress_results"], f["stress_strategy_results"], f["portfolios"])
    },
    pool="compute",
)
def stress_results(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    correlation_matrices: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    stress_scenarios: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profit, margin and verdict of every portfolio in every stress scenario; profits of its strategies, which add up to it."""
    as_of, threads = context.as_of, context.compute.threads
    given = stress_scenarios[["scenario", "target_kind", "target", "shock"]].itertuples(index=False, name=None)
    rules = stress_rules(as_of).with_user_scenarios(given)
    benchmark = estimation_settings(as_of).benchmark
    market = (prices, rates, dividends, symbol_risk)
    shocked = shocked_positions(positions, instruments, portfolios, *market, rules.scenarios, benchmark, as_of, threads=threads)
    inputs = MarginInputs(
        shocked.positions,
        instruments,
        portfolios,
        prices,
        fx_rates,
        futures_margins,
        margin_schedules,
        margin_rates,
        house_margins,
        symbol_risk,
        strategy_groups,
        rejected_rows,
        rates,
        dividends,
        risk_arrays,
        span_parameters,
        *triangle.stored_correlation(correlation_matrices),
    )
    tables = stress_tables(inputs, shocked, rules, context.thresholds, as_of, threads=threads)
    return tables.results, tables.strategies


@table_asset(
    group_name="stress",
    checks=[Check("reverse_stress", checks_stress.reverse_stress_meets_its_loss)],
    history={"prices": FACTOR_SESSIONS, "rates": None},
    metrics=lambda f: {
        "reachable": int((f["reverse_stress"]["reachable"] == True).sum()),  # noqa: E712 - missing is neither
        "undetermined": int(f["reverse_stress"]["reachable"].isna().sum()),
    },
    pool="compute",
)
def reverse_stress(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    correlation_matrices: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """The most likely shock that exhausts the excess of every portfolio under its governing method."""
    as_of = context.as_of
    rules, benchmark = stress_rules(as_of), estimation_settings(as_of).benchmark
    symbols, correlation = triangle.stored_correlation(correlation_matrices)
    market = (prices, rates, dividends, symbol_risk, symbols, correlation)
    sizes = (rules.reverse_horizon_days, rules.reverse_largest_moves)
    return reverse_stress_table(positions, instruments, portfolios, *market, portfolio_margins, benchmark, *sizes, as_of)
