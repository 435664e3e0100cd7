"""Models `future` and `future_option_fixed`: exchange margin a contract.

Belongs here: which exchange rate applies, what it asks. Not here: risk arrays, offsets between contracts.
"""

from __future__ import annotations

import datetime as dt

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
    price_missing,
)

RATE_COLUMNS = ["initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday"]
OPTION_RULES = ("long: multiple of the future's margin, at most its value", "short: multiple of the future's margin")


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


def contract_margins(root: pd.Series, exchange: pd.DataFrame, intraday: bool) -> tuple[Array, Array]:
    """Initial and maintenance margin of one contract of each root, (n,) instrument currency; NaN where the exchange names none.

    Parameters
    ----------
    root : (n,) product roots.
    exchange : margins in force, as `exchange_margins_in_force` gives them.
    intraday : whether intraday rates apply; a root without them keeps its overnight rates.
    """
    at = exchange.index.get_indexer(pd.Index(root))
    initial, maintenance = (np.append(exchange[f"{kind}_overnight"].to_numpy(np.float64), np.nan) for kind in ("initial", "maintenance"))
    if intraday:
        day = [np.append(exchange[f"{kind}_intraday"].to_numpy(np.float64), np.nan) for kind in ("initial", "maintenance")]
        both = ~np.isnan(day[0]) & ~np.isnan(day[1])
        initial, maintenance = np.where(both, day[0], initial), np.where(both, day[1], maintenance)
    return initial[at], maintenance[at]


def future(book: pd.DataFrame, terms: Terms) -> Requirement:
    """Requirement of futures: contracts times the exchange's margin in force.

    Intraday rates apply only while the market is open and not about to close; a root without a rate in force fails closed. The mark is
    not needed: the margin is money a contract.
    """
    initial, maintenance = contract_margins(book["root"], terms.exchange, terms.intraday)
    contracts, fx_rate = np.abs(number(book, "quantity")), number(book, "fx_rate")
    reasons = Reasons(len(book))
    _rate_missing(book, book["root"], initial, reasons, terms)
    exchange_rate_missing(book, reasons, terms.as_of)
    explanation = json_objects(
        len(book),
        {
            "rule": "exchange margin a contract",
            "root": book["root"],
            "effective_date": _effective(book["root"], terms),
            **_session(terms),
            "quantity": number(book, "quantity"),
            "initial_a_contract": initial,
            "maintenance_a_contract": maintenance,
            "currency": book["currency"],
            "fx_rate": fx_rate,
        },
    )
    return finished(contracts * initial * fx_rate, contracts * maintenance * fx_rate, reasons, explanation)


def future_option_fixed(book: pd.DataFrame, terms: Terms) -> Requirement:
    """Requirement of futures options: a fixed multiple of the margin of the future they are on.

    A long option needs no more than its value, which is all that can be lost. The root is the option's own, else that of its underlying.
    """
    factor = terms.futures.option_factor
    root = book["root"].where(book["root"].notna(), book["underlying_root"])
    future_initial, future_maintenance = contract_margins(root, terms.exchange, terms.intraday)
    short, fx_rate = number(book, "quantity") < 0, number(book, "fx_rate")
    contracts, price = np.abs(number(book, "quantity")), number(book, "price")
    cap = np.where(short, np.inf, price * number(book, "multiplier"))
    initial, maintenance = np.minimum(factor * future_initial, cap), np.minimum(factor * future_maintenance, cap)
    reasons = Reasons(len(book))
    _rate_missing(book, root, future_initial, reasons, terms)
    price_missing(book, reasons, terms.as_of, needed=~short)
    exchange_rate_missing(book, reasons, terms.as_of)
    explanation = json_objects(
        len(book),
        {
            "rule": Choice(short.astype(np.int64), OPTION_RULES),
            "parameter_set": terms.futures.label,
            "factor": factor,
            "root": root,
            "effective_date": _effective(root, terms),
            **_session(terms),
            "quantity": number(book, "quantity"),
            "price": price,
            "initial_a_contract": initial,
            "maintenance_a_contract": maintenance,
            "currency": book["currency"],
            "fx_rate": fx_rate,
        },
    )
    return finished(contracts * initial * fx_rate, contracts * maintenance * fx_rate, reasons, explanation)


def _rate_missing(book: pd.DataFrame, root: pd.Series, rate: Array, reasons: Reasons, terms: Terms) -> None:
    symbol, roots, unnamed = book["symbol"].to_numpy(dtype=object), root.to_numpy(dtype=object), root.isna().to_numpy()
    reasons.add(unnamed, lambda row: f"root of {symbol[row]}")
    reasons.add(~unnamed & np.isnan(rate), lambda row: f"futures margin of root {roots[row]} in force on {terms.as_of}")


def _effective(root: pd.Series, terms: Terms) -> pd.Series:
    return root.map(terms.exchange["effective_date"].dt.strftime("%Y-%m-%d")).astype("str")


def _session(terms: Terms) -> dict[str, str]:
    if not terms.intraday:
        return {"rates": "overnight"}
    return {"rates": "intraday", **({"at": terms.at.isoformat()} if terms.at else {})}
