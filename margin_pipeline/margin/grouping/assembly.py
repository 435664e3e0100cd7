"""From chosen candidates to the tables of groups, of their legs by strategy, and of proofs.

Belongs here: the frames and what they say. Not here: which candidates are chosen, what they require.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.margin.grouping.choose import Chosen
from margin_pipeline.margin.grouping.explanations import explanations, reasons
from margin_pipeline.margin.grouping.labels import UNIVERSAL, Union, unions
from margin_pipeline.margin.grouping.netting import NetBook
from margin_pipeline.margin.grouping.programs import Choice, symbol_keys
from margin_pipeline.margin.structures import (
    SINGLES,
    STRUCTURES,
    UNIVERSAL_SPREAD,
    Amounts,
    Candidates,
    LegTable,
    requirement_of,
    universal_amounts,
)
from margin_pipeline.margin.structures.catalogue import CALL, PUT, UNKNOWN
from margin_pipeline.margin.structures.leg_table import Array

GROUP_COLUMNS = [
    "portfolio_id",
    "group_id",
    "underlying",
    "structure",
    "units",
    "legs",
    "gross_requirement",
    "applied_proceeds",
    "net_call",
    "maintenance_gross",
    "initial_margin",
    "maintenance_margin",
    "missing",
    "explanation",
]
LEG_COLUMNS = ["portfolio_id", "group_id", "strategy", "symbol", "quantity", "requirement_share"]
PROOF_COLUMNS = ["portfolio_id", "underlying", "optimum", "lower_bound", "gap", "greedy_margin", "seconds"]


@dataclass(frozen=True)
class Groups:
    """Groups as arrays: g groups, e entries.

    Attributes
    ----------
    structure : (g,) names (object).
    units : (g,) units.
    start : (g + 1,) where the entries of each group start.
    leg : (e,) leg.
    quantity : (e,) signed quantity of the leg in the group.
    amounts : amounts of one unit, instrument currency, (g,) arrays.
    parts : of composites by group, their parts with the maintenance margin of one unit each.
    """

    structure: Array
    units: Array
    start: Array
    leg: Array
    quantity: Array
    amounts: Amounts
    parts: Mapping[int, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def first_leg(self) -> Array:
        """(g,) first leg of each group."""
        return self.leg[self.start[:-1]]

    @property
    def last_leg(self) -> Array:
        """(g,) last leg of each group: an option wherever there is one."""
        return self.leg[self.start[1:] - 1]


def chosen_groups(book: NetBook, chosen: Chosen, singles: Amounts) -> Groups:
    """Groups of what is chosen, and of what it leaves of every leg on its own, ordered by block, structure and symbols."""
    table, candidates = book.table, chosen.candidates
    used = candidates.use * np.repeat(chosen.units, np.diff(candidates.start))
    left = table.quantity - np.bincount(candidates.leg, used, minlength=len(table))
    alone = np.flatnonzero(left > 1e-9 * table.quantity)
    names = np.array([*(s.name for s in STRUCTURES), UNIVERSAL_SPREAD], dtype=object)
    kind_and_side = zip(table.kind[alone].tolist(), table.side[alone].tolist(), strict=True)
    single_names = np.array([SINGLES[pair] for pair in kind_and_side], dtype=object)
    joined = _amounts_of(table, candidates)
    fields = Amounts.__dataclass_fields__
    groups = Groups(
        structure=np.concatenate([names[candidates.structure], single_names]),
        units=np.concatenate([chosen.units, left[alone]]),
        start=np.concatenate([candidates.start, candidates.start[-1] + 1 + np.arange(len(alone))]),
        leg=np.concatenate([candidates.leg, alone]),
        quantity=np.concatenate([used * table.side[candidates.leg], left[alone] * table.side[alone]]),
        amounts=Amounts(*(np.concatenate([getattr(joined, f), getattr(singles, f)[alone]]) for f in fields)),
    )
    return _in_order(book, _with_composites(table, _in_order(book, groups)))


def _amounts_of(table: LegTable, candidates: Candidates) -> Amounts:
    columns = {f: np.zeros(len(candidates)) for f in Amounts.__dataclass_fields__}
    for number in np.unique(candidates.structure):
        here = np.flatnonzero(candidates.structure == number)
        if number == UNIVERSAL:
            amounts = _universal_amounts(table, candidates, here)
        else:
            amounts = requirement_of(STRUCTURES[number], table, candidates.index_of(here))
        for name, column in columns.items():
            column[here] = getattr(amounts, name)
    return Amounts(**columns)


def _universal_amounts(table: LegTable, candidates: Candidates, chosen: Array) -> Amounts:
    found = np.zeros((3, len(chosen)))
    for place, c in enumerate(chosen.tolist()):
        entries = slice(candidates.start[c], candidates.start[c + 1])
        leg = candidates.leg[entries]
        found[:, place] = universal_amounts(table, leg, candidates.use[entries] * table.side[leg])
    loss, printed, proceeds = found
    return Amounts(loss, loss, printed, proceeds, printed)


def _with_composites(table: LegTable, groups: Groups) -> Groups:
    """The groups, those with a name together joined. A long option with loan value stays on its own, for its value counts there."""
    maintenance = groups.amounts.maintenance
    joinable = np.isfinite(maintenance) & ((groups.structure != "long_option") | (maintenance == 0.0))
    found = unions(table, groups.structure, groups.units, groups.start, groups.leg, joinable)
    if not found:
        return groups
    kept = np.ones(len(groups.units), dtype=bool)
    kept[[part for union in found for part in union.parts]] = False
    rest = np.flatnonzero(kept)
    sizes = np.diff(groups.start)
    entry = np.flatnonzero(np.repeat(kept, sizes))
    units = np.array([groups.units[union.parts[0]] for union in found])
    quantity = [_signed(union) * n for union, n in zip(found, units, strict=True)]
    parts = {
        len(rest) + n: [{"structure": groups.structure[part], "maintenance_a_unit": float(maintenance[part])} for part in union.parts]
        for n, union in enumerate(found)
    }
    sums = {f: np.array([getattr(groups.amounts, f)[list(u.parts)].sum() for u in found]) for f in Amounts.__dataclass_fields__}
    return Groups(
        structure=np.concatenate([groups.structure[rest], np.array([u.composite.name for u in found], dtype=object)]),
        units=np.concatenate([groups.units[rest], units]),
        start=np.concatenate([[0], np.cumsum([*sizes[rest], *(len(u.legs) for u in found)])]).astype(np.int64),
        leg=np.concatenate([groups.leg[entry], *(u.legs for u in found)]),
        quantity=np.concatenate([groups.quantity[entry], *quantity]),
        amounts=Amounts(**{f: np.concatenate([getattr(groups.amounts, f)[rest], sums[f]]) for f in sums}),
        parts=parts,
    )


def _signed(union: Union) -> Array:
    return np.array([float(leg.side * leg.ratio) for leg in union.composite.legs])


def _in_order(book: NetBook, groups: Groups) -> Groups:
    rank = np.unique(book.table.symbol.astype(str), return_inverse=True)[1]
    name = np.unique(groups.structure.astype(str), return_inverse=True)[1]
    keys = symbol_keys(rank, groups.start, groups.leg)
    order = np.lexsort((*keys.T[::-1], name, book.table.block[groups.first_leg]))
    sizes = np.diff(groups.start)[order]
    start = np.concatenate([[0], np.cumsum(sizes)])
    entry = np.repeat(groups.start[:-1][order] - start[:-1], sizes) + np.arange(start[-1])
    amounts = Amounts(*(getattr(groups.amounts, f)[order] for f in Amounts.__dataclass_fields__))
    parts = {place: groups.parts[g] for place, g in enumerate(order.tolist()) if g in groups.parts}
    return Groups(groups.structure[order], groups.units[order], start, groups.leg[entry], groups.quantity[entry], amounts, parts)


def group_frame(book: NetBook, groups: Groups, as_of: dt.date) -> pd.DataFrame:
    """Rows of ``strategy_groups``; the groups of netted series come last in each underlying."""
    owner = book.legs.iloc[groups.last_leg].reset_index(drop=True)
    factor = groups.units * owner["fx_rate"].to_numpy(np.float64)
    unknown = np.isnan(groups.amounts.maintenance * factor)
    factor = np.where(unknown, np.nan, factor)
    amounts = {f: getattr(groups.amounts, f) * factor for f in Amounts.__dataclass_fields__}
    missing = np.full(len(unknown), None, dtype=object)
    missing[unknown] = reasons(book, groups, np.flatnonzero(unknown), as_of)
    frame = pd.DataFrame(
        {
            "portfolio_id": owner["portfolio_id"],
            "underlying": owner["underlying"],
            "structure": groups.structure,
            "units": groups.units,
            "legs": _legs_json(book.table.symbol[groups.leg], groups.quantity, groups.start),
            "gross_requirement": amounts["gross"],
            "applied_proceeds": amounts["proceeds"],
            "net_call": amounts["gross"] - amounts["proceeds"],
            "maintenance_gross": amounts["maintenance_gross"],
            "initial_margin": amounts["initial"],
            "maintenance_margin": amounts["maintenance"],
            "missing": missing,
            "explanation": explanations(book, groups),
        }
    )
    return _numbered(pd.concat([frame, _netted_groups(book)], ignore_index=True))


def _netted_groups(book: NetBook) -> pd.DataFrame:
    """Series whose strategies net to zero: a group that needs nothing, so that every position is in one."""
    long = book.netted[book.netted["quantity"] > 0]
    grouped = long.groupby(["portfolio_id", "underlying", "symbol"], sort=True)["quantity"].sum().reset_index()
    zero = np.zeros(len(grouped))
    amounts = ("gross_requirement", "applied_proceeds", "net_call", "maintenance_gross", "initial_margin", "maintenance_margin")
    reference = json.dumps({"rule": "long and short of one series in the portfolio net to nothing", "reference": "FINRA 4210(a)(6)"})
    return pd.DataFrame(
        {
            "portfolio_id": grouped["portfolio_id"],
            "underlying": grouped["underlying"],
            "structure": "netted",
            "units": grouped["quantity"],
            "legs": [json.dumps([{"symbol": s, "quantity": 0}]) for s in grouped["symbol"]],
            **dict.fromkeys(amounts, zero),
            "missing": None,
            "explanation": reference,
            "_symbol": grouped["symbol"],
        }
    )


def _numbered(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.sort_values(["portfolio_id", "underlying"], kind="stable")
    number = frame.groupby(["portfolio_id", "underlying"], sort=False).cumcount() + 1
    frame["group_id"] = frame["underlying"].astype(object) + "-" + number.astype(str).str.zfill(3).astype(object)
    return frame


def _legs_json(symbol: Array, quantity: Array, start: Array) -> list[str]:
    quoted = {s: json.dumps(s) for s in set(symbol.tolist())}
    whole = quantity == np.round(quantity)
    text = [
        f'{{"symbol": {quoted[s]}, "quantity": {int(q) if w else q}}}'
        for s, q, w in zip(symbol.tolist(), quantity.tolist(), whole.tolist(), strict=True)
    ]
    return ["[" + ", ".join(text[a:b]) + "]" for a, b in itertools.pairwise(start.tolist())]


def leg_frame(book: NetBook, groups: Groups, frame: pd.DataFrame, alone: Array) -> pd.DataFrame:
    """Rows of ``strategy_group_legs``: every strategy's part of every leg, and its part of the requirement.

    The requirement of a group is shared pro rata to what the parts would need on their own; rows opposite to the net carry none.
    """
    first = np.searchsorted(book.rows["leg"].to_numpy(), np.arange(len(book.table) + 1))
    count = np.diff(first)[groups.leg]
    entry = np.repeat(np.arange(len(groups.leg)), count)
    row = np.repeat(first[groups.leg] - (np.cumsum(count) - count), count) + np.arange(count.sum())
    group = np.repeat(np.arange(len(groups.units)), np.diff(groups.start))[entry]
    part = book.rows["quantity"].to_numpy()[row] / book.rows["net"].to_numpy()[row]
    quantity = groups.quantity[entry] * part
    own_need = np.maximum(part, 0.0) * np.abs(groups.quantity[entry]) * alone[groups.leg[entry]]
    by_size = np.maximum(part, 0.0) * np.abs(groups.quantity[entry]) * book.table.multiplier[groups.leg[entry]]
    need = np.bincount(group, own_need, minlength=len(groups.units))
    weight = np.where(need[group] > 0, own_need, by_size)
    total = np.bincount(group, weight, minlength=len(groups.units))
    ordered = frame.sort_index()
    margin = ordered["maintenance_margin"].to_numpy(np.float64)
    legs = pd.DataFrame(
        {
            "portfolio_id": ordered["portfolio_id"].to_numpy(dtype=object)[group],
            "group_id": ordered["group_id"].to_numpy(dtype=object)[group],
            "strategy": book.rows["strategy"].to_numpy(dtype=object)[row],
            "symbol": book.table.symbol[groups.leg[entry]],
            "quantity": quantity,
            "requirement_share": margin[group] * weight / total[group],
        }
    )
    return pd.concat([legs, _netted_legs(book, frame)], ignore_index=True)[LEG_COLUMNS].astype(
        {**dict.fromkeys(["portfolio_id", "group_id", "strategy", "symbol"], "str"), "quantity": "float64", "requirement_share": "float64"}
    )


def _netted_legs(book: NetBook, frame: pd.DataFrame) -> pd.DataFrame:
    if book.netted.empty:
        return pd.DataFrame(columns=LEG_COLUMNS)
    groups = frame.loc[frame["structure"] == "netted", ["portfolio_id", "group_id", "_symbol"]].rename(columns={"_symbol": "symbol"})
    return book.netted.merge(groups, on=["portfolio_id", "symbol"], how="inner").assign(requirement_share=0.0)


def proof_frame(book: NetBook, groups: Groups, choice: Choice, chosen: Chosen, greedy: Array) -> pd.DataFrame:
    """Rows of ``grouping_proofs``: optimum, proven bound, greedy margin and seconds of every underlying with options, base currency."""
    table = book.table
    blocks = len(chosen.bound)
    owner = book.legs.assign(block=table.block).drop_duplicates("block")
    fx = owner["fx_rate"].to_numpy(np.float64)
    with_options = np.zeros(blocks, dtype=bool)
    with_options[table.block[np.isin(table.kind, (CALL, PUT, UNKNOWN))]] = True
    block_of_group = table.block[groups.first_leg]
    margin = groups.amounts.maintenance * groups.units
    incomplete = np.bincount(block_of_group, np.isnan(margin), minlength=blocks) > 0
    optimum = np.where(incomplete, np.nan, np.bincount(block_of_group, np.nan_to_num(margin), minlength=blocks)) * fx
    apart = np.bincount(table.block, choice.alone * table.quantity, minlength=blocks)
    matched = np.bincount(choice.program.block, greedy * choice.program.saving, minlength=blocks)
    bound, greedily = (apart - chosen.bound) * fx, (apart - matched) * fx
    rows = owner[["portfolio_id"]].assign(
        underlying=owner["class_group"],
        optimum=optimum,
        lower_bound=np.where(incomplete, np.nan, bound),
        greedy_margin=np.where(incomplete, np.nan, greedily),
        seconds=chosen.seconds,
        apart=apart * fx,
        options=with_options,
    )
    key = ["portfolio_id", "underlying"]
    total = rows.assign(unknown=rows["optimum"].isna()).groupby(key, sort=True).sum().reset_index()
    total.loc[total["unknown"] > 0, ["optimum", "lower_bound", "greedy_margin"]] = np.nan
    total = total[total["options"] > 0].reset_index(drop=True)
    slack = total["optimum"] - total["lower_bound"]
    # Bounds are what legs need apart less what can be saved: they carry the rounding of those larger figures.
    noise_floor = 1e-9 * np.maximum(total["optimum"], 1.0) + 1e-12 * total["apart"]
    noise = slack.abs() <= noise_floor
    total["lower_bound"] = total["lower_bound"].mask(noise, total["optimum"])
    total["greedy_margin"] = total["greedy_margin"].mask((total["greedy_margin"] - total["optimum"]).abs() <= noise_floor, total["optimum"])
    total["gap"] = np.where(noise, 0.0, slack / total["optimum"].where(total["optimum"] > 0))
    total.loc[total["optimum"].isna(), "gap"] = np.nan
    return total[PROOF_COLUMNS].astype({"portfolio_id": "str", "underlying": "str"})
