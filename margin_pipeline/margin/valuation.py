"""Positions at the mark of the date: price, exchange rate, value and notional.

Belongs here: what a position is worth. Not here: what it requires, how prices are estimated.

A missing price or exchange rate leaves value and notional empty: nothing is carried forward and nothing counts as zero.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion, usd_rates

Array = np.ndarray

OPTIONS = ("equity_option", "index_option", "future_option")
SECURITY_OPTIONS = ("equity_option", "index_option")
COLUMNS = [
    "portfolio_id", "strategy", "symbol", "quantity", "price", "price_source", "price_date", "market_value", "notional", "entry_price",
    "isolated_wallet", "currency", "fx_rate", "asset_class", "underlying",
]  # fmt: skip


@dataclass(frozen=True)
class Closes:
    """Closes of the date and the last ones before it, by symbol."""

    today: pd.Series
    before: pd.Series

    @classmethod
    def of(cls, prices: pd.DataFrame, as_of: dt.date) -> Closes:
        """Closes on a date and before it; `prices` has columns date, symbol, close."""
        dates, day = pd.to_datetime(prices["date"]), pd.Timestamp(as_of)
        today = prices[dates == day].drop_duplicates("symbol", keep="last")
        earlier = prices[dates < day].sort_values("date", kind="stable").drop_duplicates("symbol", keep="last")
        return cls(today.set_index("symbol")["close"].astype(float), earlier.set_index("symbol")["close"].astype(float))


def at_symbols(values: pd.Series, symbols: pd.Series) -> Array:
    """Values of the symbols, (n,) float, NaN where there is none."""
    at = values.index.get_indexer(pd.Index(symbols))
    known = np.append(values.to_numpy(dtype=np.float64), np.nan)
    return known[at]


def value_positions(
    position_records: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Positions of the date valued at their mark.

    Parameters
    ----------
    position_records, instruments, portfolios, prices, fx_rates : frames of the tables of these names; every symbol is an instrument and
        every portfolio is known.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.positions, ordered by portfolio, strategy and symbol.

    Raises
    ------
    ValueError : a position names an unknown symbol or portfolio.

    Notes
    -----
    Mark: the record's own price, else the close of the date. Exchange rate: instrument currency into base currency, at most a week old.
    Market value: quantity x multiplier x price; of a future the variation that is not settled yet, from the close of the date (without
    one: the last close before it) to the mark, so 0 at the close; of a linear contract quantity x multiplier x (price - entry), of an
    inverse one quantity x multiplier x (1 / entry - 1 / price) x price, empty without an entry price. Notional: quantity x multiplier x
    price, of options x the close of the underlying; an inverse contract is worth `multiplier` units of its currency, whatever the price.
    """
    records = position_records.sort_values(["portfolio_id", "strategy", "symbol"], kind="stable", ignore_index=True)
    held = _with_terms(records, instruments, portfolios)
    closes = Closes.of(prices, as_of)
    close = at_symbols(closes.today, held["symbol"])
    own = held["price"].to_numpy(dtype=np.float64)
    price = np.where(np.isnan(own), close, own)
    held["price"] = price
    source = np.where(~np.isnan(own), "position", np.where(np.isnan(close), "missing", "close"))
    held["price_source"] = pd.Series(source).astype("str")
    held["price_date"] = pd.Series(np.where(np.isnan(price), np.datetime64("NaT"), np.datetime64(as_of)).astype("datetime64[us]"))
    held["fx_rate"] = conversion(held["currency"], held["base_currency"], usd_rates(fx_rates, as_of))
    settled = np.where(np.isnan(close), at_symbols(closes.before, held["symbol"]), close)
    beneath = at_symbols(closes.today, held["underlying"])
    size = held["quantity"].to_numpy(np.float64) * held["multiplier"].to_numpy(np.float64) * held["fx_rate"].to_numpy()
    held["market_value"] = size * _value_a_unit(held, settled)
    held["notional"] = size * _notional_a_unit(held, beneath)
    return held[COLUMNS]


def _with_terms(records: pd.DataFrame, instruments: pd.DataFrame, portfolios: pd.DataFrame) -> pd.DataFrame:
    at = pd.Index(instruments["symbol"]).get_indexer(pd.Index(records["symbol"]))
    owner = pd.Index(portfolios["portfolio_id"]).get_indexer(pd.Index(records["portfolio_id"]))
    if (at < 0).any() or (owner < 0).any():
        unknown = sorted({*records.loc[at < 0, "symbol"], *records.loc[owner < 0, "portfolio_id"]})
        raise ValueError(f"positions name symbols or portfolios that are not known: {', '.join(map(str, unknown[:5]))}")
    terms = instruments[["currency", "asset_class", "underlying", "multiplier", "contract_type"]].take(at).reset_index(drop=True)
    base = portfolios["base_currency"].take(owner).reset_index(drop=True)
    return pd.concat([records, terms, base], axis=1)


def _value_a_unit(held: pd.DataFrame, settled: Array) -> Array:
    """Value of one unit of the multiplier, instrument currency, (n,)."""
    price, entry = held["price"].to_numpy(np.float64), held["entry_price"].to_numpy(np.float64)
    future = (held["asset_class"] == "future").to_numpy(bool)
    linear, inverse = ((held["contract_type"] == kind).fillna(False).to_numpy(bool) for kind in ("linear", "inverse"))
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(entry > 0, price / entry - 1.0, np.nan)
    return np.select([inverse, linear, future], [result, price - entry, price - settled], price)


def _notional_a_unit(held: pd.DataFrame, beneath: Array) -> Array:
    """Notional of one unit of the multiplier, instrument currency, (n,)."""
    price = held["price"].to_numpy(np.float64)
    option = held["asset_class"].isin(OPTIONS).to_numpy(bool)
    inverse = (held["contract_type"] == "inverse").fillna(False).to_numpy(bool)
    return np.select([option, inverse], [beneath, np.where(np.isnan(price), np.nan, 1.0)], price)
