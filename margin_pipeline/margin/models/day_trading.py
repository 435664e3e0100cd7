"""Model `pattern_day_trading`: stock of pattern day traders by the hour of the day, as long as that rule is in force.

Belongs here: the rule. Not here: who is a pattern day trader (data chooses the model), the minimum equity of such an account.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import extended, json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    price_missing,
)
from margin_pipeline.margin.models.stock import reg_t

OPEN_RULE = "pattern day trading, market open: value / leverage, long and short alike"
CLOSED_RULE = "pattern day trading, otherwise: the greater of value / leverage and Regulation T"
ENDED_RULE = "pattern day trading is not in force: Regulation T applies"


def pattern_day_trading(book: Book, terms: Terms) -> Requirement:
    """Requirement of stock at four times leverage while the market is open and not about to close, and at twice otherwise.

    Notes
    -----
    FINRA 4210(f)(8)(B): day trades in equity securities need 25 % of their cost, whatever their side. Positions that stay overnight need
    half their value, and never less than FINRA 4210(c) and Regulation T ask (model `reg_t`). A leveraged fund needs the fraction times
    its factor (Notice 09-53). Where the rule is not in force the requirement is that of `reg_t`.
    """
    rules, ordinary = terms.day_trading, reg_t(book, terms)
    if not rules.in_force:
        fields = {"rule_of_model": ENDED_RULE, "day_trading_reference": rules.reference, "day_trading_parameter_set": rules.label}
        return replace(ordinary, explanation=lambda: extended(ordinary.explanation(), fields))
    leverage = rules.open_leverage if terms.intraday else rules.closed_leverage
    fraction = np.minimum(book.number("leverage_factor") / leverage, terms.stock.leveraged_cap)
    fx_rate, price = book.number("fx_rate"), book.number("price")
    needed = np.abs(book.number("quantity")) * book.number("multiplier") * price * fraction * fx_rate
    shown: dict[str, str | float | Array] = {
        "reference": rules.reference,
        "parameter_set": rules.label,
        "leverage": leverage,
        "fraction_of_value": fraction,
    }
    if not terms.intraday:
        initial, maintenance = np.maximum(needed, ordinary.initial), np.maximum(needed, ordinary.maintenance)
        return replace(ordinary, initial=initial, maintenance=maintenance, explanation=lambda: _explained(book, CLOSED_RULE, shown))
    reasons = Reasons(len(book))
    price_missing(book, reasons, terms.as_of)
    exchange_rate_missing(book, reasons, terms.as_of)
    if terms.at:
        shown["at"] = terms.at.isoformat()
    return finished(needed, needed, reasons, lambda: _explained(book, OPEN_RULE, shown))


def _explained(book: Book, rule: str, shown: dict[str, str | float | Array]) -> pd.Series:
    position = {"quantity": book.number("quantity"), "price": book.number("price")}
    rate = {"currency": book.text("currency"), "fx_rate": book.number("fx_rate")}
    return json_objects(len(book), {"rule": rule, **shown, **position, **rate})
