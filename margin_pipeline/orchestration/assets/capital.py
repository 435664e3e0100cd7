"""Risk-weighted assets of banks.

Belongs here: the capital asset. Not here: rules (`regulation`).
"""

import pandas as pd

from margin_pipeline.orchestration import checks_capital
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.regulation import basel


@table_asset(
    group_name="regulation",
    checks=[
        Check("risk_weighted_assets", checks_capital.every_exposure_and_netting_set_is_weighted),
        Check("risk_weighted_assets", checks_capital.weights_times_exposures_are_the_assets),
        Check("risk_weighted_assets", checks_capital.what_lacks_something_has_no_assets),
    ],
    history={"fx_rates": 10},
    metrics=lambda f: {
        "risk_weighted_assets": float(f["risk_weighted_assets"]["risk_weighted_assets"].sum()),
        "rows_that_lack_something": int(f["risk_weighted_assets"]["missing"].notna().sum()),
    },
)
def risk_weighted_assets(
    portfolios: pd.DataFrame,
    entity_figures: pd.DataFrame,
    exposures: pd.DataFrame,
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    sa_ccr_netting_sets: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_greeks: pd.DataFrame,
    fx_rates: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Risk-weighted assets of every bank: credit, counterparty, CVA, market and operational risk, a row an exposure or risk class."""
    frames = (
        portfolios,
        entity_figures,
        exposures,
        netting_sets,
        otc_trades,
        sa_ccr_netting_sets,
        positions,
        instruments,
        position_greeks,
        fx_rates,
    )
    return basel.risk_weighted_assets(*frames, context.as_of)
