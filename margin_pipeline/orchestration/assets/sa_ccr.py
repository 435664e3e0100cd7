"""Exposures to counterparties by SA-CCR.

Belongs here: the SA-CCR asset. Not here: the rule (`regulation.sa_ccr`).
"""

import pandas as pd

from margin_pipeline.orchestration import checks_sa_ccr
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.regulation.incomplete import incomplete_sets, void
from margin_pipeline.regulation.sa_ccr.tables import FIGURES, sa_ccr_tables


@table_asset(
    group_name="regulation",
    tables=["sa_ccr_trades", "sa_ccr_hedging_sets", "sa_ccr_netting_sets"],
    checks=[
        Check("sa_ccr_trades", checks_sa_ccr.effective_notional_is_its_product),
        Check("sa_ccr_hedging_sets", checks_sa_ccr.no_hedging_set_exceeds_its_gross),
        Check("sa_ccr_netting_sets", checks_sa_ccr.exposure_is_made_of_its_parts),
        Check("sa_ccr_netting_sets", checks_sa_ccr.every_netting_set_is_there_or_the_rule_is_not),
    ],
    history={"fx_rates": 10},
    metrics=lambda f: {
        "netting_sets": len(f["sa_ccr_netting_sets"]),
        "undetermined": int(f["sa_ccr_netting_sets"]["exposure_at_default"].isna().sum()),
        "trades": len(f["sa_ccr_trades"]),
    },
)
def sa_ccr_exposures(
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Exposure at default of every netting set, with its trades and hedging sets; a rejected trade leaves its set without one."""
    trades, hedging_sets, sets = sa_ccr_tables(netting_sets, otc_trades, portfolios, fx_rates, context.as_of)
    return trades, hedging_sets, void(sets, incomplete_sets(rejected_rows, netting_sets), FIGURES)
