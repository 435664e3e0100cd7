"""Volatility, beta and correlation of every symbol.

Belongs here: the estimation assets. Not here: estimators (`market.estimation`).
"""

import datetime as dt

import pandas as pd

from margin_pipeline.market import estimation, triangle
from margin_pipeline.orchestration import checks
from margin_pipeline.orchestration.checks import Check
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.parameters.estimation import estimation_settings

WINDOW_SESSIONS = estimation_settings(dt.date.max).history + 1
"""Closes read: one more than the returns used."""


def risk_factors(positions: pd.DataFrame) -> set[str]:
    """Held symbols and the underlyings of held ones."""
    return set(positions["symbol"]) | set(positions["underlying"].dropna())


@table_asset(
    group_name="estimation",
    tables=["symbol_risk", "correlations", "correlation_matrices"],
    checks=[Check("correlation_matrices", checks.matrix_is_positive_semidefinite)],
    history={"prices": WINDOW_SESSIONS, "fx_rates": WINDOW_SESSIONS},
    metrics=lambda f: {
        "symbols": len(f["symbol_risk"]),
        "symbols_without_estimate": int(f["symbol_risk"]["volatility"].isna().sum()),
        "median_volatility": float(f["symbol_risk"]["volatility"].median()) if f["symbol_risk"]["volatility"].notna().any() else 0.0,
    },
    pool="compute",
)
def symbol_risk(
    prices: pd.DataFrame, fx_rates: pd.DataFrame, instruments: pd.DataFrame, positions: pd.DataFrame, context: CalculationContext
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Volatility and beta of every symbol, all pairwise correlations, and the held and strong ones as rows."""
    options = set(instruments.loc[instruments["option_type"].notna(), "symbol"])
    backend = context.compute.backend("matrix_product", prices["symbol"].nunique(), context.notes)
    estimates = estimation.estimate(prices, fx_rates, estimation_settings(context.as_of), context.as_of, exclude=options, backend=backend)
    matrix = pd.DataFrame(
        {
            "symbols": [list(estimates.symbols)],
            "triangle": [triangle.pack_triangle(estimates.correlation)],
            "minimum_eigenvalue": [estimates.minimum_eigenvalue],
            "repaired": [estimates.repaired],
        }
    )
    context.notes.update(estimates.report.as_metadata())
    return estimation.symbol_risk_table(estimates), estimation.correlation_rows(estimates, risk_factors(positions)), matrix
