"""A landing zone of any number of dates with a small invented book, the same for the same seed.

Belongs here: its files. Not here: large books (benchmarks.generated_book), running anything.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd

STOCKS = ("ALFA", "BETA", "CETA", "DELT", "EPSI", "ZETA")
INDEX = "SP500"
PORTFOLIOS = {"STOCKS": "reg_t", "OPTIONS": "reg_t", "RISK_BASED": "portfolio_margin"}
HISTORY_SESSIONS = 260
EXPIRY = "2023-06-16"
LAST = dt.date(2022, 12, 28)


def write_dates(folder: Path, count: int, seed: int = 11) -> list[dt.date]:
    """Write the folders of so many weekdays in a row, the last of them `LAST`; gives their dates.

    The first folder brings the history of prices, each later one its own day, and trades a little.
    """
    random = np.random.default_rng(seed)
    days = [day.date() for day in _sessions(count + HISTORY_SESSIONS)]
    symbols = [*STOCKS, INDEX]
    market = random.normal(0, 0.01, (len(days), 1))
    returns = market * np.linspace(0.6, 1.4, len(symbols)) + random.normal(0, 0.012, (len(days), len(symbols)))
    returns[:, -1] = market[:, 0]
    closes = pd.DataFrame(np.array([*np.linspace(40, 300, len(STOCKS)), 3000.0]) * np.exp(returns.cumsum(axis=0)), days, symbols).round(4)
    options = _options(closes.iloc[HISTORY_SESSIONS])
    held = _positions(random, options["symbol"])
    for number, day in enumerate(days[HISTORY_SESSIONS:]):
        target = folder / day.isoformat()
        target.mkdir(parents=True)
        known = closes.loc[:day] if number == 0 else closes.loc[[day]]
        marks = pd.DataFrame({"date": day, "symbol": options["symbol"], "close": _marks(options, closes.loc[day], day)})
        prices = known.rename_axis("date").reset_index().melt("date", var_name="symbol", value_name="close")
        pd.concat([prices, marks]).to_csv(target / "prices.csv", index=False)
        stocks = pd.DataFrame({"symbol": symbols, "asset_class": ["equity"] * len(STOCKS) + ["index"]})
        pd.concat([stocks, options]).to_csv(target / "instruments.csv", index=False)
        pd.DataFrame({"portfolio_id": PORTFOLIOS.keys(), "account_type": PORTFOLIOS.values(), "equity": 2e6 + 1e3 * number}).to_csv(
            target / "portfolios.csv", index=False
        )
        traded = random.integers(-2, 3, len(held)) * np.where(held["symbol"].isin(STOCKS), 100, 1)
        held = held.assign(quantity=held["quantity"] + traded)
        held[held["quantity"] != 0].to_csv(target / "positions.csv", index=False)
    return days[HISTORY_SESSIONS:]


def _sessions(count: int) -> pd.DatetimeIndex:
    from margin_pipeline.orchestration.partitions import is_session

    days = pd.bdate_range(end=LAST, periods=count + count // 10)
    return days[[is_session("XNYS", day.date(), LAST) for day in days]][-count:]


def _options(spot: pd.Series) -> pd.DataFrame:
    rows = [
        (f"{stock}-{kind[0].upper()}{round(spot[stock] * moneyness)}", stock, kind, float(round(spot[stock] * moneyness)))
        for stock in STOCKS
        for kind in ("call", "put")
        for moneyness in (0.9, 1.0, 1.1)
    ]
    frame = pd.DataFrame(rows, columns=["symbol", "underlying", "option_type", "strike"])
    return frame.assign(asset_class="equity_option", expiry=EXPIRY, exercise="american")


def _marks(options: pd.DataFrame, spot: pd.Series, day: dt.date) -> np.ndarray:
    """Inner value and a time value that fades: prices that no rule finds absurd."""
    beneath = spot[options["underlying"]].to_numpy()
    strike = options["strike"].to_numpy()
    inner = np.where(options["option_type"] == "call", beneath - strike, strike - beneath).clip(min=0)
    years = (dt.date.fromisoformat(EXPIRY) - day).days / 365
    return (inner + 0.1 * beneath * np.sqrt(years) * np.exp(-(((beneath / strike - 1) / 0.3) ** 2))).round(2)


def _positions(random: np.random.Generator, options: pd.Series) -> pd.DataFrame:
    rows = [
        (portfolio, f"strategy_{number % 2}", symbol, int(random.integers(-8, 20)) * (100 if symbol in STOCKS else 1))
        for portfolio in PORTFOLIOS
        for number, symbol in enumerate([*STOCKS, *(() if portfolio == "STOCKS" else options.to_list())])
    ]
    return pd.DataFrame(rows, columns=["portfolio_id", "strategy", "symbol", "quantity"])
