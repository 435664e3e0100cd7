"""Model `reg_t`: Regulation T and FINRA 4210 requirement of a single stock position.

Belongs here: the rule. Not here: option structures, offsets, rates.
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
    dollar_rate_missing,
    exchange_rate_missing,
    finished,
    price_missing,
)
from margin_pipeline.parameters.stock_rates import StockRates

RULES = (
    "long: fraction of value",
    "short: the greater of a fraction of value and dollars a share, beyond the proceeds",
    "short at a low price: the greater of the whole value and dollars a share, beyond the proceeds",
)


def maintenance_margin(
    quantity: Array, price: Array, rates: StockRates, leverage_factor: Array | float = 1.0, dollars: Array | float = 1.0
) -> Array:
    """Maintenance margin of each position, beyond short sale proceeds.

    Parameters
    ----------
    quantity : (n,) shares, short negative.
    price : (n,) mark, instrument currency a share.
    rates : rates in force.
    leverage_factor : (n,) factor of a leveraged fund, else 1.
    dollars : (n,) instrument currency for one US dollar; NaN leaves shorts without a margin.

    Returns
    -------
    (n,) instrument currency, >= 0.

    Notes
    -----
    FINRA 4210(c): long 25 % of value; short at $5 or more the greater of $5 a share and 30 % of value; short below $5 the greater of
    $2.50 a share and 100 % of value. Notice 09-53: a leveraged fund needs the rate times its factor, at most 100 %.
    """
    low_priced = price < rates.low_price * dollars
    rate = np.where(low_priced, rates.low_price_rate, np.minimum(rates.short_maintenance * leverage_factor, rates.leveraged_cap))
    floor = dollars * np.where(low_priced, rates.low_price_floor_per_share, rates.short_floor_per_share)
    long_rate = np.minimum(rates.long_maintenance * leverage_factor, rates.leveraged_cap)
    return np.abs(quantity) * np.where(quantity >= 0, long_rate * price, np.maximum(rate * price, floor))


def initial_margin(quantity: Array, price: Array, maintenance: Array, rates: StockRates) -> Array:
    """Initial margin of each position, beyond short sale proceeds: Regulation T 220.12, never below maintenance.

    Parameters
    ----------
    quantity, price : as for `maintenance_margin`.
    maintenance : (n,) maintenance margin, instrument currency.
    rates : rates in force.

    Returns
    -------
    (n,) instrument currency.
    """
    return np.maximum(np.abs(quantity) * price * np.where(quantity >= 0, rates.initial, rates.initial_short), maintenance)


def reg_t(book: Book, terms: Terms) -> Requirement:
    """Requirement of stock positions in margin accounts; see `maintenance_margin` and `initial_margin`."""
    rates, size = terms.stock, book.number("quantity") * book.number("multiplier")
    price, dollars, fx_rate = book.number("price"), book.number("dollars"), book.number("fx_rate")
    short = size < 0
    maintenance = maintenance_margin(size, price, rates, book.number("leverage_factor"), dollars)
    initial = initial_margin(size, price, maintenance, rates)
    reasons = Reasons(len(book))
    price_missing(book, reasons, terms.as_of)
    exchange_rate_missing(book, reasons, terms.as_of)
    dollar_rate_missing(book, reasons, terms.as_of, needed=short)

    def explanation() -> pd.Series:
        rule = np.where(short, np.where(price < rates.low_price * dollars, 2, 1), 0)
        shares = np.where(size == 0, np.nan, np.abs(size))
        fields = {
            "rule": Choice(rule, RULES),
            "reference": Choice(short.astype(np.int64), (rates.long_reference, rates.short_reference)),
            "initial_reference": rates.initial_reference,
            "parameter_set": rates.label,
            "quantity": book.number("quantity"),
            "price": price,
            "maintenance_a_share": maintenance / shares,
            "initial_a_share": initial / shares,
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    return finished(initial * fx_rate, maintenance * fx_rate, reasons, explanation)
