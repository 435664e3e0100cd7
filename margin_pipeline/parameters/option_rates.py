"""Margin rates of single options in force on a date, as a frozen record.

Belongs here: reading and checking option_rates.yaml. Not here: computing a requirement (`margin`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from margin_pipeline.parameters.reader import ParameterError, in_force

UNIVERSAL_SPREAD_SETTINGS = ("none", "balanced", "limited_risk")


@dataclass(frozen=True)
class OptionRates:
    """Rates of options on stock and indices in force on one date, fractions.

    Attributes
    ----------
    rate : of the underlying's price, in the requirement of a short option on shares, funds and narrow indices.
    broad_rate : the same for underlyings whose breadth is in `broad_breadths`.
    minimum_rate : least requirement, of the underlying's price (call) or the exercise price (put).
    long_dated_months : a long option with more months to its expiry has loan value.
    long_dated_rate : requirement of such an option, of its price.
    hedge_rate : requirement of protected stock, of the exercise price.
    long_box_rate : requirement of a long European box settled in cash, as the manual prints it, of its width.
    universal_spread : which limited-risk combinations without a name are margined at their maximum loss: "none"; "balanced", as many
        longs as shorts of each type; "limited_risk", at least as many.
    broad_breadths : breadths that count as broad.
    label : file and version.
    short_reference, long_reference, cash_reference : rule and paragraph.
    """

    rate: float
    broad_rate: float
    minimum_rate: float
    long_dated_months: int
    long_dated_rate: float
    hedge_rate: float
    long_box_rate: float = 0.5
    universal_spread: str = "limited_risk"
    broad_breadths: tuple[str, ...] = ("broad", "broad_high_cap")
    label: str = ""
    short_reference: str = ""
    long_reference: str = ""
    cash_reference: str = ""

    def __post_init__(self) -> None:
        """Refuse rates that no rule can mean."""
        if not all(0 <= rate <= 1 for rate in (self.rate, self.broad_rate, self.minimum_rate, self.long_dated_rate, self.hedge_rate)):
            raise ParameterError(f"{self.label}: rates must be in [0, 1]")
        if self.universal_spread not in UNIVERSAL_SPREAD_SETTINGS:
            raise ParameterError(f"{self.label}: universal_spread must be one of {', '.join(UNIVERSAL_SPREAD_SETTINGS)}")

    def long_dated_after(self, as_of: dt.date) -> np.datetime64:
        """Last expiry (day) without loan value: a long option that expires later is long dated."""
        months = np.datetime64(as_of, "M") + self.long_dated_months
        last_day = (months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
        return min(months.astype("datetime64[D]") + (as_of.day - 1), last_day)


def option_rates(as_of: dt.date) -> OptionRates:
    """Rates of options in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("option_rates", as_of)
    v = found.values
    return OptionRates(
        rate=float(v["rate"]),
        broad_rate=float(v["broad_rate"]),
        minimum_rate=float(v["minimum_rate"]),
        long_dated_months=int(v["long_dated_months"]),
        long_dated_rate=float(v["long_dated_rate"]),
        hedge_rate=float(v["hedge_rate"]),
        long_box_rate=float(v["long_box_rate"]),
        universal_spread=str(v["universal_spread"]),
        broad_breadths=tuple(str(b) for b in v["broad_breadths"]),
        label=found.label,
        short_reference=str(v["short_reference"]),
        long_reference=str(v["long_reference"]),
        cash_reference=str(v["cash_reference"]),
    )
