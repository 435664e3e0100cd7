"""Places for universal spreads: options that may be margined together at their maximum loss, and that loss as linear rows.

Belongs here: which legs may stand together, their loss at every kink. Not here: solving, names of structures, printed amounts.

A universal spread holds options on one underlying, of one exercise style and contract size, in which no long expires before a short. The
loss of a union never exceeds the sum of the losses, so one spread for each last expiry of its shorts is enough: a place takes shorts that
expire by its day and longs that expire on it or later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.structures.catalogue import CALL, LONG, PUT, SHORT
from margin_pipeline.margin.structures.leg_table import Array, LegTable


@dataclass(frozen=True)
class Rows:
    """Linear rows over the members of places, by place and row.

    Attributes
    ----------
    place : (r,) place of each row, ascending.
    row, member, value : (e,) entries, ordered by row.
    """

    place: Array
    row: Array
    member: Array
    value: Array

    def __len__(self) -> int:
        return len(self.place)

    def of(self, places: Array) -> tuple[Array, Array]:
        """Rows and entries of some places, ascending."""
        rows = positions(self.place, places)
        return rows, positions(self.row, rows)


def positions(ascending: Array, wanted: Array) -> Array:
    """Positions at which an ascending array has one of the wanted values, ascending."""
    if not len(wanted):
        return np.zeros(0, dtype=np.int64)
    if wanted[-1] - wanted[0] == len(wanted) - 1:
        return np.arange(np.searchsorted(ascending, wanted[0]), np.searchsorted(ascending, wanted[-1], side="right"))
    return np.flatnonzero(np.isin(ascending, wanted))


@dataclass(frozen=True)
class Places:
    """Places p, members m (a leg that may take part in a place), kinks r.

    Attributes
    ----------
    block : (p,) block of each place, ascending.
    place : (m,) place of each member, ascending.
    leg : (m,) row of the leg table.
    step : (p,) money of which every loss at a kink is a whole multiple; NaN where strikes have more than four decimals.
    losses : a row for each kink of each place (zero and every strike): money lost on one contract of each member at that price.
    lacks : two rows a place, for calls and puts: 1 for shorts and -1 for longs, what shorts exceed longs by.
    spares : two rows a place, for calls and puts: 1 for longs with loan value and -1 for shorts.
    """

    block: Array
    place: Array
    leg: Array
    step: Array
    losses: Rows
    lacks: Rows
    spares: Rows

    def __len__(self) -> int:
        return len(self.block)


def find_places(table: LegTable, blocks: Array | None = None) -> Places:
    """All places of a table of legs.

    Parameters
    ----------
    table : legs, sorted by block.
    blocks : (blocks,) whether places of a block are wanted; None: all.

    Notes
    -----
    In a cash account only European, cash-settled options that expire together may stand together (FINRA 4210(f)(2)(M)).
    """
    option = np.isin(table.kind, (CALL, PUT))
    admitted = option & (~table.cash_account | (table.european & table.cash_settled))
    if blocks is not None:
        admitted &= blocks[table.block]
    rows = np.flatnonzero(admitted)
    contract = _contracts(table, rows)
    place_contract, day = _last_expiries(table, rows, contract)
    place, member = _members(table, rows, contract, place_contract, day)
    leg = rows[member]
    useful = _with_both_sides(table, place, leg, len(day))
    kept = useful[place]
    place, leg = np.searchsorted(np.flatnonzero(useful), place[kept]), leg[kept]
    count = int(useful.sum())
    first = np.searchsorted(place, np.arange(count))
    lends = np.where(table.side[leg] == SHORT, -1, np.where(table.long_dated[leg], 1, 0))
    return Places(
        table.block[leg[first]],
        place,
        leg,
        _steps(table, leg, first),
        losses=_losses(table, place, leg, count),
        lacks=_by_type(table, place, leg, count, -table.side[leg]),
        spares=_by_type(table, place, leg, count, lends),
    )


def _contracts(table: LegTable, rows: Array) -> Array:
    """(n,) number of the kind of contract of each row: rows of one kind may cover each other."""
    together = np.where(table.cash_account, table.expiry, 0)
    columns = [table.block, table.multiplier, table.size, table.european, table.deliverable, together]
    keys = np.stack([column[rows].astype(np.float64) for column in columns], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)


def _last_expiries(table: LegTable, rows: Array, contract: Array) -> tuple[Array, Array]:
    """Kind of contract and day of each place: expiries of shorts, the last one among those that the same longs may cover."""
    expiry, side = table.expiry[rows], table.side[rows]
    days = np.unique(np.stack([contract, expiry], axis=1)[side == SHORT], axis=0).reshape(-1, 2)
    long_contract, long_expiry = contract[side == LONG], expiry[side == LONG]
    order = np.lexsort((long_expiry, long_contract))
    sorted_longs = long_contract[order].astype(np.int64) * 10_000_000 + long_expiry[order]
    covered_from = np.searchsorted(sorted_longs, days[:, 0].astype(np.int64) * 10_000_000 + days[:, 1])
    last = np.ones(len(days), dtype=bool)
    last[:-1] = (days[1:, 0] != days[:-1, 0]) | (covered_from[1:] != covered_from[:-1])
    return days[last, 0], days[last, 1]


def _members(table: LegTable, rows: Array, contract: Array, place_contract: Array, day: Array) -> tuple[Array, Array]:
    """Place and position in `rows` of every member, ordered by place and row."""
    order = np.argsort(contract, kind="stable")
    place, position = joined(place_contract, contract[order])
    position = order[position]
    leg = rows[position]
    in_time = np.where(table.side[leg] == SHORT, table.expiry[leg] <= day[place], table.expiry[leg] >= day[place])
    place, position = place[in_time], position[in_time]
    order = np.lexsort((position, place))
    return place[order], position[order]


def joined(left: Array, right: Array) -> tuple[Array, Array]:
    """Positions of all pairs of equal values; `right` ascending."""
    first = np.searchsorted(right, left, side="left")
    count = np.searchsorted(right, left, side="right") - first
    of_left = np.repeat(np.arange(len(left)), count)
    return of_left, np.arange(len(of_left)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)


def _with_both_sides(table: LegTable, place: Array, leg: Array, places: int) -> Array:
    """(p,) whether a place has a long to cover a short of its type with."""
    useful = np.zeros(places, dtype=bool)
    for kind in (CALL, PUT):
        held = [np.bincount(place[(table.kind[leg] == kind) & (table.side[leg] == side)], minlength=places) > 0 for side in (LONG, SHORT)]
        useful |= held[0] & held[1]
    return useful


def _steps(table: LegTable, leg: Array, first: Array) -> Array:
    """(p,) greatest common divisor of the strikes of each place, in money of one contract; `first` is the first member of each."""
    if not len(first):
        return np.zeros(0)
    parts = table.strike[leg] * 1e4
    whole = np.round(parts)
    is_whole = np.minimum.reduceat(np.abs(parts - whole) < 1e-3, first)
    return np.where(is_whole, np.gcd.reduceat(whole.astype(np.int64), first) / 1e4 * table.multiplier[leg[first]], np.nan)


def _losses(table: LegTable, place: Array, leg: Array, places: int) -> Rows:
    """A row for each price (zero and every strike of the place) with the loss of each member there."""
    strikes = np.stack([np.concatenate([place, np.arange(places)]), np.concatenate([table.strike[leg], np.zeros(places)])], axis=1)
    kinks = np.unique(strikes, axis=0).reshape(-1, 2)
    row_place = kinks[:, 0].astype(np.int64)
    row, member = joined(row_place, place)
    held = leg[member]
    above = kinks[row, 1] - table.strike[held]
    intrinsic = np.maximum(np.where(table.kind[held] == CALL, above, -above), 0.0)
    loss = -table.side[held] * intrinsic * table.multiplier[held]
    worth = loss != 0.0
    return Rows(row_place, row[worth], member[worth], loss[worth])


def _by_type(table: LegTable, place: Array, leg: Array, places: int, value: Array) -> Rows:
    row = 2 * place + (table.kind[leg] == PUT)
    order = np.flatnonzero(value)
    order = order[np.argsort(row[order], kind="stable")]
    return Rows(np.repeat(np.arange(places), 2), row[order], order, value[order].astype(np.float64))
