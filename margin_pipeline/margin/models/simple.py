"""Models `leverage`, `per_unit` and `null`.

Belongs here: three one-line rules. Not here: anything with rates of its own.
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.margin.explain import json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    price_missing,
)


def leverage(book: Book, terms: Terms) -> Requirement:
    """Notional over the leverage of the instrument, initial and maintenance alike."""
    given, fx_rate = book.number("margin_leverage"), book.number("fx_rate")
    notional = np.abs(book.instrument_notional())
    margin = notional / given * fx_rate
    reasons, symbol = Reasons(len(book)), book.text("symbol")
    reasons.add(np.isnan(given), lambda row: f"margin_leverage of {symbol[row]}")
    price_missing(book, reasons, terms.as_of)
    exchange_rate_missing(book, reasons, terms.as_of)
    fields = {
        "rule": "notional / leverage",
        "notional": notional,
        "leverage": given,
        "currency": book.text("currency"),
        "fx_rate": fx_rate,
    }
    return finished(margin, margin, reasons, lambda: json_objects(len(book), fields))


def per_unit(book: Book, terms: Terms) -> Requirement:
    """Fixed money a unit of quantity, initial and maintenance alike."""
    given, fx_rate, quantity = book.number("margin_per_unit"), book.number("fx_rate"), book.number("quantity")
    margin = np.abs(quantity) * given * fx_rate
    reasons, symbol = Reasons(len(book)), book.text("symbol")
    reasons.add(np.isnan(given), lambda row: f"margin_per_unit of {symbol[row]}")
    exchange_rate_missing(book, reasons, terms.as_of)
    fields = {
        "rule": "money a unit",
        "quantity": quantity,
        "margin_a_unit": given,
        "currency": book.text("currency"),
        "fx_rate": fx_rate,
    }
    return finished(margin, margin, reasons, lambda: json_objects(len(book), fields))


def null(book: Book, terms: Terms) -> Requirement:
    """Nothing, by choice of the instrument."""
    nothing = np.zeros(len(book))
    return finished(nothing, nothing, Reasons(len(book)), lambda: json_objects(len(book), {"rule": "no margin"}))
