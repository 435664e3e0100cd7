"""Probability that the utilization of a portfolio crosses a threshold within a horizon, and when a margin call is as likely as not.

Belongs here: from sensitivities and covariance to the rows of `margin_forecasts`. Not here: sensitivities (`decisions`), formulas of first
passage (`first_passage`).

Utilization reaches θ where X = θ·margin equity − maintenance margin falls to 0. With slopes g and curvatures γ of X in the returns r of the
risk factors, r ~ N(0, hΣ), X changes by g'r + ½Σⱼ γⱼrⱼ², whose variance is h·g'Σg + h²·½tr((ΓΣ)²). The square root is σ_X √h with σ_X a
trading day; over one day σ_X² = g'Σg + ½tr((ΓΣ)²). X has no drift: what curvature costs, time pays back where volatility is the implied
one. A night counts as no time, and its moves are in the day's deviation.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.parameters.forecast import ForecastSettings
from margin_pipeline.risk.first_passage import median_days, passage_probability

Floats = npt.NDArray[Any]

SLOPES = ("equity_slope", "equity_curvature", "maintenance_slope", "maintenance_curvature", "gross_slope")
COLUMNS = [
    "portfolio_id", "horizon_minutes", "threshold", "calculated_at", "method", "breach_probability", "expected_utilization", "utilization",
    "distance", "standard_deviation", "median_minutes_to_breach", "missing",
]  # fmt: skip
ROUNDING = 1e-7
"""Deviation, beside that of gross exposures, below which a distance does not move: what remains is the rounding of sums."""
OTC_REASON = "uncleared derivatives have no risk factors: their market values are not forecast"


@dataclass(frozen=True)
class FactorExposures:
    """How margin equity and maintenance margin of p portfolios move with n risk factors.

    Attributes
    ----------
    portfolios : (p,) names, ascending.
    factors : (n,) names, ascending.
    equity_slope, maintenance_slope : (p, n) base currency for a relative move of 1.
    equity_curvature, maintenance_curvature : (p, n) base currency for a squared one; the change is half of it times the square.
    gross_slope : (p, n) sum of sizes of what adds up to the slopes.
    """

    portfolios: pd.Index
    factors: pd.Index
    equity_slope: Floats
    equity_curvature: Floats
    maintenance_slope: Floats
    maintenance_curvature: Floats
    gross_slope: Floats

    def of(self, threshold: float) -> tuple[Floats, Floats]:
        """(p, n) slope and curvature of threshold x margin equity − maintenance margin."""
        slope = threshold * self.equity_slope - self.maintenance_slope
        return slope, threshold * self.equity_curvature - self.maintenance_curvature


def factor_exposures(sensitivities: pd.DataFrame, portfolios: Sequence[str]) -> FactorExposures:
    """Matrices of sensitivities.

    Parameters
    ----------
    sensitivities : frame portfolio_id, risk_factor and `SLOPES`; rows of one factor add up.
    portfolios : names.
    """
    names = pd.Index(sorted(portfolios), dtype=object)
    ordered = sensitivities.sort_values(["portfolio_id", "risk_factor", *SLOPES], kind="stable")
    factors = pd.Index(sorted(ordered["risk_factor"].unique()), dtype=object)
    at = names.get_indexer(pd.Index(ordered["portfolio_id"], dtype=object))
    place = at * len(factors) + factors.get_indexer(pd.Index(ordered["risk_factor"], dtype=object))
    cells = len(names) * len(factors)
    made = [
        np.bincount(place[at >= 0], ordered[name].to_numpy(float)[at >= 0], minlength=cells).reshape(len(names), len(factors))
        for name in SLOPES
    ]
    return FactorExposures(names, factors, *made)


@dataclass(frozen=True)
class Moments:
    """Second moments of one day of margin equity E and maintenance margin M, (p,) each, linear and curved part.

    Attributes
    ----------
    equity, maintenance : (2, p) variances.
    covariance : (2, p).
    rounding : (p,) variance that is rounding.
    """

    equity: Floats
    maintenance: Floats
    covariance: Floats
    rounding: Floats

    def distance_variance(self, threshold: float) -> Floats:
        """(2, p) variance of threshold·E − M in a day: what grows with time, and what grows with its square."""
        both = threshold**2 * self.equity - 2.0 * threshold * self.covariance + self.maintenance
        return np.where(both > self.rounding, both, 0.0)


def moments(exposures: FactorExposures, covariance: Floats) -> Moments:
    """Second moments of one day.

    Parameters
    ----------
    exposures : of p portfolios to n factors.
    covariance : (n, n) of one day's returns, positive semi-definite.
    """
    squared = covariance**2
    slopes = (exposures.equity_slope, exposures.maintenance_slope)
    bends = (exposures.equity_curvature, exposures.maintenance_curvature)
    linear = [left @ covariance for left in slopes]
    curved = [left @ squared / 2.0 for left in bends]
    gross = exposures.gross_slope @ np.sqrt(np.diag(covariance))
    return Moments(
        equity=np.stack([_dot(linear[0], slopes[0]), _dot(curved[0], bends[0])]),
        maintenance=np.stack([_dot(linear[1], slopes[1]), _dot(curved[1], bends[1])]),
        covariance=np.stack([_dot(linear[0], slopes[1]), _dot(curved[0], bends[1])]),
        rounding=(ROUNDING * gross) ** 2,
    )


def _dot(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.sum(left * right, axis=1))


def estimated_covariance(
    factors: pd.Index, symbols: Sequence[str], correlation: Floats, symbol_risk: pd.DataFrame, trading_days: int
) -> tuple[Floats, dict[str, str]]:
    """Covariance of one day's returns of factors, and reason by name of those without an estimate (0 in the covariance).

    Parameters
    ----------
    factors : (n,) names.
    symbols, correlation : (m,) risk factors and (m, m) their correlation.
    symbol_risk : frame of that table; annualised volatilities.
    trading_days : days a year.
    """
    annual = symbol_risk.drop_duplicates("symbol").set_index("symbol")["volatility"].astype(float).reindex(factors).to_numpy(float)
    place = pd.Index(list(symbols), dtype=object).get_indexer(factors)
    known = ~np.isnan(annual) & (place >= 0)
    daily = np.where(known, annual, 0.0) / np.sqrt(trading_days)
    found = np.zeros((len(factors), len(factors)))
    rows = np.flatnonzero(known)
    found[np.ix_(rows, rows)] = np.asarray(correlation, dtype=np.float64)[np.ix_(place[rows], place[rows])]
    lacking = {str(name): f"{name}: no estimate of its volatility and correlation" for name in factors[~known]}
    return found * daily * daily[:, None], lacking


def forecast_rows(
    exposures: FactorExposures,
    day: Moments,
    portfolio_margins: pd.DataFrame,
    reasons: Mapping[str, Sequence[str]],
    thresholds: Sequence[float],
    settings: ForecastSettings,
    calculated_at: dt.datetime,
) -> pd.DataFrame:
    """Rows of `margin_forecasts`: every portfolio, horizon and threshold.

    Parameters
    ----------
    exposures, day : of the portfolios, as of `factor_exposures` and `moments`.
    portfolio_margins : frame of that table; its governing rows count.
    reasons : what a portfolio lacks; it has rows without figures.
    thresholds : of utilization, fractions.
    settings : horizons and caps.
    calculated_at : instant that horizons begin at.

    Returns
    -------
    Frame of `COLUMNS`, ordered by portfolio, horizon and threshold. standard_deviation: of the distance, base currency, a trading day, as
    over the horizon (curvature makes it grow with the horizon), so that breach_probability = 2Φ(−distance / (standard_deviation
    √(horizon_minutes / session_minutes))), or that of a higher threshold where it is greater. expected_utilization: to second order,
    without drift of margin equity and maintenance margin: U + U·Var(E)/E² − Cov(M, E)/E², empty where margin equity is not positive or
    moves by more than `largest_deviation` of itself.
    """
    margins = portfolio_margins[portfolio_margins["is_governing"].astype(bool)].drop_duplicates("portfolio_id")
    margins = margins.set_index("portfolio_id").reindex(exposures.portfolios)
    lacks = np.array([bool(reasons.get(str(name))) for name in exposures.portfolios], dtype=bool)
    equity, maintenance, used = (
        np.where(lacks, np.nan, margins[name].to_numpy(float)) for name in ("margin_equity", "maintenance_margin", "utilization")
    )
    missing = [json.dumps(sorted(set(reasons[str(name)]))) if gap else None for name, gap in zip(exposures.portfolios, lacks, strict=True)]
    common = pd.DataFrame(
        {"portfolio_id": exposures.portfolios.astype(str), "method": margins["method"].fillna("").to_numpy(object), "utilization": used}
    ).assign(missing=pd.Series(missing, dtype=object), calculated_at=pd.Timestamp(calculated_at))
    parts = []
    # Utilization passes lower thresholds on its way to higher ones: these are never more likely, nor sooner.
    least = {horizon: np.zeros(len(lacks)) for horizon in settings.horizons_minutes}
    latest = np.full(len(lacks), np.inf)
    for threshold in sorted(set(thresholds), reverse=True):
        distance = threshold * equity - maintenance
        linear, curved = day.distance_variance(threshold)
        rest = _at_rest(distance, equity, maintenance, linear + curved)
        latest = np.minimum(latest, np.where(rest, np.inf, median_days(distance, linear, curved)))
        minutes = latest * settings.session_minutes
        for horizon in settings.horizons_minutes:
            days = horizon / settings.session_minutes
            deviation = np.where(lacks, np.nan, np.sqrt(linear + days * curved))
            probability = np.where(rest, 0.0, passage_probability(distance, deviation * np.sqrt(days)))
            least[horizon] = np.maximum(least[horizon], probability)
            parts.append(
                common.assign(
                    horizon_minutes=np.int64(horizon),
                    threshold=float(threshold),
                    breach_probability=least[horizon],
                    expected_utilization=_expected(used, equity, day, days, settings.largest_deviation),
                    distance=distance,
                    standard_deviation=deviation,
                    median_minutes_to_breach=np.where(minutes <= settings.longest_minutes, minutes, np.nan),
                )
            )
    frame = pd.concat(parts, ignore_index=True)[COLUMNS].sort_values(COLUMNS[:3], kind="stable", ignore_index=True)
    return frame.astype({"portfolio_id": "str", "method": "str", "missing": "str"})


def _at_rest(distance: Floats, equity: Floats, maintenance: Floats, deviation: Floats) -> npt.NDArray[np.bool_]:
    """Where nothing is required, nothing is left and nothing moves: paid in full, so that there is nothing to breach."""
    return (maintenance == 0) & (equity >= 0) & (deviation == 0) & (distance <= 0)


def _expected(used: Floats, equity: Floats, day: Moments, days: float, largest_deviation: float) -> Floats:
    variance, covariance = (days * pair[0] + days**2 * pair[1] for pair in (day.equity, day.covariance))
    told = (equity > 0) & (np.sqrt(np.maximum(variance, 0.0)) <= largest_deviation * equity)
    now, square = np.where(told, used, 0.0), np.where(told, equity, 1.0) ** 2
    return np.where(told, np.maximum(now + (now * variance - covariance) / square, 0.0), np.nan)
