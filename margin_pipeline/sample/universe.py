"""Instruments of the sample book.

Belongs here: reference data. Not here: prices, positions.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

SECTORS = {
    "AAPL": "technology",
    "AMD": "technology",
    "BAC": "financials",
    "BBY": "consumer_discretionary",
    "CVX": "energy",
    "GE": "industrials",
    "HD": "consumer_discretionary",
    "JNJ": "health_care",
    "JPM": "financials",
    "KO": "consumer_staples",
    "LLY": "health_care",
    "MRK": "health_care",
    "MSFT": "technology",
    "PEP": "consumer_staples",
    "PFE": "health_care",
    "PG": "consumer_staples",
    "RRC": "energy",
    "UNH": "health_care",
    "WMT": "consumer_staples",
    "XOM": "energy",
}
MULTIPLIERS = {"ESH3": 50, "MESH3": 5}
"""Dollars a point of the futures on the index."""
FACTOR_ETFS = ("MTUM", "QUAL", "SIZE", "USMV", "VLUE")


@dataclass(frozen=True)
class Derivative:
    """A listed future or option of the sample."""

    symbol: str
    asset_class: str
    underlying: str
    expiry: dt.date
    multiplier: int
    option_type: str = ""
    strike: float = 0.0
    exercise: str = ""
    settlement: str = "physical"


def _option(underlying: str, expiry: str, option_type: str, strike: float) -> Derivative:
    day = dt.date.fromisoformat(expiry)
    symbol = f"{underlying}{day:%y%m%d}{option_type[0].upper()}{strike:g}"
    if underlying == "SP500":
        return Derivative(symbol, "index_option", underlying, day, 100, option_type, strike, "european", "cash")
    if underlying in MULTIPLIERS:
        return Derivative(symbol, "future_option", underlying, day, MULTIPLIERS[underlying], option_type, strike, "american")
    return Derivative(symbol, "equity_option", underlying, day, 100, option_type, strike, "american")


DERIVATIVES: tuple[Derivative, ...] = (
    Derivative("ESH3", "future", "SP500", dt.date(2023, 3, 17), MULTIPLIERS["ESH3"], settlement="cash"),
    _option("ESH3", "2023-02-17", "call", 4100),
    Derivative("MESH3", "future", "SP500", dt.date(2023, 3, 17), MULTIPLIERS["MESH3"], settlement="cash"),
    _option("MESH3", "2023-02-17", "call", 4000),
    _option("MESH3", "2023-02-17", "put", 3500),
    _option("AAPL", "2023-01-20", "call", 145),
    _option("AAPL", "2023-01-20", "call", 155),
    _option("AAPL", "2023-01-20", "put", 120),
    _option("AAPL", "2023-01-20", "put", 115),
    _option("AAPL", "2024-01-19", "call", 130),
    _option("MSFT", "2023-01-20", "call", 260),
    _option("JPM", "2023-01-20", "put", 120),
    _option("JPM", "2023-01-20", "put", 125),
    _option("KO", "2023-02-17", "put", 60),
    _option("XOM", "2023-01-20", "call", 115),
    _option("XOM", "2023-01-20", "put", 95),
    _option("PFE", "2023-01-20", "call", 52),
    _option("WMT", "2023-01-20", "put", 135),
    _option("SP500", "2023-01-20", "put", 3600),
    _option("SP500", "2023-01-20", "put", 3700),
    _option("SP500", "2023-01-20", "call", 4000),
    _option("SP500", "2023-01-20", "call", 4150),
    _option("SP500", "2023-03-17", "put", 3500),
)

COLUMNS = (
    "symbol",
    "asset_class",
    "underlying",
    "option_type",
    "strike",
    "expiry",
    "exercise",
    "settlement",
    "multiplier",
    "currency",
    "exchange",
    "sector",
    "modified_duration",
    "breadth",
    "root",
    "margin_schedule",
    "contract_type",
)


def _stock_rows() -> list[dict[str, str]]:
    stocks = [{"symbol": s, "asset_class": "equity", "exchange": "XNYS", "sector": sector} for s, sector in SECTORS.items()]
    for stock in stocks:
        if stock["symbol"] in ("AAPL", "AMD", "MSFT", "PEP"):
            stock["exchange"] = "XNAS"
    funds = [{"symbol": s, "asset_class": "etf", "exchange": "BATS", "breadth": "broad"} for s in FACTOR_ETFS]
    index = {"symbol": "SP500", "asset_class": "index", "breadth": "broad_high_cap"}
    return [*stocks, *funds, index]


def _derivative_row(derivative: Derivative) -> dict[str, str]:
    row = {
        "symbol": derivative.symbol,
        "asset_class": derivative.asset_class,
        "underlying": derivative.underlying,
        "expiry": derivative.expiry.isoformat(),
        "multiplier": str(derivative.multiplier),
        "settlement": derivative.settlement,
    }
    if derivative.option_type:
        row |= {"option_type": derivative.option_type, "strike": f"{derivative.strike:g}", "exercise": derivative.exercise}
    if derivative.asset_class in ("future", "future_option"):
        future = derivative.symbol if derivative.asset_class == "future" else derivative.underlying
        row |= {"root": future.removesuffix("H3"), "exchange": "XCME"}
    return row


def instrument_rows() -> list[dict[str, str]]:
    """Return the reference data of every instrument as text, one dict a row (missing keys: empty cells)."""
    rows = _stock_rows() + [_derivative_row(derivative) for derivative in DERIVATIVES]
    rows += [
        {"symbol": "BTCPERP", "asset_class": "crypto", "multiplier": "1", "margin_schedule": "BTC", "contract_type": "linear"},
        {"symbol": "ETHPERP", "asset_class": "crypto", "multiplier": "1", "margin_schedule": "ETH", "contract_type": "linear"},
        {
            "symbol": "BUND_2032",
            "asset_class": "bond",
            "currency": "EUR",
            "modified_duration": "8.4",
            "exchange": "XEUR",
            "multiplier": "1",
        },
    ]
    return [{"currency": "USD"} | row for row in rows]
