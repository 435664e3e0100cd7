"""Pictures of stress tests: from equity through what strategies lose to what is left, against the margin that is then needed.

Belongs here: drawing stress tables. Not here: the canvas (`canvas`), computing what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from margin_pipeline.reports.canvas import canvas, png, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = 3
LOSS, GAIN, LEVEL, NEEDED = "#b2182b", "#4d9221", "#878787", "#4393c3"


def stress_waterfall(stress_results: pd.DataFrame, stress_strategy_results: pd.DataFrame, portfolios: pd.DataFrame) -> bytes:
    """Draw what the worst scenario does to the portfolios that it hits hardest, strategy by strategy.

    Parameters
    ----------
    stress_results, stress_strategy_results, portfolios : rows of the tables of these names; undetermined results are left out. Of each
        portfolio the scenario after which least equity is left, of the portfolios the three that lose the greatest part of it.

    Returns
    -------
    PNG bytes.
    """
    known = stress_results[stress_results["is_governing"] & stress_results["equity_after"].notna() & stress_results["margin_after"].notna()]
    equity = portfolios.set_index("portfolio_id")["equity"]
    before = equity.reindex(known["portfolio_id"]).to_numpy(np.float64)
    left = np.divide(known["equity_after"].to_numpy(np.float64), before, out=np.full(len(known), np.nan), where=before > 0)
    known = known.assign(left=left).dropna(subset=["left"])
    worst = known.sort_values(["left", "portfolio_id", "scenario"], kind="stable").drop_duplicates("portfolio_id").head(PANELS)
    figure, axes = canvas(4.4 * max(len(worst), 1), 4.2)
    if worst.empty:
        return png(say(figure, axes, "no stress test has a result"))
    axes.remove()
    panels = figure.subplots(1, len(worst), squeeze=False).ravel()
    figure.subplots_adjust(left=0.1, right=0.98, top=0.9, bottom=0.33, wspace=0.4)
    for panel, row in zip(panels, worst.to_dict("records"), strict=True):
        own = stress_strategy_results[
            (stress_strategy_results["portfolio_id"] == row["portfolio_id"]) & (stress_strategy_results["scenario"] == row["scenario"])
        ]
        _waterfall(panel, row, float(equity[row["portfolio_id"]]), own.set_index("strategy")["pnl"].sort_index())
    return png(figure)


def _waterfall(axes: Axes, row: dict[str, object], equity: float, profits: pd.Series) -> None:
    steps = [*profits.items(), ("cost of leaving", -float(row["liquidity_cost"]))]  # type: ignore[arg-type]
    names = ["equity", *(str(name) for name, _ in steps), "left", "margin then"]
    amounts = np.array([amount for _, amount in steps], dtype=np.float64)
    before = equity + np.concatenate([[0.0], np.cumsum(amounts)[:-1]])
    place = np.arange(1, len(amounts) + 1)
    axes.bar(0, equity, color=LEVEL)
    axes.bar(place, amounts, bottom=before, color=np.where(amounts < 0, LOSS, GAIN))
    axes.bar(len(amounts) + 1, float(row["equity_after"]), color=LEVEL)  # type: ignore[arg-type]
    axes.bar(len(amounts) + 2, float(row["margin_after"]), color=NEEDED)  # type: ignore[arg-type]
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.use_sticky_edges = False
    axes.margins(y=0.06)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.yaxis.set_major_formatter(lambda amount, _: f"{amount:,.0f}")
    verdict = "passed" if row["passed"] else "failed"
    axes.set_title(f"{row['portfolio_id']}: {str(row['scenario']).replace('_', ' ')}, {verdict}", fontsize=8)
