"""Credits of spreads between class groups.

Belongs here: forming the spreads, each delta used once. Not here: price risk (`scan`), spreads within a class group (`spread`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from margin_pipeline.margin.span.spread import Spread

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Credits:
    """Credits of u portfolio groups.

    Attributes
    ----------
    credit : (u,) money, at most the price risk.
    used : (u,) deltas that spreads used, at most what was there.
    formed : (spread, first units, second units, count of spreads), one for each spread of which there is any.
    """

    credit: Array
    used: Array
    formed: list[tuple[Spread, Array, Array, Array]]


def inter_commodity_credits(
    portfolio: Array, class_group: Array, delta: Array, price_risk_a_delta: Array, spreads: Sequence[Spread]
) -> Credits:
    """Credits in the order of the spreads given.

    Parameters
    ----------
    portfolio, class_group : (u,) portfolio and class group of each portfolio group.
    delta : (u,) delta that is left for spreads, signed; NaN: none is known.
    price_risk_a_delta : (u,) weighted price risk: price risk of the portfolio group over its net delta, money.
    spreads : in the order of their priority; legs are class groups, values credit rates.

    Notes
    -----
    A spread forms as often as both legs have deltas on the sides it asks for. Its credit is, for each leg, count x deltas a spread x
    weighted price risk x rate.
    """
    left = np.nan_to_num(delta)
    risk = np.nan_to_num(price_risk_a_delta, posinf=0.0, neginf=0.0)
    credit, used = np.zeros(len(left)), np.zeros(len(left))
    units = _units_of(portfolio, class_group)
    formed = []
    for spread in spreads:
        first, second = _both(units, str(spread.leg_1), str(spread.leg_2))
        if not len(first) or not spread.value > 0:
            continue
        sides = left[first] * left[second]
        fits = sides < 0 if spread.opposite else sides > 0
        count = np.where(fits, np.minimum(np.abs(left[first]) / spread.delta_1, np.abs(left[second]) / spread.delta_2), 0.0)
        for at, ratio in ((first, spread.delta_1), (second, spread.delta_2)):
            taken = np.minimum(count * ratio, np.abs(left[at]))
            credit[at] += taken * risk[at] * spread.value
            used[at] += taken
            left[at] -= np.sign(left[at]) * taken
        if count.any():
            formed.append((spread, first, second, count))
    return Credits(credit, used, formed)


def _units_of(portfolio: Array, class_group: Array) -> Mapping[str, tuple[Array, Array]]:
    """Portfolios and unit numbers of each class group, ordered by portfolio."""
    found = {}
    for name in set(class_group.tolist()):
        at = np.flatnonzero(class_group == name)
        at = at[np.argsort(portfolio[at], kind="stable")]
        found[str(name)] = (portfolio[at], at)
    return found


def _both(units: Mapping[str, tuple[Array, Array]], first: str, second: str) -> tuple[Array, Array]:
    """Units of the two class groups in the portfolios that have both."""
    if first not in units or second not in units or first == second:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    (owners_1, units_1), (owners_2, units_2) = units[first], units[second]
    _, at_1, at_2 = np.intersect1d(owners_1, owners_2, assume_unique=True, return_indices=True)
    return units_1[at_1], units_2[at_2]
