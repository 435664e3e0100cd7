"""Times of a trade, and the factors that depend on them.

Belongs here: maturity, start, end and exercise in years, supervisory duration, maturity factors. Not here: the count of years (`years`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Reasons
from margin_pipeline.regulation.sa_ccr.classification import Classification
from margin_pipeline.regulation.sa_ccr.years import Floats, years_until


@dataclass(frozen=True)
class Times:
    """Times of n trades in years from the business date.

    Attributes
    ----------
    maturity : until the last day on which the contract may be active, at least ten business days.
    start, end : of the period that a rate or credit contract refers to; NaN in other classes.
    exercise : until the last exercise day of options, at least one business day; NaN for others.
    """

    maturity: Floats
    start: Floats
    end: Floats
    exercise: Floats


def trade_times(book: Book, kinds: Classification, rules: SaCcrRules, reasons: Reasons) -> Times:
    """Times of all trades; dates that are needed and not given are added to the reasons.

    Notes
    -----
    CRE52.31, CRE52.34, CRE52.37(5) and CRE52.49; BCBS 279, paragraph 155. An option on another contract may be active until that contract
    ends, unless it is settled in cash. A trade whose value is settled to zero on reset days matures on the next one. A period that has
    begun starts at 0. Options on rates and credit must say the period of what they are on; caps and floors are their own period.
    """
    has_duration = np.isin(kinds.asset_class, ["interest_rate", "credit"])
    underlying_start, underlying_end = book.dates("underlying_start"), book.dates("underlying_end")
    exercise_date = book.dates("exercise_date")
    on_contract = kinds.is_option & ~np.isnat(underlying_end)

    in_cash, last = book.words("settlement").among({"cash"}), book.dates("maturity")
    outlives = on_contract & (last >= underlying_end) & in_cash & ~np.isnat(exercise_date)
    end_of_risk = np.where(on_contract & ~in_cash, np.fmax(last, underlying_end), last)
    end_of_risk = np.where(outlives, exercise_date, end_of_risk)
    reset = book.dates("next_reset_date")
    end_of_risk = np.where(np.isnat(reset), end_of_risk, np.fmin(end_of_risk, reset))

    start = np.where(np.isnat(underlying_start), book.dates("start_date"), underlying_start)
    end = np.where(np.isnat(underlying_end), last, underlying_end)
    own_period = book.words("instrument_type").among(rules.words.own_period)
    reasons.add(has_duration & kinds.is_option & np.isnat(underlying_end) & ~own_period, "underlying_end")
    reasons.add(kinds.is_option & np.isnat(exercise_date), "exercise_date")
    years = [years_until(dates, book.as_of) for dates in (end_of_risk, start, end, exercise_date)]
    least = rules.least_maturity_days / rules.year_business_days
    return Times(
        maturity=np.maximum(years[0], least),
        start=np.where(has_duration, np.nan_to_num(years[1], nan=0.0), np.nan),
        end=np.where(has_duration, years[2], np.nan),
        exercise=np.where(kinds.is_option, np.maximum(years[3], rules.least_exercise_days / rules.year_business_days), np.nan),
    )


def supervisory_duration(start: Floats, end: Floats, rules: SaCcrRules) -> Floats:
    """Duration that scales notionals of rate and credit trades.

    Parameters
    ----------
    start, end : (n,) years, >= 0.
    rules : rate and floor.

    Returns
    -------
    (n,) years: (exp(-0.05 S) - exp(-0.05 E)) / 0.05, at least ten business days (CRE52.34; BCBS 279, paragraph 157).
    """
    rate = rules.duration_rate
    duration = (np.exp(-rate * start) - np.exp(-rate * end)) / rate
    return np.maximum(duration, rules.least_maturity_days / rules.year_business_days)


def unmargined_factor(maturity: Floats) -> Floats:
    """Maturity factor of trades without margin agreement: the root of the maturity in years, up to one (CRE52.48)."""
    return np.sqrt(np.minimum(maturity, 1.0))


def margined_factor(period_days: Floats, rules: SaCcrRules) -> Floats:
    """Maturity factor under a margin agreement: 1.5 times the root of the margin period of risk in years of 250 days (CRE52.52)."""
    return rules.margined_factor * np.sqrt(period_days / rules.year_business_days)
