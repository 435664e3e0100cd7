"""Blocking checks of correlation clusters.

Belongs here: what must hold of clusters before they are written. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome


def clusters_have_their_size(frames: Frames) -> Outcome:
    """Every cluster has as many risk factors as it says, and clusters are numbered from 1 without a gap."""
    table = frames["correlation_clusters"]
    size = table.groupby("cluster")["symbol"].transform("count")
    wrong = int((size != table["cluster_size"]).sum())
    numbers = np.sort(table["cluster"].unique())
    gaps = int((numbers != np.arange(1, len(numbers) + 1)).sum())
    return Outcome(wrong == 0 and gaps == 0, {"wrong_sizes": wrong, "wrong_numbers": gaps, "clusters": len(numbers)})


def shares_of_clusters_add_up(frames: Frames) -> Outcome:
    """Shares of each portfolio add up to 1 or are all missing, and no net exposure exceeds the gross one."""
    table = frames["portfolio_clusters"]
    shares = table.groupby("portfolio_id")["gross_share"]
    total, known, rows = shares.sum(), shares.count(), shares.size()
    wrong = total.index[(known > 0) & ((known != rows) | ((total - 1).abs() > 1e-9))]
    exceeds = int((table["net_exposure"].abs() > table["gross_exposure"] * (1 + 1e-9)).sum())
    return Outcome(wrong.empty and exceeds == 0, {"wrong_portfolios": [str(name) for name in wrong], "net_exceeds_gross": exceeds})
