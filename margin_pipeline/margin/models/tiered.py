"""Model `tiered`: margin schedules of leveraged crypto contracts and contracts for difference.

Belongs here: notional in schedule currency and back. Not here: how a schedule is read (`tiers`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    price_missing,
)
from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.margin.tiers import Schedule


def tiered(book: Book, terms: Terms) -> Requirement:
    """Requirement of positions under a margin schedule: the tier of the absolute notional, in the currency of the schedule.

    A missing schedule, one without a tier for the notional, or a missing exchange rate fails closed.
    """
    name, fx_rate = book.text("margin_schedule"), book.number("fx_rate")
    currency = name.renamed({key: schedule.currency for key, schedule in terms.schedules.items()})
    into_schedule = _conversion(book.text("currency"), currency, terms)
    notional = np.abs(book.instrument_notional()) * into_schedule
    initial, maintenance, tier, initial_rate, maintenance_rate = (np.full(len(book), np.nan) for _ in range(5))
    for at, schedule in _by_schedule(name, terms):
        found = schedule.tier(notional[at])
        initial[at], maintenance[at] = schedule.margin(notional[at])
        tier[at] = np.where(found >= 0, schedule.threshold[found], np.nan)
        initial_rate[at], maintenance_rate[at] = schedule.initial_rate[found], schedule.maintenance_rate[found]

    def explanation() -> pd.Series:
        fields = {
            "rule": "margin schedule: rate x notional - cumulative amount of the tier",
            "schedule": name,
            "mode": name.renamed({key: s.mode for key, s in terms.schedules.items()}),
            "effective_date": name.renamed({key: s.effective_date.isoformat() for key, s in terms.schedules.items()}),
            "quantity": book.number("quantity"),
            "price": book.number("price"),
            "notional": notional,
            "schedule_currency": currency,
            "tier_from": tier,
            "initial_rate": initial_rate,
            "maintenance_rate": maintenance_rate,
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    into_base = fx_rate / into_schedule
    reasons = _reasons(book, terms, currency, notional, tier)
    return finished(initial * into_base, maintenance * into_base, reasons, explanation)


def _by_schedule(name: Texts, terms: Terms) -> Iterator[tuple[Array, Schedule]]:
    """Rows of each schedule in force, and the schedule."""
    for code, text in enumerate(name.texts):
        if text in terms.schedules and (rows := np.flatnonzero(name.codes == code)).size:
            yield rows, terms.schedules[text]


def _conversion(own: Texts, into: Texts, terms: Terms) -> Array:
    """(n,) schedule currency for one unit of instrument currency; exactly 1 where they are the same, NaN where a rate is missing."""
    names = sorted({*own.texts, *into.texts})
    at = {name: float(position) for position, name in enumerate(names)}
    same = own.numbers(at) == into.numbers(at)
    return np.where(same, 1.0, own.numbers(terms.usd) / into.numbers(terms.usd))


def _reasons(book: Book, terms: Terms, currency: Texts, notional: Array, tier: Array) -> Reasons:
    reasons = Reasons(len(book))
    symbol, name, own = book.text("symbol"), book.text("margin_schedule"), book.text("currency")
    known = currency.given
    reasons.add(~name.given, lambda row: f"margin schedule of {symbol[row]}")
    reasons.add(name.given & ~known, lambda row: f"margin schedule {name[row]} in force on {terms.as_of}")
    price_missing(book, reasons, terms.as_of)
    exchange_rate_missing(book, reasons, terms.as_of)
    priced = known & ~np.isnan(book.number("price"))
    reasons.add(priced & np.isnan(notional), lambda row: f"exchange rate of {own[row]} into {currency[row]} {terms.as_of}")
    below = priced & ~np.isnan(notional) & np.isnan(tier)
    reasons.add(below, lambda row: f"tier of margin schedule {name[row]} for a notional of {notional[row]:.15g}")
    return reasons
