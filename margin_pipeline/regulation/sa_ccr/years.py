"""Time in years as the published examples count it: whole months, and part of a month.

Belongs here: the count. Not here: which dates of a trade it is asked for (`maturities`).
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Dates = npt.NDArray[np.datetime64]


def years_until(dates: Dates, as_of: dt.date) -> Floats:
    """Years from a day to others; the same day of another month is a whole number of months away.

    Parameters
    ----------
    dates : (n,) days (datetime64); missing ones give NaN.
    as_of : day to count from.

    Returns
    -------
    (n,) years, 0 for days up to `as_of`: months passed, and of the month begun the part that has passed, over twelve. The same day of a
    month that is too short for it is its last day. Exactly ten years later gives exactly 10, nine months exactly 0.75.
    """
    days = np.asarray(dates).astype("datetime64[D]")
    known = ~np.isnat(days)
    found = np.full(days.shape, np.nan)
    if known.any():
        start = np.datetime64(as_of, "D")
        months = max(int((days[known].max() - start).astype(int)) // 28, 0) + 2
        same_days = _same_day_of_later_months(start, months)
        found[known] = np.interp((days[known] - start).astype(float), (same_days - start).astype(float), np.arange(months) / 12)
    return found


def _same_day_of_later_months(start: np.datetime64, count: int) -> Dates:
    """The day of the month of `start` in that month and the `count` - 1 after it, or the last day where there is no such day."""
    month = start.astype("datetime64[M]")
    day = start - month.astype("datetime64[D]")
    months = month + np.arange(count)
    last = (months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(months.astype("datetime64[D]") + day, last)
