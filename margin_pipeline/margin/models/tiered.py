"""Model `tiered`: margin schedules of leveraged crypto contracts and contracts for difference.

Belongs here: notional in schedule currency and back. Not here: how a schedule is read (`tiers`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import json_objects
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    number,
    price_missing,
)
from margin_pipeline.market.currencies import conversion


def tiered(book: pd.DataFrame, terms: Terms) -> Requirement:
    """Requirement of positions under a margin schedule: the tier of the absolute notional, in the currency of the schedule.

    A missing schedule, one without a tier for the notional, or a missing exchange rate fails closed.
    """
    name, fx_rate = book["margin_schedule"], number(book, "fx_rate")
    known = name.isin(list(terms.schedules))
    currency = name.map({key: schedule.currency for key, schedule in terms.schedules.items()}).astype("str")
    into_schedule = conversion(book["currency"], currency, terms.usd)
    notional = np.abs(number(book, "instrument_notional")) * into_schedule
    initial, maintenance, tier, initial_rate, maintenance_rate = (np.full(len(book), np.nan) for _ in range(5))
    for key, rows in name[known].groupby(name[known], sort=True).indices.items():
        at, schedule = np.flatnonzero(known.to_numpy())[rows], terms.schedules[str(key)]
        found = schedule.tier(notional[at])
        initial[at], maintenance[at] = schedule.margin(notional[at])
        tier[at] = np.where(found >= 0, schedule.threshold[found], np.nan)
        initial_rate[at], maintenance_rate[at] = schedule.initial_rate[found], schedule.maintenance_rate[found]
    explanation = json_objects(
        len(book),
        {
            "rule": "margin schedule: rate x notional - cumulative amount of the tier",
            "schedule": name,
            "mode": name.map({key: s.mode for key, s in terms.schedules.items()}).astype("str"),
            "effective_date": name.map({key: s.effective_date.isoformat() for key, s in terms.schedules.items()}).astype("str"),
            "quantity": number(book, "quantity"),
            "price": number(book, "price"),
            "notional": notional,
            "schedule_currency": currency,
            "tier_from": tier,
            "initial_rate": initial_rate,
            "maintenance_rate": maintenance_rate,
            "fx_rate": fx_rate,
        },
    )
    into_base = fx_rate / into_schedule
    reasons = _reasons(book, terms, known.to_numpy(), currency, notional, tier)
    return finished(initial * into_base, maintenance * into_base, reasons, explanation)


def _reasons(book: pd.DataFrame, terms: Terms, known: Array, currency: pd.Series, notional: Array, tier: Array) -> Reasons:
    reasons = Reasons(len(book))
    symbol, name = book["symbol"].to_numpy(dtype=object), book["margin_schedule"].to_numpy(dtype=object)
    own, schedule_currency = book["currency"].to_numpy(dtype=object), currency.to_numpy(dtype=object)
    unnamed = book["margin_schedule"].isna().to_numpy()
    reasons.add(unnamed, lambda row: f"margin schedule of {symbol[row]}")
    reasons.add(~unnamed & ~known, lambda row: f"margin schedule {name[row]} in force on {terms.as_of}")
    price_missing(book, reasons, terms.as_of)
    exchange_rate_missing(book, reasons, terms.as_of)
    priced = known & ~np.isnan(number(book, "price"))
    reasons.add(priced & np.isnan(notional), lambda row: f"exchange rate of {own[row]} into {schedule_currency[row]} {terms.as_of}")
    below = priced & ~np.isnan(notional) & np.isnan(tier)
    reasons.add(below, lambda row: f"tier of margin schedule {name[row]} for a notional of {notional[row]:.15g}")
    return reasons
