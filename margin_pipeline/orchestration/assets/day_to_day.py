"""Day to day: why margin changed, what can be bought, what is lacking, what is announced, what expires.

Belongs here: the assets. Not here: rules (`decisions`), the life of calls (`margin_calls`).
"""

import pandas as pd

from margin_pipeline.decisions import announced_margins as announced
from margin_pipeline.decisions import expiries
from margin_pipeline.decisions import margin_changes as changes
from margin_pipeline.decisions.buying_power import buying_power
from margin_pipeline.decisions.margin_calls import margin_deficiencies as deficiencies
from margin_pipeline.decisions.previous_date import PreviousDate
from margin_pipeline.decisions.recalculation import Setting
from margin_pipeline.orchestration import checks_day_to_day
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset

RATES = {"prices": 10, "fx_rates": 10, "rates": None, "futures_margins": None, "margin_schedules": None, "margin_rates": None}
HISTORY = {**RATES, "span_parameters": None}


@table_asset(
    group_name="day_to_day",
    checks=[
        Check("margin_changes", checks_day_to_day.changes_add_up),
        Check("margin_changes", checks_day_to_day.every_portfolio_has_all_causes),
    ],
    history=HISTORY,
    previous=changes.PREVIOUS_TABLES,
    metrics=lambda f: {
        **{f"change_by_{cause}": float(part["amount"].sum()) for cause, part in f["margin_changes"].groupby("cause")},
        "not_split": int(f["margin_changes"].loc[f["margin_changes"]["missing"].notna(), "portfolio_id"].nunique()),
    },
    # In no pool: it may wait for the run of the date before, which may need the place that it would hold.
)
def margin_changes(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    previous: PreviousDate | None,
    context: CalculationContext,
) -> pd.DataFrame:
    """Change of every portfolio's margin since the date before, by cause: trades, prices, volatility, time, parameters, grouping."""
    tables = {
        "portfolios": portfolios,
        "positions": positions,
        "instruments": instruments,
        "prices": prices,
        "fx_rates": fx_rates,
        "rates": rates,
        "dividends": dividends,
        "symbol_risk": symbol_risk,
        "futures_margins": futures_margins,
        "margin_schedules": margin_schedules,
        "margin_rates": margin_rates,
        "house_margins": house_margins,
        "risk_arrays": risk_arrays,
        "span_parameters": span_parameters,
        "position_margins": position_margins,
        "strategy_groups": strategy_groups,
        "portfolio_margins": portfolio_margins,
    }
    return changes.margin_changes(tables, previous, context.as_of, context.compute.threads)


@table_asset(
    group_name="day_to_day",
    tables=["buying_power", "margin_deficiencies"],
    checks=[
        Check("buying_power", checks_day_to_day.every_portfolio_has_buying_power_or_a_reason),
        Check("margin_deficiencies", checks_day_to_day.what_lacks_is_required_less_held),
    ],
    history={"fx_rates": 10},
    previous=["buying_power"],
    metrics=lambda f: {
        "lacking": int((f["margin_deficiencies"]["amount"] > 0).sum()),
        "undetermined": int(f["margin_deficiencies"]["amount"].isna().sum()),
    },
)
def margin_deficiencies(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    margin_changes: pd.DataFrame,
    uncleared_margin_calls: pd.DataFrame,
    regulatory_lines: pd.DataFrame,
    fx_rates: pd.DataFrame,
    previous: PreviousDate | None,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Special memorandum account and buying power of every portfolio, and what each rule finds lacking."""
    tables = {
        "portfolios": portfolios,
        "positions": positions,
        "instruments": instruments,
        "position_margins": position_margins,
        "strategy_groups": strategy_groups,
        "portfolio_margins": portfolio_margins,
        "uncleared_margin_calls": uncleared_margin_calls,
        "regulatory_lines": regulatory_lines,
        "fx_rates": fx_rates,
    }
    power = buying_power(tables, margin_changes, previous, context.as_of)
    return power, deficiencies({**tables, "buying_power": power}, context.as_of, context.next_sessions)


@table_asset(
    group_name="day_to_day",
    history=HISTORY,
    metrics=lambda f: {"rows": len(f["announced_margins"]), "undetermined": int(f["announced_margins"]["maintenance_after"].isna().sum())},
    pool="compute",
)
def announced_margins(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Margin of the positions of the date under rates and rules that take effect within the next 30 days."""
    tables = {
        "portfolios": portfolios,
        "positions": positions,
        "instruments": instruments,
        "prices": prices,
        "fx_rates": fx_rates,
        "rates": rates,
        "dividends": dividends,
        "symbol_risk": symbol_risk,
        "futures_margins": futures_margins,
        "margin_schedules": margin_schedules,
        "margin_rates": margin_rates,
        "house_margins": house_margins,
        "risk_arrays": risk_arrays,
        "span_parameters": span_parameters,
        "strategy_groups": strategy_groups,
        "portfolio_margins": portfolio_margins,
    }
    return announced.announced_margins(tables, context.as_of, context.compute.threads)


@table_asset(
    group_name="day_to_day",
    tables=["expiry_exposures", "expiry_outcomes"],
    checks=[Check("expiry_exposures", checks_day_to_day.what_is_assigned_is_held)],
    history=HISTORY,
    metrics=lambda f: {
        "expiring": len(f["expiry_exposures"]),
        "assigned": int(f["expiry_exposures"]["exercised"].fillna(False).sum()),
        "without_excess": int((f["expiry_outcomes"]["excess_after"] < 0).sum()),
    },
    pool="compute",
)
def expiry_exposures(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    house_margins: pd.DataFrame,
    risk_arrays: pd.DataFrame,
    span_parameters: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What options that expire within five sessions leave behind at today's marks, and the margin of it."""
    tables = {
        "portfolios": portfolios,
        "positions": positions,
        "instruments": instruments,
        "prices": prices,
        "fx_rates": fx_rates,
        "rates": rates,
        "dividends": dividends,
        "symbol_risk": symbol_risk,
        "futures_margins": futures_margins,
        "margin_schedules": margin_schedules,
        "margin_rates": margin_rates,
        "house_margins": house_margins,
        "risk_arrays": risk_arrays,
        "span_parameters": span_parameters,
        "rejected_rows": rejected_rows,
        "portfolio_margins": portfolio_margins,
    }
    setting = Setting(context.as_of, context.thresholds)
    return expiries.expiry_tables(tables, context.next_sessions, setting, context.compute.threads)
