"""Model `future`: exchange margin a contract.

Belongs here: which exchange rate applies, what it asks. Not here: options on futures, risk arrays, offsets between contracts.
"""

from __future__ import annotations

import datetime as dt

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

RATE_COLUMNS = ["initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday"]


def exchange_margins_in_force(futures_margins: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Exchange margins that apply on a date, indexed by root: the newest effective date by then.

    Parameters
    ----------
    futures_margins : columns root, effective_date and the four rates a contract.
    as_of : business date.
    """
    effective = pd.to_datetime(futures_margins["effective_date"])
    current = futures_margins.assign(effective_date=effective)[effective <= pd.Timestamp(as_of)]
    newest = current.sort_values("effective_date", kind="stable").drop_duplicates("root", keep="last")
    return newest.set_index("root")[["effective_date", *RATE_COLUMNS]]


def contract_margins(root: Texts, exchange: pd.DataFrame, intraday: bool) -> tuple[Array, Array]:
    """Initial and maintenance margin of one contract of each root, (n,) instrument currency; NaN where the exchange names none.

    Parameters
    ----------
    root : (n,) product roots.
    exchange : margins in force, as `exchange_margins_in_force` gives them.
    intraday : whether intraday rates apply; a root without them keeps its overnight rates.
    """
    rates = {name: exchange[name].to_numpy(dtype=np.float64) for name in RATE_COLUMNS}
    initial, maintenance = rates["initial_overnight"], rates["maintenance_overnight"]
    if intraday:
        both = ~np.isnan(rates["initial_intraday"]) & ~np.isnan(rates["maintenance_intraday"])
        initial = np.where(both, rates["initial_intraday"], initial)
        maintenance = np.where(both, rates["maintenance_intraday"], maintenance)
    roots = exchange.index.tolist()
    found = (root.numbers(dict(zip(roots, margin.tolist(), strict=True))) for margin in (initial, maintenance))
    return next(found), next(found)


def future(book: Book, terms: Terms) -> Requirement:
    """Requirement of futures: contracts times the exchange's margin in force.

    Intraday rates apply only while the market is open and not about to close; a root without a rate in force fails closed. The mark is
    not needed: the margin is money a contract.
    """
    root = book.text("root")
    initial, maintenance = contract_margins(root, terms.exchange, terms.intraday)
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
    dates = terms.exchange["effective_date"].dt.strftime("%Y-%m-%d").to_dict()
    fields: dict[str, Texts | str] = {"root": root, "effective_date": root.renamed(dates)}
    fields["rates"] = "intraday" if terms.intraday else "overnight"
    if terms.intraday and terms.at:
        fields["at"] = terms.at.isoformat()
    return fields
