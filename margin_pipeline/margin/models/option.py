"""Model `option_naked`: requirement of a single option on stock or an index, long or short.

Belongs here: the rule. Not here: structures of several options, rates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import Choice, json_objects
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    number,
    price_missing,
    truth,
)
from margin_pipeline.parameters.option_rates import OptionRates

RULES = (
    "long: initial the whole price, maintenance none",
    "long, listed and long dated: fraction of the price",
    "short call: premium + max(rate x S - out-of-the-money amount, minimum rate x S)",
    "short put: premium + max(rate x S - out-of-the-money amount, minimum rate x K)",
)


def short_requirement(
    price: Array, spot: Array, strike: Array, call: Array, rate: Array, minimum_rate: float, leverage_factor: Array | float = 1.0
) -> Array:
    """Requirement of one short option a unit of the underlying, premium included.

    Parameters
    ----------
    price : (n,) mark of the option.
    spot : (n,) close of the underlying, S.
    strike : (n,) exercise price, K.
    call : (n,) True for calls.
    rate : (n,) fraction of S.
    minimum_rate : fraction of S (call) or K (put) that is the least.
    leverage_factor : (n,) factor of a leveraged underlying; both terms are multiplied by it.

    Returns
    -------
    (n,) instrument currency a unit.

    Notes
    -----
    FINRA 4210(f)(2)(E): price + max(rate S - out-of-the-money amount, 10 % S for a call, 10 % K for a put).
    """
    out_of_the_money = np.maximum(np.where(call, strike - spot, spot - strike), 0.0)
    least = minimum_rate * leverage_factor * np.where(call, spot, strike)
    return price + np.maximum(rate * leverage_factor * spot - out_of_the_money, least)


def rate_of_underlying(book: pd.DataFrame, rates: OptionRates) -> Array:
    """(n,) fraction of the underlying's price: lower for broad indices and funds on them."""
    return np.where(book["underlying_breadth"].isin(rates.broad_breadths), rates.broad_rate, rates.rate)


def option_naked(book: pd.DataFrame, terms: Terms) -> Requirement:
    """Requirement of single options: short by `short_requirement`; long the whole price, or a fraction of it when long dated.

    Notes
    -----
    Regulation T 220.12(f) and FINRA 4210(f)(2)(D): a long option up to nine months needs 100 % of its price initially and no maintenance,
    for its value does not count as equity; a listed one over nine months needs 75 % of its price for both, and its value counts.
    """
    rates, quantity, fx_rate = terms.options, number(book, "quantity"), number(book, "fx_rate")
    price, spot, strike = number(book, "price"), number(book, "underlying_close"), number(book, "strike")
    call, put = truth(book["option_type"] == "call"), truth(book["option_type"] == "put")
    short = quantity < 0
    expiry = pd.to_datetime(book["expiry"]).to_numpy().astype("datetime64[D]")
    long_dated = ~short & (expiry > rates.long_dated_after(terms.as_of))
    rate = rate_of_underlying(book, rates)
    naked = short_requirement(price, spot, strike, call, rate, rates.minimum_rate, number(book, "underlying_leverage"))
    loan = np.where(long_dated, rates.long_dated_rate, 0.0) * price
    size = np.abs(quantity) * number(book, "multiplier")
    maintenance = size * np.where(short, naked, loan)
    initial = size * np.where(short, naked, np.where(long_dated, loan, price))
    explanation = json_objects(
        len(book),
        {
            "rule": Choice(np.select([short & call, short, long_dated], [2, 3, 1], 0), RULES),
            "reference": Choice(short.astype(np.int64), (rates.long_reference, rates.short_reference)),
            "parameter_set": rates.label,
            "quantity": quantity,
            "price": price,
            "underlying_price": np.where(short, spot, np.nan),
            "rate": np.where(short, rate, np.where(long_dated, rates.long_dated_rate, 1.0)),
            "requirement_a_unit": np.where(short, naked, np.where(long_dated, loan, price)),
            "currency": book["currency"],
            "fx_rate": fx_rate,
        },
    )
    return finished(initial * fx_rate, maintenance * fx_rate, _reasons(book, terms, short, call | put), explanation)


def _reasons(book: pd.DataFrame, terms: Terms, short: Array, typed: Array) -> Reasons:
    """Missing prices, terms and rates. Every option needs its expiry (loan value); a short one all its terms and the underlying."""
    reasons = Reasons(len(book))
    symbol, underlying = book["symbol"].to_numpy(dtype=object), book["underlying"].to_numpy(dtype=object)
    unfinished = ~typed | np.isnan(number(book, "strike")) | book["underlying"].isna().to_numpy()
    incomplete = book["expiry"].isna().to_numpy() | (short & unfinished)
    reasons.add(incomplete, lambda row: f"contract terms of {symbol[row]}")
    price_missing(book, reasons, terms.as_of)
    unseen = short & ~incomplete & np.isnan(number(book, "underlying_close"))
    reasons.add(unseen, lambda row: f"price of {underlying[row]} {terms.as_of}")
    exchange_rate_missing(book, reasons, terms.as_of)
    return reasons
