"""Margin schedules: tiers of notional, each with its rates, read as brackets or as marginal slices.

Belongs here: which schedule and tier apply, what they ask. Not here: positions, exchange rates.

Both readings have the form rate x notional - cumulative amount: 0 for brackets; for marginal slices the sum over the tiers up to the one
that applies of (rate - rate of the tier before) x threshold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

Array = np.ndarray


@dataclass(frozen=True)
class Schedule:
    """A margin schedule in force: k tiers by ascending threshold.

    Attributes
    ----------
    name : name of the schedule.
    mode : bracket (the whole notional at the rate of its tier) or marginal (each slice at its own).
    currency : currency of thresholds.
    effective_date : first day of the schedule.
    threshold : (k,) notional from which each tier applies.
    initial_rate, maintenance_rate : (k,) fractions of notional.
    initial_amount, maintenance_amount : (k,) cumulative amounts, schedule currency.
    """

    name: str
    mode: str
    currency: str
    effective_date: dt.date
    threshold: Array
    initial_rate: Array
    maintenance_rate: Array
    initial_amount: Array
    maintenance_amount: Array

    def tier(self, notional: Array) -> Array:
        """(n,) tier of each notional: the highest threshold that it reaches; -1 where it is below the lowest, or unknown."""
        found = np.searchsorted(self.threshold, notional, side="right") - 1
        usable = np.isfinite(notional) & ((self.threshold[0] == 0) | (self.mode == "bracket"))
        return np.where(usable, found, -1)

    def margin(self, notional: Array) -> tuple[Array, Array]:
        """Initial and maintenance margin of each absolute notional, (n,) schedule currency; NaN where no tier applies."""
        tier = self.tier(notional)
        known = tier >= 0
        initial = self.initial_rate[tier] * notional - self.initial_amount[tier]
        maintenance = self.maintenance_rate[tier] * notional - self.maintenance_amount[tier]
        return np.where(known, initial, np.nan), np.where(known, maintenance, np.nan)

    def read_as(self, mode: str) -> Schedule:
        """The same tiers read as brackets or as marginal slices."""
        tiers = (self.threshold, self.initial_rate, self.maintenance_rate)
        return build_schedule(self.name, mode, self.currency, self.effective_date, *tiers)


def build_schedule(
    name: str, mode: str, currency: str, effective_date: dt.date, threshold: Array, initial_rate: Array, maintenance_rate: Array
) -> Schedule:
    """Schedule of tiers in any order.

    Raises
    ------
    ValueError : no tier, a repeated threshold, or a mode other than bracket and marginal.
    """
    order = np.argsort(threshold, kind="stable")
    threshold = np.asarray(threshold, dtype=np.float64)[order]
    if not len(threshold) or len(np.unique(threshold)) < len(threshold):
        raise ValueError(f"margin schedule {name} needs tiers with different thresholds")
    if mode not in ("bracket", "marginal"):
        raise ValueError(f'margin schedule {name}: mode "{mode}" is neither bracket nor marginal')
    initial, maintenance = (np.asarray(rate, dtype=np.float64)[order] for rate in (initial_rate, maintenance_rate))
    amounts = [cumulative_amounts(threshold, rate) if mode == "marginal" else np.zeros(len(rate)) for rate in (initial, maintenance)]
    return Schedule(name, mode, currency, effective_date, threshold, initial, maintenance, *amounts)


def cumulative_amounts(threshold: Array, rate: Array) -> Array:
    """(k,) amounts that make rate x notional - amount the sum of marginal slices; 0 for the first tier."""
    return np.cumsum(np.diff(rate, prepend=rate[0]) * threshold)


def schedules_in_force(margin_schedules: pd.DataFrame, as_of: dt.date) -> Mapping[str, Schedule]:
    """Schedules that apply on a date: of each name the tiers with the newest effective date by then, taken whole.

    Parameters
    ----------
    margin_schedules : columns schedule, mode, threshold, initial_rate, maintenance_rate, currency, effective_date.
    as_of : business date.

    Returns
    -------
    Schedules by name. A schedule whose tiers disagree on mode or currency is left out: nobody knows what it means.
    """
    effective = pd.to_datetime(margin_schedules["effective_date"])
    current = margin_schedules.assign(effective_date=effective)[effective <= pd.Timestamp(as_of)]
    newest = current.groupby("schedule")["effective_date"].transform("max")
    found = {}
    for name, tiers in current[current["effective_date"] == newest].groupby("schedule", sort=True):
        if tiers["mode"].nunique() != 1 or tiers["currency"].nunique() != 1:
            continue
        found[str(name)] = build_schedule(
            str(name), str(tiers["mode"].iat[0]), str(tiers["currency"].iat[0]), pd.Timestamp(str(tiers["effective_date"].iat[0])).date(),
            tiers["threshold"].to_numpy(), tiers["initial_rate"].to_numpy(), tiers["maintenance_rate"].to_numpy(),
        )  # fmt: skip
    return found
