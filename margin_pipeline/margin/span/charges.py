"""Charges of portfolio groups by the terms of their class groups: spreads, delivery, short option minimum.

Belongs here: applying terms to holdings, group by group. Not here: the formulas (`spread`, `minimum`), credits, the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.margin.models.requirement import Reasons
from margin_pipeline.margin.span.contracts import Contracts
from margin_pipeline.margin.span.holdings import Holdings
from margin_pipeline.margin.span.minimum import short_option_minimum
from margin_pipeline.margin.span.spread import Charged, delivery_charge, intra_commodity_charge
from margin_pipeline.margin.span.terms import GroupTerms

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Charges:
    """Charges of u portfolio groups, base currency, and their deltas.

    Attributes
    ----------
    intra_commodity, delivery, minimum : (u,) money.
    net_delta : (u,) deltas; NaN where no term needs them.
    left : (u,) deltas that spreads within the class group left, on the side of the net delta.
    spreads : spreads formed within the class group, by portfolio group, for people.
    """

    intra_commodity: Array
    delivery: Array
    minimum: Array
    net_delta: Array
    left: Array
    spreads: dict[int, list[dict[str, object]]]

    @classmethod
    def none(cls, units: int) -> Charges:
        """No charges, no deltas."""
        nothing, unknown = np.zeros(units), np.full(units, np.nan)
        return cls(nothing, nothing.copy(), nothing.copy(), unknown, unknown.copy(), {})


def charges_of(
    held: Holdings,
    contracts: Contracts,
    terms: Mapping[str, GroupTerms],
    credited: frozenset[str],
    short_option_count: str,
    reasons: Reasons,
) -> Charges:
    """Charges of every portfolio group; what is missing is added to `reasons`.

    Parameters
    ----------
    held, contracts : holdings and contracts.
    terms : terms in force, by class group.
    credited : class groups that a credit names.
    short_option_count : how short calls and puts count.
    reasons : of the portfolio groups.
    """
    found = Charges.none(len(held.units))
    group = held.units["class_group"].to_numpy(object)
    for name in sorted(set(group.tolist())):
        of_group = np.flatnonzero(group == name)
        own = terms.get(name)
        if own is not None:
            _minimum(found, held, contracts, own, of_group, short_option_count, reasons)
        has_charges = own is not None and (
            bool(own.spreads) or not own.spreads_known or own.has("delivery_charge", "delivery_spread_charge")
        )
        if has_charges or name in credited:
            _by_delta(found, held, contracts, own, of_group, reasons)
    return found


def _rows_of(held: Holdings, of_group: Array) -> tuple[Array, Array]:
    """Holdings of portfolio groups, and the place of each one's group among them."""
    place = np.full(len(held.units), -1)
    place[of_group] = np.arange(len(of_group))
    at = np.flatnonzero((place[held.unit] >= 0) & (held.quantity != 0))
    return at, place[held.unit[at]]


def _rate(held: Holdings, of_group: Array) -> Array:
    """(p,) base currency for one unit of the group's currency; NaN where there is none."""
    rate = np.full(len(held.units), np.nan)
    np.fmax.at(rate, held.unit, held.fx_rate)
    return rate[of_group]


def _minimum(found: Charges, held: Holdings, contracts: Contracts, own: GroupTerms, of_group: Array, count: str, reasons: Reasons) -> None:
    at, place = _rows_of(held, of_group)
    row = held.row[at]
    short = contracts.frame["is_option"].to_numpy(bool)[row] & (held.quantity[at] < 0)
    at, place, row = at[short], place[short], row[short]
    charge, unit = own.values("short_option_minimum", _expiry(contracts)[row], 0.0)
    multiplier = contracts.frame["multiplier"].to_numpy(np.float64)[row]
    size = np.abs(held.quantity[at]) * charge * np.where(np.isnan(unit), 1.0, multiplier / unit)
    is_call = contracts.frame["is_call"].to_numpy(bool)[row]
    amount = short_option_minimum(place, len(of_group), size, is_call, count)
    found.minimum[of_group] = amount * np.where(amount == 0, 1.0, _rate(held, of_group))
    _unknown(reasons, held, of_group[np.isnan(amount)], "short_option_minimum")


def _by_delta(found: Charges, held: Holdings, contracts: Contracts, own: GroupTerms | None, of_group: Array, reasons: Reasons) -> None:
    """Deltas by expiry, and the charges that count by them."""
    at, place = _rows_of(held, of_group)
    row = held.row[at]
    delta = held.quantity[at] * contracts.deltas[row]
    _add(reasons, held.unit[at], np.isnan(delta), lambda i: str(contracts.delta_reasons[row[i]]))
    days, code = np.unique(_expiry(contracts)[row], return_inverse=True)
    flat = np.bincount(place * len(days) + code, delta, minlength=len(of_group) * len(days))
    by_expiry = flat.reshape(len(of_group), len(days)) if len(days) else np.zeros((len(of_group), 0))
    found.net_delta[of_group] = found.left[of_group] = by_expiry.sum(axis=1)
    if own is None:
        return
    tier, _ = own.tiers.values(days) if len(own.tiers) else (np.ones(len(days)), None)
    if own.spreads:
        _add(reasons, held.unit[at], np.isnan(tier)[code], lambda i: f"tier of the expiry of {contracts.frame['symbol'].iat[row[i]]}")
    charged = intra_commodity_charge(np.nan_to_num(by_expiry), np.nan_to_num(tier).astype(np.int64), own.spreads)
    rate = _rate(held, of_group)
    found.intra_commodity[of_group] = charged.charge * np.where(charged.charge == 0, 1.0, rate)
    both = (by_expiry > 0).any(axis=1) & (by_expiry < 0).any(axis=1)
    if not own.spreads_known:
        _unknown(reasons, held, of_group[both], "intra_spread_charge")
    charge = delivery_charge(np.nan_to_num(by_expiry), charged.unspread, *_delivery_rates(own, days))
    found.delivery[of_group] = charge * np.where(charge == 0, 1.0, rate)
    _unknown(reasons, held, of_group[np.isnan(charge)], "delivery charge")
    _leave(found, of_group, charged, np.nan_to_num(by_expiry), own)


def _delivery_rates(own: GroupTerms, days: Array) -> tuple[Array, Array]:
    """(e,) money a delta of each expiry, outright and in spreads; in spreads as outright where the exchange says nothing else."""
    outright, _ = own.values("delivery_charge", days, 0.0)
    in_spread, _ = own.values("delivery_spread_charge", days, np.inf)
    return outright, np.where(np.isinf(in_spread), outright, in_spread)


def _leave(found: Charges, of_group: Array, charged: Charged, by_expiry: Array, own: GroupTerms) -> None:
    """What spreads left of the net delta, on its side and not more than it; and the spreads in words."""
    net, rest = by_expiry.sum(axis=1), (by_expiry * charged.unspread).sum(axis=1)
    left = np.where(rest * net > 0, np.sign(net) * np.minimum(np.abs(rest), np.abs(net)), 0.0)
    found.left[of_group] = np.where(np.isnan(found.net_delta[of_group]), np.nan, left)
    for p, s in np.argwhere(charged.formed > 0).tolist():
        spread = own.spreads[s]
        words = {"tiers": [spread.leg_1, spread.leg_2], "spreads": float(charged.formed[p, s]), "charge_a_spread": spread.value}
        found.spreads.setdefault(int(of_group[p]), []).append(words)


def _expiry(contracts: Contracts) -> Array:
    return contracts.frame["expiry"].to_numpy().astype("datetime64[D]")


def _unknown(reasons: Reasons, held: Holdings, units: Array, term: str) -> None:
    """Say that a term of the class group is not known."""
    for unit in units.tolist():
        reasons.add_to(unit, f"{term} of {held.units['class_group'].iat[unit]}, a row of which was rejected")


def _add(reasons: Reasons, unit: Array, where: Array, text: Callable[[int], str]) -> None:
    """Add reasons of holdings to their portfolio groups."""
    for i in np.flatnonzero(where).tolist():
        reasons.add_to(int(unit[i]), text(i))
