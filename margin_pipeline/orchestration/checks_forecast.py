"""Blocking checks of forecasts.

Belongs here: what must hold of the tables of forecasts. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome

ROUNDING = 1e-12


def probabilities_are_probabilities(frames: Frames) -> Outcome:
    """Every probability is between 0 and 1, and is there unless something is missing."""
    rows = frames["margin_forecasts"]
    value = rows["breach_probability"].to_numpy(float)
    known = rows["missing"].isna().to_numpy()
    wrong = int((~((value[known] >= 0) & (value[known] <= 1))).sum())
    beside = int((~np.isnan(value[~known])).sum())
    return Outcome(wrong == 0 and beside == 0, {"not_a_probability": wrong, "figures_beside_a_gap": beside, "rows": len(rows)})


def more_time_and_lower_thresholds_are_more_likely(frames: Frames) -> Outcome:
    """A breach is never less likely within more time, nor of a lower threshold."""
    rows = frames["margin_forecasts"]
    known = rows[rows["missing"].isna()].sort_values(["portfolio_id", "threshold", "horizon_minutes"])
    later = known.groupby(["portfolio_id", "threshold"])["breach_probability"].diff().dropna()
    known = known.sort_values(["portfolio_id", "horizon_minutes", "threshold"])
    higher = known.groupby(["portfolio_id", "horizon_minutes"])["breach_probability"].diff().dropna()
    wrong = int((later < -ROUNDING).sum()), int((higher > ROUNDING).sum())
    return Outcome(wrong == (0, 0), {"less_likely_with_time": wrong[0], "more_likely_at_a_higher_threshold": wrong[1]})


def every_portfolio_is_forecast_or_named(frames: Frames) -> Outcome:
    """Each portfolio has as many rows as any other, and one whose margin is undetermined has no forecast."""
    rows, portfolios, margins = frames["margin_forecasts"], frames["portfolios"], frames["portfolio_margins"]
    count = rows.groupby("portfolio_id").size().reindex(portfolios["portfolio_id"].unique()).fillna(0)
    undetermined = margins.loc[margins["is_governing"].astype(bool) & (margins["status"] == "undetermined"), "portfolio_id"]
    forecast = int(rows.loc[rows["portfolio_id"].isin(undetermined), "breach_probability"].notna().sum())
    even = bool(count.nunique() <= 1 and count.gt(0).all())
    return Outcome(even and forecast == 0, {"portfolios": len(count), "forecasts_of_undetermined_margins": forecast})


def bins_add_up(frames: Frames) -> Outcome:
    """Observations of the bins add up to those of all together, and each mean prediction lies in its bin."""
    rows = frames["forecast_calibration"]
    key = ["method", "horizon_days", "watched"]
    whole = rows[rows["bin"] == 0].set_index(key)["observations"]
    parts = rows[rows["bin"] > 0].groupby(key)["observations"].sum().reindex(whole.index).fillna(0)
    known = rows[rows["missing"].isna()]
    outside = int((~known["predicted"].between(known["lower"] - ROUNDING, known["upper"] + ROUNDING)).sum())
    wrong = int((whole != parts).sum())
    return Outcome(wrong == 0 and outside == 0, {"wrong_sums": wrong, "predictions_outside_their_bin": outside})
