"""Finds every place in the books where a declared structure fits.

Belongs here: joining legs into candidates by the conditions that structures declare. Not here: requirements, the choice among candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.structures.catalogue import SECURITIES, STRUCTURES, Structure
from margin_pipeline.margin.structures.leg_table import Array, LegTable

LIMITED_RISK = ("maximum_loss", "box")
"""Requirements of options that limit each other's loss; such options are of one exercise style."""

PAIRS_ONLY_FROM_LEGS = 62
"""Blocks of so many legs take structures of two legs only: the count of larger ones grows with the third and fourth power."""


@dataclass(frozen=True)
class Candidates:
    """Places of structures, c rows and e entries; a candidate has as many entries as its structure has legs.

    Attributes
    ----------
    structure : (c,) number in STRUCTURES.
    block : (c,) block.
    start : (c + 1,) where the entries of each candidate start.
    leg : (e,) row of the leg table.
    use : (e,) shares or contracts of the leg in one unit.
    """

    structure: Array
    block: Array
    start: Array
    leg: Array
    use: Array

    def __len__(self) -> int:
        return len(self.structure)

    def part(self, chosen: Array) -> Candidates:
        """Some candidates, in the order given."""
        sizes = np.diff(self.start)[chosen]
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        entries = np.repeat(self.start[:-1][chosen] - start[:-1], sizes) + np.arange(start[-1])
        return Candidates(self.structure[chosen], self.block[chosen], start, self.leg[entries], self.use[entries])

    def index_of(self, chosen: Array) -> Array:
        """(n, k) rows of the leg table of candidates that share one structure."""
        legs = self.start[chosen[0] + 1] - self.start[chosen[0]] if len(chosen) else 0
        return self.leg[self.start[chosen][:, None] + np.arange(legs)]


def find_candidates(table: LegTable, structures: tuple[Structure, ...] = STRUCTURES) -> Candidates:
    """All places of all structures, whatever they cost.

    Parameters
    ----------
    table : legs, sorted by block.
    structures : structures to look for.

    Returns
    -------
    Candidates by structure and then by rows of the table.
    """
    legs_in_block = np.bincount(table.block, minlength=int(table.block.max(initial=-1)) + 1)
    small = legs_in_block[table.block] < PAIRS_ONLY_FROM_LEGS
    alone = legs_in_block[table.block] < 2
    found = []
    for number, structure in enumerate(structures):
        eligible = ~alone & (small | (len(structure.legs) <= 2))
        index = _places(table, structure, eligible)
        found.append((np.full(len(index), number), index, _use(table, structure, index)))
    sizes = np.concatenate([np.full(len(index), index.shape[1]) for _, index, _ in found])
    leg = np.concatenate([index.ravel() for _, index, _ in found])
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    use = np.concatenate([u.ravel() for _, _, u in found])
    block = table.block[leg[start[:-1]]] if len(sizes) else np.zeros(0, np.int64)
    return Candidates(np.concatenate([n for n, _, _ in found]), block, start, leg, use)


def _use(table: LegTable, structure: Structure, index: Array) -> Array:
    ratios = np.array([leg.ratio for leg in structure.legs], dtype=np.float64)
    use = np.broadcast_to(ratios, index.shape).copy()
    if structure.legs[0].kind in SECURITIES:
        use[:, 0] = table.units_of_security(index[:, 0], index[:, 1])
    return use


def _places(table: LegTable, structure: Structure, eligible: Array) -> Array:
    """(n, k) rows of the table where the structure fits."""
    index = np.zeros((0, 0), dtype=np.int64)
    for number, leg in enumerate(structure.legs):
        fits = eligible & (table.kind == leg.kind) & (table.side == leg.side) & (table.quantity >= leg.ratio)
        rows = np.flatnonzero(fits)
        index = rows[:, None] if number == 0 else _join(table, index, rows)
        index = index[_conditions_hold(table, structure, index, number)]
        if not len(index):
            return np.zeros((0, len(structure.legs)), dtype=np.int64)
    if structure.legs[0].kind in SECURITIES:
        index = index[table.quantity[index[:, 0]] >= table.units_of_security(index[:, 0], index[:, 1])]
    return index


def _join(table: LegTable, index: Array, rows: Array) -> Array:
    """Every candidate so far with every row of its block."""
    blocks = table.block[rows]
    wanted = table.block[index[:, 0]]
    first = np.searchsorted(blocks, wanted, side="left")
    count = np.searchsorted(blocks, wanted, side="right") - first
    left = np.repeat(np.arange(len(index)), count)
    offset = np.arange(len(left)) - np.repeat(np.cumsum(count) - count, count)
    return np.concatenate([index[left], rows[np.repeat(first, count) + offset][:, None]], axis=1)


def _conditions_hold(table: LegTable, structure: Structure, index: Array, last: int) -> Array:
    """Whether the conditions that involve the leg joined last hold; options of one structure are also of one kind of contract."""
    holds = np.ones(len(index), dtype=bool)
    for field, a, comparison, b in structure.conditions:
        if max(a, b) != last:
            continue
        if field == "american":
            holds &= ~table.european[index[:, a]]
            continue
        values = getattr(table, field)
        holds &= COMPARISONS[comparison](values[index[:, a]], values[index[:, b]])
    first_option = int(structure.legs[0].kind in SECURITIES)
    if last > first_option:
        one, other = index[:, first_option], index[:, last]
        holds &= (table.size[one] == table.size[other]) & (table.multiplier[one] == table.multiplier[other])
        holds &= table.deliverable[one] == table.deliverable[other]
        if structure.requirement in LIMITED_RISK:
            holds &= table.european[one] == table.european[other]
    elif last == first_option == 1:
        holds &= _delivers(table, structure, index[:, 0], index[:, last])
    return holds


def _delivers(table: LegTable, structure: Structure, security: Array, option: Array) -> Array:
    """Whether the security is what the option delivers or, where the structure admits it, an unleveraged fund on the option's index."""
    same = table.deliverable[security] == table.deliverable[option]
    if not structure.follows_index:
        return same
    return same | (table.on_index[option] & (table.leverage[security] == 1.0) & ~table.cash_account[security])


COMPARISONS = {"<": np.less, ">": np.greater, "==": np.equal, "!=": np.not_equal, ">=": np.greater_equal}
