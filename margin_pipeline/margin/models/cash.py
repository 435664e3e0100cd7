"""Model `cash_secured`: what a position needs in a cash account.

Belongs here: what is paid for, secured by cash, or not admissible. Not here: cover of a short call by stock (structures).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import Choice, json_objects
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    number,
    truth,
)
from margin_pipeline.margin.valuation import SECURITY_OPTIONS

RULES = ("paid in full", "short put: exercise price in full", "not admissible")


def cash_secured(book: pd.DataFrame, terms: Terms) -> Requirement:
    """Requirement in a cash account: nothing for what is long, the exercise price for a short put; nothing else is admissible.

    Notes
    -----
    Regulation T 220.8: securities are paid in full, and there is no borrowing, so short stock, a short call on its own, futures and
    leveraged contracts have no place in the account.
    """
    quantity, fx_rate = number(book, "quantity"), number(book, "fx_rate")
    asset_class = book["asset_class"]
    leveraged = truth(asset_class.isin(["future", "future_option"])) | book["contract_type"].notna().to_numpy()
    short_put = (quantity < 0) & truth(asset_class.isin(SECURITY_OPTIONS)) & truth(book["option_type"] == "put")
    inadmissible = (quantity != 0) & (leveraged | ((quantity < 0) & ~short_put))
    secured = np.abs(quantity) * number(book, "strike") * number(book, "multiplier") * fx_rate
    margin = np.where(short_put, secured, 0.0)
    reasons, symbol = Reasons(len(book)), book["symbol"].to_numpy(dtype=object)
    kind = _kinds(book, leveraged)
    reasons.add(inadmissible, lambda row: f"{symbol[row]}: {kind[row]} is not admissible in a cash account")
    reasons.add(short_put & np.isnan(number(book, "strike")), lambda row: f"contract terms of {symbol[row]}")
    exchange_rate_missing(book, reasons, terms.as_of, needed=short_put)
    explanation = json_objects(
        len(book),
        {
            "rule": Choice(np.select([inadmissible, short_put], [2, 1], 0), RULES),
            "reference": terms.options.cash_reference,
            "quantity": quantity,
            "strike": np.where(short_put, number(book, "strike"), np.nan),
            "currency": book["currency"],
            "fx_rate": fx_rate,
        },
    )
    return finished(margin, margin, reasons, explanation)


def _kinds(book: pd.DataFrame, leveraged: Array) -> Array:
    """(n,) what an inadmissible position is called."""
    asset_class = book["asset_class"]
    option = truth(asset_class.isin(SECURITY_OPTIONS))
    future, future_option = truth(asset_class == "future"), truth(asset_class == "future_option")
    names = ["a future", "a futures option", "a leveraged contract", "a short call without cover"]
    return np.select([future, future_option, leveraged, option], names, "a short security").astype(object)
