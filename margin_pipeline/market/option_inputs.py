"""Pricing inputs of held options, once per series and price.

Belongs here: spot, strike, time, rate, yield and implied volatility of each option position. Not here: formulas (`market`), exposures.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.market.implied_volatility import implied_volatility
from margin_pipeline.market.option_pricing import option_delta, years_to_expiry

_NUMBERS = ("spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility", "delta")
OPTION_COLUMNS = ("is_option", "option_series", *_NUMBERS, "is_call", "is_american", "missing")


def option_inputs(
    held: pd.DataFrame, instruments: pd.DataFrame, prices: pd.DataFrame, rates: pd.DataFrame, dividends: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """Pricing inputs of each position, with a reason where an option has none.

    Parameters
    ----------
    held : positions, columns symbol and price.
    instruments, prices, rates, dividends : frames of those tables, histories resolved up to the date.
    as_of : business date.

    Returns
    -------
    Frame with the index of `held` and `OPTION_COLUMNS`; numbers are NaN and `missing` is missing for other instruments.

    Notes
    -----
    The rate is the newest one of the option's currency, 0 without one; the yield is the underlying's, 0 without one; for options on futures
    it is the rate (Black 1976).
    """
    contracts = instruments[instruments["option_type"].notna()].set_index("symbol")
    row = contracts.index.get_indexer(pd.Index(held["symbol"]))
    is_option = row >= 0
    # One series at two marks (positions may bring their own price) has two implied volatilities.
    pairs = pd.DataFrame({"row": row, "price": held["price"].to_numpy(float)})[is_option]
    series_number = pairs.groupby(["row", "price"], dropna=False, sort=True).ngroup().to_numpy()
    first = pd.Series(np.arange(len(pairs))).groupby(series_number).first().to_numpy() if len(pairs) else np.zeros(0, dtype=int)
    series = contracts.iloc[pairs["row"].to_numpy()[first]].reset_index()
    priced = _priced(series, pairs["price"].to_numpy()[first], _terms(series, instruments, prices, rates, dividends, as_of))
    result = pd.DataFrame({"is_option": is_option, "option_series": -1}, index=held.index)
    result.loc[is_option, "option_series"] = series_number
    chosen = result["option_series"].to_numpy()
    for column in _NUMBERS:
        result[column] = _spread(priced[column].to_numpy(float), chosen, np.nan)
    for column in ("is_call", "is_american"):
        result[column] = _spread(priced[column].to_numpy(bool), chosen, False)
    result["missing"] = _spread(priced["missing"].to_numpy(object), chosen, None)
    return result[list(OPTION_COLUMNS)]


def _spread(values: np.ndarray, number: np.ndarray, otherwise: object) -> np.ndarray:
    """Values of series on positions; `otherwise` where the number is -1."""
    return np.append(values, np.array([otherwise], dtype=values.dtype))[number]


def _terms(
    series: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Spot, strike, time, rate and yield of option series, per unit of multiplier."""
    day = pd.Timestamp(as_of)
    closes = prices.loc[prices["date"] == day].set_index("symbol")["close"]
    newest = rates[rates["date"] <= day].sort_values("date", kind="stable").drop_duplicates("currency", keep="last")
    rate = series["currency"].map(newest.set_index("currency")["rate"]).fillna(0.0).to_numpy(float)
    yields = series["underlying"].map(dividends.set_index("symbol")["dividend_yield"]).fillna(0.0).to_numpy(float)
    shares = (series["deliverable_units"] / series["multiplier"]).fillna(1.0).to_numpy(float)
    warrant = (series["asset_class"] == "warrant").to_numpy()
    ratio = np.where(warrant, series["conversion_ratio"].fillna(1.0).to_numpy(float), 1.0)
    on_future = (series["asset_class"] == "future_option").to_numpy()
    return pd.DataFrame(
        {
            "spot": series["underlying"].map(closes).to_numpy(float) * shares * ratio,
            "strike": series["strike"].to_numpy(float) * ratio,
            "years_to_expiry": years_to_expiry(series["expiry"].to_numpy(), as_of),
            "rate": rate,
            "dividend_yield": np.where(on_future, rate, yields),
            "is_call": (series["option_type"] == "call").to_numpy(),
            "is_american": (series["exercise"] != "european").to_numpy(),
            "underlying_currency": series["underlying"].map(instruments.set_index("symbol")["currency"]).to_numpy(object),
        }
    )


def _priced(series: pd.DataFrame, price: np.ndarray, terms: pd.DataFrame) -> pd.DataFrame:
    """Terms with implied volatility, delta and the reason for having none."""
    spot, strike, years, rate, dividend_yield = (terms[c].to_numpy() for c in _NUMBERS[:5])
    is_call, is_american = terms["is_call"].to_numpy(), terms["is_american"].to_numpy()
    implied = implied_volatility(price, spot, strike, years, rate, dividend_yield, is_call)
    delta = option_delta(spot, strike, years, rate, dividend_yield, implied.volatility, is_call, is_american)
    reason = _reasons(series, terms, implied.volatility, implied.reason)
    return terms.assign(implied_volatility=implied.volatility, delta=delta, missing=reason)


def _reasons(series: pd.DataFrame, terms: pd.DataFrame, volatility: np.ndarray, code: np.ndarray) -> np.ndarray:
    """First thing that an option series lacks, in words; None where it lacks nothing."""
    reason = np.full(len(series), None, dtype=object)
    symbol, underlying = series["symbol"].to_numpy(object), series["underlying"].to_numpy(object)
    other = terms["underlying_currency"].to_numpy(object)
    differs = ~pd.isna(other) & (other != series["currency"].to_numpy(object))
    tests = (
        (np.isnan(volatility), lambda i: f"no implied volatility ({str(code[i]).replace('_', ' ')})"),
        (terms["years_to_expiry"].to_numpy() < 0, lambda i: "expired"),
        (differs, lambda i: f"is quoted in {series['currency'].iloc[i]}, its underlying {underlying[i]} in {other[i]}"),
        (terms["spot"].isna().to_numpy(), lambda i: f"no close of its underlying {underlying[i]}"),
        (terms[["strike", "years_to_expiry"]].isna().any(axis=1).to_numpy(), lambda i: "no strike or expiry"),
        (pd.isna(underlying), lambda i: "no underlying"),
    )
    # The later test names the more basic gap, so it overwrites.
    for lacks, words in tests:
        for i in np.flatnonzero(lacks):
            reason[i] = f"{symbol[i]}: {words(i)}"
    return reason
