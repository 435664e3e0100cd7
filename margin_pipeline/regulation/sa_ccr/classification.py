"""What kind of derivative each trade is: asset class, hedging set, entity or commodity type, and its supervisory parameters.

Belongs here: reading the rule's categories from a trade's texts. Not here: amounts, deltas and maturities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Flags, Reasons, Texts, numbered
from margin_pipeline.regulation.sa_ccr.commodities import commodity_types
from margin_pipeline.regulation.sa_ccr.years import Floats

ASSET_CLASSES = ("interest_rate", "fx", "credit", "equity", "commodity")
UNDETERMINED = "undetermined"
"""Hedging set of a trade that names none."""


@dataclass(frozen=True)
class Classification:
    """Categories of n trades.

    Attributes
    ----------
    asset_class : class of the primary risk driver.
    kind : basis, volatility, inflation, or empty text.
    is_option, is_digital, is_tranche : shape of the trade; digitals are options.
    supervisory_factor : fraction, times the factor of the kind; NaN where the subclass is unknown.
    correlation, option_volatility : of the subclass.
    hedging_set : name within the asset class.
    entity : entity, commodity type, or empty text where there is none (interest rate, fx).
    is_reversed : currency pairs whose hedging set names the currencies the other way round.
    """

    asset_class: Texts
    kind: Texts
    is_option: Flags
    is_digital: Flags
    is_tranche: Flags
    supervisory_factor: Floats
    correlation: Floats
    option_volatility: Floats
    hedging_set: Texts
    entity: Texts
    is_reversed: Flags


def classify(book: Book, rules: SaCcrRules, reasons: Reasons) -> Classification:
    """Categories of all trades; what a trade does not say is added to the reasons.

    Notes
    -----
    CRE52.26, CRE52.45-CRE52.47, CRE52.72 and CRE52.73; BCBS 279, paragraphs 152, 161-163, 183 and 184. A rate trade in two currencies is
    an exchange-rate trade and no basis trade (CRE52.46, footnote 11). An equity trade that does not say that it is on an index is on a
    single name, whose add-on is never smaller. Inflation has a hedging set of its own in each currency (CRE52.57, FAQ1).
    """
    instrument, first, second = book.words("instrument_type"), book.names("currency").texts, book.names("second_currency").texts
    given = book.words("asset_class").meaning({name.replace("_", " "): name for name in ASSET_CLASSES})
    two_currencies = (second != "") & (second != first)
    asset_class = np.where((given == "interest_rate") & two_currencies, "fx", given).astype(object)
    is_credit = asset_class == "credit"
    kind = instrument.meaning(rules.words.kinds)
    ordinary = ((asset_class == "fx") & (kind == "basis")) | ((asset_class != "interest_rate") & (kind == "inflation"))
    kind = np.where(ordinary, "", kind).astype(object)
    is_option = instrument.among(rules.words.options) | ~book.names("option_type").among({""})
    is_cut = ~np.isnan(book.numbers("attachment")) | ~np.isnan(book.numbers("detachment")) | instrument.among(rules.words.tranches)

    commodity_type, commodity_set = commodity_types(book, rules, asset_class == "commodity", reasons)
    subclass = _subclasses(book, asset_class, commodity_type, commodity_set, rules, reasons)
    factor, correlation, volatility = _parameters(subclass, rules)
    reference = book.names("reference").texts
    entity = np.where(asset_class == "commodity", commodity_type, np.where(is_credit | (asset_class == "equity"), reference, ""))
    unnamed = ((kind == "basis") | is_credit | (asset_class == "equity")) & (reference == "")
    reasons.add(unnamed, "reference")
    no_pair = (asset_class == "fx") & ~two_currencies
    reasons.add(no_pair, "second_currency")
    times = np.where(kind == "basis", rules.basis_factor, np.where(kind == "volatility", rules.volatility_factor, 1.0))
    return Classification(
        asset_class=asset_class,
        kind=kind,
        is_option=is_option & ~(is_credit & is_cut),
        is_digital=instrument.among(rules.words.digitals),
        is_tranche=is_credit & is_cut,
        supervisory_factor=factor * times,
        correlation=correlation,
        option_volatility=volatility,
        hedging_set=_hedging_sets(asset_class, kind, first, second, commodity_set, reference, no_pair | ((kind == "basis") & unnamed)),
        entity=entity.astype(object),
        is_reversed=(asset_class == "fx") & (second < first),
    )


def _subclasses(book: Book, asset_class: Texts, commodity_type: Texts, commodity_set: Texts, rules: SaCcrRules, reasons: Reasons) -> Texts:
    """Row of the table of supervisory parameters that each trade takes; empty text where it is unknown."""
    stated, instrument = book.words("sub_class"), book.words("instrument_type")
    grade = stated.meaning(rules.words.index_grades)
    is_index = instrument.among(rules.words.indices) | stated.among(rules.words.index_words)
    is_credit_index = is_index | (grade != "")
    credit = np.where(is_credit_index, grade, stated.meaning(rules.words.ratings))
    is_credit = asset_class == "credit"
    reasons.add(is_credit & is_credit_index & (credit == ""), "sub_class: grade of the index (ig or sg)")
    reasons.add(is_credit & ~is_credit_index & (credit == ""), "sub_class: rating of the reference entity")
    equity = np.where(is_index, "equity_index", "equity_single")
    commodity = np.where(commodity_type == "electricity", "electricity", commodity_set)
    by_class = {"interest_rate": "interest_rate", "fx": "fx", "credit": credit, "equity": equity, "commodity": commodity}
    return _chosen(asset_class, by_class)


def _parameters(subclass: Texts, rules: SaCcrRules) -> tuple[Floats, Floats, Floats]:
    """Supervisory factor, correlation and option volatility by trade; NaN where the subclass is unknown."""
    codes, names = pd.factorize(subclass)
    known = [rules.subclasses.get(name) for name in names]
    rows = [(np.nan,) * 3 if s is None else (s.supervisory_factor, s.correlation, s.option_volatility) for s in known]
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)[codes]
    return table[:, 0], table[:, 1], table[:, 2]


def _hedging_sets(
    asset_class: Texts, kind: Texts, first: Texts, second: Texts, commodity_set: Texts, reference: Texts, unknown: Flags
) -> Texts:
    """Name of each trade's hedging set within its asset class."""
    columns = (asset_class, kind, first, second, commodity_set, np.where(kind == "basis", reference, ""), unknown)
    number, row = numbered(*(pd.factorize(column)[0].astype(np.int64) for column in columns))
    names = [_hedging_set(*values) for values in zip(*(column[row] for column in columns), strict=True)]
    return np.array(names, dtype=object)[number]


def _hedging_set(asset_class: str, kind: str, first: str, second: str, commodity_set: str, reference: str, unknown: bool) -> str:
    """Name of a hedging set within its asset class (CRE52.45-CRE52.47)."""
    pair = "/".join(sorted((first, second)))
    names = {"interest_rate": first, "fx": pair, "credit": "credit", "equity": "equity", "commodity": commodity_set}
    name = names.get(asset_class, "")
    return UNDETERMINED if unknown or not name else " ".join(filter(None, (name, kind, reference)))


def _chosen(asset_class: Texts, by_class: Mapping[str, Any]) -> Texts:
    """(n,) text of each trade's class, a single one or one a trade; empty text for no class."""
    found: Texts = np.full(len(asset_class), "", dtype=object)
    for name, texts in by_class.items():
        found = np.where(asset_class == name, texts, found).astype(object)
    return found
