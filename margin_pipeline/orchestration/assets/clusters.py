"""Clusters of positions that move together.

Belongs here: the cluster asset. Not here: clustering (`market.clusters`), exposures (`risk.exposures`).
"""

import pandas as pd

from margin_pipeline.market import clusters, triangle
from margin_pipeline.orchestration import checks_clusters
from margin_pipeline.orchestration.checks import Check, Frames
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.table_asset import table_asset
from margin_pipeline.parameters.clusters import cluster_settings
from margin_pipeline.reports import figures_clusters
from margin_pipeline.risk.exposures import risk_positions

HISTORY_SESSIONS = 520
"""Closes read: as many as risk figures need, so that a future maps to the same risk factor."""


def cluster_heat_map(frames: Frames) -> bytes:
    """Picture of the correlations within and between the largest clusters."""
    symbols, correlation = triangle.stored_correlation(frames["correlation_matrices"])
    return figures_clusters.cluster_heat_map(frames["correlation_clusters"], symbols, correlation)


def _concentration(frames: Frames) -> dict[str, float]:
    share = frames["portfolio_clusters"]["gross_share"]
    return {
        "clusters": int(frames["correlation_clusters"]["cluster"].max()) if len(frames["correlation_clusters"]) else 0,
        "greatest_share_of_a_cluster": float(share.max()) if share.notna().any() else 0.0,
    }


@table_asset(
    group_name="risk",
    tables=["correlation_clusters", "portfolio_clusters"],
    checks=[
        Check("correlation_clusters", checks_clusters.clusters_have_their_size),
        Check("portfolio_clusters", checks_clusters.shares_of_clusters_add_up),
    ],
    history={"prices": HISTORY_SESSIONS, "rates": None},
    metrics=_concentration,
    pictures={"cluster_heat_map": cluster_heat_map},
    pool="compute",
)
def correlation_clusters(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    correlation_matrices: pd.DataFrame,
    context: CalculationContext,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Held risk factors that move together, and how much of each portfolio lies in each cluster."""
    symbols, correlation = triangle.stored_correlation(correlation_matrices)
    exposures = risk_positions(positions, instruments, portfolios, prices, rates, dividends, context.as_of)
    found = clusters.correlation_clusters(exposures, symbols, correlation, cluster_settings(context.as_of))
    context.notes.update(found.notes)
    return found.table, clusters.portfolio_clusters(exposures, found.table)
