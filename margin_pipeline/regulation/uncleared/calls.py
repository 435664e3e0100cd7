"""Margin calls of uncleared derivatives: what each counterparty owes us and we owe it today, by netting set and in total.

Belongs here: the table. Not here: scope (`scope`), arithmetic (`amounts`), regulatory lines (`lines`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.parameters.uncleared_margin import UnclearedMarginRules, uncleared_margin_rules
from margin_pipeline.regulation.uncleared.amounts import (
    Side,
    initial_side,
    moves,
    threshold_shares,
    variation_margin_due,
    variation_sides,
)
from margin_pipeline.regulation.uncleared.book import MarginBook, margin_book
from margin_pipeline.regulation.uncleared.missing import missing_inputs
from margin_pipeline.regulation.uncleared.terms import SetTerms, set_terms

KEY = ["portfolio_id", "counterparty", "regime", "netting_set_id", "kind", "side"]
AMOUNTS = [
    "requirement", "threshold", "requirement_after_threshold", "minimum_transfer_amount", "held", "shortfall", "delivery_amount",
    "return_amount",
]  # fmt: skip
COLUMNS = [*KEY, "in_scope", "scope_reason", *AMOUNTS, "missing", "explanation"]
SIDES = ("call", "post")
HELD = {"call": "initial_margin_held", "post": "initial_margin_posted"}


def uncleared_margin_calls(
    netting_sets: pd.DataFrame, otc_trades: pd.DataFrame, netting_set_margins: pd.DataFrame, portfolios: pd.DataFrame,
    entity_figures: pd.DataFrame, fx_rates: pd.DataFrame, as_of: dt.date,
) -> pd.DataFrame:  # fmt: skip
    """Initial and variation margin of every uncleared netting set and counterparty: required, held, to deliver and to return.

    Parameters
    ----------
    netting_sets : terms, parties and margin held, in base currency of the portfolio.
    otc_trades : trades with market value to us, in the currency of the row.
    netting_set_margins : initial margin of each set and side by model.
    portfolios : portfolio_id, base_currency, jurisdiction, entity_type.
    entity_figures : with the figure aana, the average aggregate notional amount of the entity.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.uncleared_margin_calls, base currency. Side call: margin that we collect; post: margin that we give. A row without
    netting set adds up those of its counterparty. What cannot be told is empty and says why.

    Notes
    -----
    Initial margin (BCBS/IOSCO requirements 2 and 3): model margin less the threshold, which is one for each portfolio, counterparty and
    regime. Variation margin: value less threshold, less what is held. Amounts due from one party under one agreement, initial and variation
    margin together, move in full once their sum reaches the minimum transfer amount (12 CFR 45.5(b); Delegated Regulation (EU) 2016/2251
    article 25); an excess of initial margin is returned once it reaches that amount alone.
    """
    rules = uncleared_margin_rules(as_of)
    book = margin_book(netting_sets, otc_trades, netting_set_margins, portfolios, entity_figures, fx_rates, rules, as_of)
    terms = set_terms(book)
    tables = _tables(book, terms)
    missing = missing_inputs(book, terms)
    rows = [row for (kind, side), table in tables.items() for row in _set_rows(book, terms, kind, side, table, missing, rules)]
    rows += _counterparty_rows(book, rows)
    frame = pd.DataFrame(rows, columns=COLUMNS).astype(
        {**dict.fromkeys(AMOUNTS, float), **dict.fromkeys((*KEY, "scope_reason", "missing", "explanation"), "str"), "in_scope": "boolean"}
    )
    return frame.sort_values(KEY, kind="stable").reset_index(drop=True)


Table = dict[str, np.ndarray]
"""(n,) amounts of one kind and side, by column."""


def _tables(book: MarginBook, terms: SetTerms) -> dict[tuple[str, str], Table]:
    """Amounts of netting sets by kind and side."""
    on = np.where(np.isnan(terms.exchanged), np.nan, 0.0)
    value = np.where(terms.exchanged == 1.0, book.values.value, on)
    held = np.where(terms.exchanged == 1.0, book.numbers("variation_margin"), on)
    due = variation_margin_due(value, terms.variation_threshold, held)
    threshold, required, lacking = {}, {}, {}
    greatest = np.where(np.isinf(terms.greatest_threshold), 0.0, terms.greatest_threshold)
    for side in SIDES:
        margin = book.initial_margin[side]
        share = threshold_shares(book.numbers("initial_margin_threshold"), margin, book.pair, greatest)
        threshold[side] = np.where(terms.initial_scope == 1.0, share, np.nan)
        outside = np.where(terms.initial_scope == 0.0, 0.0, np.nan)
        required[side] = np.where(terms.initial_scope == 1.0, np.maximum(margin - threshold[side], 0.0), outside)
        # Out of scope, what is held is held by agreement alone: nothing is called and nothing is given back for the regime.
        lacking[side] = np.where(terms.initial_scope == 0.0, 0.0, np.maximum(required[side] - book.numbers(HELD[side]), 0.0))
    moving = (
        moves((np.maximum(due, 0.0), lacking["call"]), terms.minimum),
        moves((np.maximum(-due, 0.0), lacking["post"]), terms.minimum),
    )
    variation = variation_sides(value, terms.variation_threshold, held, moving)
    tables = {}
    for number, side in enumerate(SIDES):
        counted = np.where(terms.initial_scope == 0.0, required[side], book.numbers(HELD[side]))
        initial = initial_side(required[side], counted, moving[number], terms.minimum)
        tables["initial", side] = _table(initial, book.initial_margin[side], threshold[side], book.numbers(HELD[side]), terms)
        sign = 1.0 if side == "call" else -1.0
        asked = np.maximum(sign * value, 0.0)
        tables["variation", side] = _table(variation[number], asked, terms.variation_threshold, variation[number].held, terms)
    return tables


def _table(side: Side, requirement: np.ndarray, threshold: np.ndarray, held: np.ndarray, terms: SetTerms) -> Table:
    columns = (requirement, threshold, side.required, terms.minimum, held, side.shortfall, side.delivery, side.returned)
    return dict(zip(AMOUNTS, columns, strict=True))


def _set_rows(
    book: MarginBook, terms: SetTerms, kind: str, side: str, table: Table, missing: Mapping[tuple[str, str], list[str]],
    rules: UnclearedMarginRules,
) -> list[dict[str, Any]]:  # fmt: skip
    """Rows of one kind and side, one a netting set."""
    rows = []
    amounts = {name: [v if math.isfinite(v) else None for v in table[name].tolist()] for name in AMOUNTS}
    for number, given in enumerate(book.rows):
        pair = book.pairs[book.pair[number]]
        scope = pair.scopes[kind]
        row = {name: amounts[name][number] for name in AMOUNTS}
        unknown = row["delivery_amount"] is None or row["return_amount"] is None
        if unknown:
            row["delivery_amount"] = row["return_amount"] = None
        explanation = {
            "rule": pair.regime.reference(kind) if pair.regime else None,
            "parameter_set": rules.version.label,
            "phase": pair.regime.phase if pair.regime else None,
            "agreed_threshold": _given(given["initial_margin_threshold" if kind == "initial" else "threshold"]),
            "agreed_minimum_transfer_amount": _given(given["minimum_transfer_amount"]),
            "greatest_minimum_transfer_amount": _given(terms.greatest_minimum[book.pair[number]]),
        }
        if kind == "initial":
            explanation["model"] = given["im_model"] or "schedule"
            explanation["greatest_threshold"] = _given(terms.greatest_threshold[book.pair[number]])
        else:
            explanation["market_value"] = _given(book.values.value[number])
            explanation["trades"] = int(book.values.trades[number])
            explanation["exchanged"] = None if np.isnan(terms.exchanged[number]) else bool(terms.exchanged[number])
        rows.append(
            {
                "portfolio_id": pair.portfolio_id, "counterparty": pair.counterparty, "regime": pair.regime_name,
                "netting_set_id": str(given["netting_set_id"]), "kind": kind, "side": side, "in_scope": scope.in_scope,
                "scope_reason": scope.reason, **row, "missing": missing[kind, side][number] if unknown else None,
                "explanation": json.dumps(explanation, allow_nan=False),
            }
        )  # fmt: skip
    return rows


def _counterparty_rows(book: MarginBook, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Totals of each named counterparty, by kind and side; unknown where a part is."""
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["counterparty"]:
            grouped.setdefault(tuple(row[name] for name in KEY if name != "netting_set_id"), []).append(row)
    found = []
    for parts in grouped.values():
        total = dict(parts[0], netting_set_id="")
        for name in AMOUNTS:
            listed = [part[name] for part in parts]
            total[name] = None if any(amount is None for amount in listed) else math.fsum(listed)
        reasons = [part["missing"] for part in parts if part["missing"]]
        total["missing"] = "; ".join(dict.fromkeys(reasons)) or None
        explanation = {"netting_sets": [part["netting_set_id"] for part in parts]}
        total["explanation"] = json.dumps(explanation)
        found.append(total)
    return found


def _given(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
