"""Blocking checks of Greeks.

Belongs here: what must hold of the table of Greeks. Not here: the form of a check (`checks`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.orchestration.checks import POSITION_KEY, Frames, Outcome

LINEAR_FIGURES = ["delta", "dollar_delta"]
OPTION_FIGURES = [
    "implied_volatility",
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "dollar_delta",
    "dollar_gamma",
    "dollar_vega",
    "dollar_theta",
]


def every_position_has_greeks_or_a_reason(frames: Frames) -> Outcome:
    """Each held position has one row, whose figures are all finite, or says what is missing for them."""
    greeks, positions = frames["position_greeks"], frames["positions"]
    keys = pd.MultiIndex.from_frame(greeks[POSITION_KEY])
    expected = pd.MultiIndex.from_frame(positions.loc[positions["quantity"] != 0, POSITION_KEY])
    lost = len(expected.symmetric_difference(keys)) + int(keys.has_duplicates)
    linear, option = (np.isfinite(greeks[columns].to_numpy(float)).all(axis=1) for columns in (LINEAR_FIGURES, OPTION_FIGURES))
    complete = np.where(greeks["is_option"].to_numpy(bool), option, linear)
    without = int((complete == greeks["missing"].notna().to_numpy()).sum())
    return Outcome(lost == 0 and without == 0, {"lost_or_doubled": lost, "neither_figures_nor_reason": without, "rows": len(greeks)})


def owned_options_gain_by_volatility(frames: Frames) -> Outcome:
    """What is owned does not lose by volatility nor by curvature, what is written does not gain, and exercising early costs nothing."""
    greeks = frames["position_greeks"].merge(frames["positions"][[*POSITION_KEY, "quantity"]], on=POSITION_KEY, how="left")
    side = np.sign(greeks["quantity"].to_numpy(float))
    # Differences of values near zero leave some rounding.
    rounding = 1e-6 * greeks["dollar_delta"].abs().fillna(0.0).to_numpy() + 1e-6
    wrong = int((side * greeks["dollar_vega"].to_numpy(float) < -rounding).sum())
    bent = int((side * greeks["dollar_gamma"].to_numpy(float) < -1e-3 * (1 + greeks["dollar_delta"].abs().fillna(0.0).to_numpy())).sum())
    negative = int(greeks["early_exercise_premium"].lt(0).sum())
    return Outcome(wrong == 0 and bent == 0 and negative == 0, {"wrong_vega": wrong, "wrong_gamma": bent, "negative_premium": negative})
