"""Model `cash_secured`: what a position needs in a cash account.

Belongs here: what is paid for, secured by cash, or not admissible. Not here: cover of a short call by stock (structures).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import Choice, json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
)
from margin_pipeline.margin.valuation import SECURITY_OPTIONS

FUTURES = {"future": "a future", "future_option": "a futures option"}
RULES = ("paid in full", "short put: exercise price in full", "not admissible")


def cash_secured(book: Book, terms: Terms) -> Requirement:
    """Requirement in a cash account: nothing for what is long, the exercise price for a short put; nothing else is admissible.

    Notes
    -----
    Regulation T 220.8: securities are paid in full, and there is no borrowing, so short stock, a short call on its own, futures and
    leveraged contracts have no place in the account.
    """
    quantity, fx_rate = book.number("quantity"), book.number("fx_rate")
    asset_class = book.text("asset_class")
    leveraged = asset_class.among(*FUTURES) | book.text("contract_type").given
    short_put = (quantity < 0) & asset_class.among(*SECURITY_OPTIONS) & book.text("option_type").among("put")
    inadmissible = (quantity != 0) & (leveraged | ((quantity < 0) & ~short_put))
    secured = np.abs(quantity) * book.number("strike") * book.number("multiplier") * fx_rate
    margin = np.where(short_put, secured, 0.0)
    reasons, symbol = Reasons(len(book)), book.text("symbol")
    reasons.add(inadmissible, lambda row: f"{symbol[row]}: {_kind(asset_class[row], leveraged[row])} is not admissible in a cash account")
    reasons.add(short_put & np.isnan(book.number("strike")), lambda row: f"contract terms of {symbol[row]}")
    exchange_rate_missing(book, reasons, terms.as_of, needed=short_put)

    def explanation() -> pd.Series:
        fields = {
            "rule": Choice(np.select([inadmissible, short_put], [2, 1], 0), RULES),
            "reference": terms.options.cash_reference,
            "quantity": quantity,
            "strike": np.where(short_put, book.number("strike"), np.nan),
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    return finished(margin, margin, reasons, explanation)


def _kind(asset_class: str | None, leveraged: bool) -> str:
    """What an inadmissible position is called."""
    if asset_class in FUTURES:
        return FUTURES[asset_class]
    if leveraged:
        return "a leveraged contract"
    return "a short call without cover" if asset_class in SECURITY_OPTIONS else "a short security"
