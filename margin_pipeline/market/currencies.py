"""Exchange rates in use on a date, and what converts one currency into another.

Belongs here: picking the rate and dividing two of them. Not here: returns of currencies (`returns`), which amount converts into what.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

OLDEST_RATE_DAYS = 7
"""Calendar days after which a rate is none: what needs it fails closed."""


def usd_rates(fx_rates: pd.DataFrame, as_of: dt.date) -> dict[str, float]:
    """US dollars for one unit of each currency.

    Parameters
    ----------
    fx_rates : columns date, currency, usd_rate; one row a date and currency.
    as_of : date of use.

    Returns
    -------
    By currency the newest rate of the seven days up to `as_of`; the dollar itself is always 1.
    """
    age = (pd.Timestamp(as_of) - pd.to_datetime(fx_rates["date"])).dt.days
    recent = fx_rates[(age >= 0) & (age <= OLDEST_RATE_DAYS)].sort_values("date", kind="stable").drop_duplicates("currency", keep="last")
    found = dict(zip(recent["currency"].astype(object), recent["usd_rate"].astype(float), strict=True))
    return {**found, "USD": 1.0}


def conversion(currency: pd.Series, into: pd.Series, usd: Mapping[str, float]) -> np.ndarray:
    """Units of the second currency for one unit of the first, row by row.

    Parameters
    ----------
    currency, into : (n,) ISO 4217 codes.
    usd : result of `usd_rates`.

    Returns
    -------
    (n,) rates; exactly 1 where the two are the same, NaN where a rate is missing.
    """
    ratio = currency.map(dict(usd)).to_numpy(dtype=np.float64) / into.map(dict(usd)).to_numpy(dtype=np.float64)
    return np.where((currency.to_numpy() == into.to_numpy()).astype(bool), 1.0, ratio)
