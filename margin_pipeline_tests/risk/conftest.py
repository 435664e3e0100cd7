"""A small market and books over it, as frames.

Belongs here: builders that several test files of this room share. Not here: expectations.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

AS_OF = dt.date(2022, 12, 28)
TEXT = ("underlying", "option_type", "exercise", "contract_type")
NUMBERS = ("strike", "deliverable_units", "conversion_ratio")


def instruments(*rows: dict[str, Any]) -> pd.DataFrame:
    """Frame of instruments; unnamed columns are empty, the currency the dollar, the multiplier 1."""
    usual = dict.fromkeys((*TEXT, *NUMBERS, "expiry")) | {"asset_class": "equity", "currency": "USD", "multiplier": 1.0}
    frame = pd.DataFrame([usual | row for row in rows])
    frame["expiry"] = pd.to_datetime(frame["expiry"])
    return frame.astype(dict.fromkeys(TEXT, "str") | dict.fromkeys((*NUMBERS, "multiplier"), "float64"))


def positions(*rows: tuple, fx: dict[str, float] | None = None, currency: dict[str, str] | None = None, **columns: Any) -> pd.DataFrame:
    """Frame of positions from (portfolio, strategy, symbol, quantity, price); market value is quantity x price x exchange rate."""
    frame = pd.DataFrame(rows, columns=["portfolio_id", "strategy", "symbol", "quantity", "price"])
    frame["quantity"], frame["price"] = frame["quantity"].astype(float), frame["price"].astype(float)
    frame["currency"] = [(currency or {}).get(symbol, "USD") for symbol in frame["symbol"]]
    frame["fx_rate"] = [(fx or {}).get(code, 1.0) for code in frame["currency"]]
    frame["entry_price"] = np.nan
    frame["market_value"] = frame["quantity"] * frame["price"] * frame["fx_rate"]
    return frame.assign(**columns)


def portfolios(*rows: tuple) -> pd.DataFrame:
    """Frame of portfolios from (portfolio, base currency[, account type])."""
    return pd.DataFrame([(*row, "reg_t")[:3] for row in rows], columns=["portfolio_id", "base_currency", "account_type"])


def prices(closes: pd.DataFrame, adjusted: pd.DataFrame | None = None) -> pd.DataFrame:
    """Long frame of closes from a wide one (dates by symbols); missing cells have no row."""
    long = closes.rename_axis(index="date", columns="symbol").stack().dropna().rename("close").reset_index()
    if adjusted is None:
        return long.assign(adjusted_close=np.nan)
    other = adjusted.rename_axis(index="date", columns="symbol").stack().dropna().rename("adjusted_close").reset_index()
    return long.merge(other, on=["date", "symbol"], how="left")


def rates(**by_currency: float) -> pd.DataFrame:
    """Rates of the date, by currency."""
    return pd.DataFrame({"date": pd.Timestamp(AS_OF), "currency": list(by_currency), "rate": list(by_currency.values())}).astype(
        {"date": "datetime64[us]", "currency": "str", "rate": float}
    )


def fx_rates(closes: pd.DataFrame) -> pd.DataFrame:
    """Long frame of exchange rates from a wide one (dates by currencies)."""
    return prices(closes).rename(columns={"symbol": "currency", "close": "usd_rate"})[["date", "currency", "usd_rate"]]


def dividends(**by_symbol: float) -> pd.DataFrame:
    """Dividend yields, by symbol."""
    frame = pd.DataFrame({"symbol": list(by_symbol), "dividend_yield": list(by_symbol.values())})
    return frame.astype({"symbol": "str", "dividend_yield": float})


def walk(names: Sequence[str], days: int = 60, seed: int = 1, level: float = 100.0) -> pd.DataFrame:
    """Closes of random walks that end on the date, dates by names."""
    random = np.random.default_rng(seed)
    returns = random.normal(0, 0.01, (days, len(names))) + random.normal(0, 0.008, (days, 1))
    index = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=days)
    return pd.DataFrame(level * np.exp(np.cumsum(returns, axis=0)), index=index, columns=list(names))


@pytest.fixture(scope="session")
def build() -> SimpleNamespace:
    """The builders and the date."""
    return SimpleNamespace(
        as_of=AS_OF, instruments=instruments, positions=positions, portfolios=portfolios, prices=prices, rates=rates, fx_rates=fx_rates,
        dividends=dividends, walk=walk,
    )  # fmt: skip
