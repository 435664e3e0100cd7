"""General and specific interest-rate risk of bonds by the duration method.

Belongs here: the duration ladder and specific weights. Not here: positions, weights (`parameters`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.parameters.basel_market_risk import DurationLadder, MarketRiskRules
from margin_pipeline.regulation.basel.ratings import rating_buckets

MONTHS_A_YEAR, DAYS_A_YEAR = 12.0, 365.0


def yield_changes(duration: np.ndarray, ladder: DurationLadder) -> np.ndarray:
    """Assumed change of yield, fraction, of bonds by modified duration in years; both (n,)."""
    return np.array(ladder.yield_change)[_band(duration, ladder)]


def general_capital(amount: np.ndarray, duration: np.ndarray, ladder: DurationLadder) -> float:
    """Capital for general interest-rate risk of one currency.

    Parameters
    ----------
    amount : (n,) signed market value.
    duration : (n,) modified duration, years, >= 0.
    ladder : bands and disallowances.

    Returns
    -------
    Net weighted position, plus what is disallowed of offsets within bands, within zones, between neighbouring zones and between the first
    and the third zone, in the currency of `amount`. Duration method: weighted position = amount x duration x assumed change of yield.
    """
    weighted = amount * duration * yield_changes(duration, ladder)
    band = _band(duration, ladder)
    count = len(ladder.greatest)
    long = np.bincount(band, weights=np.maximum(weighted, 0.0), minlength=count)
    short = np.bincount(band, weights=np.maximum(-weighted, 0.0), minlength=count)
    capital = ladder.vertical * np.minimum(long, short).sum()
    net, zone = long - short, np.array(ladder.zone)
    left = np.zeros(3)
    for z in range(3):
        of_zone = net[zone == z]
        gain, loss = np.maximum(of_zone, 0.0).sum(), np.maximum(-of_zone, 0.0).sum()
        capital += ladder.within_zone[z] * min(gain, loss)
        left[z] = gain - loss
    for first, second, share in ((0, 1, ladder.adjacent), (1, 2, ladder.adjacent), (0, 2, ladder.distant)):
        if left[first] * left[second] < 0:
            matched = min(abs(left[first]), abs(left[second]))
            capital += share * matched
            left[first] -= np.sign(left[first]) * matched
            left[second] -= np.sign(left[second]) * matched
    return float(capital + abs(left.sum()))


def specific_weights(bonds: pd.DataFrame, as_of: pd.Timestamp, rules: MarketRiskRules) -> tuple[np.ndarray, list[str | None]]:
    """Weight for specific risk of each bond, and what is missing of it.

    Parameters
    ----------
    bonds : n rows with end, sector, rating (empty: unrated), expiry.
    as_of : business date.
    rules : rules in force.

    Returns
    -------
    (n,) fractions of market value and (n,) reasons: by kind of issuer, rating and, for investment grade, residual maturity.
    """
    bucket = rating_buckets(bonds["rating"])
    sector = bonds["sector"].astype("str").fillna("").str.strip().str.lower()
    months = (pd.to_datetime(bonds["expiry"]) - as_of).dt.days.to_numpy(dtype=float) / DAYS_A_YEAR * MONTHS_A_YEAR
    weight, lacking = np.full(len(bonds), np.nan), []
    for i, (symbol, b, s, rating) in enumerate(zip(bonds["end"], bucket, sector, bonds["rating"], strict=True)):
        scale = rules.debt_specific["government" if s in rules.government_sectors else "other"]
        found = scale.get(b)
        reason = None
        if found is None:
            reason = f"specific risk of {symbol}: rating {rating} is on no scale"
        elif len(found) == 1:
            weight[i] = found[0][1]
        elif np.isnan(months[i]):
            reason = f"expiry of {symbol}"
        else:
            weight[i] = next(w for greatest, w in found if months[i] <= greatest)
        lacking.append(reason)
    return weight, lacking


def _band(duration: np.ndarray, ladder: DurationLadder) -> np.ndarray:
    return np.searchsorted(np.array(ladder.greatest), duration, side="left")
