"""Model `future`: exchange margin a contract.

Belongs here: what contracts need. Not here: which rates are in force (`exchange`), options on futures, offsets between contracts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
)
from margin_pipeline.margin.models.texts import Texts


def future(book: Book, terms: Terms) -> Requirement:
    """Requirement of futures: contracts times the exchange's margin in force.

    Intraday rates apply only while the market is open and not about to close; a root without a rate in force fails closed. The mark is
    not needed: the margin is money a contract.
    """
    root = book.text("root")
    initial, maintenance = terms.exchange.of_roots(root, terms.intraday)
    contracts, fx_rate = np.abs(book.number("quantity")), book.number("fx_rate")
    reasons = Reasons(len(book))
    contract_margin_missing(book, root, initial, reasons, terms)
    exchange_rate_missing(book, reasons, terms.as_of)

    def explanation() -> pd.Series:
        fields = {
            "rule": "exchange margin a contract",
            **contract_fields(root, terms),
            "quantity": book.number("quantity"),
            "initial_a_contract": initial,
            "maintenance_a_contract": maintenance,
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    return finished(contracts * initial * fx_rate, contracts * maintenance * fx_rate, reasons, explanation)


def contract_margin_missing(book: Book, root: Texts, margin: Array, reasons: Reasons, terms: Terms) -> None:
    """Add the contracts without a root, and those whose root has no margin in force."""
    symbol = book.text("symbol")
    reasons.add(~root.given, lambda row: f"root of {symbol[row]}")
    reasons.add(root.given & np.isnan(margin), lambda row: f"futures margin of root {root[row]} in force on {terms.as_of}")


def contract_fields(root: Texts, terms: Terms) -> dict[str, Texts | str]:
    """What an explanation says about the exchange margin that applied: root, effective date, overnight or intraday."""
    fields: dict[str, Texts | str] = {"root": root, "effective_date": root.renamed(terms.exchange.effective_date)}
    fields["rates"] = "intraday" if terms.intraday else "overnight"
    if terms.intraday and terms.at:
        fields["at"] = terms.at.isoformat()
    return fields
