"""Charges of spreads between expiries of one class group, and of expiries in delivery.

Belongs here: the two charges. Not here: spreads between class groups (`inter_commodity`), scan risk.

The scan moves all expiries alike; a spread charge is for their moving apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Spread:
    """A spread that a charge or credit is for.

    Attributes
    ----------
    leg_1, leg_2 : what the legs are of: tiers, or class groups.
    delta_1, delta_2 : deltas of each leg in one spread, > 0.
    opposite : whether the legs are on opposite sides of the market.
    value : money a spread, or credit rate.
    """

    leg_1: int | str
    leg_2: int | str
    delta_1: float
    delta_2: float
    opposite: bool
    value: float


@dataclass(frozen=True)
class Charged:
    """Spreads formed of p portfolios.

    Attributes
    ----------
    charge : (p,) money.
    unspread : (p, e) part of the delta of each expiry that no spread used, in [0, 1].
    formed : (p, s) count of each spread.
    """

    charge: Array
    unspread: Array
    formed: Array


def intra_commodity_charge(deltas: Array, tier: Array, spreads: Sequence[Spread]) -> Charged:
    """Charge of spreads within a class group, formed in the order given.

    Parameters
    ----------
    deltas : (p, e) net delta of each portfolio by expiry.
    tier : (e,) tier of each expiry.
    spreads : in the order of their priority; legs are tiers.

    Notes
    -----
    Of each tier the long and the short deltas are what its expiries add up to. A spread takes as many as both legs have, parts of one
    included, first with the first leg long, then with it short. What a tier gives comes from its expiries in proportion.
    """
    tiers, of_expiry = np.unique(tier, return_inverse=True)
    into = np.zeros((len(tier), len(tiers)))
    into[np.arange(len(tier)), of_expiry] = 1.0
    before = [np.maximum(sign * deltas, 0.0) @ into for sign in (1.0, -1.0)]
    left = [side.copy() for side in before]
    place = {int(number): i for i, number in enumerate(tiers.tolist())}
    formed = np.zeros((len(deltas), len(spreads)))
    charge = np.zeros(len(deltas))
    for s, spread in enumerate(spreads):
        if spread.leg_1 not in place or spread.leg_2 not in place or (spread.leg_1 == spread.leg_2 and not spread.opposite):
            continue
        for side in (0, 1):
            first = left[side][:, place[int(spread.leg_1)]]
            second = left[1 - side if spread.opposite else side][:, place[int(spread.leg_2)]]
            count = np.minimum(first / spread.delta_1, second / spread.delta_2)
            first -= count * spread.delta_1
            second -= count * spread.delta_2
            formed[:, s] += count
        charge += formed[:, s] * spread.value
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = [np.where(b > 0, np.clip(a / b, 0.0, 1.0), 1.0) for a, b in zip(left, before, strict=True)]
    unspread = np.where(deltas >= 0, rest[0][:, of_expiry], rest[1][:, of_expiry])
    return Charged(charge, unspread, formed)


def delivery_charge(deltas: Array, unspread: Array, outright: Array, in_spread: Array) -> Array:
    """Charge of expiries in delivery, (p,) money.

    Parameters
    ----------
    deltas : (p, e) net delta by expiry.
    unspread : (p, e) part of it that no spread used.
    outright, in_spread : (e,) money a delta outright and in spreads; 0 for expiries that are not in delivery.
    """
    return np.asarray((np.abs(deltas) * (unspread * outright + (1.0 - unspread) * in_spread)).sum(axis=1))
