"""Says how a group's requirement came about, and what was missing where there is none.

Belongs here: the explanation and the reason of a group. Not here: computing anything.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from margin_pipeline.margin.grouping.details import details
from margin_pipeline.margin.grouping.netting import NetBook
from margin_pipeline.margin.structures.catalogue import (
    CALL,
    COMPOSITES,
    LONG,
    PUT,
    SHORT,
    SINGLES,
    STOCK,
    STRUCTURES,
    UNIVERSAL_REFERENCE,
    UNIVERSAL_SPREAD,
    UNKNOWN,
)
from margin_pipeline.margin.structures.leg_table import LegTable
from margin_pipeline.margin.structures.requirements import REQUIREMENTS

if TYPE_CHECKING:
    from margin_pipeline.margin.grouping.assembly import Groups

SINGLE_RULES = {
    "long_stock": "percentage of market value",
    "short_stock": "percentage of market value or dollars a share, beyond the proceeds",
    "long_option": "price in full up to nine months, a percentage of it beyond",
    "naked_call": "premium + max(rate x S - out-of-the-money amount, 10 % of S)",
    "naked_put": "premium + max(rate x S - out-of-the-money amount, 10 % of K)",
    "long_convertible": "percentage of market value",
    "short_convertible": "percentage of market value beyond the proceeds",
    "long_warrant": "percentage of market value",
    "short_warrant": "percentage of market value beyond the proceeds",
    "unknown_option": "none: terms of the contract are missing",
}
CASH_RULES = {"naked_put": "cash account: exercise price in full"}


def _rule_texts(table: LegTable) -> dict[str, tuple[str, str]]:
    """Rule and reference by structure; of single legs the references that are in force."""
    stock, options = table.stock, table.options
    by_kind = {
        (True, LONG): f"{stock.initial_reference}; {stock.long_reference}",
        (True, SHORT): f"{stock.initial_reference}; {stock.short_reference}",
        (False, LONG): options.long_reference,
        (False, SHORT): options.short_reference,
    }
    texts = {name: (SINGLE_RULES[name], by_kind[kind not in (CALL, PUT, UNKNOWN), side]) for (kind, side), name in SINGLES.items()}
    for composite in COMPOSITES:
        texts[composite.name] = ("a name for its parts: what they need together", composite.reference)
    texts[UNIVERSAL_SPREAD] = ("options that limit each other's loss: the greatest loss without premiums", UNIVERSAL_REFERENCE)
    for structure in STRUCTURES:
        first_line = (REQUIREMENTS[structure.requirement].__doc__ or "").strip().splitlines()[0]
        texts[structure.name] = (first_line, structure.reference)
    return texts


def explanations(book: NetBook, groups: Groups) -> list[str]:
    """One JSON object a group: rule, reference, price of the underlying, amounts and intermediate figures of one unit, exchange rate."""
    table, leg = book.table, groups.last_leg
    head = {n: f'{{"rule": {json.dumps(rule)}, "reference": {json.dumps(reference)}' for n, (rule, reference) in _rule_texts(table).items()}
    reference = json.dumps(table.options.cash_reference)
    cash = {n: f'{{"rule": {json.dumps(rule)}, "reference": {reference}' for n, rule in CASH_RULES.items()}
    paid = f'{{"rule": "cash account: what is held is paid for", "reference": {reference}'
    currency = {c: json.dumps(c) for c in set(book.legs["currency"])}
    tail = f'"parameter_sets": {json.dumps([table.stock.label, table.options.label])}}}'
    columns = zip(
        groups.structure.tolist(),
        table.cash_account[leg].tolist(),
        table.spot[leg].tolist(),
        groups.amounts.maintenance.tolist(),
        groups.amounts.initial.tolist(),
        details(table, groups),
        book.legs["currency"].to_numpy(dtype=object)[leg].tolist(),
        book.legs["fx_rate"].to_numpy(np.float64)[leg].tolist(),
        strict=True,
    )
    return [
        f'{cash.get(name, paid) if in_cash and (m == 0.0 or name in cash) else head[name]}, "underlying_price": {_number(spot)}, '
        f'"maintenance_a_unit": {_number(m)}, "initial_a_unit": {_number(i)}, {_figures(more)}"currency": {currency[c]}, '
        f'"fx_rate": {_number(fx)}, {tail}'
        for name, in_cash, spot, m, i, more, c, fx in columns
    ]


def _figures(figures: dict[str, Any] | None) -> str:
    """The figures as fields of a JSON object, each followed by a comma; what is not known becomes null."""
    if not figures:
        return ""
    text = json.dumps(figures)[1:-1]
    return (text.replace("NaN", "null") if "NaN" in text else text) + ", "


def _number(value: float) -> str:
    return repr(value) if value - value == 0.0 else "null"


def reasons(book: NetBook, groups: Groups, unknown: np.ndarray, as_of: dt.date) -> list[str]:
    """What is missing or not admissible, for each of the given groups."""
    return [_reason(book, groups, int(g), as_of) for g in unknown]


def _reason(book: NetBook, groups: Groups, group: int, as_of: dt.date) -> str:
    table, legs = book.table, groups.leg[groups.start[group] : groups.start[group + 1]]
    found: list[str] = []
    for leg in legs.tolist():
        owner, symbol, kind = book.legs.iloc[leg], table.symbol[leg], table.kind[leg]
        if kind == UNKNOWN:
            found.append(f"contract terms of {symbol}")
        barred = kind == CALL or kind not in (PUT, UNKNOWN)
        if table.cash_account[leg] and table.side[leg] == SHORT and barred:
            found.append(f"{symbol}: a short {'call without cover' if kind == CALL else 'security'} is not admissible in a cash account")
        if np.isnan(table.price[leg]):
            found.append(f"price of {symbol} {as_of}")
        if kind in (CALL, PUT) and np.isnan(table.spot[leg]):
            found.append(f"price of {owner['underlying']} {as_of}")
        if kind == STOCK and np.isnan(table.dollars[leg]):
            found.append(f"exchange rate of {owner['currency']} into USD {as_of}")
        if np.isnan(owner["fx_rate"]):
            found.append(f"exchange rate of {owner['currency']} into {owner['base_currency']} {as_of}")
    return "; ".join(dict.fromkeys(found)) or f"an input of {groups.structure[group]}"
