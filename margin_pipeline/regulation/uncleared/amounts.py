"""Thresholds shared within a counterparty, credit support amounts, and what moves once the minimum transfer amount is reached.

Belongs here: the arithmetic over arrays of netting sets. Not here: who is in scope (`scope`), tables (`calls`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


def scaled_to(agreed: Array, pair: Array, greatest: Array) -> Array:
    """Agreed amounts, scaled down where those of one counterparty add up to more than the greatest that its regime allows.

    Parameters
    ----------
    agreed : (n,) amounts >= 0 of netting sets.
    pair : (n,) number of the counterparty of each.
    greatest : (pairs,) greatest sum, infinite where there is none, NaN where it is unknown.

    Returns
    -------
    (n,) amounts, NaN where the greatest is unknown.
    """
    total = np.bincount(pair, weights=agreed, minlength=len(greatest))
    scale = np.where(total > greatest, greatest / np.where(total > 0, total, 1.0), 1.0)
    return agreed * np.where(np.isnan(greatest), np.nan, scale)[pair]


def threshold_shares(agreed: Array, requirement: Array, pair: Array, greatest: Array) -> Array:
    """Threshold of initial margin that each netting set may use.

    Parameters
    ----------
    agreed : (n,) agreed thresholds, NaN where nothing is agreed.
    requirement : (n,) initial margin of one side, NaN where unknown.
    pair : (n,) number of the counterparty of each.
    greatest : (pairs,) greatest threshold of the regime for a counterparty.

    Returns
    -------
    (n,) thresholds, adding up to no more than the greatest within a counterparty. Agreed ones count as far as the regime allows; what they
    leave of the greatest goes to the sets without an agreed one, in proportion to their requirements. NaN throughout a counterparty where
    one of these requirements is unknown.

    Notes
    -----
    BCBS/IOSCO requirement 2: one threshold for all netting sets between two groups. With no agreed threshold, the requirements of a
    counterparty less their shares add up to max(sum of requirements - greatest, 0).
    """
    has = ~np.isnan(agreed)
    given = np.where(has, agreed, 0.0)
    left = np.maximum(greatest - np.bincount(pair, weights=given, minlength=len(greatest)), 0.0)
    asking = np.where(has, 0.0, requirement)
    total = np.bincount(pair, weights=asking, minlength=len(greatest))
    sharers = np.bincount(pair, weights=~has, minlength=len(greatest))
    even = left[pair] / np.maximum(sharers[pair], 1.0)
    rest = np.where(total[pair] == 0.0, even, left[pair] * (asking / np.where(total[pair] == 0.0, 1.0, total[pair])))
    return np.where(has, scaled_to(given, pair, greatest), rest)


@dataclass(frozen=True)
class Side:
    """Initial or variation margin of one side of netting sets, base currency, NaN where unknown.

    Attributes
    ----------
    required : (n,) what the collecting party should hold.
    held : (n,) what it holds.
    shortfall : (n,) what it lacks, before the minimum transfer amount.
    delivery : (n,) what the other party delivers to it now.
    returned : (n,) what it returns now.
    """

    required: Array
    held: Array
    shortfall: Array
    delivery: Array
    returned: Array


def variation_margin_due(value: Array, threshold: Array, held: Array) -> Array:
    """Variation margin due to us, negative where due from us, before the minimum transfer amount.

    Parameters
    ----------
    value : (n,) value of netting sets to us.
    threshold : (n,) threshold >= 0 of either party.
    held : (n,) net variation margin held, negative where given.

    Notes
    -----
    ISDA Credit Support Annex, paragraph 3: the credit support amount is the exposure less the threshold, at least zero; the delivery or
    return amount is its difference to what is held.
    """
    return np.maximum(value - threshold, 0.0) - np.maximum(-value - threshold, 0.0) - held


def moves(amounts: tuple[Array, ...], minimum: Array) -> Array:
    """Whether amounts due from one party move together: 1 where their sum reaches the minimum transfer amount, 0 where not.

    An unknown amount (NaN) leaves the others moving where they reach the minimum alone, and unknown (NaN) otherwise.
    """
    known = np.sum([np.nan_to_num(amount, nan=0.0) for amount in amounts], axis=0)
    unknown = np.any([np.isnan(amount) for amount in amounts], axis=0) | np.isnan(minimum)
    return np.where(known >= minimum, 1.0, np.where(unknown, np.nan, 0.0))


def variation_sides(value: Array, threshold: Array, held: Array, moving: tuple[Array, Array]) -> tuple[Side, Side]:
    """Calling and posting side of variation margin.

    Parameters
    ----------
    value, threshold, held : (n,) as for `variation_margin_due`.
    moving : whether what is due to us and what is due from us moves.

    Notes
    -----
    What is due to us is what we lack and what the other party holds too much of, and the other way round: of these two sums one is zero,
    so that the sides never have a delivery both.
    """
    to_us, from_us = moving
    call, post = np.maximum(value - threshold, 0.0), np.maximum(-value - threshold, 0.0)
    ours, theirs = np.maximum(held, 0.0), np.maximum(-held, 0.0)
    return _side(call, ours, to_us, from_us), _side(post, theirs, from_us, to_us)


def _side(required: Array, held: Array, toward: Array, away: Array) -> Side:
    """One side: a shortfall is delivered where amounts toward it move, an excess is returned where those away from it do."""
    shortfall, excess = np.maximum(required - held, 0.0), np.maximum(held - required, 0.0)
    return Side(required, held, shortfall, _moved(shortfall, toward), _moved(excess, away))


def initial_side(required: Array, held: Array, moving: Array, minimum: Array) -> Side:
    """One side of initial margin: shortfalls are delivered where they move, an excess is returned once it reaches the minimum alone."""
    excess = np.maximum(held - required, 0.0)
    return _side(required, held, moving, moves((excess,), minimum))


def _moved(amount: Array, moving: Array) -> Array:
    """What moves of an amount; nothing of nothing, even where it is unknown whether something else moves."""
    return np.where(amount == 0.0, 0.0, amount * moving)
