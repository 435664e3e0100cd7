"""What the call of a netting set lacks, in words.

Belongs here: the reasons. Not here: whether a call is unknown (its amounts say that).
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.regulation.schedule_trades import shortened
from margin_pipeline.regulation.uncleared.book import MarginBook
from margin_pipeline.regulation.uncleared.terms import SetTerms

HELD = {"call": "initial margin held", "post": "initial margin posted"}
INITIAL_HELD = {"call": "initial_margin_held", "post": "initial_margin_posted"}


def missing_inputs(book: MarginBook, terms: SetTerms) -> dict[tuple[str, str], list[str]]:
    """By kind and side: what each netting set lacks, own inputs first, then those of the other kind that moves together with it."""
    own = {("initial", side): _initial(book, terms, side) for side in HELD}
    own |= {("variation", side): _variation(book, terms) for side in HELD}
    rates = _rates(book, terms)
    found = {}
    for (kind, side), listed in own.items():
        other = own["variation" if kind == "initial" else "initial", side]
        found[kind, side] = [
            shortened(list(dict.fromkeys([*first, *rate, *second]))) for first, rate, second in zip(listed, rates, other, strict=True)
        ]
    return found


def _initial(book: MarginBook, terms: SetTerms, side: str) -> list[list[str]]:
    """Own reasons of initial margin; a margin that one netting set lacks leaves the shares of its counterparty's threshold unknown."""
    margin, held = book.initial_margin[side], book.numbers(INITIAL_HELD[side])
    lacking: dict[int, list[str]] = {}
    for number in np.flatnonzero(np.isnan(margin)).tolist():
        lacking.setdefault(int(book.pair[number]), []).append(book.missing_margin[side][number])
    found = []
    for number, name in enumerate(book.sets["netting_set_id"]):
        scope = terms.initial_scope[number]
        reasons = []
        if np.isnan(scope):
            reasons.append(str(book.pairs[book.pair[number]].scopes["initial"].reason))
        elif scope == 1.0:
            reasons += lacking.get(int(book.pair[number]), [])
            reasons += [f"{HELD[side]} of netting set {name}"] if np.isnan(held[number]) else []
        found.append(reasons)
    return found


def _variation(book: MarginBook, terms: SetTerms) -> list[list[str]]:
    held = book.numbers("variation_margin")
    found = []
    for number, name in enumerate(book.sets["netting_set_id"]):
        reasons = []
        if np.isnan(terms.exchanged[number]):
            reasons.append(f"whether variation margin is exchanged in netting set {name}")
        if np.isnan(terms.exchanged[number]) or np.isnan(terms.variation_threshold[number]):
            reason = book.pairs[book.pair[number]].scopes["variation"].reason
            reasons += [reason] if reason and np.isnan(terms.variation_scope[number]) else []
        if terms.exchanged[number] != 0.0:
            reasons += [book.values.missing_value[number]] if number in book.values.missing_value else []
            reasons += [f"variation margin held of netting set {name}"] if np.isnan(held[number]) else []
        found.append(reasons)
    return found


def _rates(book: MarginBook, terms: SetTerms) -> list[list[str]]:
    """The exchange rate that the greatest amounts of the regime lack."""
    found = []
    for number in book.pair:
        pair = book.pairs[number]
        unknown = np.isnan(terms.greatest_minimum[number]) and pair.regime is not None
        found.append([f"exchange rate of {pair.regime.currency} to {pair.base_currency}"] if unknown and pair.regime else [])
    return found
