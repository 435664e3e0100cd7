"""Uncleared margin and regulatory lines.

Belongs here: the regulation assets. Not here: rules (`regulation`).
"""

import pandas as pd

from margin_pipeline.orchestration import checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.regulation import lines
from margin_pipeline.regulation.incomplete import incomplete_sets, with_unknown_trades
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.netting_set_margins import netting_set_margins as margins_by_model


@table_asset(group_name="regulation", history={"fx_rates": 10})
def netting_set_margins(
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    simm_results: pd.DataFrame,
    fx_rates: pd.DataFrame,
    portfolios: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Initial margin of every uncleared netting set by its agreed model, on both sides; a rejected trade leaves the schedule without."""
    trades = with_unknown_trades(otc_trades, incomplete_sets(rejected_rows, netting_sets), netting_sets, context.as_of)
    return margins_by_model(netting_sets, trades, simm_results, fx_rates, portfolios, context.as_of)


@table_asset(
    group_name="regulation",
    checks=[Check("regulatory_lines", checks.every_line_names_its_rule)],
    history={"fx_rates": 10},
    metrics=lambda f: {
        "breaches": int((f["regulatory_lines"]["status"] == "breach").sum()),
        "undetermined": int((f["regulatory_lines"]["status"] == "undetermined").sum()),
    },
)
def regulatory_lines(
    portfolios: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    portfolio_margin_components: pd.DataFrame,
    netting_set_margins: pd.DataFrame,
    uncleared_margin_calls: pd.DataFrame,
    sa_ccr_hedging_sets: pd.DataFrame,
    sa_ccr_netting_sets: pd.DataFrame,
    risk_weighted_assets: pd.DataFrame,
    entity_figures: pd.DataFrame,
    exposures: pd.DataFrame,
    netting_sets: pd.DataFrame,
    otc_trades: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    fx_rates: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Lines that a compliance officer checks, each with rule, paragraph and parameter version."""
    frames = {
        "portfolios": portfolios,
        "portfolio_margins": portfolio_margins,
        "portfolio_margin_components": portfolio_margin_components,
        "netting_set_margins": netting_set_margins,
        "uncleared_margin_calls": uncleared_margin_calls,
        "sa_ccr_hedging_sets": sa_ccr_hedging_sets,
        "sa_ccr_netting_sets": sa_ccr_netting_sets,
        "risk_weighted_assets": risk_weighted_assets,
        "entity_figures": entity_figures,
        "exposures": exposures,
        "netting_sets": netting_sets,
        "otc_trades": otc_trades,
        "positions": positions,
        "instruments": instruments,
        "rejected_rows": rejected_rows,
    }
    return lines.regulatory_lines(RegulatoryInputs(context.as_of, frames, fx_rates))
