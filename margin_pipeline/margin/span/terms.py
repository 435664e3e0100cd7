"""Terms of class groups in force on a date: ranges, tiers, spreads, delivery, minimums, credits.

Belongs here: choosing the rows in force and reading them. Not here: what they charge.

Of each class group and term the rows with the newest effective date by then are in force together. A row without a value says that the
term is not known: what needs it fails closed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.margin.span.spread import Spread

Array = npt.NDArray[Any]

ANY_EXPIRY = np.datetime64("1900-01-01")
LAST_DAY = np.datetime64("9999-12-31")


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
    def of(cls, rows: pd.DataFrame) -> Windows:
        """Windows of rows of span_parameters."""
        rows = rows.sort_values("expiry_from", kind="stable")
        last = rows["expiry_to"].to_numpy().astype("datetime64[D]")
        return cls(
            rows["expiry_from"].to_numpy().astype("datetime64[D]"),
            np.where(np.isnat(last), LAST_DAY, last),
            rows["value"].to_numpy(dtype=np.float64),
            rows["contract_multiplier"].to_numpy(dtype=np.float64),
        )

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


def terms_in_force(span_parameters: pd.DataFrame, as_of: dt.date) -> tuple[dict[str, GroupTerms], tuple[Spread, ...]]:
    """Terms of every class group, and credits between class groups in their order.

    Parameters
    ----------
    span_parameters : frame of the table.
    as_of : business date.
    """
    effective = pd.to_datetime(span_parameters["effective_date"])
    rows = span_parameters.assign(effective_date=effective)[effective <= pd.Timestamp(as_of)]
    newest = rows.groupby(["class_group", "term"])["effective_date"].transform("max")
    rows = rows[rows["effective_date"] == newest]
    groups = {str(name): _group(str(name), own) for name, own in rows.groupby("class_group", sort=True)}
    credits = rows[(rows["term"] == "inter_commodity_credit") & rows["value"].notna()]
    credits = credits.sort_values(["priority", "class_group", "class_group_2", "tier_1", "tier_2", "expiry_from"], kind="stable")
    return groups, tuple(_spread(row, str(row.class_group), str(row.class_group_2)) for row in credits.itertuples(index=False))


def _group(name: str, rows: pd.DataFrame) -> GroupTerms:
    of = {str(term): own for term, own in rows.groupby("term")}
    none = rows.iloc[:0]
    charges = of.get("intra_spread_charge", none).sort_values(["priority", "tier_1", "tier_2", "expiry_from"], kind="stable")
    tiers = of.get("tier", none)
    currencies = sorted(rows["currency"].unique())
    faults = [f"one currency of span_parameters {name} (there are {', '.join(currencies)})"] * (len(currencies) > 1)
    faults += [f"span_parameters {name}: a row was rejected"] * ("unknown" in of)
    return GroupTerms(
        currency=str(currencies[0]),
        effective_date=rows["effective_date"].max().date().isoformat(),
        windows={term: Windows.of(of.get(term, none)) for term in WINDOWED},
        tiers=Windows.of(tiers.assign(value=tiers["tier_1"])),
        spreads=tuple(_charge(row) for row in charges[charges["value"].notna()].itertuples(index=False)),
        spreads_known=bool(charges["value"].notna().all()),
        faults=tuple(faults),
    )


def _charge(row: Any) -> Spread:
    """A spread within a class group; without tiers all expiries are number 1, and charges that name no tier are of it too."""
    return _spread(row, int(row.tier_1) or 1, int(row.tier_2) or 1)


def _spread(row: Any, leg_1: int | str, leg_2: int | str) -> Spread:
    return Spread(leg_1, leg_2, float(row.delta_1), float(row.delta_2), row.side_1 != row.side_2, float(row.value))
