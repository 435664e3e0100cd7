"""Terms of class groups in force on a date: ranges, tiers, spreads, delivery, minimums, credits.

Belongs here: choosing the rows in force and reading them. Not here: what they charge.

Of each class group and term the rows with the newest effective date by then are in force together. A row without a value says that the
term is not known: what needs it fails closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.margin.span.spread import Spread

Array = npt.NDArray[Any]

ANY_EXPIRY = np.datetime64("1900-01-01")
LAST_DAY = np.datetime64("9999-12-31")
Columns = Mapping[str, Array]
"""Columns of some rows of span_parameters."""
NUMBERS = ("tier_1", "tier_2", "delta_1", "delta_2", "priority", "contract_multiplier", "value")
DAYS = ("effective_date", "expiry_from", "expiry_to")
TEXTS = ("class_group", "term", "side_1", "side_2", "class_group_2", "currency")


@dataclass(frozen=True)
class Windows:
    """Values by expiry; of windows that overlap the one that begins last applies.

    Attributes
    ----------
    first, last : (w,) days, in the order in which they apply.
    value : (w,) values; NaN: not known.
    multiplier : (w,) multiplier of the contract that a value is of; NaN: each contract's own.
    """

    first: Array
    last: Array
    value: Array
    multiplier: Array

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def of(cls, rows: Columns, value: str = "value") -> Windows:
        """Windows of rows of span_parameters that are ordered by their first expiry."""
        last = rows["expiry_to"]
        return cls(rows["expiry_from"], np.where(np.isnat(last), LAST_DAY, last), rows[value], rows["contract_multiplier"])

    def at(self, expiry: Array) -> Array:
        """(n,) window of each day, -1 where there is none; a missing day is only in windows without bounds."""
        found = np.full(len(expiry), -1)
        for window, (first, last) in enumerate(zip(self.first, self.last, strict=True)):
            unbounded = first == ANY_EXPIRY and last == LAST_DAY
            found[((expiry >= first) & (expiry <= last)) | (np.isnat(expiry) & unbounded)] = window
        return found

    def values(self, expiry: Array, otherwise: float = np.nan) -> tuple[Array, Array]:
        """(n,) value and multiplier of each day; `otherwise` and NaN where there is no window."""
        at = self.at(expiry)
        return np.append(self.value, otherwise)[at], np.append(self.multiplier, np.nan)[at]


@dataclass(frozen=True)
class GroupTerms:
    """Terms of one class group.

    Attributes
    ----------
    currency : of all its values.
    effective_date : newest date of a term in force, ISO 8601.
    windows : by term, those that are values by expiry.
    tiers : windows whose values are numbers of tiers; none: all expiries are tier 1.
    spreads : within the class group, in order.
    spreads_known : whether no charge of spreads was rejected.
    faults : why nothing is known of the class group.
    """

    currency: str
    effective_date: str
    windows: Mapping[str, Windows]
    tiers: Windows
    spreads: tuple[Spread, ...]
    spreads_known: bool
    faults: tuple[str, ...]

    def values(self, term: str, expiry: Array, otherwise: float = np.nan) -> tuple[Array, Array]:
        """(n,) values and multipliers of a term by expiry; `otherwise` where the exchange says nothing."""
        return self.windows[term].values(expiry, otherwise)

    def has(self, *terms: str) -> bool:
        """Whether the exchange says something of one of the terms."""
        return any(len(self.windows[term]) for term in terms)


WINDOWED = (
    "price_scan_range", "volatility_scan_range", "extreme_multiple", "extreme_fraction", "short_option_minimum", "delivery_charge",
    "delivery_spread_charge",
)  # fmt: skip


def terms_in_force(span_parameters: pd.DataFrame, as_of: dt.date, held: frozenset[str]) -> tuple[dict[str, GroupTerms], tuple[Spread, ...]]:
    """Terms of the class groups that are held, and credits between them in their order.

    Parameters
    ----------
    span_parameters : frame of the table.
    as_of : business date.
    held : class groups.
    """
    effective = pd.to_datetime(span_parameters["effective_date"])
    rows = span_parameters.assign(effective_date=effective)[(effective <= pd.Timestamp(as_of)) & span_parameters["class_group"].isin(held)]
    newest = rows.groupby(["class_group", "term"])["effective_date"].transform("max")
    rows = rows[rows["effective_date"] == newest]
    rows = rows.sort_values(["class_group", "term", "expiry_from", "priority", "tier_1", "tier_2", "class_group_2"], kind="stable")
    columns: dict[str, Array] = {name: rows[name].to_numpy(np.float64) for name in NUMBERS}
    columns |= {name: rows[name].to_numpy().astype("datetime64[D]") for name in DAYS}
    columns |= {name: rows[name].to_numpy(object) for name in TEXTS}
    groups = {str(name): _group(str(name), part) for name, part in _parts(columns, "class_group")}
    wanted = (columns["term"] == "inter_commodity_credit") & ~np.isnan(columns["value"])
    order = np.lexsort([columns[name][wanted].astype(str) for name in ("class_group_2", "class_group")] + [columns["priority"][wanted]])
    credits = _chosen(_chosen(columns, wanted), order)
    legs = zip(credits["class_group"], credits["class_group_2"], strict=True)
    return groups, tuple(_spread(credits, i, str(first), str(second)) for i, (first, second) in enumerate(legs))


def _parts(columns: Columns, name: str) -> Iterator[tuple[object, Columns]]:
    """Rows with the same text in a column by which they are ordered."""
    values = columns[name]
    bounds = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)] if len(values) else []
    for first, last in pairwise(bounds):
        yield values[first], {key: column[first:last] for key, column in columns.items()}


def _chosen(columns: Columns, rows: Array) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def _group(name: str, rows: Columns) -> GroupTerms:
    of = {str(term): part for term, part in _parts(rows, "term")}
    none = _chosen(rows, np.zeros(0, dtype=np.int64))
    charges = of.get("intra_spread_charge", none)
    charges = _chosen(charges, np.lexsort([charges[column] for column in ("tier_2", "tier_1", "priority")]))
    known = np.flatnonzero(~np.isnan(charges["value"])).tolist()
    currencies = sorted(set(rows["currency"].tolist()))
    faults = [f"one currency of span_parameters {name} (there are {', '.join(currencies)})"] * (len(currencies) > 1)
    faults += [f"span_parameters {name}: a row was rejected"] * ("unknown" in of)
    return GroupTerms(
        currency=str(currencies[0]),
        effective_date=str(rows["effective_date"].max()),
        windows={term: Windows.of(of.get(term, none)) for term in WINDOWED},
        tiers=Windows.of(of.get("tier", none), "tier_1"),
        # Without tiers all expiries are number 1, and charges that name no tier are of it.
        spreads=tuple(_spread(charges, i, int(charges["tier_1"][i]) or 1, int(charges["tier_2"][i]) or 1) for i in known),
        spreads_known=len(known) == len(charges["value"]),
        faults=tuple(faults),
    )


def _spread(rows: Columns, i: int, leg_1: int | str, leg_2: int | str) -> Spread:
    opposite = bool(rows["side_1"][i] != rows["side_2"][i])
    return Spread(leg_1, leg_2, float(rows["delta_1"][i]), float(rows["delta_2"][i]), opposite, float(rows["value"][i]))
