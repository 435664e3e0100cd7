"""Pairs of positions that may offset each other, and what one unit of matched exposure saves.

Belongs here: which pairs qualify (sign, correlation, class) and the saving of a pair. Not here: which pairs are looked at and how much of
each is matched (`cross_margin_matching`), tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from margin_pipeline.margin.cross_margin_correlation import ReturnCorrelation
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


def qualifying_pairs(
    held: NetPositions,
    correlation: ReturnCorrelation,
    benefit_table: np.ndarray,
    rules: CrossMarginRules,
    first: np.ndarray,
    second: np.ndarray,
) -> tuple[Pairs, np.ndarray]:
    """Those of some pairs that reduce risk enough, computed in full precision.

    Parameters
    ----------
    held : n net positions.
    correlation : of their returns.
    benefit_table : result of `group_benefits` for the groups of `held`.
    rules : rules in force.
    first, second : (m,) candidates, first < second.

    Returns
    -------
    Pairs with s >= threshold, and pairs of a class benefit with s >= class_threshold; s = correlation for opposite signs and
    -correlation for equal ones, so that what adds risk never qualifies. And (m,) which of the candidates they are.
    """
    s = np.minimum(correlation.entries(first, second) * (-held.sign[first] * held.sign[second]), 1.0)
    by_correlation = s >= rules.threshold
    benefit = benefit_table[held.group[first], held.group[second]].astype(np.int64)
    by_class = (s >= rules.class_threshold) & (benefit != NO_BENEFIT) & _durations_match(held, rules, first, second, benefit)
    qualifies = by_correlation | by_class
    if rules.hedge_ratio_tolerance is not None:
        one, other = held.capacity[first], held.capacity[second]
        qualifies &= np.minimum(one, other) / np.maximum(one, other) >= 1 - rules.hedge_ratio_tolerance
    benefit = np.where(by_correlation, BY_CORRELATION, benefit)
    first, second, s, benefit = first[qualifies], second[qualifies], s[qualifies], benefit[qualifies]
    unit = held.margin / held.capacity
    return Pairs(first, second, s, benefit, saving_rates(unit[first], unit[second], s, benefit, rules.class_benefits)), qualifies


def _durations_match(held: NetPositions, rules: CrossMarginRules, first: np.ndarray, second: np.ndarray, benefit: np.ndarray) -> np.ndarray:
    """(m,) False where a benefit needs durations that match and they don't, or aren't known."""
    needs = np.array([c.condition == "matched_duration" for c in rules.class_benefits] + [False, False])[benefit]
    return ~needs | (np.abs(held.duration[first] - held.duration[second]) <= rules.duration_tolerance_years)


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
    # Written without the difference of two nearly equal numbers.
    by_correlation = 2 * a * b * (1 + s) / (a + b + np.sqrt(np.maximum((a - b) ** 2 + 2 * a * b * (1 - s), 0.0)))
    if not benefits:
        return by_correlation
    rate = np.array([c.rate for c in benefits])[np.maximum(benefit, 0)]
    smaller = np.array([c.basis == "smaller" for c in benefits])[np.maximum(benefit, 0)]
    by_class = rate * np.where(smaller, np.minimum(a, b), a + b)
    return np.where(benefit == BY_CORRELATION, by_correlation, np.minimum(by_class, by_correlation))
