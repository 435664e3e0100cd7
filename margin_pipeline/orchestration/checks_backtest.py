"""Blocking checks of backtests.

Belongs here: what must hold of the tables of a backtest. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome

KEY = ["portfolio_id", "method", "confidence"]
P_VALUES = ["kupiec_p_value", "independence_p_value", "conditional_coverage_p_value"]


def exceptions_are_the_flagged_days(frames: Frames) -> Outcome:
    """Observations and exceptions of each row are the days and the flagged days behind it, and a day is flagged for its loss."""
    results, days = frames["backtest_results"], frames["backtest_days"]
    counted = days.groupby(KEY)["is_exception"].agg(["size", "sum"])
    figures = results[results["missing"].isna()].set_index(KEY)[["observations", "exceptions"]].astype("int64")
    both = figures.join(counted, how="outer")
    wrong = int(((both["observations"] != both["size"]) | (both["exceptions"] != both["sum"])).sum())
    unlike = int((days["is_exception"] & (-days["profit"] <= days["var"])).sum())
    return Outcome(wrong == 0 and unlike == 0, {"wrong_rows": wrong, "flagged_without_a_loss_beyond": unlike, "rows": len(both)})


def p_values_are_probabilities(frames: Frames) -> Outcome:
    """Every p-value is between 0 and 1, and is there unless something is missing."""
    results = frames["backtest_results"]
    values = results.loc[results["missing"].isna(), P_VALUES].to_numpy(float)
    wrong = int((~((values >= 0) & (values <= 1))).any(axis=1).sum())
    left = int(results.loc[results["missing"].notna(), P_VALUES].notna().any(axis=1).sum())
    return Outcome(wrong == 0 and left == 0, {"wrong_rows": wrong, "figures_beside_a_gap": left})


def every_portfolio_is_tested_or_named(frames: Frames) -> Outcome:
    """Each portfolio has as many rows as any other, with figures or with what is missing for them."""
    results, portfolios = frames["backtest_results"], frames["portfolios"]
    rows = results.groupby("portfolio_id").size().reindex(portfolios["portfolio_id"].unique()).fillna(0)
    neither = int((results["missing"].notna() == results["exceptions"].notna()).sum())
    return Outcome(
        rows.nunique() <= 1 and rows.gt(0).all() and neither == 0, {"portfolios": len(rows), "neither_figure_nor_reason": neither}
    )


def coverage_is_of_every_margin(frames: Frames) -> Outcome:
    """Each margin has one row, whose coverage is 1 less the part of its periods that were not covered."""
    coverage, margins = frames["margin_coverage"], frames["portfolio_margins"]
    key = ["portfolio_id", "method"]
    lost = len(coverage) - len(margins) + int(coverage.duplicated(key).sum())
    known = coverage[coverage["missing"].isna()]
    share = 1 - known["exceptions"].to_numpy(float) / known["observations"].to_numpy(float)
    wrong = int((~(np.abs(share - known["coverage"].to_numpy(float)) <= 1e-12)).sum())
    without = int((known["largest_shortfall"].gt(0) != known["exceptions"].gt(0).astype(bool)).sum())
    return Outcome(lost == 0 and wrong == 0, {"lost_or_doubled": lost, "wrong_rows": wrong, "shortfall_of_rounding": without})
