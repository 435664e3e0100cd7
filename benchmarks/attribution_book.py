"""Frames of a large invented book for timing risk figures.

Belongs here: invented frames, the same for the same seed. Not here: timing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

AS_OF = dt.date(2022, 12, 28)
LEGS_AN_UNDERLYING = 4
STRATEGIES = 10


def book_frames(positions: int, stocks: int = 2000, portfolios: int = 50, sessions: int = 512, seed: int = 7) -> dict[str, Any]:
    """Arguments of `risk.assess` by name, settings and backend apart: 70 % stock and 30 % option positions.

    Parameters
    ----------
    positions, stocks, portfolios, sessions : sizes; each stock has a history, four option series and a volatility.
    seed : of the random generator.
    """
    random = np.random.default_rng(seed)
    names = np.array([f"S{n:04d}" for n in range(stocks)])
    market = random.normal(0, 0.01, (sessions, 1))
    moves = market * random.uniform(0.5, 1.5, stocks) + random.normal(0, 0.015, (sessions, stocks))
    closes = random.uniform(20, 400, stocks) * np.exp(np.cumsum(moves, axis=0))
    options = _options(names, closes[-1], random)
    held = _positions(random, names, closes[-1], options, positions, portfolios)
    days = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=sessions)
    prices = pd.DataFrame({"date": np.repeat(days, stocks), "symbol": np.tile(names, sessions), "close": closes.ravel()})
    stock_rows = pd.DataFrame({"symbol": names, "asset_class": "equity", "multiplier": 1.0})
    instruments = pd.concat([stock_rows, options.drop(columns="close")], ignore_index=True).assign(currency="USD")
    for column in ("contract_type", "deliverable_units", "conversion_ratio"):
        instruments[column] = pd.Series(np.nan, index=instruments.index, dtype="str" if column == "contract_type" else "float64")
    return {
        "positions": held,
        "instruments": instruments,
        "portfolios": pd.DataFrame({"portfolio_id": _portfolio_names(portfolios), "account_type": "reg_t", "base_currency": "USD"}),
        "prices": prices.assign(adjusted_close=np.nan),
        "fx_rates": pd.DataFrame({"date": days[:0], "currency": pd.Series(dtype="str"), "usd_rate": pd.Series(dtype=float)}),
        "rates": pd.DataFrame({"date": days[:1], "currency": ["USD"], "rate": [0.04]}),
        "dividends": pd.DataFrame({"symbol": names[:10], "dividend_yield": 0.01}),
        "symbols": tuple(names),
        "correlation": np.corrcoef(moves.T),
        "symbol_risk": pd.DataFrame({"symbol": names, "volatility": moves.std(axis=0) * np.sqrt(252)}),
        "as_of": AS_OF,
    }


def _portfolio_names(count: int) -> np.ndarray:
    return np.array([f"BOOK_{n:02d}" for n in range(count)])


def _options(names: np.ndarray, spot: np.ndarray, random: np.random.Generator) -> pd.DataFrame:
    owner = np.repeat(np.arange(len(names)), LEGS_AN_UNDERLYING)
    leg = np.tile(np.arange(LEGS_AN_UNDERLYING), len(names))
    kind = np.where(leg % 2 == 0, "call", "put")
    strike = (spot[owner] * np.array([1.05, 0.95, 1.10, 0.90])[leg]).round(2)
    intrinsic = np.maximum(np.where(kind == "call", spot[owner] - strike, strike - spot[owner]), 0.0)
    return pd.DataFrame(
        {
            "symbol": np.char.add(np.char.add(names[owner], "-"), leg.astype(str)),
            "asset_class": "equity_option",
            "multiplier": 100.0,
            "underlying": names[owner],
            "option_type": kind,
            "strike": strike,
            "expiry": pd.Timestamp("2023-03-17"),
            "exercise": "american",
            "close": intrinsic + spot[owner] * random.uniform(0.01, 0.04, len(owner)),
        }
    )


def _positions(
    random: np.random.Generator, names: np.ndarray, spot: np.ndarray, options: pd.DataFrame, count: int, portfolios: int
) -> pd.DataFrame:
    share = int(count * 0.7)
    stock, option = random.integers(0, len(names), share), random.integers(0, len(options), count - share)
    price = np.concatenate([spot[stock], options["close"].to_numpy()[option]])
    quantity = np.concatenate([random.integers(1, 60, share) * 10.0, random.integers(1, 11, count - share)])
    quantity *= np.where(random.random(count) < 0.3, -1.0, 1.0)
    frame = pd.DataFrame(
        {
            "portfolio_id": _portfolio_names(portfolios)[random.integers(0, portfolios, count)],
            "strategy": np.char.add("strategy_", random.integers(0, STRATEGIES, count).astype(str)),
            "symbol": np.concatenate([names[stock], options["symbol"].to_numpy(str)[option]]),
            "quantity": quantity,
            "price": price,
            "market_value": quantity * price * np.where(np.arange(count) < share, 1.0, 100.0),
            "entry_price": np.nan,
            "currency": "USD",
            "fx_rate": 1.0,
        }
    )
    return frame.drop_duplicates(["portfolio_id", "strategy", "symbol"]).reset_index(drop=True)
