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

from margin_pipeline.parameters.risk import risk_settings

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


STOCKS = ["AAA", "BBB", "CCC", "DAX"]


@pytest.fixture(scope="session")
def market(build):
    """Arguments of assess without positions and portfolios: four stocks (one in EUR), an option, a future, a young stock."""
    closes = build.walk([*STOCKS, "YOUNG"], days=560, seed=7)
    closes.loc[closes.index[:-12], "YOUNG"] = np.nan
    fx = build.walk(["EUR"], days=560, seed=9, level=1.05)
    returns = np.log(closes.drop(columns="YOUNG").join(fx.add_prefix("fx:"))).diff().dropna()
    option = {"underlying": "AAA", "strike": 100, "expiry": "2023-03-17", "multiplier": 100, "asset_class": "equity_option"}
    return {
        "instruments": build.instruments(
            *({"symbol": s, "currency": "EUR" if s == "DAX" else "USD"} for s in (*STOCKS, "YOUNG")),
            {"symbol": "FUT", "asset_class": "future", "underlying": "BBB", "multiplier": 50},
            option | {"symbol": "CALL", "option_type": "call"},
            option | {"symbol": "PUT", "option_type": "put"},
        ),
        "prices": build.prices(closes),
        "fx_rates": build.fx_rates(fx),
        "rates": build.rates(USD=0.04),
        "dividends": build.dividends(),
        "symbols": tuple(returns.columns),
        "correlation": returns.corr().to_numpy(),
        "symbol_risk": pd.DataFrame({"symbol": returns.columns, "volatility": returns.std().to_numpy() * np.sqrt(252)}),
        "as_of": build.as_of,
        "settings": risk_settings(build.as_of),
    }


@pytest.fixture
def book(build):
    """Positions and portfolios of a book of several strategies, options and currencies."""
    held = build.positions(
        ("MIXED", "long", "AAA", 100, 100.0),
        ("MIXED", "long", "DAX", 50, 90.0),
        ("MIXED", "short", "BBB", -80, 110.0),
        ("MIXED", "income", "CALL", -2, 8.0),
        ("MIXED", "income", "AAA", 200, 100.0),
        ("MIXED", "hedge", "PUT", 3, 9.0),
        ("MIXED", "trend", "FUT", 1, 111.0),
        ("EURO", "us", "AAA", 10, 100.0),
        ("EURO", "home", "DAX", 20, 90.0),
        fx={"EUR": 1.05},
        currency={"DAX": "EUR"},
    )
    euro = held["portfolio_id"] == "EURO"
    held.loc[euro, "fx_rate"] = np.where(held.loc[euro, "currency"] == "EUR", 1.0, 1 / 1.05)
    held["market_value"] = np.where(held["symbol"] == "FUT", 0.0, held["quantity"] * held["price"] * held["fx_rate"])
    held.loc[held["symbol"].isin(["CALL", "PUT"]), "market_value"] *= 100
    return held, build.portfolios(("MIXED", "USD"), ("EURO", "EUR"))
