"""Large generated books in the form of landing folders.

Belongs here: invented positions, instruments and prices of any size, the same for the same seed. Not here: timing.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

AS_OF = dt.date(2022, 12, 28)
LEGS_AN_UNDERLYING = 4
BENCHMARK = "SP500"
"""Index that betas are of."""


def write_book(folder: Path, positions: int, symbols: int = 2000, portfolios: int = 50, sessions: int = 500, seed: int = 7) -> None:
    """Write one landing folder with a book of about `positions` rows, 30 % of them options.

    Parameters
    ----------
    folder : landing zone; the folder of `AS_OF` is made in it.
    positions : rows of positions.csv.
    symbols, portfolios, sessions : stocks with a price history, reg_t portfolios, days of history.
    seed : of the random generator.
    """
    random = np.random.default_rng(seed)
    target = folder / AS_OF.isoformat()
    target.mkdir(parents=True)
    stocks = np.array([f"S{n:04d}" for n in range(symbols)])
    closes, index = _closes(random, symbols, sessions)
    days = pd.bdate_range(end=AS_OF, periods=sessions).strftime("%Y-%m-%d").to_numpy()
    options = _options(random, stocks, closes[-1])
    prices = pd.DataFrame({"date": np.repeat(days, symbols), "symbol": np.tile(stocks, sessions), "close": closes.ravel().round(4)})
    marks = pd.DataFrame({"date": days[-1], "symbol": options["symbol"], "close": options.pop("close")})
    benchmark = pd.DataFrame({"date": days, "symbol": BENCHMARK, "close": index.round(4)})
    pd.concat([prices, benchmark, marks]).to_csv(target / "prices.csv", index=False)
    instruments = pd.DataFrame({"symbol": stocks, "asset_class": "equity", "sector": [f"sector_{n % 11}" for n in range(symbols)]})
    pd.concat([instruments, pd.DataFrame({"symbol": [BENCHMARK], "asset_class": ["index"]}), options]).to_csv(
        target / "instruments.csv", index=False
    )
    names = [f"BOOK_{n:02d}" for n in range(portfolios)]
    pd.DataFrame({"portfolio_id": names, "account_type": "reg_t", "equity": 5e8}).to_csv(target / "portfolios.csv", index=False)
    _positions(random, names, stocks, options["symbol"].to_numpy(), positions).to_csv(target / "positions.csv", index=False)


def _closes(random: np.random.Generator, symbols: int, sessions: int) -> tuple[np.ndarray, np.ndarray]:
    """(sessions, symbols) closes, and (sessions,) levels of the index that they follow."""
    market = random.normal(0, 0.01, (sessions, 1))
    returns = market * random.uniform(0.5, 1.5, symbols) + random.normal(0, 0.015, (sessions, symbols))
    return random.uniform(20, 400, symbols) * np.exp(np.cumsum(returns, axis=0)), 3000 * np.exp(np.cumsum(market[:, 0]))


def _options(random: np.random.Generator, stocks: np.ndarray, spot: np.ndarray) -> pd.DataFrame:
    underlying = np.repeat(np.arange(len(stocks)), LEGS_AN_UNDERLYING)
    kind = np.tile(["call", "put", "call", "put"], len(stocks))
    moneyness = np.tile([1.05, 0.95, 1.10, 0.90], len(stocks))
    strike = np.maximum((spot[underlying] * moneyness).round(0), 1)
    intrinsic = np.where(kind == "call", spot[underlying] - strike, strike - spot[underlying]).clip(min=0)
    return pd.DataFrame(
        {
            "symbol": [
                f"{stocks[u]}-{k[0].upper()}{s:.0f}-{n % 4}" for n, (u, k, s) in enumerate(zip(underlying, kind, strike, strict=True))
            ],
            "asset_class": "equity_option",
            "underlying": stocks[underlying],
            "option_type": kind,
            "strike": strike,
            "expiry": "2023-03-17",
            "exercise": "american",
            "close": (intrinsic + spot[underlying] * random.uniform(0.01, 0.04, len(underlying))).round(2),
        }
    )


def _positions(random: np.random.Generator, portfolios: list[str], stocks: np.ndarray, options: np.ndarray, count: int) -> pd.DataFrame:
    share = int(count * 0.7)
    held = np.concatenate([random.choice(stocks, share), random.choice(options, count - share)])
    quantity = np.concatenate([random.integers(-20, 60, share) * 100, random.integers(-10, 11, count - share)])
    return pd.DataFrame(
        {
            "portfolio_id": random.choice(portfolios, count),
            "strategy": [f"strategy_{n}" for n in random.integers(0, 10, count)],
            "symbol": held,
            "quantity": np.where(quantity == 0, 1, quantity),
        }
    )
