"""Contracts of market data: prices, exchange rates, interest rates, dividend yields, results of strategies.

Belongs here: their columns, ranges and units. Not here: joining the days of several folders into a history (storage).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import currency, date, number, row_rule, text
from margin_pipeline.landing.contracts.contract import FileContract

PER_UNIT = "instrument currency a unit"
COMPOUNDED = "fraction a year of 365 days, continuously compounded"

PRICES = FileContract(
    name="prices",
    table="prices",
    description="Close of one instrument on one day; any days up to the folder's, kept as history.",
    key=("date", "symbol"),
    required=True,
    may_be_empty=False,
    schema=pa.DataFrameSchema(
        {
            "date": date("Trading day of the close.", required=True, past_only=True),
            "symbol": text("Instrument.", required=True),
            "close": number("The mark.", PER_UNIT, required=True, above=0),
            "adjusted_close": number("Close adjusted for dividends and splits, for returns. Empty: the close.", PER_UNIT, above=0),
        }
    ),
)

FX_RATES = FileContract(
    name="fx_rates",
    table="fx_rates",
    description="Exchange rate of one currency on one day; kept as history.",
    key=("date", "currency"),
    schema=pa.DataFrameSchema(
        {
            "date": date("Day of the rate.", required=True, past_only=True),
            "currency": currency("Currency.", required=True),
            "usd_rate": number("US dollars for one unit of the currency.", "US dollars", required=True, above=0),
        },
        checks=[row_rule("usd_rate", "a US dollar is one US dollar", lambda f: (f["currency"] != "USD") | (f["usd_rate"] == 1.0))],
    ),
)

RATES = FileContract(
    name="rates",
    table="rates",
    description="Risk-free rate of one currency on one day; kept as history. 0 without it.",
    key=("date", "currency"),
    schema=pa.DataFrameSchema(
        {
            "date": date("Day of the rate.", required=True, past_only=True),
            "currency": currency("Currency.", required=True),
            "rate": number("Risk-free rate.", COMPOUNDED, required=True),
        }
    ),
)

DIVIDENDS = FileContract(
    name="dividends",
    table="dividends",
    description="Dividend yield of one instrument. 0 without it.",
    key=("symbol",),
    schema=pa.DataFrameSchema(
        {
            "symbol": text("Instrument.", required=True),
            "dividend_yield": number("Dividend yield.", COMPOUNDED, required=True),
        }
    ),
)

STRATEGY_RETURNS = FileContract(
    name="strategy_returns",
    table="strategy_returns",
    description="Result of one strategy on one day; kept as history.",
    key=("date", "portfolio_id", "strategy"),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "date": date("Trading day.", required=True, past_only=True),
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "strategy": text("Strategy.", required=True),
            "daily_return": number("Return of the day.", "fraction"),
            "pnl": number("Profit of the day.", "base currency"),
        },
        checks=[row_rule("daily_return", "a daily_return or a pnl is needed", lambda f: f["daily_return"].notna() | f["pnl"].notna())],
    ),
)
