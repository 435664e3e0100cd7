"""Commodity type and hedging set of commodity trades.

Belongs here: how a trade names its commodity. Not here: which commodities there are (`parameters.sa_ccr`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Flags, Reasons, Texts


def commodity_types(book: Book, rules: SaCcrRules, is_commodity: Flags, reasons: Reasons) -> tuple[Texts, Texts]:
    """Commodity type and hedging set of each trade, empty texts where they are unknown or the trade is on none.

    Notes
    -----
    CRE52.45(5), CRE52.70 and CRE52.71. `sub_class` names the type, or the hedging set, and then `reference` names the type. Within metals,
    agricultural and other a reference that is not known is a type of its own; within energy it has none, since electricity, which the
    rule charges more than twice as much, may hide behind it.
    """
    stated, reference, words = book.words("sub_class"), book.words("reference"), rules.words
    names_set, stated_set = stated.among(words.set_words), stated.meaning(words.set_words)
    says_type = ~names_set & ~stated.among({""})
    kind = np.where(says_type, stated.meaning(words.commodity_types), reference.meaning(words.commodity_types))
    own_type = names_set & (stated_set != "energy") & (kind == "")
    kind = np.where(own_type, reference.texts, kind).astype(object)
    hedging_set = np.where(own_type, stated_set, _sets(kind, words.type_sets)).astype(object)
    contradicted = is_commodity & names_set & (kind != "") & (hedging_set != stated_set)
    reasons.add(is_commodity & (kind == ""), "commodity type (sub_class, or reference where that names a hedging set)")
    reasons.add(contradicted, "sub_class: the hedging set that the commodity is in")
    unknown = ~is_commodity | (kind == "") | contradicted
    return np.where(is_commodity, kind, "").astype(object), np.where(unknown, "", hedging_set).astype(object)


def _sets(kind: Texts, type_sets: Mapping[str, str]) -> Texts:
    """Hedging set by commodity type, empty text where it is unknown."""
    codes, values = pd.factorize(kind)
    return np.array([type_sets.get(value, "") for value in values] or [""], dtype=object)[codes]
