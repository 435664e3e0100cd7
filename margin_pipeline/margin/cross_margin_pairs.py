"""Pairs of positions that may offset each other, and what one unit of matched exposure saves.

Belongs here: which pairs qualify (sign, correlation, class) and the saving of a pair. Not here: how much of each pair is matched
(`cross_margin_program`), tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.cross_margin_sampling import likely_pairs
from margin_pipeline.parameters.cross_margin import ClassBenefit, CrossMarginRules

HEDGE = "hedge"
DIVERSIFICATION = "diversification"
BY_CORRELATION = -1
NO_BENEFIT = -2


@dataclass(frozen=True)
class NetPositions:
    """Net positions of one portfolio, one a symbol, in alphabetical order.

    Attributes
    ----------
    sign : (n,) +1 long, -1 short.
    capacity : (n,) size of the net exposure times beta (or volatility), base currency, > 0.
    margin : (n,) stand-alone maintenance margin of the net position, base currency, > 0.
    group : (n,) index of class and sector, see `group_benefits`.
    duration : (n,) modified duration of bonds in years, NaN elsewhere.
    """

    sign: np.ndarray
    capacity: np.ndarray
    margin: np.ndarray
    group: np.ndarray
    duration: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """Pairs that qualify, first < second.

    Attributes
    ----------
    first, second : (m,) indices of net positions.
    s : (m,) correlation, negative for positions of the same sign: what offsets is positive.
    benefit : (m,) index of the class benefit, `BY_CORRELATION` where correlation alone earns the offset.
    saving_rate : (m,) saving a unit of matched exposure.
    """

    first: np.ndarray
    second: np.ndarray
    s: np.ndarray
    benefit: np.ndarray
    saving_rate: np.ndarray

    def __len__(self) -> int:
        """Count of pairs."""
        return len(self.first)


def group_benefits(classes: Sequence[str | None], sectors: Sequence[str | None], benefits: Sequence[ClassBenefit]) -> np.ndarray:
    """Which class benefit each pair of groups may have; a group is a class with a sector.

    Parameters
    ----------
    classes, sectors : (g,) class and sector of each group, None where unknown.
    benefits : class benefits; of two for the same classes the first counts.

    Returns
    -------
    (g, g) index of the benefit, `NO_BENEFIT` where there is none. Equal or unknown sectors are never different.
    """
    of_class = np.array([str(c) for c in classes], dtype=object)
    sector = np.array([str(s) for s in sectors], dtype=object)
    known = np.array([s is not None for s in sectors], dtype=bool)
    different = (sector[:, None] != sector[None, :]) & known[:, None] & known[None, :]
    table = np.full((len(classes), len(classes)), NO_BENEFIT, dtype=np.int8)
    for number, benefit in reversed(list(enumerate(benefits))):
        one, other = benefit.classes
        pair = (of_class[:, None] == one) & (of_class[None, :] == other)
        pair = pair | pair.T
        table[pair & different if benefit.condition == "different_sector" else pair] = number
    return table


def find_pairs(held: NetPositions, correlation: np.ndarray, benefit_table: np.ndarray, rules: CrossMarginRules) -> Pairs:
    """Pairs that reduce risk enough.

    Parameters
    ----------
    held : n net positions.
    correlation : (n, n) correlation of their returns.
    benefit_table : result of `group_benefits` for the groups of `held`.
    rules : rules in force.

    Returns
    -------
    Pairs with s >= threshold, and pairs of a class benefit with s >= class_threshold; s = correlation for opposite signs and
    -correlation for equal ones, so that what adds risk never qualifies. Beyond `all_pairs_up_to` of them a few likely partners are kept
    for each position (`cross_margin_sampling`).
    """
    offset = correlation * np.outer(held.sign, -held.sign)
    by_correlation = offset >= rules.threshold
    eligible = (offset >= rules.class_threshold) & (by_correlation | _class_benefit_allowed(held, benefit_table, rules))
    if rules.hedge_ratio_tolerance is not None:
        ratio = np.minimum.outer(held.capacity, held.capacity) / np.maximum.outer(held.capacity, held.capacity)
        eligible &= ratio >= 1 - rules.hedge_ratio_tolerance
    np.fill_diagonal(eligible, False)
    if np.count_nonzero(eligible) <= 2 * rules.all_pairs_up_to:
        first, second = np.nonzero(np.triu(eligible))
    else:
        first, second = _candidates(held, offset, eligible, benefit_table, rules)
    s = np.minimum(offset[first, second], 1.0)
    benefit = np.where(s >= rules.threshold, BY_CORRELATION, benefit_table[held.group[first], held.group[second]]).astype(np.int64)
    unit = held.margin / held.capacity
    return Pairs(first, second, s, benefit, saving_rates(unit[first], unit[second], s, benefit, rules.class_benefits))


def _candidates(
    held: NetPositions, offset: np.ndarray, eligible: np.ndarray, benefit_table: np.ndarray, rules: CrossMarginRules
) -> tuple[np.ndarray, np.ndarray]:
    """A few of very many eligible pairs (first < second, in order): likely ones of opposite sign, the strongest of the same sign."""
    size = len(offset)
    long, short = np.flatnonzero(held.sign > 0), np.flatnonzero(held.sign < 0)
    found = [np.zeros((2, 0), dtype=np.int64)]
    if len(long) and len(short):
        block = np.ix_(long, short)
        rate = _block_saving_rates(held, offset[block], long, short, benefit_table, rules)
        capacity = held.capacity[long], held.capacity[short]
        row, column = likely_pairs(rate, eligible[block], *capacity, rules.partners_per_symbol, rules.seed)
        found.append(np.stack([long[row], short[column]]))
    for side in (long, short):
        pairs = side[np.stack(np.nonzero(np.triu(eligible[np.ix_(side, side)])))]
        strongest = np.argsort(-offset[pairs[0], pairs[1]], kind="stable")[: rules.all_pairs_up_to]
        found.append(pairs[:, strongest])
    first, second = np.sort(np.concatenate(found, axis=1), axis=0)
    pair = np.unique(first * size + second)
    return pair // size, pair % size


def _block_saving_rates(
    held: NetPositions, offset: np.ndarray, long: np.ndarray, short: np.ndarray, benefit_table: np.ndarray, rules: CrossMarginRules
) -> np.ndarray:
    """Saving rates of long with short positions in single precision, to choose pairs by; those chosen are computed again in full."""
    unit = (held.margin / held.capacity).astype(np.float32)
    total = unit[long][:, None] + unit[short][None, :]
    saving = offset.astype(np.float32)
    saving += 1
    saving *= np.outer(unit[long] * np.float32(-2), unit[short])
    saving += total * total
    np.sqrt(np.maximum(saving, 0, out=saving), out=saving)
    np.subtract(total, saving, out=saving)
    factor = np.array([c.rate if c.basis == "both" else c.rate / 2 for c in rules.class_benefits] + [0, 0], dtype=np.float32)
    total *= factor[benefit_table][held.group[long]][:, held.group[short]]
    return np.where(offset >= rules.threshold, saving, np.minimum(total, saving))


def saving_rates(a: np.ndarray, b: np.ndarray, s: np.ndarray, benefit: np.ndarray, benefits: Sequence[ClassBenefit]) -> np.ndarray:
    """What a unit of matched exposure of each pair saves.

    Parameters
    ----------
    a, b : (m,) margins of a unit of exposure of the two positions.
    s : (m,) correlation, negative for positions of the same sign.
    benefit : (m,) class benefit, or `BY_CORRELATION`.
    benefits : the class benefits.

    Returns
    -------
    (m,) a + b - sqrt(a^2 + b^2 - 2 s a b); for a class benefit its rate of the basis, never more than that.
    """
    by_correlation = a + b - np.sqrt(np.maximum(a * a + b * b - 2 * s * a * b, 0.0))
    if not benefits:
        return by_correlation
    rate = np.array([c.rate for c in benefits])[np.maximum(benefit, 0)]
    smaller = np.array([c.basis == "smaller" for c in benefits])[np.maximum(benefit, 0)]
    by_class = rate * np.where(smaller, np.minimum(a, b), a + b)
    return np.where(benefit == BY_CORRELATION, by_correlation, np.minimum(by_class, by_correlation))


def _class_benefit_allowed(held: NetPositions, benefit_table: np.ndarray, rules: CrossMarginRules) -> np.ndarray:
    """(n, n) whether classes, sectors and durations of each pair allow a class benefit."""
    allowed = (benefit_table != NO_BENEFIT)[held.group][:, held.group]
    matched = [number for number, benefit in enumerate(rules.class_benefits) if benefit.condition == "matched_duration"]
    rows = np.flatnonzero(np.isin(benefit_table[held.group], matched).any(axis=1)) if matched else np.empty(0, dtype=np.int64)
    if len(rows):
        apart = np.abs(held.duration[rows][:, None] - held.duration[rows][None, :])
        needs_match = np.isin(benefit_table[held.group[rows]][:, held.group[rows]], matched)
        block = np.ix_(rows, rows)
        allowed[block] &= ~needs_match | (apart <= rules.duration_tolerance_years)
    return allowed
