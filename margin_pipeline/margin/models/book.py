"""Positions joined with everything that a margin model may ask about them.

Belongs here: the columns of the book. Not here: any rule.

Columns: portfolio_id, strategy, symbol, quantity, price, fx_rate (base currency for one unit of instrument currency), currency,
base_currency, account_type, asset_class, underlying, the terms of the instrument, underlying_close, underlying_breadth,
underlying_leverage, underlying_root, instrument_notional (signed quantity x multiplier x price, instrument currency; inverse contracts:
x 1), gross_notional_usd (of the portfolio in the symbol), dollars (instrument currency for one US dollar), risk_symbol and its volatility.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.margin.valuation import Closes, at_symbols

TERMS = [
    "multiplier", "leverage_factor", "option_type", "strike", "expiry", "root", "modified_duration", "margin_schedule", "margin_model",
    "margin_leverage", "margin_per_unit", "contract_type",
]  # fmt: skip
HELD = ["portfolio_id", "strategy", "symbol", "quantity", "price", "fx_rate", "currency", "asset_class", "underlying"]


def build_book(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    usd: Mapping[str, float],
    as_of: dt.date,
) -> pd.DataFrame:
    """The book of a date, ordered by portfolio, strategy and symbol.

    Parameters
    ----------
    positions, instruments, portfolios, prices, symbol_risk : frames of the tables of these names.
    usd : US dollars for one unit of each currency.
    as_of : business date.
    """
    book = positions[HELD].sort_values(["portfolio_id", "strategy", "symbol"], kind="stable", ignore_index=True)
    described = _described(instruments, prices, symbol_risk, usd, as_of)
    at = pd.Index(described["symbol"]).get_indexer(pd.Index(book["symbol"]))
    owner = pd.Index(portfolios["portfolio_id"]).get_indexer(pd.Index(book["portfolio_id"]))
    if (at < 0).any() or (owner < 0).any():
        raise ValueError("positions name symbols or portfolios that are not known")
    terms = described.drop(columns="symbol").take(at).reset_index(drop=True)
    account = portfolios[["account_type", "base_currency"]].take(owner).reset_index(drop=True)
    book = pd.concat([book, terms, account], axis=1)
    price = np.where((book["contract_type"] == "inverse").fillna(False), np.where(book["price"].isna(), np.nan, 1.0), book["price"])
    book["instrument_notional"] = book["quantity"].to_numpy(np.float64) * book["multiplier"].to_numpy(np.float64) * price.astype(np.float64)
    book["gross_notional_usd"] = _gross_notional(book, owner, at, usd)
    return book


def _described(
    instruments: pd.DataFrame, prices: pd.DataFrame, symbol_risk: pd.DataFrame, usd: Mapping[str, float], as_of: dt.date
) -> pd.DataFrame:
    """One row an instrument: its terms, what is known of its underlying, its risk factor."""
    described = instruments[["symbol", *TERMS]].reset_index(drop=True)
    by_symbol = instruments.set_index("symbol")
    at = by_symbol.index.get_indexer(pd.Index(instruments["underlying"]))
    beneath = by_symbol[["breadth", "leverage_factor", "root"]].reset_index(drop=True).reindex(np.where(at < 0, -1, at))
    described["underlying_breadth"] = beneath["breadth"].to_numpy(dtype=object)
    leverage, own = beneath["leverage_factor"].to_numpy(np.float64), instruments["leverage_factor"].to_numpy(np.float64)
    described["underlying_leverage"] = np.where(np.isnan(leverage), np.where(np.isnan(own), 1.0, own), leverage)
    described["underlying_root"] = pd.Series(beneath["root"].to_numpy(dtype=object)).astype("str")
    described["underlying_close"] = at_symbols(Closes.of(prices, as_of).today, instruments["underlying"])
    described["dollars"] = 1.0 / instruments["currency"].map(dict(usd)).to_numpy(dtype=np.float64)
    volatility = symbol_risk.drop_duplicates("symbol").set_index("symbol")["volatility"].astype(float)
    through = instruments["asset_class"].isin(["future"]).to_numpy() & instruments["underlying"].isin(volatility.index).to_numpy()
    named = instruments[["symbol", "underlying"]].reset_index(drop=True)
    described["risk_symbol"] = named["symbol"].where(~through, named["underlying"])
    described["volatility"] = at_symbols(volatility, described["risk_symbol"])
    return described


def _gross_notional(book: pd.DataFrame, owner: np.ndarray, at: np.ndarray, usd: Mapping[str, float]) -> np.ndarray:
    """(n,) gross notional of the portfolio in the symbol, US dollars: strategies add up, so that splitting a position changes nothing."""
    to_usd = book["currency"].map(dict(usd)).to_numpy(dtype=np.float64)
    size = np.abs(book["instrument_notional"].to_numpy(dtype=np.float64)) * to_usd
    _, group = np.unique(owner.astype(np.int64) * (int(at.max(initial=0)) + 1) + at, return_inverse=True)
    total = np.bincount(group, np.nan_to_num(size), minlength=1)
    return np.where(np.isnan(size), np.nan, total[group])
