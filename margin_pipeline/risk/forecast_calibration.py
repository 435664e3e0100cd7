"""Whether forecasts of breaches came true: today's exposures on past days, predicted probabilities against observed frequencies.

Belongs here: the table `forecast_calibration`. Not here: formulas of first passage, exposures.

Every tested day starts at invented distances to a margin call, so that there are forecasts of every size. The deviation that a forecast
uses is made from earlier days only: exponentially weighted, of the changes of X = margin equity − maintenance margin at the slopes and
curvatures of today, which is √(g'Σg + ½ tr((ΓΣ)²)) with the covariance of that day, so that no covariance has to be made for any day.

Conventions
-----------
- Distances are multiples of the average deviation of the tested days: a forecast differs from day to day as far as volatility is forecast.
- Of past days closes alone are known. `at_end` asks whether the distance is used up at the last close, against Φ(−z); `at_closes` whether
  it is at any close of the horizon, against first passage at these instants. `margin_forecasts` is for every instant.
- X changes by slope and half curvature of the return since the start. Horizons over a day overlap: observations are not independent.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from margin_pipeline.market.volatility import weighted_variance
from margin_pipeline.market.weights import exponential_weights
from margin_pipeline.parameters.estimation import EstimationSettings
from margin_pipeline.parameters.forecast import ForecastSettings
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.backtest_series import previous_profits
from margin_pipeline.risk.first_passage import end_probability, watched_probability
from margin_pipeline.risk.forecast import FactorExposures
from margin_pipeline.risk.scenarios import factor_history

Floats = npt.NDArray[Any]

ALL_METHODS = "all"
AT_END, AT_CLOSES = "at_end", "at_closes"
COLUMNS = [
    "method", "horizon_days", "watched", "bin", "lower", "upper", "portfolios", "observations", "predicted", "observed", "brier_score",
    "reliability", "base_rate", "missing",
]  # fmt: skip
WHOLE = 0
"""Number of the row of all bins together."""


def calibration_table(
    exposures: FactorExposures,
    methods: Mapping[str, str],
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    exclude: Collection[str],
    risk: RiskSettings,
    estimation: EstimationSettings,
    settings: ForecastSettings,
    as_of: dt.date,
) -> pd.DataFrame:
    """Predicted and observed breaches by method, horizon and predicted probability.

    Parameters
    ----------
    exposures : of portfolios to risk factors, today.
    methods : governing method of each portfolio that is tested.
    prices, fx_rates : histories up to the date.
    exclude : symbols that are no risk factors (options).
    risk, estimation, settings : calendar; half-life, window; days, horizons, starts, bins.
    as_of : business date.

    Returns
    -------
    Frame of `COLUMNS`, ordered: bins from 1 that have observations, and bin 0 of all together. A method without a portfolio whose history
    is long enough has rows of bin 0 without figures that say so.
    """
    days = settings.calibration_days + max(settings.calibration_horizons_days)
    longer = replace(risk, historical_window=estimation.window + days, horizons_days=(1,))
    history = factor_history(prices, fx_rates, exposures.factors, exclude, longer, as_of)
    place = history.factors.get_indexer(exposures.factors)
    logs = np.hstack([history.log_returns, np.full((len(history.log_returns), 1), np.nan)])[:, place]
    slope, curvature = exposures.of(settings.margin_call)
    row = {str(name): number for number, name in enumerate(exposures.portfolios)}
    found = []
    for method in sorted(set(methods.values()) | {ALL_METHODS}):
        names = sorted(name for name, own in methods.items() if method in (own, ALL_METHODS))
        rows = np.array([row[name] for name in names], dtype=np.int64)
        tested = Tested.of(logs, slope[rows], curvature[rows], estimation, settings)
        for horizon in settings.calibration_horizons_days:
            for watched in (AT_END, AT_CLOSES) if horizon > 1 else (AT_END,):
                pairs = tested.pairs(horizon, watched, settings)
                found.append(_bins(*pairs, settings).assign(method=method, horizon_days=np.int64(horizon), watched=watched))
    frame = pd.concat(found, ignore_index=True)[COLUMNS]
    frame = frame.sort_values(["method", "horizon_days", "watched", "bin"], kind="stable", ignore_index=True)
    return frame.astype({"method": "str", "watched": "str", "missing": "str"})


class Tested:
    """Changes of X of p portfolios over past days, with deviations made from earlier days.

    Attributes
    ----------
    changes : by days ahead, (p, t) change of X over the days that end on each of t sessions; NaN where a factor had no return yet.
    linear, curved : (p, t) variances of one day's change, from sessions before each.
    """

    def __init__(self, changes: Mapping[int, Floats], linear: Floats, curved: Floats) -> None:
        self.changes, self.linear, self.curved = changes, linear, curved

    @classmethod
    def of(cls, logs: Floats, slope: Floats, curvature: Floats, estimation: EstimationSettings, settings: ForecastSettings) -> Tested:
        """From log returns (t, n), slopes and curvatures (p, n)."""
        held = (slope != 0) | (curvature != 0)
        unknown = held.astype(float) @ np.isnan(logs).T.astype(float) > 0
        filled = np.nan_to_num(logs)
        sums = np.vstack([np.zeros((1, filled.shape[1])), np.cumsum(filled, axis=0)])
        changes = {}
        for days in range(1, max(settings.calibration_horizons_days) + 1):
            returns = np.zeros_like(filled)
            returns[days - 1 :] = np.expm1(sums[days:] - sums[:-days]) if len(filled) >= days else 0.0
            change = slope @ returns.T + curvature @ (returns.T**2) / 2.0
            lost = unknown.copy()
            lost[:, : days - 1] = True
            changes[days] = np.where(lost, np.nan, change)
        variances = [
            _earlier_variance(np.where(unknown, np.nan, part), estimation, settings.min_window)
            for part in (slope @ filled.T, curvature @ (filled.T**2) / 2.0)
        ]
        return cls(changes, *variances)

    def pairs(self, horizon: int, watched: str, settings: ForecastSettings) -> tuple[Floats, Floats, Floats]:
        """Predicted probabilities, whether they came true (0 or 1), and number of the portfolio, one entry a start."""
        ends = self.changes[horizon]
        count = ends.shape[1] - horizon
        if count < 1:
            return np.zeros(0), np.zeros(0), np.zeros(0)
        first = slice(max(1, ends.shape[1] - horizon - settings.calibration_days + 1), ends.shape[1] - horizon + 1)
        # A start on the evening before session i: deviations from sessions before i, changes over sessions i to i + horizon - 1.
        starts = np.arange(ends.shape[1])[first]
        variance = horizon * self.linear[:, starts] + horizon**2 * self.curved[:, starts]
        deviation = np.sqrt(variance)
        path = np.stack([self.changes[days][:, starts + days - 1] for days in range(1, horizon + 1)])
        lowest = path[-1] if watched == AT_END else path.min(axis=0)
        known = np.isfinite(deviation) & (deviation > 0) & np.isfinite(path).all(axis=0)
        usual = np.array([own[good].mean() if good.any() else np.nan for own, good in zip(deviation, known, strict=True)])
        multiples = -ndtri(np.asarray(settings.starting_probabilities) / 2.0)
        distance = multiples[:, None, None] * usual[:, None]
        instants = 1 if watched == AT_END else horizon
        predicted = np.broadcast_to(
            end_probability(distance, deviation) if watched == AT_END else watched_probability(distance, deviation, instants),
            (len(multiples), *deviation.shape),
        )
        happened = (lowest <= -distance).astype(float)
        good = np.broadcast_to(known, predicted.shape)
        owner = np.broadcast_to(np.arange(len(deviation))[:, None], predicted.shape)
        return predicted[good], happened[good], owner[good].astype(float)


def _earlier_variance(series: Floats, estimation: EstimationSettings, min_window: int) -> Floats:
    """(p, t) exponentially weighted variance of the entries before each; NaN with fewer than `min_window`."""
    weights = exponential_weights(estimation.window, estimation.half_life)
    found = np.full(series.shape, np.nan)
    for number, own in enumerate(series):
        # The scale of profits may be small beside what a variance of returns counts as none.
        scale = float(np.nanmax(np.abs(own), initial=0.0)) if np.isfinite(own).any() else 0.0
        before = previous_profits(own / (scale or 1.0), estimation.window, len(own))
        enough = (~np.isnan(before)).sum(axis=1) >= min_window
        found[number, enough] = weighted_variance(before[enough].T, weights) * scale**2
    return found


def _bins(predicted: Floats, happened: Floats, owner: Floats, settings: ForecastSettings) -> pd.DataFrame:
    """Rows of bins, and of all of them: the Brier score, and reliability, its part that comes of bins off the diagonal (Murphy 1973)."""
    if not len(predicted):
        needed = settings.min_window + settings.calibration_days
        text = json.dumps([f"no portfolio with risk and a history to test: up to {needed} daily returns are needed"])
        lost = {name: [np.nan] for name in ("predicted", "observed", "brier_score", "reliability", "base_rate")}
        return pd.DataFrame(
            {"bin": [WHOLE], "lower": [0.0], "upper": [1.0], "portfolios": [0], "observations": [0], **lost, "missing": [text]}
        )
    number = np.minimum((predicted * settings.bins).astype(np.int64), settings.bins - 1) + 1
    base = float(happened.mean())
    rows = []
    for which in [WHOLE, *np.unique(number)]:
        own = np.ones(len(number), dtype=bool) if which == WHOLE else number == which
        means = float(predicted[own].mean()), float(happened[own].mean())
        low, high = (0.0, 1.0) if which == WHOLE else ((which - 1) / settings.bins, which / settings.bins)
        rows.append(
            {
                "bin": int(which),
                "lower": low,
                "upper": high,
                "portfolios": len(np.unique(owner[own])),
                "observations": int(own.sum()),
                "predicted": means[0],
                "observed": means[1],
                "brier_score": float(np.mean((predicted[own] - happened[own]) ** 2)),
                "reliability": (means[0] - means[1]) ** 2,
                "base_rate": base,
                "missing": None,
            }
        )
    frame = pd.DataFrame(rows)
    within = frame["bin"] != WHOLE
    weight = frame.loc[within, "observations"] / frame.loc[within, "observations"].sum()
    frame.loc[~within, "reliability"] = float((weight * frame.loc[within, "reliability"]).sum())
    return frame
