"""Pictures of correlation clusters, as PNG bytes.

Belongs here: drawing clusters. Not here: clustering (`market.clusters`), the canvas (`canvas`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from margin_pipeline.reports.canvas import canvas, png, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAXIMUM_SYMBOLS = 40


def cluster_heat_map(clusters: pd.DataFrame, symbols: Sequence[str], correlation: np.ndarray) -> bytes:
    """Draw correlations of held risk factors by cluster, with a frame around each cluster.

    Parameters
    ----------
    clusters : rows of `margin.correlation_clusters`: symbol and cluster. Those without a correlation are left out; of more than 40 the
        members of the largest clusters are drawn.
    symbols : names of the rows of the matrix, length n.
    correlation : (n, n) correlations in [-1, 1].

    Returns
    -------
    PNG bytes.
    """
    ordered = _ordered(clusters, symbols)
    shown = ordered.iloc[:MAXIMUM_SYMBOLS]
    side = max(4.0, 0.22 * len(shown) + 2.0)
    figure, axes = canvas(side, side)
    if shown.empty:
        return png(say(figure, axes, "no held risk factor has a correlation"))
    place = pd.Index([str(s) for s in symbols]).get_indexer(pd.Index(shown["symbol"]))
    image = axes.imshow(np.asarray(correlation)[np.ix_(place, place)], cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    names = list(shown["symbol"])
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axes.set_yticks(range(len(names)), names, fontsize=6)
    _frame_clusters(axes, shown["cluster"].to_numpy())
    left_out = f", {len(shown)} of {len(ordered)}" if len(shown) < len(ordered) else ""
    axes.set_title(f"Correlation of daily returns by cluster{left_out}", fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.7)
    return png(figure)


def _ordered(clusters: pd.DataFrame, symbols: Sequence[str]) -> pd.DataFrame:
    """Clusters whose symbols stand in the matrix, the largest first, each in alphabetical order."""
    known = clusters[clusters["symbol"].isin([str(s) for s in symbols])]
    return known.sort_values(["cluster", "symbol"], kind="stable").reset_index(drop=True)


def boundaries(cluster: np.ndarray) -> list[tuple[int, int]]:
    """Start and length of each run of equal cluster numbers."""
    starts = [0, *(np.flatnonzero(np.diff(cluster)) + 1).tolist(), len(cluster)]
    return [(start, end - start) for start, end in itertools.pairwise(starts)]


def _frame_clusters(axes: Axes, cluster: np.ndarray) -> None:
    from matplotlib.patches import Rectangle

    for start, length in boundaries(cluster):
        if length > 1:
            axes.add_patch(Rectangle((start - 0.5, start - 0.5), length, length, fill=False, edgecolor="black", linewidth=1.2))
