"""Greeks of positions.

Belongs here: the Greeks asset. Not here: formulas (`market`), sizes and money (`risk`).
"""

import pandas as pd

from margin_pipeline.orchestration import checks_greeks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.risk import position_greeks as greeks
from margin_pipeline.risk import risk_positions

HISTORY_SESSIONS = 520
"""Closes read: as for value at risk, so that a position maps to the same risk factor."""


@table_asset(
    group_name="risk",
    tables=["position_greeks"],
    checks=[
        Check("position_greeks", checks_greeks.every_position_has_greeks_or_a_reason),
        Check("position_greeks", checks_greeks.owned_options_gain_by_volatility),
    ],
    history={"prices": HISTORY_SESSIONS, "rates": None},
    metrics=lambda f: {"options_without_greeks": int((f["position_greeks"]["is_option"] & f["position_greeks"]["missing"].notna()).sum())},
    pool="compute",
)
def position_greeks(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Greeks of every option position, early exercise included, per unit and in base currency; of other positions the delta."""
    exposures = risk_positions(positions, instruments, portfolios, prices, rates, dividends, context.as_of)
    return greeks.position_greeks(exposures, instruments, threads=context.compute.threads)
