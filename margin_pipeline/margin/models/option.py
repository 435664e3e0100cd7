"""Model `option_naked`: requirement of a single option on stock or an index, long or short.

Belongs here: the rule. Not here: structures of several options, rates.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import Choice, json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    price_missing,
    underlying_price_missing,
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


def rate_of_underlying(book: Book, rates: OptionRates) -> Array:
    """(n,) fraction of the underlying's price: lower for broad indices and funds on them."""
    return np.where(book.text("underlying_breadth").among(*rates.broad_breadths), rates.broad_rate, rates.rate)


def option_naked(book: Book, terms: Terms) -> Requirement:
    """Requirement of single options: short by `short_requirement`; long the whole price, or a fraction of it when long dated.

    Notes
    -----
    Regulation T 220.12(f) and FINRA 4210(f)(2)(D): a long option up to nine months needs 100 % of its price initially and no maintenance,
    for its value does not count as equity; a listed one over nine months needs 75 % of its price for both, and its value counts.
    """
    rates, quantity, fx_rate = terms.options, book.number("quantity"), book.number("fx_rate")
    price, spot, strike = book.number("price"), book.number("underlying_close"), book.number("strike")
    right = book.text("option_type")
    call, put = right.among("call"), right.among("put")
    short = quantity < 0
    long_dated = ~short & (book.number("expiry") > rates.long_dated_after(terms.as_of))
    rate = rate_of_underlying(book, rates)
    naked = short_requirement(price, spot, strike, call, rate, rates.minimum_rate, book.number("underlying_leverage"))
    loan = np.where(long_dated, rates.long_dated_rate, 0.0) * price
    size = np.abs(quantity) * book.number("multiplier")
    maintenance = size * np.where(short, naked, loan)
    initial = size * np.where(short, naked, np.where(long_dated, loan, price))

    def explanation() -> pd.Series:
        fields = {
            "rule": Choice(np.select([short & call, short, long_dated], [2, 3, 1], 0), RULES),
            "reference": Choice(short.astype(np.int64), (rates.long_reference, rates.short_reference)),
            "parameter_set": rates.label,
            "quantity": quantity,
            "price": price,
            "underlying_price": np.where(short, spot, np.nan),
            "rate": np.where(short, rate, np.where(long_dated, rates.long_dated_rate, 1.0)),
            "requirement_a_unit": np.where(short, naked, np.where(long_dated, loan, price)),
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    return finished(initial * fx_rate, maintenance * fx_rate, _reasons(book, terms, short, call | put), explanation)


def _reasons(book: Book, terms: Terms, short: Array, typed: Array) -> Reasons:
    """Missing prices, terms and rates. Every option needs its expiry (loan value); a short one all its terms and the underlying."""
    reasons = Reasons(len(book))
    symbol = book.text("symbol")
    unfinished = ~typed | np.isnan(book.number("strike")) | ~book.text("underlying").given
    incomplete = np.isnat(book.number("expiry")) | (short & unfinished)
    reasons.add(incomplete, lambda row: f"contract terms of {symbol[row]}")
    price_missing(book, reasons, terms.as_of)
    underlying_price_missing(book, reasons, terms.as_of, needed=short & ~incomplete)
    exchange_rate_missing(book, reasons, terms.as_of)
    return reasons
