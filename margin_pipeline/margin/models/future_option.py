"""Models `future_option_fixed` and `future_option_curve`: options on futures, as a part or multiple of the future's exchange margin.

Belongs here: the two rules. Not here: the exchange margin of the future (`future`), their factors.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.explain import Choice, json_objects
from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.future import contract_fields, contract_margin_missing
from margin_pipeline.margin.models.requirement import (
    Array,
    Reasons,
    Requirement,
    Terms,
    exchange_rate_missing,
    finished,
    price_missing,
    underlying_price_missing,
)
from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.parameters.margin_models import FuturesRules

FIXED_RULES = ("long: multiple of the future's margin, at most its value", "short: multiple of the future's margin")
CURVE_RULE = "logistic curve of strike over underlying price, times the future's margin"


def root_of_future(book: Book) -> Texts:
    """(n,) root of the future that the option is on: the option's own, else that of its underlying."""
    return book.text("root").filled_from(book.text("underlying_root"))


def curve(strike: Array, underlying_price: Array, growth: Array, price_factor: Array) -> Array:
    """Part of the highest requirement that an option needs by its strike, (n,) in (0, 1).

    Parameters
    ----------
    strike : (n,) exercise price K.
    underlying_price : (n,) price of the future, > 0.
    growth : (n,) growth rate g: positive rises with the strike (puts), negative falls (calls).
    price_factor : (n,) what the price is multiplied by to give the centre U of the curve.

    Notes
    -----
    1 / (1 + exp(-g (K - U) / U)), the logistic curve of QuantConnect LEAN's FuturesOptionsMarginModel.
    """
    centre = price_factor * underlying_price
    return 1.0 / (1.0 + np.exp(np.minimum(-growth * (strike - centre) / centre, 700.0)))


def future_option_fixed(book: Book, terms: Terms) -> Requirement:
    """Requirement of futures options: a fixed multiple of the margin of the future they are on.

    A long option needs no more than its value, which is all that can be lost.
    """
    factor, root = terms.futures.option_factor, root_of_future(book)
    future_initial, future_maintenance = terms.exchange.of_roots(root, terms.intraday)
    short, fx_rate = book.number("quantity") < 0, book.number("fx_rate")
    contracts, price = np.abs(book.number("quantity")), book.number("price")
    cap = np.where(short, np.inf, price * book.number("multiplier"))
    initial, maintenance = np.minimum(factor * future_initial, cap), np.minimum(factor * future_maintenance, cap)
    reasons = Reasons(len(book))
    contract_margin_missing(book, root, future_initial, reasons, terms)
    price_missing(book, reasons, terms.as_of, needed=~short)
    exchange_rate_missing(book, reasons, terms.as_of)

    def explanation() -> pd.Series:
        fields = {
            "rule": Choice(short.astype(np.int64), FIXED_RULES),
            "parameter_set": terms.futures.label,
            "factor": factor,
            **contract_fields(root, terms),
            "quantity": book.number("quantity"),
            "price": price,
            "initial_a_contract": initial,
            "maintenance_a_contract": maintenance,
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    return finished(contracts * initial * fx_rate, contracts * maintenance * fx_rate, reasons, explanation)


def future_option_curve(book: Book, terms: Terms) -> Requirement:
    """Requirement of futures options by the logistic curve: from nothing far out of the money to the highest factor deep in it.

    Notes
    -----
    The future's initial (maintenance) margin x the factor of side and right x `curve`. It does not look at the option's own price, so a
    long option is not capped at its value: the figures that the curve was fitted to are not, either.
    """
    root, strike, spot = root_of_future(book), book.number("strike"), book.number("underlying_close")
    future_initial, future_maintenance = terms.exchange.of_roots(root, terms.intraday)
    growth, price_factor, factor = _shape(book, terms.futures)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = factor * curve(strike, spot, growth, price_factor)
    contracts, fx_rate = np.abs(book.number("quantity")), book.number("fx_rate")

    def explanation() -> pd.Series:
        fields = {
            "rule": CURVE_RULE,
            "parameter_set": terms.futures.label,
            "growth": growth,
            "price_factor": price_factor,
            "requirement_factor": factor,
            "underlying_price": spot,
            "strike": strike,
            "part_of_future": part,
            **contract_fields(root, terms),
            "quantity": book.number("quantity"),
            "initial_a_contract": part * future_initial,
            "maintenance_a_contract": part * future_maintenance,
            "currency": book.text("currency"),
            "fx_rate": fx_rate,
        }
        return json_objects(len(book), fields)

    reasons = _curve_reasons(book, terms, root, future_initial, growth)
    size = contracts * part * fx_rate
    return finished(size * future_initial, size * future_maintenance, reasons, explanation)


def _shape(book: Book, rules: FuturesRules) -> tuple[Array, Array, Array]:
    """(n,) growth, price factor and requirement factor of each option; NaN where it is neither call nor put."""
    right, side = book.text("option_type"), (book.number("quantity") < 0).astype(np.int64)
    row = np.select([right.among("call"), right.among("put")], [side, 2 + side], 4)
    shapes = [rules.curves[side, right] for right in ("call", "put") for side in ("long", "short")]
    table = np.array([*((s.growth, s.price_factor, s.requirement_factor) for s in shapes), (np.nan,) * 3])
    growth, price_factor, factor = table[row].T
    return growth, price_factor, factor


def _curve_reasons(book: Book, terms: Terms, root: Texts, margin: Array, growth: Array) -> Reasons:
    """Missing rates, terms and prices; a price of the future at or below 0, for which the curve means nothing."""
    reasons = Reasons(len(book))
    symbol, underlying, spot = book.text("symbol"), book.text("underlying"), book.number("underlying_close")
    incomplete = np.isnan(growth) | np.isnan(book.number("strike")) | ~book.text("underlying").given
    contract_margin_missing(book, root, margin, reasons, terms)
    reasons.add(incomplete, lambda row: f"contract terms of {symbol[row]}")
    underlying_price_missing(book, reasons, terms.as_of, needed=~incomplete)
    reasons.add(
        ~incomplete & (spot <= 0),
        lambda row: f"price above 0 of {underlying[row]} {terms.as_of}, which model future_option_curve needs (it is {spot[row]:.15g})",
    )
    exchange_rate_missing(book, reasons, terms.as_of)
    return reasons
