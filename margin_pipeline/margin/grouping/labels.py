"""Names for what the optimisation puts together: named structures out of universal spreads, composites out of groups.

Belongs here: taking a universal spread apart where that costs nothing, telling groups that have a name together. Not here: requirements.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.grouping.universal import Places, joined
from margin_pipeline.margin.structures import COMPOSITES, STRUCTURES, Candidates, LegTable, Structure, find_candidates
from margin_pipeline.margin.structures.candidates import COMPARISONS, LIMITED_RISK
from margin_pipeline.margin.structures.catalogue import LONG, SHORT
from margin_pipeline.margin.structures.leg_table import Array

NAMED = tuple(s for s in STRUCTURES if s.requirement in LIMITED_RISK)
UNIVERSAL = len(STRUCTURES)
"""Number of universal spreads among the structures."""


def taken_apart(table: LegTable, places: Places, contracts: Array, alone: Array, equal: bool) -> tuple[Candidates, Array]:
    """Named structures within universal spreads, where the parts need together what the whole needs; what is left stays universal.

    Parameters
    ----------
    table, places : legs and places.
    contracts : (m,) whole contracts of each member.
    alone : (n,) what a unit of each leg needs on its own.
    equal : whether a universal spread holds as many longs as shorts of each type.

    Returns
    -------
    The parts, by place, and units of each; structure ``UNIVERSAL`` for what is left.

    Notes
    -----
    Structures of more legs come off first, then those earlier in the alphabet, then by their legs. A piece that needs `l` and loses
    `l(S)` at a price comes off a spread that needs `z` and loses `L(S)` as often as z - L(S) >= k (l - l(S)) at every price, which only
    gets harder as others come off: one pass finds all. Long options that need nothing on their own leave too where nothing changes.
    """
    held = np.flatnonzero(contracts > 0)
    sub = table.part(places.leg[held], places.place[held], contracts[held])
    candidates = find_candidates(sub, NAMED)
    order = _by_size_and_name(candidates)
    first = np.searchsorted(candidates.block[order], np.arange(len(places) + 1))
    pieces: list[tuple[int, float, Array, Array]] = []
    for place in np.unique(places.place[held]).tolist():
        own = np.flatnonzero(sub.block == place)
        loss, legs = _loss_of(places, place, held[own]), places.leg[held[own]]
        left = contracts[held[own]].copy()
        for c in _coming_off(candidates, order[first[place] : first[place + 1]], own[0], loss, left):
            pieces.append((STRUCTURES.index(NAMED[candidates.structure[c[0]]]), c[1], legs[c[2]], c[3]))
        if not equal:
            _drop_spare(sub, own, loss, left, alone[legs])
        if left.any():
            units = float(np.gcd.reduce(left[left > 0].astype(np.int64)))
            rest = np.flatnonzero(left)
            pieces.append((UNIVERSAL, units, legs[rest], left[rest] / units))
    return _stacked(table, pieces)


def _loss_of(places: Places, place: int, members: Array) -> Array:
    """(r, k) loss of one contract of some members of a place at every kink."""
    rows, entries = places.losses.of(np.array([place]))
    taken = np.isin(places.losses.member[entries], members)
    entries = entries[taken]
    loss = np.zeros((len(rows), len(members)))
    loss[places.losses.row[entries] - rows[0], np.searchsorted(members, places.losses.member[entries])] = places.losses.value[entries]
    return loss


def _by_size_and_name(candidates: Candidates) -> Array:
    """Candidates by place, then those of more legs, then by name; among equals as they were found, by their legs."""
    sizes = np.array([len(s.legs) for s in NAMED])
    names = np.argsort(np.argsort([s.name for s in NAMED]))
    return np.lexsort((names[candidates.structure], -sizes[candidates.structure], candidates.block))


def _coming_off(candidates: Candidates, order: Array, offset: int, loss: Array, left: Array) -> list[tuple[int, float, Array, Array]]:
    """Candidates that come off a spread as (candidate, units, legs of the spread, contracts in a unit); `left` loses what they take."""
    total = loss @ left
    need = max(float(total.max()), 0.0)
    slack = need - total
    tolerance = 1e-9 * max(need, 1.0)
    found = []
    for c in order.tolist():
        legs = candidates.leg[candidates.start[c] : candidates.start[c + 1]] - offset
        use = candidates.use[candidates.start[c] : candidates.start[c + 1]]
        if (left[legs] < use).any():
            continue
        own = loss[:, legs] @ use
        own_need = max(float(own.max()), 0.0)
        steps = own_need - own
        binding = steps > tolerance
        most = min(float((left[legs] / use).min()), float(((slack[binding] + tolerance) / steps[binding]).min(initial=np.inf)))
        most = min(most, (need + tolerance) / own_need) if own_need > 0 else most
        units = float(np.floor(most + 1e-9))
        if units < 1.0:
            continue
        left[legs] -= units * use
        slack, need = np.maximum(slack - units * steps, 0.0), max(need - units * own_need, 0.0)
        found.append((c, units, legs, use))
    return found


def _drop_spare(sub: LegTable, own: Array, loss: Array, left: Array, alone: Array) -> None:
    """Take out long options that need nothing on their own, as long as nothing changes; shorts stay outnumbered by longs of their type."""
    total = loss @ left
    need = max(float(total.max(initial=0.0)), 0.0)
    for leg in np.flatnonzero((sub.side[own] == LONG) & (alone == 0.0) & (left > 0)).tolist():
        same = sub.kind[own] == sub.kind[own[leg]]
        spare = left[same & (sub.side[own] == LONG)].sum() - left[same & (sub.side[own] == SHORT)].sum()
        gains = -loss[:, leg]
        helps = gains > 0.0
        room = float(((need - total[helps] + 1e-9 * max(need, 1.0)) / gains[helps]).min(initial=np.inf))
        units = np.floor(min(left[leg], spare, room) + 1e-9)
        if units >= 1.0:
            left[leg] -= units
            total += units * gains


def _stacked(table: LegTable, pieces: list[tuple[int, float, Array, Array]]) -> tuple[Candidates, Array]:
    sizes = [len(legs) for _, _, legs, _ in pieces]
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    leg = np.concatenate([np.zeros(0, dtype=np.int64), *(legs for _, _, legs, _ in pieces)])
    use = np.concatenate([np.zeros(0), *(use for *_, use in pieces)])
    structure = np.array([structure for structure, *_ in pieces], dtype=np.int64)
    units = np.array([units for _, units, _, _ in pieces], dtype=np.float64)
    return Candidates(structure, table.block[leg[start[:-1]]], start, leg, use), units


@dataclass(frozen=True)
class Union:
    """Groups that have a name together: the composite, its parts (groups) in their order, and the legs of one unit."""

    composite: Structure
    parts: tuple[int, ...]
    legs: Array


def unions(table: LegTable, structure: Array, units: Array, start: Array, leg: Array, joinable: Array) -> list[Union]:
    """Groups that make up composites, each group in one union at most.

    Parameters
    ----------
    table : legs.
    structure, units, start : (g,), (g,), (g + 1,) names, units and first entries of the groups; `leg` (e,) their legs.
    joinable : (g,) whether a group may be joined: all its units go into the union, so those of the parts must be equal.
    """
    free = joinable.copy()
    found: list[Union] = []
    for composite in COMPOSITES:
        for alternative in composite.parts:
            wanted = [np.flatnonzero(free & (structure == name)) for name, _ in alternative]
            if all(len(groups) for groups in wanted):
                found += _unions_of(table, composite, alternative, wanted, units, start, leg, free)
    return found


def _unions_of(
    table: LegTable,
    composite: Structure,
    alternative: tuple[tuple[str, tuple[int, ...]], ...],
    wanted: list[Array],
    units: Array,
    start: Array,
    leg: Array,
    free: Array,
) -> list[Union]:
    parts = wanted[0][:, None]
    for groups in wanted[1:]:
        key = table.block[leg[start[groups]]]
        order = np.argsort(key, kind="stable")
        left, right = joined(table.block[leg[start[parts[:, 0]]]], key[order])
        parts = np.concatenate([parts[left], groups[order][right][:, None]], axis=1)
        parts = parts[units[parts[:, 0]] == units[parts[:, -1]]]
    legs = np.full((len(parts), len(composite.legs)), -1)
    fits = np.ones(len(parts), dtype=bool)
    for column, (_, slots) in enumerate(alternative):
        for position, slot in enumerate(slots):
            here = leg[start[parts[:, column]] + position]
            fits &= (legs[:, slot] < 0) | (legs[:, slot] == here)
            legs[:, slot] = here
    fits &= _is_composite(table, composite, legs)
    found = []
    for row in np.flatnonzero(fits).tolist():
        groups = parts[row]
        if free[groups].all():
            free[groups] = False
            found.append(Union(composite, tuple(groups.tolist()), legs[row]))
    return found


def _is_composite(table: LegTable, composite: Structure, legs: Array) -> Array:
    """Whether the legs are of one kind of contract, of the types that the composite declares, and meet its conditions."""
    holds = np.ones(len(legs), dtype=bool)
    for slot, declared in enumerate(composite.legs):
        holds &= (table.kind[legs[:, slot]] == declared.kind) & (table.side[legs[:, slot]] == declared.side)
        for field in ("size", "multiplier", "deliverable", "european"):
            values = getattr(table, field)
            holds &= values[legs[:, slot]] == values[legs[:, 0]]
    for field, a, comparison, b in composite.conditions:
        values = getattr(table, field)
        holds &= COMPARISONS[comparison](values[legs[:, a]], values[legs[:, b]])
    return holds
