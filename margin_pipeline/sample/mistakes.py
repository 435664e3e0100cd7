"""The bad rows of the sample, one of each common kind; they come with the folders from 23 December on.

Belongs here: the lines. Not here: what is wrong with them (landing says that, in margin.rejected_rows).
"""

from __future__ import annotations

import datetime as dt

FIRST_DATE = dt.date(2022, 12, 23)
EXPIRED_OPTION = {
    "symbol": "AAPL221216C140",
    "asset_class": "equity_option",
    "underlying": "AAPL",
    "option_type": "call",
    "strike": "140",
    "expiry": "2022-12-16",
    "exercise": "american",
    "settlement": "physical",
    "multiplier": "100",
    "currency": "USD",
}

POSITION_LINES = (
    "DESK_ERRORS,macro,KO,ten,,,",
    "DESK_ERRORS,macro,PEP,NaN,,,",
    "DESK_ERRORS,macro,PG,inf,,,",
    "DESK_ERRORS,macro,WALMART,100,,,",
    "DESK_ERORS,macro,KO,100,,,",
    "DESK_ERRORS,energy,CVX,100,-4,,",
    "DESK_ERRORS,retail,BBY,100,79.10,,",
    "DESK_ERRORS,retail,BBY,100,78.20,,",
    "DESK_ERRORS,options,AAPL221216C140,5,,,",
    "DESK_ERRORS,macro,KO,100,,,,see mail",
    'DESK_ERRORS,macro,"KO,100,,,',
    "DESK_ERRORS,nft,MYSTERY,1,,,",
)
"""Text, NaN and infinity in a number, unknown symbol and portfolio, negative price, a second mark for one position,
an expired option, an extra field, a stray quote, a symbol whose instrument row was rejected."""

PORTFOLIO_LINES = ("DESK_TWO,margin,250000,USD,US,hedge_fund",)
"""An account type that does not exist."""

INSTRUMENT_ROW = {"symbol": "MYSTERY", "asset_class": "nft", "currency": "USD"}
"""An asset class that does not exist."""


def price_lines(date: dt.date) -> tuple[str, ...]:
    """Return a price of the future, a price of zero, and a second, different close of USMV: both are refused."""
    return (f"{date + dt.timedelta(days=7)},USMV,72.5", f"{date},HALTED,0", f"{date},USMV,7.1")
