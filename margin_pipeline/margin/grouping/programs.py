"""From legs and candidates to the program that is solved: what a unit saves, the order of ties, whole capacities.

Belongs here: that translation. Not here: solving, tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.grouping.optimise import Program
from margin_pipeline.margin.structures import STRUCTURES, Amounts, Candidates, LegTable, requirement_of
from margin_pipeline.margin.structures.leg_table import Array

PENALTY = 100.0
"""A leg that cannot stand alone (an input is missing, or the account does not admit it) is priced at so many times the greatest value of
its block, so that it joins a structure that can be computed wherever there is one."""


@dataclass(frozen=True)
class Choice:
    """A program with the candidate behind each of its columns and the price of each leg on its own.

    Attributes
    ----------
    program : the program.
    candidate : (c,) candidate of each column.
    alone : (n,) maintenance of one unit of each leg on its own, penalised where it is missing; instrument currency.
    """

    program: Program
    candidate: Array
    alone: Array


def build(table: LegTable, candidates: Candidates, singles: Amounts) -> Choice:
    """The program of the candidates that never cost more than their legs apart.

    Candidates that cost more are left out: taking their legs apart is always better, so the optimum is the same.
    """
    alone = _price_alone(table, singles)
    maintenance = _maintenance(table, candidates)
    apart = np.add.reduceat(alone[candidates.leg] * candidates.use, candidates.start[:-1]) if len(candidates) else np.zeros(0)
    saving = apart - maintenance
    tolerance = 1e-9 * np.maximum(apart, 1.0)
    useful = np.flatnonzero(saving >= -tolerance)
    order = _order(table, candidates, useful)
    useful = useful[order]
    kept = _columns(candidates, useful, np.where(np.abs(saving) <= tolerance, 0.0, saving), table)
    return Choice(kept, useful, alone)


def _price_alone(table: LegTable, singles: Amounts) -> Array:
    value = np.nan_to_num(np.fmax(np.fmax(table.strike * table.multiplier, table.spot * table.size), table.price * table.multiplier))
    greatest = np.ones(int(table.block.max(initial=-1)) + 1)
    np.maximum.at(greatest, table.block, value)
    return np.where(np.isnan(singles.maintenance), PENALTY * greatest[table.block], singles.maintenance)


def _maintenance(table: LegTable, candidates: Candidates) -> Array:
    maintenance = np.full(len(candidates), np.nan)
    for number, structure in enumerate(STRUCTURES):
        chosen = np.flatnonzero(candidates.structure == number)
        if len(chosen):
            maintenance[chosen] = requirement_of(structure, table, candidates.index_of(chosen)).maintenance
    return maintenance


def _order(table: LegTable, candidates: Candidates, chosen: Array) -> Array:
    """Permutation of the chosen candidates into the order of block, structure name and symbols."""
    names = np.argsort(np.argsort([s.name for s in STRUCTURES], kind="stable"), kind="stable")
    symbols = symbol_keys(np.unique(table.symbol.astype(str), return_inverse=True)[1], candidates.start, candidates.leg)[chosen]
    return np.lexsort((*symbols.T[::-1], names[candidates.structure[chosen]], candidates.block[chosen]))


SYMBOL_KEYS = 8
"""Symbols by which rows of legs are put in order."""


def symbol_keys(rank: Array, start: Array, leg: Array) -> Array:
    """(c, SYMBOL_KEYS) least ranks of the symbols of each row of legs, ascending, padded with -1 at the end."""
    sizes = np.diff(start)
    row = np.repeat(np.arange(len(sizes)), sizes)
    ranks = rank[leg][np.lexsort((rank[leg], row))]
    place = np.arange(len(leg)) - np.repeat(start[:-1], sizes)
    keys = np.full((len(sizes), SYMBOL_KEYS), -1)
    kept = place < SYMBOL_KEYS
    keys[row[kept], place[kept]] = ranks[kept]
    return keys


def _columns(candidates: Candidates, chosen: Array, saving: Array, table: LegTable) -> Program:
    """The program of the chosen candidates, with capacities in whole units where all candidates use a leg in the same quantity."""
    block = candidates.block[chosen]
    first = np.searchsorted(block, block)
    joined = np.array([sum(leg.ratio for leg in structure.legs) for structure in STRUCTURES])[candidates.structure]
    whole = Program(
        saving=saving,
        order=np.zeros(len(saving)),
        units_joined=joined,
        block=candidates.block,
        start=candidates.start,
        leg=candidates.leg,
        use=candidates.use,
        capacity=table.quantity,
    ).part(chosen)
    greatest, least = np.zeros(len(table)), np.full(len(table), np.inf)
    np.maximum.at(greatest, whole.leg, whole.use)
    np.minimum.at(least, whole.leg, whole.use)
    lots = (greatest == least) & (greatest > 0)
    unit = np.where(lots, greatest, 1.0)
    contracts = table.kind > 0
    capacity = table.quantity / unit
    capacity = np.where(lots | contracts, np.floor(capacity + 1e-9), capacity)
    return Program(
        saving=whole.saving,
        order=np.arange(len(chosen)) - first,
        units_joined=whole.units_joined,
        block=whole.block,
        start=whole.start,
        leg=whole.leg,
        use=whole.use / unit[whole.leg],
        capacity=capacity,
    )
