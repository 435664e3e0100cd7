"""Positions at the mark of the date.

Belongs here: the asset `positions`. Not here: how a position is valued (`margin.valuation`).
"""

import pandas as pd

from margin_pipeline.margin import valuation
from margin_pipeline.orchestration import checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset


@table_asset(
    group_name="positions",
    checks=[Check("positions", checks.every_position_is_valued_or_named)],
    history={"prices": 10, "fx_rates": 10},
    metrics=lambda f: {"missing_prices": int((f["positions"]["price_source"] == "missing").sum())},
)
def positions(
    position_records: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Positions valued at the mark of the date: their own price, else the close; what is missing is marked, never zero."""
    return valuation.value_positions(position_records, instruments, portfolios, prices, fx_rates, context.as_of)
