"""Exchange rates of a date, for figures that are given in their own currency.

Belongs here: picking the rate in use and converting columns. Not here: currency risk (`market`).
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

OLDEST_RATE_DAYS = 7
"""A rate older than this many days is no rate: the figure fails closed."""


def usd_rates(fx_rates: pd.DataFrame, as_of: dt.date) -> pd.Series:
    """US dollars for one unit of each currency.

    Parameters
    ----------
    fx_rates : columns date, currency, usd_rate; one row a date and currency.
    as_of : date of use.

    Returns
    -------
    Series by currency: the newest rate of the seven days up to `as_of`; the dollar itself is always 1.
    """
    dates = pd.to_datetime(fx_rates["date"])
    until = pd.Timestamp(as_of)
    usable = fx_rates[(dates <= until) & (dates >= until - pd.Timedelta(days=OLDEST_RATE_DAYS))]
    newest = usable.sort_values("date").drop_duplicates("currency", keep="last")
    rates = pd.Series(newest["usd_rate"].to_numpy(dtype=float), index=newest["currency"].astype(str).to_numpy())
    rates["USD"] = 1.0
    return rates


def conversion(currency: pd.Series, base_currency: pd.Series, rates: pd.Series) -> np.ndarray:
    """Units of base currency for one unit of currency, row by row.

    Parameters
    ----------
    currency, base_currency : (n,) ISO 4217 codes.
    rates : result of `usd_rates`.

    Returns
    -------
    (n,) rates; 1 where the two are equal, NaN where one is unknown.
    """
    own = currency.map(rates).to_numpy(dtype=float)
    base = base_currency.map(rates).to_numpy(dtype=float)
    same = (currency == base_currency).fillna(False).to_numpy(dtype=bool)
    return np.where(same, 1.0, own / base)
