"""Decides, block by block, between named structures alone and universal spreads beside them.

Belongs here: which program decides a block, and what is chosen in all of them. Not here: the programs themselves, frames.

A narrow block is decided by its named structures unless the relaxation with universal spreads shows that less may do; then, and in wide
blocks, the program with universal spreads decides. Among equals, named structures stand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import numpy as np

from margin_pipeline.compute import map_chunks
from margin_pipeline.margin.grouping import labels
from margin_pipeline.margin.grouping.optimise import CANDIDATES_A_PROGRAM, Solution, solve
from margin_pipeline.margin.grouping.programs import Choice, build
from margin_pipeline.margin.grouping.spread_program import Found, SpreadProgram, best_units, relaxed
from margin_pipeline.margin.grouping.universal import Places, find_places
from margin_pipeline.margin.structures import STRUCTURES, Amounts, Candidates, LegTable
from margin_pipeline.margin.structures.candidates import LIMITED_RISK, PAIRS_ONLY_FROM_LEGS
from margin_pipeline.margin.structures.leg_table import Array

NARROW_LEGS = 12
"""Blocks of up to so many legs are decided by named structures where nothing needs less."""

SAME = 1e-9
"""Relative difference of margins that counts as none."""


@dataclass(frozen=True)
class Chosen:
    """What is chosen in all blocks.

    Attributes
    ----------
    candidates : chosen structures; number ``labels.UNIVERSAL`` stands for a universal spread.
    units : (c,) units of each.
    bound : (blocks,) greatest saving that is possible, instrument currency.
    seconds : (blocks,) time spent.
    """

    candidates: Candidates
    units: Array
    bound: Array
    seconds: Array


def choose(table: LegTable, candidates: Candidates, choice: Choice, singles: Amounts, greedy: Array, threads: int = 1) -> Chosen:
    """The structures that save most.

    Parameters
    ----------
    table : legs.
    candidates : places of named structures, `choice` the program of those that may be of use, `greedy` the greedy matcher's units of them.
    singles : amounts of the legs on their own.
    threads : programs that are solved at once; the result does not depend on it.
    """
    blocks = int(table.block.max(initial=-1)) + 1
    legs = np.bincount(table.block, minlength=blocks)
    is_admitted = table.options.universal_spread != "none"
    # Of the widest blocks only pairs are looked for: what larger structures could save there, spreads without a name bound from above.
    places = find_places(table, is_admitted | (legs >= PAIRS_ONLY_FROM_LEGS))
    with_places = np.zeros(blocks, dtype=bool)
    with_places[places.block] = True
    wide = with_places & (legs > NARROW_LEGS) & is_admitted
    narrow = np.flatnonzero(~wide[choice.program.block])
    solution = solve(choice.program.part(narrow), blocks)
    units = np.zeros(len(choice.program.saving))
    units[narrow] = solution.units
    if not len(places):
        return Chosen(*_taken(candidates, choice, units), solution.bound, solution.seconds)
    others = candidates.part(np.flatnonzero(_beside_spreads(table, candidates) & with_places[candidates.block]))
    beside = build(table, others, singles)
    program = _spread_program(table, places, beside, legs)
    saved = np.bincount(choice.program.block, units * choice.program.saving, minlength=blocks)
    if not is_admitted:
        widest = np.flatnonzero(with_places)
        solution.bound[widest] = np.maximum(relaxed(program, widest)[0], saved[widest])
        return Chosen(*_taken(candidates, choice, units), solution.bound, solution.seconds)
    solved, still_open = _relaxed(program, np.flatnonzero(with_places), np.where(wide, -np.inf, saved), solution)
    found = solved + _solved(program, still_open, solution.seconds, threads)
    by_greedy = np.bincount(choice.program.block, greedy * choice.program.saving, minlength=blocks)
    contracts, units_beside = np.zeros(len(places.leg)), np.zeros(len(beside.program.saving))
    for best in found:
        block = best.block
        named = max(saved[block], by_greedy[block])
        solution.bound[block] = max(best.bound, named)
        columns = np.arange(*np.searchsorted(choice.program.block, [block, block + 1]))
        if best.saving > named + SAME * max(program.apart[block], 1.0):
            units[columns] = 0.0
            units_beside[best.columns], contracts[best.members] = best.units, best.contracts
        elif by_greedy[block] > saved[block]:
            # A search that ended early is no worse than the matcher.
            units[columns] = greedy[columns]
    pieces = labels.taken_apart(table, places, contracts, choice.alone, program.equal)
    chosen = [_taken(candidates, choice, units), _taken(others, beside, units_beside), pieces]
    return Chosen(_joined([c for c, _ in chosen]), np.concatenate([u for _, u in chosen]), solution.bound, solution.seconds)


def _taken(candidates: Candidates, choice: Choice, units: Array) -> tuple[Candidates, Array]:
    taken = np.flatnonzero(units > 0)
    return candidates.part(choice.candidate[taken]), units[taken]


def _joined(parts: list[Candidates]) -> Candidates:
    sizes = np.concatenate([np.diff(part.start) for part in parts])
    return Candidates(
        structure=np.concatenate([part.structure for part in parts]),
        block=np.concatenate([part.block for part in parts]),
        start=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        leg=np.concatenate([part.leg for part in parts]),
        use=np.concatenate([part.use for part in parts]),
    )


def _beside_spreads(table: LegTable, candidates: Candidates) -> Array:
    """Candidates that universal spreads do not contain: those with stock, short puts with calls, and spreads of cash accounts."""
    contained = np.array([s.requirement in (*LIMITED_RISK, "long_options") for s in STRUCTURES])
    in_cash_account = np.zeros(int(table.block.max(initial=-1)) + 1, dtype=bool)
    in_cash_account[table.block[table.cash_account]] = True
    return ~contained[candidates.structure] | in_cash_account[candidates.block]


def _spread_program(table: LegTable, places: Places, beside: Choice, legs: Array) -> SpreadProgram:
    quantity = np.floor(table.quantity + 1e-9)
    return SpreadProgram(
        named=beside.program,
        places=places,
        alone=beside.alone,
        quantity=quantity,
        apart=np.bincount(table.block, beside.alone * table.quantity, minlength=len(legs)),
        legs=legs,
        equal=table.options.universal_spread == "balanced",
    )


def _relaxed(program: SpreadProgram, blocks: Array, saved: Array, solution: Solution) -> tuple[list[Found], Array]:
    """Blocks that the relaxation solves, and those that are still open: in all others what is saved is proven to be the most."""
    width = np.bincount(program.named.block, minlength=len(saved)) + np.bincount(
        program.places.block[program.places.place], minlength=len(saved)
    )
    cuts = np.flatnonzero(np.diff(np.cumsum(width[blocks]) // CANDIDATES_A_PROGRAM)) + 1
    solved: list[Found] = []
    still_open = [np.zeros(0, dtype=np.int64)]
    for chunk in np.split(blocks, cuts):
        if not len(chunk):
            continue
        started = time.perf_counter()
        most, integral = relaxed(program, chunk)
        solution.seconds[chunk] += (time.perf_counter() - started) / len(chunk)
        may = most > saved[chunk] + SAME * np.maximum(program.apart[chunk], 1.0)
        solution.bound[chunk[~may]] = saved[chunk[~may]]
        more = [found for found in integral if found.block in set(chunk[may].tolist())]
        solved += more
        still_open.append(np.setdiff1d(chunk[may], [found.block for found in more]))
    return solved, np.concatenate(still_open)


def _solved(program: SpreadProgram, blocks: Array, seconds: Array, threads: int) -> list[Found]:
    found = map_chunks(partial(_timed, program), blocks.tolist(), workers=max(1, min(threads, len(blocks))), anywhere=True)
    for block, (_, spent) in zip(blocks, found, strict=True):
        seconds[block] += spent
    return [best for best, _ in found]


def _timed(program: SpreadProgram, block: int) -> tuple[Found, float]:
    started = time.perf_counter()
    return best_units(program, block), time.perf_counter() - started
