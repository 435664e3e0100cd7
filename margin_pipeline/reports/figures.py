"""Pictures of tables, as PNG bytes.

Belongs here: drawing. Not here: reading tables, computing what is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAXIMUM_SYMBOLS = 40
MAXIMUM_PORTFOLIOS = 25
NAMES_INCHES = 1.3
"""Room for the names at the left."""

LABELLED_SHARE = 0.07
"""Segments below this share of the margin are too narrow for their name."""


def correlation_heat_map(symbols: Sequence[str], correlation: np.ndarray) -> bytes:
    """Draw correlations, similar symbols beside each other.

    Parameters
    ----------
    symbols : names, length n.
    correlation : (n, n) correlations in [-1, 1]. Of more than 40 symbols, the 40 that are most correlated with the
        others are drawn.

    Returns
    -------
    PNG bytes.
    """
    order = _similar_together(symbols, np.asarray(correlation, dtype=np.float64))
    side = max(4.0, 0.26 * len(order) + 2.0)
    figure, axes = _canvas(side, side)
    if not order:
        return _png(_say(figure, axes, "no held symbol has enough prices"))
    drawn = np.asarray(correlation)[np.ix_(order, order)]
    image = axes.imshow(drawn, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    names = [symbols[i] for i in order]
    axes.set_xticks(range(len(order)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(order)), names, fontsize=7)
    left_out = f", {len(order)} of {len(symbols)}" if len(order) < len(symbols) else ""
    axes.set_title(f"Correlation of daily returns, held symbols{left_out}", fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.7)
    return _png(figure)


def margin_by_strategy(strategy_risk: pd.DataFrame) -> bytes:
    """Draw which strategies the margin of each portfolio goes to.

    Parameters
    ----------
    strategy_risk : rows of `margin.strategy_risk`; portfolios whose margin is undetermined or nothing are left out.
        Of more than 25 portfolios, those with the greatest margin are drawn.

    Returns
    -------
    PNG bytes.
    """
    shares = strategy_risk.dropna(subset=["margin_share"]).drop_duplicates(["portfolio_id", "strategy"])
    size = shares.groupby("portfolio_id")["margin_contribution"].sum()
    kept = sorted(size.sort_values(ascending=False, kind="stable").index[:MAXIMUM_PORTFOLIOS], reverse=True)
    figure, axes = _canvas(9.0, 1.4 + 0.42 * max(len(kept), 1))
    if not kept:
        return _png(_say(figure, axes, "no portfolio has a margin to share"))
    for row, portfolio_id in enumerate(kept):
        own = shares[shares["portfolio_id"] == portfolio_id].sort_values("strategy")
        _stacked_bar(axes, row, list(own["strategy"]), own["margin_share"].to_numpy())
    axes.set_yticks(range(len(kept)), kept, fontsize=8)
    axes.set_xlim(0.0, 1.0)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_title("Maintenance margin by strategy, governing method", fontsize=10)
    return _png(figure)


def _similar_together(symbols: Sequence[str], correlation: np.ndarray) -> list[int]:
    """Return the positions of the symbols to draw, in the order of a dendrogram."""
    strength = np.abs(correlation).sum(axis=1) if len(symbols) else np.empty(0)
    strongest = sorted(range(len(symbols)), key=lambda i: (-strength[i], symbols[i]))[:MAXIMUM_SYMBOLS]
    kept = sorted(strongest, key=lambda i: symbols[i])
    if len(kept) < 3:
        return kept
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = np.clip(1.0 - correlation[np.ix_(kept, kept)], 0.0, None)
    np.fill_diagonal(distance, 0.0)
    leaves = leaves_list(linkage(squareform(distance, checks=False), method="average"))
    return [kept[i] for i in leaves]


def _stacked_bar(axes: Axes, row: int, strategies: list[str], shares: np.ndarray) -> None:
    from matplotlib import colormaps

    left = 0.0
    for place, (strategy, share) in enumerate(zip(strategies, shares, strict=True)):
        axes.barh(row, share, left=left, color=colormaps["Set3"](place % 12), edgecolor="white")
        if share >= LABELLED_SHARE:
            axes.text(left + share / 2, row, strategy, ha="center", va="center", fontsize=7)
        left += share


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    # No pyplot: it keeps figures in global state, and needs telling that there is no screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110)
    # Fixed margins in inches: a layout engine draws everything twice to find them.
    left, right, bottom, top = NAMES_INCHES, 0.3, 1.0, 0.5
    return figure, figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def _say(figure: Figure, axes: Axes, text: str) -> Figure:
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
