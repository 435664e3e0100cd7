"""What applies to each netting set: scope, greatest amounts of its regime, and what is left of the agreed ones.

Belongs here: agreement and regime put together. Not here: the credit support amounts (`amounts`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.regulation.uncleared.amounts import scaled_to
from margin_pipeline.regulation.uncleared.book import MarginBook, Pair, exchange_rate, flag


@dataclass(frozen=True)
class SetTerms:
    """Terms of netting sets, base currency.

    Attributes
    ----------
    initial_scope, variation_scope : (n,) 1 in scope, 0 not, NaN undetermined.
    exchanged : (n,) whether variation margin is exchanged, by rule or by agreement: 1, 0 or NaN.
    variation_threshold : (n,) threshold of variation margin that counts: none where the regime asks for all of it.
    minimum : (n,) minimum transfer amount that counts: the agreed one, as far as the regime allows.
    greatest_threshold, greatest_minimum : (pairs,) of the regime; NaN where unknown, infinite where the regime does not apply.
    """

    initial_scope: np.ndarray
    variation_scope: np.ndarray
    exchanged: np.ndarray
    variation_threshold: np.ndarray
    minimum: np.ndarray
    greatest_threshold: np.ndarray
    greatest_minimum: np.ndarray


def set_terms(book: MarginBook) -> SetTerms:
    """Terms of every netting set.

    Notes
    -----
    The regime prevails over the agreement: a threshold of variation margin counts only where that margin is not required, thresholds of
    initial margin and minimum transfer amounts only up to the greatest of the regime. No amount agreed is zero (ISDA Credit Support Annex,
    definitions of Threshold and Minimum Transfer Amount).
    """
    initial, variation = (np.array([_number(p.scopes[kind].in_scope) for p in book.pairs])[book.pair] for kind in ("initial", "variation"))
    agreed = np.nan_to_num(book.numbers("threshold"), nan=0.0)
    margined = np.array([_number(flag(value)) for value in book.sets["margined"].astype(object)])
    exchanged = np.where((variation == 1.0) | (margined == 1.0), 1.0, np.where((variation == 0.0) & (margined == 0.0), 0.0, np.nan))
    unsure = np.where(agreed == 0.0, 0.0, np.nan)
    greatest = np.array([_greatest(book, pair, "initial_margin_threshold") for pair in book.pairs])
    least = np.array([_greatest(book, pair, "minimum_transfer_amount") for pair in book.pairs])
    return SetTerms(
        initial_scope=initial,
        variation_scope=variation,
        exchanged=exchanged,
        variation_threshold=np.where(variation == 1.0, 0.0, np.where(variation == 0.0, agreed, unsure)),
        minimum=scaled_to(np.nan_to_num(book.numbers("minimum_transfer_amount"), nan=0.0), book.pair, least),
        greatest_threshold=greatest,
        greatest_minimum=least,
    )


def _greatest(book: MarginBook, pair: Pair, name: str) -> float:
    """The greatest amount of a pair's regime in base currency; infinite where nothing is in scope or the regime is not known."""
    if pair.regime is None or all(scope.in_scope is False for scope in pair.scopes.values()):
        return np.inf
    return float(getattr(pair.regime, name)) * exchange_rate(pair.regime.currency, pair.base_currency, book.usd)


def _number(told: bool | None) -> float:
    return np.nan if told is None else float(told)
