"""Pictures of backtests, as PNG bytes.

Belongs here: drawing. Not here: reading tables, computing what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from margin_pipeline.reports.canvas import canvas, png, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAXIMUM_PANELS = 4
COLUMNS = 2
LINES = {"gaussian": "#1f77b4", "historical": "#7f7f7f"}
EXCEPTION, QUIET = "#d62728", "#b8c4d0"


def value_at_risk_backtest(backtest_results: pd.DataFrame, backtest_days: pd.DataFrame) -> bytes:
    """Draw the profits of today's positions on past days against the value at risk, exceptions marked.

    Parameters
    ----------
    backtest_results, backtest_days : rows of the tables of these names. The four portfolios with the most exceptions of any method at
        the greatest confidence are drawn, one panel each; of equal ones those first by name.

    Returns
    -------
    PNG bytes.
    """
    worst = _worst(backtest_results)
    if not worst:
        return png(say(*canvas(9.0, 2.6), "no portfolio has a history to test"))
    from matplotlib.figure import Figure

    rows = -(-len(worst) // COLUMNS)
    height = 0.7 + 2.7 * rows
    figure = Figure(figsize=(11.0, height), dpi=110)
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    figure.subplots_adjust(left=0.07, right=0.985, bottom=0.45 / height, top=1 - 0.75 / height, hspace=0.42, wspace=0.16)
    confidence = float(backtest_results["confidence"].max())
    figure.suptitle(f"Daily profit of today's positions against value at risk at {100 * confidence:g} %, base currency", fontsize=10)
    days = backtest_days[backtest_days["confidence"] == confidence]
    for axes, portfolio_id in zip(panels, worst, strict=False):
        _panel(axes, portfolio_id, days[days["portfolio_id"] == portfolio_id])
    for axes in panels[len(worst) :]:
        axes.axis("off")
    return png(figure)


def _worst(results: pd.DataFrame) -> list[str]:
    """Return the portfolios to draw, those with the most exceptions first."""
    tested = results[(results["confidence"] == results["confidence"].max()) & results["missing"].isna()]
    most = tested.groupby("portfolio_id")["exceptions"].max().astype("int64")
    return [str(name) for name in most.sort_index().sort_values(ascending=False, kind="stable").index[:MAXIMUM_PANELS]]


def _panel(axes: Axes, portfolio_id: str, days: pd.DataFrame) -> None:
    counts = []
    for method, own in days.groupby("method", sort=True):
        ordered = own.sort_values("session")
        session, profit = ordered["session"].to_numpy(), ordered["profit"].to_numpy(float)
        if not counts:
            axes.vlines(session, 0.0, profit, color=QUIET, linewidth=1.2)
        axes.plot(session, -ordered["var"].to_numpy(float), color=LINES.get(str(method), "black"), linewidth=1.0, label=str(method))
        failed = ordered["is_exception"].to_numpy(bool)
        axes.plot(session[failed], profit[failed], linestyle="", marker="v", markersize=4, color=EXCEPTION)
        counts.append(f"{method} {int(failed.sum())}")
    axes.axhline(0.0, color="black", linewidth=0.5)
    axes.set_title(f"{portfolio_id}: exceptions {', '.join(counts)} of {days['session'].nunique()} days", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.yaxis.set_major_formatter(lambda amount, _: f"{amount:,.0f}")
    axes.legend(fontsize=7, loc="upper left", frameon=False)
