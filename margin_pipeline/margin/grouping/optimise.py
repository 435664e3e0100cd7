"""Chooses the candidates that save the most margin: integer programs, solved exactly, for all blocks together.

Belongs here: the mathematical programs, their proof. Not here: what a candidate is or saves, tables.

A block with one candidate a leg is solved in closed form. The others stand in block-diagonal linear relaxations: where the solution is
integral it is optimal for the integer program; where it is not, the block gets an integer program of its own. A second program, on the
optimal face, breaks ties.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse import csr_array

Array = np.ndarray

CANDIDATES_A_PROGRAM = 6_000
"""Size up to which blocks share one linear relaxation."""

NODE_LIMIT = 5_000
"""Nodes of the search of one block's integer program, so that the result does not depend on the machine's speed."""

TIE_NODE_LIMIT, TIE_CANDIDATES = 50, 1_000
"""Nodes of the search for the tie that is preferred in a block that needed branching, and candidates up to which there is a search."""

INTEGRAL = 1e-6
FACE = 1e-7


@dataclass(frozen=True)
class Program:
    """Maximise the saving: candidates c, legs n, entries e.

    Attributes
    ----------
    saving : (c,) money saved by one unit, >= 0.
    order : (c,) place of the candidate in the order that breaks ties, distinct within a block.
    units_joined : (c,) contracts and lots of stock that one unit joins.
    block : (c,) block of each candidate, ascending.
    start : (c + 1,) where the entries of each candidate start.
    leg : (e,) leg.
    use : (e,) units of the leg in one unit of the candidate.
    capacity : (n,) units of each leg.
    """

    saving: Array
    order: Array
    units_joined: Array
    block: Array
    start: Array
    leg: Array
    use: Array
    capacity: Array

    def part(self, chosen: Array) -> Program:
        """The program of some candidates, in their order."""
        sizes = np.diff(self.start)[chosen]
        start = np.concatenate([[0], np.cumsum(sizes)])
        entries = np.repeat(self.start[:-1][chosen] - start[:-1], sizes) + np.arange(start[-1])
        return Program(
            self.saving[chosen],
            self.order[chosen],
            self.units_joined[chosen],
            self.block[chosen],
            start,
            self.leg[entries],
            self.use[entries],
            self.capacity,
        )

    def candidate_of_entry(self) -> Array:
        """(e,) candidate of each entry."""
        return np.repeat(np.arange(len(self.saving)), np.diff(self.start))

    def most_units(self) -> Array:
        """(c,) units of each candidate if it had its legs to itself."""
        if not len(self.saving):
            return np.zeros(0)
        return np.floor(np.minimum.reduceat(self.capacity[self.leg] / self.use, self.start[:-1]) + 1e-9)


@dataclass(frozen=True)
class Solution:
    """Units of each candidate, and per block: greatest saving that is possible (bound) and seconds spent."""

    units: Array
    bound: Array
    seconds: Array


def solve(program: Program, blocks: int) -> Solution:
    """Units of the candidates that save the most; among equal savings fewest groups (in units), then the order given.

    Parameters
    ----------
    program : candidates sorted by block.
    blocks : number of blocks.

    Returns
    -------
    Solution : units (c,), bound and seconds (blocks,).
    """
    units, bound, seconds = np.zeros(len(program.saving)), np.zeros(blocks), np.zeros(blocks)
    most = program.most_units()
    shared = np.bincount(program.leg, minlength=len(program.capacity))[program.leg] > 1
    contested = np.zeros(blocks, dtype=bool)
    contested[program.block[program.candidate_of_entry()[shared]]] = True
    simple = ~contested[program.block]
    units[simple] = most[simple]
    bound += np.bincount(program.block[simple], (units * program.saving)[simple], minlength=blocks)
    rest = np.flatnonzero(~simple)
    for chosen in _chunks(rest, program.block):
        started = time.perf_counter()
        part = program.part(chosen)
        units[chosen], part_bound, fractional = _relaxation(part)
        here = np.unique(part.block)
        bound[here] = part_bound
        seconds[here] += (time.perf_counter() - started) / len(here)
        for block in fractional:
            started = time.perf_counter()
            own = chosen[part.block == block]
            units[own], bound[block] = _integer_program(program.part(own))
            seconds[block] += time.perf_counter() - started
    return Solution(units, bound, seconds)


def _chunks(candidates: Array, block: Array) -> list[Array]:
    """Candidates cut into programs at the borders of blocks."""
    if not len(candidates):
        return []
    border = np.flatnonzero(np.diff(block[candidates])) + 1
    cuts, last = [], 0
    for start, end in zip([0, *border.tolist()], [*border.tolist(), len(candidates)], strict=True):
        if end - last > CANDIDATES_A_PROGRAM and start > last:
            cuts.append(start)
            last = start
    return np.split(candidates, cuts)


def _matrix(program: Program) -> tuple[Any, Array]:
    """Use of each leg (rows: the legs that occur) by each candidate (columns), and the capacities."""
    legs, row = np.unique(program.leg, return_inverse=True)
    matrix = csr_array((program.use, (row, program.candidate_of_entry())), shape=(len(legs), len(program.saving)))
    return matrix, program.capacity[legs]


def _tie_costs(program: Program) -> Array:
    """Cost of a unit in the second program: fewer groups first, then the order of structures and symbols.

    A unit that joins k contracts (or lots of stock) makes k - 1 groups fewer. The order weighs less than one group in total; a jitter of
    irrational numbers makes sums of places distinct, so that what is left to the solver is no choice. Scaled by block.
    """
    _, position = np.unique(program.block, return_inverse=True)
    largest = np.bincount(position, program.most_units())[position] + 1.0
    places = np.maximum.reduceat(program.order, np.flatnonzero(np.diff(position, prepend=-1)))[position] + 2.0
    jitter = np.modf((program.order + 1.0) * 0.6180339887498949)[0]
    place = (program.order + 1.0 + 0.5 * jitter) / places
    return (1.0 - program.units_joined) * np.minimum(largest, 1e4) + 0.5 * place


def _block_scale(program: Program) -> Array:
    """(c,) greatest saving a unit in the candidate's block, at least 1: savings are divided by it, so that tolerances are relative."""
    _, position = np.unique(program.block, return_inverse=True)
    greatest = np.ones(position.max(initial=-1) + 1)
    np.maximum.at(greatest, position, program.saving)
    return greatest[position]


def _relaxation(program: Program) -> tuple[Array, Array, Array]:
    """Units from the linear relaxation, its value by block (ascending), and the blocks in which the units are not integral."""
    matrix, capacity = _matrix(program)
    _, position = np.unique(program.block, return_inverse=True)
    first = linprog(-program.saving / _block_scale(program), A_ub=matrix, b_ub=capacity, method="highs-ds")
    if first.status != 0:
        raise RuntimeError(f"the linear relaxation of the grouping failed: {first.message}")
    relaxed: Array = np.asarray(first.x)
    bound = np.bincount(position, relaxed * program.saving)
    units = _least_ties(program, matrix, capacity, first)
    lost = np.bincount(position, units * program.saving) < bound - 1e-9 * np.maximum(bound, 1.0)
    units = np.where(lost[position], relaxed, units)
    rounded = np.round(units)
    fractional = np.unique(program.block[np.abs(units - rounded) > INTEGRAL])
    units = np.where(np.isin(program.block, fractional), units, rounded)
    return units, bound, fractional


def _least_ties(program: Program, matrix: Any, capacity: Array, first: OptimizeResult) -> Array:
    """Units that break ties best among the optima of the relaxation: the face where reduced costs are zero and priced legs are used up."""
    columns = np.flatnonzero(first.lower.marginals <= FACE)
    tight = -first.ineqlin.marginals > FACE
    second = linprog(
        _tie_costs(program)[columns],
        A_ub=matrix[~tight][:, columns],
        b_ub=capacity[~tight],
        A_eq=matrix[tight][:, columns],
        b_eq=capacity[tight],
        method="highs-ds",
    )
    if second.status != 0:
        return np.asarray(first.x)
    units = np.zeros(len(program.saving))
    units[columns] = second.x
    return units


def _integer_program(program: Program) -> tuple[Array, float]:
    """Units of one block by branch and bound, and the proven bound on the saving."""
    matrix, capacity = _matrix(program)
    value = program.saving / float(_block_scale(program)[0])
    relaxed = linprog(-value, A_ub=matrix, b_ub=capacity, method="highs-ds")
    first = _branch_and_bound(-value, program, LinearConstraint(matrix, -np.inf, capacity), NODE_LIMIT)
    if first.x is None or relaxed.status != 0:
        raise RuntimeError(f"the integer program of the grouping failed: {first.message}")
    units = np.round(first.x)
    best = float(value @ units)
    if first.status == 0:
        # A candidate whose reduced cost exceeds what integrality costs is in no optimum.
        useful = np.flatnonzero(np.asarray(relaxed.lower.marginals) <= float(value @ np.asarray(relaxed.x)) - best + FACE)
        units = _better_ties(program, units, useful) if len(useful) <= TIE_CANDIDATES else units
    bound = best if first.status == 0 else max(-float(first.mip_dual_bound), best)
    return units, bound * float(_block_scale(program)[0])


def _branch_and_bound(cost: Array, program: Program, constraints: Any, nodes: int) -> OptimizeResult:
    options: Any = {"mip_rel_gap": 0.0, "node_limit": nodes}
    whole = np.ones(len(cost), dtype=np.int64)
    return milp(cost, integrality=whole, bounds=Bounds(0.0, program.most_units()), constraints=constraints, options=options)


def _better_ties(program: Program, units: Array, useful: Array) -> Array:
    """Units that save as much with fewer groups, then by the order given; the same units where the search does not end within its nodes."""
    part = program.part(useful)
    matrix, capacity = _matrix(part)
    value = part.saving / float(_block_scale(program)[0])
    best = float(value @ units[useful])
    same = LinearConstraint(value[None, :], best - 1e-9 * max(best, 1.0), np.inf)
    found = _branch_and_bound(_tie_costs(part), part, [LinearConstraint(matrix, -np.inf, capacity), same], TIE_NODE_LIMIT)
    if found.status != 0 or float(value @ np.round(found.x)) < best - 1e-8 * max(best, 1.0):
        return units
    better = np.zeros(len(units))
    better[useful] = np.round(found.x)
    return better
