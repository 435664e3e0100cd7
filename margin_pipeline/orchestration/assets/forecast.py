"""Forecasts of breaches of utilization, and their calibration.

Belongs here: the forecast asset. Not here: sensitivities (`decisions`), probabilities and calibration (`risk`).
"""

import pandas as pd

from margin_pipeline.decisions.forecast import forecast
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.market import triangle
from margin_pipeline.orchestration import checks_forecast
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import Frames, table_asset
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.forecast import forecast_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.parameters.stress import stress_rules
from margin_pipeline.reports import figures_forecast

HISTORY_SESSIONS = 1015
"""Closes read: 250 days that are tested, five more of the longest horizon, and the 756 returns of the estimates before the first."""


def likely_calls(frames: Frames) -> dict[str, float]:
    """Portfolios with a margin call more likely than not within the longest horizon, and those without a forecast."""
    rows = frames["margin_forecasts"]
    last = rows[(rows["horizon_minutes"] == rows["horizon_minutes"].max()) & (rows["threshold"] == rows["threshold"].max())]
    return {"calls_more_likely_than_not": int((last["breach_probability"] > 0.5).sum()), "undetermined": int(last["missing"].notna().sum())}


@table_asset(
    group_name="risk",
    tables=["margin_forecasts", "forecast_calibration"],
    checks=[
        Check("margin_forecasts", checks_forecast.probabilities_are_probabilities),
        Check("margin_forecasts", checks_forecast.more_time_and_lower_thresholds_are_more_likely),
        Check("margin_forecasts", checks_forecast.every_portfolio_is_forecast_or_named),
        Check("forecast_calibration", checks_forecast.bins_add_up),
    ],
    history={
        "prices": HISTORY_SESSIONS,
        "fx_rates": HISTORY_SESSIONS,
        "rates": None,
        "futures_margins": None,
        "margin_schedules": None,
        "margin_rates": None,
        "span_parameters": None,
    },
    metrics=likely_calls,
    pictures={"forecast_reliability": lambda f: figures_forecast.reliability_diagram(f["forecast_calibration"])},
    pool="compute",
)
def margin_forecasts(
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
    portfolio_margins: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Probability that the utilization of every portfolio crosses a threshold soon, and how often such forecasts came true."""
    as_of = context.as_of
    book = (positions, instruments, portfolios, prices, fx_rates, futures_margins, margin_schedules, margin_rates, house_margins)
    more = (symbol_risk, strategy_groups, rejected_rows, rates, dividends, risk_arrays, span_parameters)
    inputs = MarginInputs(*book, *more, *triangle.stored_correlation(correlation_matrices))
    settings = (stress_rules(as_of), risk_settings(as_of), estimation_settings(as_of), forecast_settings(as_of))
    if context.calculated_at is None:
        raise ValueError("a forecast needs the instant that it begins at")
    moment = (context.thresholds, as_of, context.calculated_at)
    result = forecast(inputs, portfolio_margins, *settings, *moment, threads=context.compute.threads)
    return result.forecasts, result.calibration
