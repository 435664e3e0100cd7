"""Margin calls of uncleared derivatives.

Belongs here: the asset. Not here: scope, thresholds and amounts (`regulation.uncleared`), initial margin itself (`regulation` assets).
"""

import pandas as pd

from margin_pipeline.orchestration import checks_uncleared
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.regulation.incomplete import incomplete_sets, with_unknown_trades
from margin_pipeline.regulation.uncleared import calls

TABLE = checks_uncleared.TABLE


@table_asset(
    group_name="regulation",
    checks=[
        Check(TABLE, checks_uncleared.every_netting_set_has_calls),
        Check(TABLE, checks_uncleared.nothing_lacking_is_left_below_the_minimum_only),
        Check(TABLE, checks_uncleared.variation_margin_moves_one_way),
        Check(TABLE, checks_uncleared.counterparties_add_up),
    ],
    history={"fx_rates": 10},
    metrics=checks_uncleared.figures,
)
def uncleared_margin_calls(
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    netting_set_margins: pd.DataFrame,
    portfolios: pd.DataFrame,
    entity_figures: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Initial and variation margin that each counterparty owes us and we owe it, by regime, threshold and minimum transfer amount."""
    trades = with_unknown_trades(otc_trades, incomplete_sets(rejected_rows, netting_sets), netting_sets, context.as_of)
    return calls.uncleared_margin_calls(netting_sets, trades, netting_set_margins, portfolios, entity_figures, fx_rates, context.as_of)
