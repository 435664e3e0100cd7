"""Pictures of forecasts, as PNG bytes.

Belongs here: drawing. Not here: reading tables, computing what is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from margin_pipeline.reports.canvas import canvas, png, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALL_METHODS = "all"
NAMES = {"at_end": "at the last close", "at_closes": "at any close"}
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
MARKERS = ("o", "s", "^", "D")


def reliability_diagram(forecast_calibration: pd.DataFrame) -> bytes:
    """Draw observed frequencies against predicted probabilities of margin calls, with the number of forecasts beneath.

    Parameters
    ----------
    forecast_calibration : rows of the table of this name; those of all methods together are drawn, a line for each horizon and way of
        watching.

    Returns
    -------
    PNG bytes.
    """
    rows = forecast_calibration[(forecast_calibration["method"] == ALL_METHODS) & forecast_calibration["missing"].isna()]
    if rows.empty:
        return png(say(*canvas(9.0, 2.6), "no portfolio has a history to test forecasts on"))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 7.6), dpi=110)
    above, beneath = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.07, top=0.92, hspace=0.08)
    figure.suptitle("Forecasts of margin calls on past days: predicted probability and what came true", fontsize=10)
    above.plot([0, 1], [0, 1], color="black", linewidth=0.6, linestyle="--", label="calibrated")
    lines = list(rows.groupby(["horizon_days", "watched"], sort=True))
    for number, ((horizon, watched), own) in enumerate(lines):
        _line(above, beneath, own, f"{horizon} day{'' if horizon == 1 else 's'}, {NAMES[str(watched)]}", number, len(lines))
    above.set(xlim=(0, 1), ylim=(0, 1), ylabel="observed frequency")
    beneath.set(xlabel="predicted probability", ylabel="forecasts")
    beneath.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    for axes in (above, beneath):
        axes.tick_params(labelsize=7)
        axes.grid(linewidth=0.3)
    above.legend(fontsize=8, loc="upper left", frameon=False)
    return png(figure)


def _line(above: Axes, beneath: Axes, rows: pd.DataFrame, name: str, number: int, lines: int) -> None:
    brier = float(rows.loc[rows["bin"] == 0, "brier_score"].iloc[0])
    bins = rows[rows["bin"] > 0].sort_values("bin")
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    predicted = bins["predicted"].to_numpy(float)
    above.plot(
        predicted,
        bins["observed"].to_numpy(float),
        linewidth=1.2,
        color=colour,
        marker=marker,
        markersize=4,
        label=f"{name} (Brier score {brier:.3f})",
    )
    width = (bins["upper"] - bins["lower"]).to_numpy(float) * 0.8 / lines
    left = bins["lower"].to_numpy(float) + 0.1 * width + np.float64(number) * width
    beneath.bar(left, bins["observations"].to_numpy(float), width=width, align="edge", color=colour)
