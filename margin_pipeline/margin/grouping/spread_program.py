"""Chooses named structures and universal spreads together: one integer program a block, with the loss of each spread as an epigraph.

Belongs here: that program, its relaxation and its proof. Not here: which legs may stand together (universal), what a candidate saves.

Columns: units of candidates, contracts of each leg in each place, the greatest loss of each place, and one column fixed at 1 that stands
for what all legs need apart, so that gaps are relative to the margin and not to the saving.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from margin_pipeline.margin.grouping.optimise import Array, Program
from margin_pipeline.margin.grouping.universal import Places, positions

NODE_LIMIT, WIDE_NODE_LIMIT = 5_000, 500
"""Nodes of the search of one block, so that the result does not depend on the machine's speed."""

INTEGRAL = 1e-7

PROVEN = 1e-9
"""Difference between what a solver claims and what whole units save, relative to what all legs need apart, that counts as none."""

WIDE_LEGS, WIDE_GAP = 62, 1e-3
"""Blocks of so many legs end their search at this gap, relative to the margin; in smaller ones it goes on to the optimum."""


@dataclass(frozen=True)
class SpreadProgram:
    """Maximise the saving of some blocks.

    Attributes
    ----------
    named : candidates that are no limited-risk combination of options.
    places : places of universal spreads.
    alone : (n,) money a unit of each leg needs on its own.
    quantity : (n,) whole contracts of each leg.
    apart : (blocks,) money that all legs of a block need on their own.
    legs : (blocks,) legs of each block.
    equal : whether a universal spread holds as many longs as shorts of each type, rather than at least as many.
    """

    named: Program
    places: Places
    alone: Array
    quantity: Array
    apart: Array
    legs: Array
    equal: bool


@dataclass(frozen=True)
class Found:
    """Of one block: units of columns of `named`, contracts of members of `places`, what they save, and what could be saved at most."""

    block: int
    columns: Array
    units: Array
    members: Array
    contracts: Array
    saving: float
    bound: float


@dataclass(frozen=True)
class _Matrix:
    columns: Array
    members: Array
    places: Array
    cost: Array
    constraints: Any
    limit: Array
    most: Array
    scale: float


def _assembled(program: SpreadProgram, blocks: Array) -> _Matrix:
    """The program of some blocks, ascending, as a matrix: money in units of the greatest price of a leg, losses in steps of their place."""
    named, places = program.named, program.places
    columns, own_places = positions(named.block, blocks), positions(places.block, blocks)
    members = positions(places.place, own_places)
    part, leg = named.part(columns), places.leg[members]
    legs, position = np.unique(np.concatenate([part.leg, leg]), return_inverse=True)
    entry, member_row = position[: len(part.leg)], position[len(part.leg) :]
    scale = max(1.0, float(program.alone[legs].max(initial=1.0)))
    first_member, first_place = len(columns), len(columns) + len(members)
    step = np.where(_is_stepped(program, own_places), places.step[own_places], scale)
    rows = [entry, member_row]
    at = [part.candidate_of_entry(), first_member + np.arange(len(members))]
    values = [part.use, np.ones(len(members))]
    height = len(legs)
    for kind in (places.losses, places.lacks, places.spares):
        own_rows, entries = kind.of(own_places)
        unit = step[np.searchsorted(own_places, kind.place[kind.row[entries]])] if kind is places.losses else 1.0
        rows.append(height + np.searchsorted(own_rows, kind.row[entries]))
        at.append(first_member + np.searchsorted(members, kind.member[entries]))
        values.append(kind.value[entries] / unit)
        if kind is places.losses:
            rows.append(height + np.arange(len(own_rows)))
            at.append(first_place + np.searchsorted(own_places, kind.place[own_rows]))
            values.append(-np.ones(len(own_rows)))
        height += len(own_rows)
    shape = (height, first_place + len(own_places))
    matrix = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(at))), shape=shape)
    # Stock is counted in lots by its candidates; options, which alone are members, one by one.
    capacity = named.capacity[legs]
    capacity[member_row] = program.quantity[leg]
    upper = np.concatenate([capacity, np.zeros(height - len(legs))])
    lower = np.full(len(upper), -np.inf)
    if program.equal:
        lower[height - 4 * len(own_places) : height - 2 * len(own_places)] = 0.0
    cost = np.concatenate([-part.saving / scale, -program.alone[leg] / scale, step / scale])
    most = np.concatenate([part.most_units(), program.quantity[leg], np.full(len(own_places), np.inf)])
    return _Matrix(columns, members, own_places, cost, matrix, np.stack([lower, upper]), most, scale)


def _is_stepped(program: SpreadProgram, places: Array) -> Array:
    """Whether the greatest loss of each place is counted in whole steps: that tightens small programs and slows down large ones."""
    return ~np.isnan(program.places.step[places]) & (program.legs[program.places.block[places]] < WIDE_LEGS)


def relaxed(program: SpreadProgram, blocks: Array) -> tuple[Array, list[Found]]:
    """What the blocks could save at most by the linear relaxation, and the units of those in which it is integral, hence optimal.

    Parameters
    ----------
    blocks : (k,) ascending.

    Returns
    -------
    (k,) greatest savings, and the blocks that are solved by it.
    """
    m = _assembled(program, blocks)
    constraints = LinearConstraint(m.constraints, m.limit[0], m.limit[1])
    found = milp(m.cost, bounds=Bounds(np.zeros(len(m.most)), m.most), constraints=constraints)
    if found.x is None:
        raise RuntimeError(f"the relaxation of the grouping failed: {found.message}")
    of_columns, of_places = program.named.block[m.columns], program.places.block[m.places]
    of_members = program.places.block[program.places.place[m.members]]
    position = np.searchsorted(blocks, np.concatenate([of_columns, of_members, of_places]))
    most = np.bincount(position, -found.x * m.cost * m.scale, minlength=len(blocks))
    split = len(m.columns) + len(m.members)
    whole = np.round(found.x[:split])
    fractional = np.bincount(position[:split], np.abs(whole - found.x[:split]) > INTEGRAL, minlength=len(blocks)) > 0
    solved = []
    for block in blocks[~fractional].tolist():
        here = np.array([block])
        columns, members, own = (positions(of, here) for of in (of_columns, of_members, of_places))
        part = replace(m, columns=m.columns[columns], members=m.members[members], places=m.places[own])
        units, contracts = whole[columns], whole[len(m.columns) + members]
        saving = _saving(program, part, units, contracts)
        if saving >= most[np.searchsorted(blocks, block)] - PROVEN * max(program.apart[block], 1.0):
            solved.append(Found(block, part.columns, units, part.members, contracts, saving, saving))
    return most, solved


def best_units(program: SpreadProgram, block: int) -> Found:
    """The units of one block that save most, with proof."""
    m = _assembled(program, np.array([block]))
    wide = program.legs[block] >= WIDE_LEGS
    constraints = m.constraints.copy()
    constraints.resize(constraints.shape[0], constraints.shape[1] + 1)
    whole = np.concatenate([np.ones(len(m.columns) + len(m.members)), _is_stepped(program, m.places), [0]])
    base = program.apart[block] / m.scale
    found = milp(
        np.append(m.cost, base),
        integrality=whole,
        bounds=Bounds(np.append(np.zeros(len(m.cost)), 1.0), np.append(m.most, 1.0)),
        constraints=LinearConstraint(constraints, m.limit[0], m.limit[1]),
        options={"mip_rel_gap": WIDE_GAP if wide else 0.0, "node_limit": WIDE_NODE_LIMIT if wide else NODE_LIMIT},
    )
    split = len(m.columns)
    if found.x is None:
        bound = float(relaxed(program, np.array([block]))[0][0])
        return Found(block, m.columns, np.zeros(split), m.members, np.zeros(len(m.members)), 0.0, bound)
    units, contracts = np.round(found.x[:split]), np.round(found.x[split : split + len(m.members)])
    saving = _saving(program, m, units, contracts)
    claimed = (base - float(found.fun)) * m.scale
    is_optimal = found.status == 0 and not wide and claimed - saving <= PROVEN * max(program.apart[block], 1.0)
    bound = saving if is_optimal else max((base - float(found.mip_dual_bound)) * m.scale, saving)
    return Found(block, m.columns, units, m.members, contracts, saving, bound)


def _saving(program: SpreadProgram, m: _Matrix, units: Array, contracts: Array) -> float:
    """What whole units save, computed anew: solvers know the loss of a spread to their tolerance only."""
    places = program.places
    rows, entries = places.losses.of(m.places)
    lost = places.losses.value[entries] * contracts[np.searchsorted(m.members, places.losses.member[entries])]
    loss = np.bincount(np.searchsorted(rows, places.losses.row[entries]), lost, minlength=len(rows))
    greatest = np.zeros(len(m.places))
    np.maximum.at(greatest, np.searchsorted(m.places, places.losses.place[rows]), loss)
    apart = contracts @ program.alone[places.leg[m.members]]
    return float(units @ program.named.saving[m.columns] + apart - greatest.sum())
