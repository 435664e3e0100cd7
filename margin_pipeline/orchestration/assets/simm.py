"""SIMM margins of netting sets, and the sensitivities of the listed book in its terms.

Belongs here: the SIMM assets. Not here: rules (`regulation`).
"""

import pandas as pd

from margin_pipeline.orchestration import checks_simm
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.regulation import listed_sensitivities as listed
from margin_pipeline.regulation import simm


@table_asset(
    group_name="regulation",
    tables=["simm_results"],
    checks=[
        Check("simm_results", checks_simm.every_agreed_set_has_a_margin_or_a_reason),
        Check("simm_results", checks_simm.product_classes_add_up),
        Check("simm_results", checks_simm.the_winner_asks_most),
    ],
    history={"fx_rates": 10},
    metrics=lambda f: {"netting_sets_without_margin": int(f["simm_results"]["missing"].notna().sum())},
)
def simm_results(
    crif: pd.DataFrame,
    netting_sets: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """ISDA SIMM initial margin of every netting set that agreed on it, by side, regulation and every part."""
    return simm.simm_results(crif, netting_sets, portfolios, fx_rates, rejected_rows, context.as_of)


@table_asset(
    group_name="regulation",
    tables=["listed_sensitivities"],
    checks=[Check("listed_sensitivities", checks_simm.every_sensitivity_has_an_amount_or_a_reason)],
    history={"fx_rates": 10},
    metrics=lambda f: {"sensitivities_missing": int(f["listed_sensitivities"]["missing"].notna().sum())},
)
def listed_sensitivities(
    position_greeks: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Sensitivities of listed positions as SIMM would see them, by risk factor."""
    return listed.listed_sensitivities(position_greeks, positions, instruments, portfolios, fx_rates, context.as_of)
