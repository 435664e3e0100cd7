"""Prices and rates that the sample invents: exchange rate, crypto contracts, a bond, a future, options.

Belongs here: deterministic paths and model prices. Not here: real closes (closes), who holds what (positions).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from margin_pipeline.market.option_pricing import black_76, option_value
from margin_pipeline.sample.closes import SAMPLE_DATES, real_closes
from margin_pipeline.sample.universe import DERIVATIVES, Derivative

FIRST_INVENTED_DATE = dt.date(2020, 1, 2)
FIRST_DERIVATIVE_DATE = dt.date(2021, 12, 20)
RATES = {"USD": 0.043, "EUR": 0.021}
"""Continuously compounded rates of the sample, fractions a year."""
DIVIDEND_YIELDS = {"SP500": 0.017, "AAPL": 0.007, "MSFT": 0.011, "JPM": 0.030, "XOM": 0.033, "KO": 0.028, "PFE": 0.033, "WMT": 0.016}
"""Continuously compounded dividend yields of the sample, fractions a year."""
VOLATILITY_WINDOW = 252


@dataclass(frozen=True)
class Path:
    """An invented daily path: `anchor` on the first sample date, beta to the S&P 500, own noise of a daily volatility."""

    name: str
    noise_name: str
    anchor: float
    beta: float
    daily_volatility: float
    decimals: int


PATHS = (
    Path("BTCPERP", "bitcoin", 16_800.0, 1.10, 0.030, 1),
    Path("ETHPERP", "eth", 1_215.0, 1.35, 0.036, 2),
    Path("BUND_2032", "BUND_2032", 96.40, -0.05, 0.0040, 3),
    Path("fx:EUR", "fx:EUR", 1.0605, 0.10, 0.0048, 5),
)


def noise(name: str, date: dt.date) -> float:
    """Return a draw of mean 0 and variance 1 that depends on nothing but its name and date.

    The sum of twelve uniforms (Irwin-Hall) of a SHA-256 digest: the same on every machine and in every version.
    """
    digest = hashlib.sha256(f"{name} {date.isoformat()}".encode()).digest()
    uniforms = np.frombuffer(digest[:24], dtype="<u2").astype(np.float64) / 65_535.0
    return float(uniforms.sum() - 6.0)


@lru_cache(maxsize=1)
def invented_closes() -> pd.DataFrame:
    """Return the invented paths, one row a session since 2020 and one column a name of `PATHS`."""
    index_level = real_closes()["SP500"]
    sessions = index_level.index[index_level.index >= pd.Timestamp(FIRST_INVENTED_DATE)]
    index_return = np.log(index_level).diff().loc[sessions]
    anchor = pd.Timestamp(SAMPLE_DATES[0])
    columns = {}
    for path in PATHS:
        own = np.array([noise(path.noise_name, session.date()) for session in sessions])
        level = (path.beta * index_return + path.daily_volatility * own).cumsum()
        columns[path.name] = (path.anchor * np.exp(level - level.loc[anchor])).round(path.decimals)
    return pd.DataFrame(columns)


@lru_cache(maxsize=1)
def realised_volatility() -> pd.DataFrame:
    """Return the annualised standard deviation of the last 252 daily log returns of each real symbol."""
    log_returns = np.log(real_closes().loc["2020-06-01":]).diff()
    return log_returns.rolling(VOLATILITY_WINDOW).std() * np.sqrt(252)


def _years_to(expiry: dt.date, sessions: pd.DatetimeIndex) -> np.ndarray:
    return (pd.Timestamp(expiry) - sessions).days.to_numpy(dtype=np.float64) / 365.0


def _model_prices(derivative: Derivative, sessions: pd.DatetimeIndex, future: pd.Series | None) -> np.ndarray:
    """Return the rounded model price of one future or option at each session."""
    years = _years_to(derivative.expiry, sessions)
    risk_symbol = "SP500" if derivative.asset_class in ("future", "future_option") else derivative.underlying
    spot = real_closes()[risk_symbol].loc[sessions].to_numpy()
    dividend_yield = DIVIDEND_YIELDS[risk_symbol]
    if derivative.asset_class == "future":
        return np.round(spot * np.exp((RATES["USD"] - dividend_yield) * years) * 4) / 4
    volatility = realised_volatility()[risk_symbol].loc[sessions].to_numpy()
    is_call = derivative.option_type == "call"
    if derivative.asset_class == "future_option":
        assert future is not None
        forward = future.loc[sessions].to_numpy()
        value = black_76(forward, derivative.strike, years, RATES["USD"], volatility, is_call)
        return np.maximum(np.round(value * 4) / 4, 0.25)
    is_american = derivative.exercise == "american"
    value = option_value(spot, derivative.strike, years, RATES["USD"], dividend_yield, volatility, is_call, is_american)
    return np.maximum(np.round(value, 2), 0.01)


@lru_cache(maxsize=1)
def derivative_closes() -> pd.DataFrame:
    """Return model prices of the sample's futures and options, one row a session since `FIRST_DERIVATIVE_DATE`.

    Options: Black-Scholes-Merton (Black-76 on futures) at the realised volatility of the underlying, American ones
    floored at intrinsic, rounded to the tick.
    """
    sessions = real_closes().loc[str(FIRST_DERIVATIVE_DATE) :].index
    columns: dict[str, pd.Series] = {}
    for derivative in sorted(DERIVATIVES, key=lambda d: d.asset_class != "future"):
        future = columns.get(derivative.underlying)
        columns[derivative.symbol] = pd.Series(_model_prices(derivative, sessions, future), index=sessions)
    return pd.DataFrame(columns)


@lru_cache(maxsize=1)
def all_closes() -> pd.DataFrame:
    """Return every close of the sample, real and invented, one column a symbol (and `fx:EUR`)."""
    sessions = real_closes().loc[str(FIRST_DERIVATIVE_DATE) :].index
    return pd.concat([frame.reindex(sessions) for frame in (real_closes(), invented_closes(), derivative_closes())], axis=1)
