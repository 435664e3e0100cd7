"""Pictures of margin: methods side by side, the losses behind scenario margin, risk beside margin by strategy.

Belongs here: drawing tables of margin and its shares. Not here: the canvas (`canvas`), computing what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from margin_pipeline.reports.canvas import canvas, png, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS = ("reg_t", "strategy_based", "portfolio_margin", "cross_margin", "futures", "tiered", "schedule_im", "simm")
MAXIMUM_PORTFOLIOS = 15
MAXIMUM_STRATEGIES = 40
PANELS = 3
LINES_A_PANEL = 5


def margin_by_method(portfolio_margins: pd.DataFrame) -> bytes:
    """Draw the maintenance margin of every portfolio under every method, as a fraction of its equity.

    Parameters
    ----------
    portfolio_margins : rows of that table; undetermined ones are left out. Of more than 15 portfolios, those with the greatest
        fraction under their governing method are drawn.

    Returns
    -------
    PNG bytes. The governing method has a dark edge.
    """
    known = portfolio_margins[portfolio_margins["maintenance_margin"].notna() & (portfolio_margins["equity"] > 0)]
    known = known.assign(part=known["maintenance_margin"] / known["equity"])
    greatest = known[known["is_governing"]].set_index("portfolio_id")["part"].sort_values(ascending=False, kind="stable")
    kept = sorted(greatest.index[:MAXIMUM_PORTFOLIOS], reverse=True)
    figure, axes = canvas(9.0, 1.6 + 0.55 * max(len(kept), 1))
    if not kept:
        return png(say(figure, axes, "no portfolio has a margin"))
    methods = [method for method in METHODS if (known["method"] == method).any()]
    for row, portfolio_id in enumerate(kept):
        own = known[known["portfolio_id"] == portfolio_id].set_index("method")
        held = [method for method in methods if method in own.index]
        _method_bars(axes, row, own, held, methods)
    axes.set_yticks(range(len(kept)), kept, fontsize=8)
    axes.xaxis.set_major_formatter(lambda part, _: f"{part:.0%}")
    axes.axvline(1.0, color="black", linewidth=0.6, linestyle=":")
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.35 / axes.bbox.height * figure.dpi), ncols=4, frameon=False)
    axes.set_title("Maintenance margin by method, fraction of equity (dark edge: governs)", fontsize=10)
    return png(figure)


def _method_bars(axes: Axes, row: int, own: pd.DataFrame, held: list[str], methods: list[str]) -> None:
    from matplotlib import colormaps

    height = 0.8 / max(len(held), 1)
    drawn = set(axes.get_legend_handles_labels()[1])
    for place, method in enumerate(held):
        governs = bool(own.loc[method, "is_governing"])
        axes.barh(
            row + 0.4 - height * (place + 0.5),
            float(own.loc[method, "part"]),
            height=height * 0.9,
            color=colormaps["tab10"](METHODS.index(method) % 10),
            edgecolor="black" if governs else "none",
            linewidth=1.0 if governs else 0.0,
            label=method if method not in drawn else None,
        )


def scenario_ladder(classes: pd.DataFrame) -> bytes:
    """Draw the loss of class groups at every valuation point, one panel for each of the portfolios with the greatest losses.

    Parameters
    ----------
    classes : rows of `portfolio_margin_classes`; those without losses are left out. Of each portfolio the five class groups that
        need most are drawn apart, the sum of all in black: what is lost when all of them move alike.

    Returns
    -------
    PNG bytes.
    """
    known = classes[classes["losses"].notna()]
    needs = known.groupby("portfolio_id")["maintenance_margin"].sum().sort_values(ascending=False, kind="stable")
    shown = list(needs.index[:PANELS])
    columns = min(3, max(len(shown), 1))
    rows = -(-max(len(shown), 1) // columns)
    figure, axes = canvas(4.2 * columns, 3.2 * rows)
    if not shown:
        return png(say(figure, axes, "no portfolio has a scenario margin"))
    axes.remove()
    panels = np.atleast_1d(np.asarray(figure.subplots(rows, columns, squeeze=False), dtype=object)).ravel()
    figure.subplots_adjust(left=0.09, right=0.98, top=0.92, bottom=0.1, hspace=0.4, wspace=0.35)
    for panel, portfolio_id in zip(panels, shown, strict=False):
        _ladder(panel, str(portfolio_id), known[known["portfolio_id"] == portfolio_id])
    for panel in panels[len(shown) :]:
        panel.axis("off")
    return png(figure)


def _ladder(axes: Axes, portfolio_id: str, own: pd.DataFrame) -> None:
    largest = own.nlargest(LINES_A_PANEL, "maintenance_margin", keep="first")
    for name, moves, losses in largest[["class_group", "price_moves", "losses"]].itertuples(index=False, name=None):
        label = f"{name} ({min(moves):.0%} to {max(moves):.0%})"
        axes.plot(_parts(moves), losses, marker=".", linewidth=1, label=label)
    points = np.stack([np.asarray(losses) for losses in own["losses"]])
    axes.plot(_parts(own["price_moves"].iloc[0]), points.sum(axis=0), color="black", linewidth=1.6, label="all")
    axes.axhline(0.0, color="grey", linewidth=0.6)
    axes.set_title(portfolio_id, fontsize=9)
    axes.set_xlabel("part of the range, %", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.yaxis.set_major_formatter(lambda amount, _: f"{amount:,.0f}")
    axes.legend(fontsize=6)


def _parts(moves: Sequence[float]) -> np.ndarray:
    """Moves as percentages of the range down and up."""
    given = np.asarray(moves, dtype=np.float64)
    return np.where(given < 0, -100.0 * given / given.min(), 100.0 * given / given.max())


def risk_by_strategy(strategy_risk: pd.DataFrame, method: str = "historical") -> bytes:
    """Draw the share of every strategy in the value at risk of its portfolio beside its share of the margin.

    Parameters
    ----------
    strategy_risk : rows of that table; the greatest confidence and the shortest horizon are drawn, of strategies that have a share.
    method : risk method.

    Returns
    -------
    PNG bytes. Of portfolios with more than 40 strategies together, those with the greatest value at risk are drawn.
    """
    own = strategy_risk[(strategy_risk["method"] == method) & strategy_risk["var_share"].notna()]
    if len(own):
        own = own[(own["confidence"] == own["confidence"].max()) & (own["horizon_days"] == own["horizon_days"].min())]
    size = own.groupby("portfolio_id")["component_var"].agg(["sum", "size"]).sort_values("sum", ascending=False, kind="stable")
    kept = list(size.index[(size["size"].cumsum() <= MAXIMUM_STRATEGIES) | (np.arange(len(size)) == 0)])
    rows = own[own["portfolio_id"].isin(kept)].sort_values(["portfolio_id", "strategy"], ascending=False).head(MAXIMUM_STRATEGIES)
    figure, axes = canvas(9.0, 1.6 + 0.34 * max(len(rows), 1))
    if rows.empty:
        return png(say(figure, axes, "no strategy has a share of a value at risk"))
    place = np.arange(len(rows))
    axes.barh(place + 0.19, rows["var_share"], height=0.36, color="#b2182b", label=f"share of value at risk ({method})")
    axes.barh(place - 0.19, rows["margin_share"].fillna(0.0), height=0.36, color="#4393c3", label="share of margin")
    axes.set_yticks(place, rows["portfolio_id"] + "  " + rows["strategy"], fontsize=7)
    axes.axvline(0.0, color="black", linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.legend(fontsize=7)
    axes.set_title("Risk and margin by strategy", fontsize=10)
    left = 2.4 / 9.0
    axes.set_position((left, axes.get_position().y0, 0.97 - left, axes.get_position().height))
    return png(figure)
