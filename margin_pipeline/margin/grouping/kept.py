"""What groups that are kept as they are require at other prices.

Belongs here: the margin of a grouping found before, for moved prices. Not here: finding groups, who moves prices.

A grouping that is admissible at one price is so at every other, so what kept groups need bounds from above what the best groups would.
Two kinds of group are taken apart: composites into the parts that they are a name of (the cheapest way of several), and a fund that
stands for what an option on its index delivers, because how many shares do depends on prices: its legs count on their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.margin.grouping.netting import NetBook
from margin_pipeline.margin.structures import (
    COMPOSITES,
    SINGLES,
    STRUCTURES,
    UNIVERSAL_SPREAD,
    Amounts,
    LegTable,
    requirement_of,
    single_amounts,
)
from margin_pipeline.margin.structures.catalogue import SECURITIES
from margin_pipeline.margin.structures.leg_table import Array

NETTED = "netted"


@dataclass(frozen=True)
class KeptGroups:
    """Groups as rows of a leg table.

    Attributes
    ----------
    table : legs, at the prices of the date.
    by_structure : groups of each structure, ascending, by its name.
    units : (g,) units.
    start : (g + 1,) where the entries of each group start.
    leg : (e,) leg, -1 where a symbol is not held any more.
    quantity : (e,) quantity without sign.
    before : (g, 2) initial and maintenance margin at the prices of the date, base currency.
    fx_rate : (g,) base currency for one unit of instrument currency.
    """

    table: LegTable
    by_structure: Mapping[str, Array]
    units: Array
    start: Array
    leg: Array
    quantity: Array
    before: Array
    fx_rate: Array


def kept_groups(book: NetBook, strategy_groups: pd.DataFrame) -> KeptGroups:
    """Groups of the table strategy_groups on the legs that they were made of.

    Parameters
    ----------
    book : net legs of the same positions.
    strategy_groups : frame of the table.
    """
    legs = _parsed(strategy_groups["legs"])
    sizes = np.array([len(group) for group in legs], dtype=np.int64)
    owners = np.repeat(strategy_groups["portfolio_id"].to_numpy(object), sizes)
    symbols = np.array([str(leg["symbol"]) for group in legs for leg in group], dtype=object)
    known = pd.MultiIndex.from_arrays([book.legs["portfolio_id"].astype(object), book.legs["symbol"].astype(object)])
    leg = known.get_indexer(pd.MultiIndex.from_arrays([owners, symbols])) if len(symbols) and len(known) else np.full(len(symbols), -1)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    rates = np.append(book.legs["fx_rate"].to_numpy(np.float64), np.nan)
    return KeptGroups(
        table=book.table,
        by_structure={
            str(name): np.asarray(rows) for name, rows in strategy_groups.reset_index(drop=True).groupby("structure").indices.items()
        },
        units=strategy_groups["units"].to_numpy(np.float64),
        start=start,
        leg=np.asarray(leg, dtype=np.int64),
        quantity=np.abs(np.array([float(part["quantity"]) for group in legs for part in group], dtype=np.float64)),
        before=strategy_groups[["initial_margin", "maintenance_margin"]].to_numpy(np.float64),
        fx_rate=rates[leg[start[:-1]]] if len(symbols) else np.zeros(0),
    )


def moved_table(table: LegTable, price: Array, spot_move: Array, dollars_move: Array) -> LegTable:
    """A table of legs at other prices.

    Parameters
    ----------
    table : legs.
    price : (n,) marks after, instrument currency.
    spot_move : (n,) relative move of what a leg is on (of a security its own).
    dollars_move : (n,) relative move of the instrument currency against the US dollar.

    Returns
    -------
    The table with prices, underlying closes, house rates (fractions of notional) and the dollar amounts of rules moved.
    """
    security = np.isin(table.kind, SECURITIES)
    with np.errstate(divide="ignore", invalid="ignore"):
        notional = np.where(security, price / table.price, 1.0 + spot_move)
    house = [np.where(asked > 0, asked * notional, asked) for asked in (table.house_initial, table.house_maintenance)]
    return replace(
        table,
        price=price,
        spot=table.spot * (1.0 + spot_move),
        dollars=table.dollars / (1.0 + dollars_move),
        house_initial=house[0],
        house_maintenance=house[1],
    )


def kept_margins(groups: KeptGroups, moved: LegTable, fx_move: Array) -> Array:
    """Initial and maintenance margin of kept groups at other prices.

    Parameters
    ----------
    groups : groups.
    moved : their table at the other prices.
    fx_move : (n,) relative move of base currency for one unit of each leg's currency.

    Returns
    -------
    (g, 2) base currency; NaN where an input is missing or the account does not admit the group.
    """
    found = np.full(groups.before.shape, np.nan)
    if not len(groups.units):
        return found
    first = np.append(fx_move, np.nan)[groups.leg[groups.start[:-1]]]
    factor = (groups.fx_rate * (1.0 + first))[:, None]
    lost = np.zeros(len(groups.units), dtype=bool)
    lost[_group_of_entries(groups)[groups.leg < 0]] = True
    with np.errstate(invalid="ignore", divide="ignore"):
        singles = single_amounts(moved)
        alone = _on_their_own(groups, singles)
        for name, rows in groups.by_structure.items():
            if name == NETTED:
                found[rows] = 0.0
            elif name == UNIVERSAL_SPREAD:
                # What options lose together at most depends on their strikes alone.
                found[rows] = groups.before[rows] * (1.0 + first[rows, None])
            else:
                held = rows[~lost[rows]]
                found[held] = _amounts(name, groups, held, moved, singles, alone) * factor[held]
    return found


def _amounts(name: str, groups: KeptGroups, rows: Array, moved: LegTable, singles: Amounts, alone: Array) -> Array:
    """(r, 2) margins of groups of one structure, instrument currency."""
    if name in _STRUCTURES:
        structure = _STRUCTURES[name]
        index = _index(groups, rows, len(structure.legs))
        together = _both(requirement_of(structure, moved, index)) * groups.units[rows, None]
        stands_for = structure.follows_index & (moved.deliverable[index] != moved.deliverable[index[:, :1]]).any(axis=1)
        return np.where(stands_for[:, None], alone[rows], together)
    if name in _COMPOSITES:
        composite = _COMPOSITES[name]
        index = _index(groups, rows, len(composite.legs))
        ways = np.stack([_sum_of_parts(way, moved, index, singles) for way in composite.parts])
        cheapest = np.argmin(np.where(np.isnan(ways[:, :, 1]), np.inf, ways[:, :, 1]), axis=0)
        return ways[cheapest, np.arange(len(rows))] * groups.units[rows, None]
    return alone[rows] if name in SINGLES.values() else np.full((len(rows), 2), np.nan)


_STRUCTURES = {s.name: s for s in STRUCTURES}
_COMPOSITES = {s.name: s for s in COMPOSITES}


def _both(amounts: Amounts) -> Array:
    return np.stack([amounts.initial, amounts.maintenance], axis=1)


def _sum_of_parts(way: Sequence[tuple[str, tuple[int, ...]]], moved: LegTable, index: Array, singles: Amounts) -> Array:
    """(r, 2) margins of one unit of composites by one way to take them apart."""
    total = np.zeros((len(index), 2))
    for name, slots in way:
        of_leg = _both(singles)[index[:, slots[0]]]
        total += _both(requirement_of(_STRUCTURES[name], moved, index[:, list(slots)])) if name in _STRUCTURES else of_leg
    return total


def _on_their_own(groups: KeptGroups, singles: Amounts) -> Array:
    """(g, 2) what the legs of each group need on their own, instrument currency."""
    owner = _group_of_entries(groups)
    amounts = (np.append(singles.initial, np.nan), np.append(singles.maintenance, np.nan))
    sums = [np.bincount(owner, groups.quantity * amount[groups.leg], minlength=len(groups.units)) for amount in amounts]
    return np.stack(sums, axis=1)


def _group_of_entries(groups: KeptGroups) -> Array:
    return np.repeat(np.arange(len(groups.units)), np.diff(groups.start))


def _index(groups: KeptGroups, rows: Array, legs: int) -> Array:
    """(r, k) legs of groups of one structure, in its order."""
    return groups.leg[groups.start[rows][:, None] + np.arange(legs)]


def _parsed(legs: pd.Series) -> list[list[dict[str, Any]]]:
    """Legs of all groups; one call of the parser for all texts."""
    texts = [given if isinstance(given, str) else json.dumps(given) for given in legs]
    found: list[list[dict[str, Any]]] = json.loads("[" + ",".join(texts) + "]")
    return found
