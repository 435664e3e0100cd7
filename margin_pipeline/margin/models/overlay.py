"""House requirements over the rule: a position needs the greater of the two.

Belongs here: what the house asks of a position, and how it meets the rule. Not here: which rate applies (`house`), structures.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import extended
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    price_missing,
    underlying_price_missing,
    without,
)
from margin_pipeline.margin.valuation import SECURITY_OPTIONS

EXEMPT_ACCOUNTS = ("cash",)
"""Accounts that borrow nothing, so that the house has nothing to protect."""


def with_house(requirement: Requirement, book: Book, terms: Terms) -> Requirement:
    """The requirement, at least what the house asks.

    Parameters
    ----------
    requirement : by the rule.
    book : with columns house_initial_rate and house_maintenance_rate, fractions of notional, 0 where the house asks nothing.
    terms : rates in force.

    Notes
    -----
    The house asks its rate x |notional|; the notional of an option is the close of its underlying x multiplier x quantity. Of a long
    option no more than its market value can be lost: a long futures option never needs more for the house, and the house asks nothing
    of a long option on stock or an index, whose price is required at the purchase and then leaves margin equity (what has loan value
    keeps its rule). Cash accounts are exempt. Inputs that only the house needs fail closed where its rate is above 0.
    """
    rates = (book.number("house_initial_rate"), book.number("house_maintenance_rate"))
    asked = (rates[0] > 0) | (rates[1] > 0)
    if asked.any():
        paid = (book.number("quantity") > 0) & book.text("asset_class").among(*SECURITY_OPTIONS)
        asked &= (book.number("quantity") != 0) & ~paid & ~book.text("account_type").among(*EXEMPT_ACCOUNTS)
    if not asked.any():
        return requirement
    amounts, notional = _house_amounts(book, rates)
    missing = _missing(requirement, book, terms, asked)
    binds = asked & ((amounts[0] > requirement.initial) | (amounts[1] > requirement.maintenance))
    fields: dict[str, bool | Array] = {
        "house_binds": True,
        "rule_initial": requirement.initial,
        "rule_maintenance": requirement.maintenance,
        "house_notional": notional,
        "house_initial_rate": rates[0],
        "house_maintenance_rate": rates[1],
        "house_initial": amounts[0],
        "house_maintenance": amounts[1],
    }
    overlaid = Requirement(
        np.where(asked, np.maximum(requirement.initial, amounts[0]), requirement.initial),
        np.where(asked, np.maximum(requirement.maintenance, amounts[1]), requirement.maintenance),
        missing,
        lambda: _explained(requirement.explanation(), np.flatnonzero(binds), fields),
    )
    return without(overlaid, missing)


def _house_amounts(book: Book, rates: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
    """Initial and maintenance amount of the house, and the notional that they are of, (n,) base currency."""
    option, quantity, fx_rate = book.is_option(), book.number("quantity"), book.number("fx_rate")
    units = np.abs(quantity) * book.number("multiplier") * fx_rate
    notional = np.where(option, units * book.number("underlying_close"), np.abs(book.instrument_notional()) * fx_rate)
    cap = np.where(option & (quantity > 0), units * book.number("price"), np.inf)
    initial, maintenance = (np.minimum(rate * notional, cap) for rate in rates)
    return (initial, maintenance), notional


def _missing(requirement: Requirement, book: Book, terms: Terms, asked: Array) -> dict[int, str]:
    """Reasons of the rule, and those of inputs that the house needs."""
    reasons, option, quantity = Reasons(len(book)), book.is_option(), book.number("quantity")
    for row, text in requirement.missing.items():
        for reason in text.split("; "):
            reasons.add_to(row, reason)
    price_missing(book, reasons, terms.as_of, needed=asked & ~(option & (quantity < 0)))
    underlying_price_missing(book, reasons, terms.as_of, needed=asked & option)
    exchange_rate_missing(book, reasons, terms.as_of, needed=asked)
    return reasons.by_row()


def _explained(objects: pd.Series, rows: Array, fields: Mapping[str, bool | Array]) -> pd.Series:
    """The explanations, those of these rows with what the rule and the house asked."""
    shown = {name: value[rows] if isinstance(value, np.ndarray) else value for name, value in fields.items()}
    texts = objects.to_numpy(dtype=object).copy()
    texts[rows] = extended(objects.iloc[rows], shown).to_numpy(dtype=object)
    return pd.Series(texts, dtype="str")
