"""Offsets between positions of a portfolio.

Belongs here: the cross-margin asset. Not here: when an offset is granted (`margin.cross_margin`).
"""

import pandas as pd

from margin_pipeline.margin import cross_margin
from margin_pipeline.market import triangle
from margin_pipeline.orchestration import checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset


@table_asset(
    group_name="netting",
    checks=[Check("cross_margin_benefits", checks.no_offset_exceeds_its_margins)],
    metrics=lambda f: {"saving": float(f["cross_margin_benefits"]["saving"].sum()), "offsets": len(f["cross_margin_benefits"])},
)
def cross_margin_benefits(
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    correlation_matrices: pd.DataFrame,
    context: CalculationContext,
) -> pd.DataFrame:
    """Correlation and class offsets, each granted once, that save the most margin."""
    symbols, correlation = triangle.stored_correlation(correlation_matrices)
    return cross_margin.find_benefits(
        positions, position_margins, instruments, symbol_risk, symbols, correlation, context.as_of, portfolios=portfolios
    )
