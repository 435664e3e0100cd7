"""Netting sets of uncleared derivatives with everything that their calls are made of, and the pairs of parties behind them.

Belongs here: joining terms, values, initial margin and parties. Not here: scope (`scope`), amounts (`amounts`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.uncleared_margin import MarginRegime, UnclearedMarginRules
from margin_pipeline.regulation.uncleared.scope import Party, Scope, margin_scope
from margin_pipeline.regulation.uncleared.values import SetValues, set_values

KINDS = ("initial", "variation")
NUMBERS = (
    "threshold", "minimum_transfer_amount", "variation_margin", "initial_margin_held", "initial_margin_posted", "initial_margin_threshold",
    "counterparty_average_notional",
)  # fmt: skip
PAIR_COLUMNS = [
    "portfolio_id", "netting_set_id", "counterparty", "regime", "counterparty_type", "counterparty_average_notional", "base_currency",
]  # fmt: skip
TEXTS = ("counterparty", "counterparty_type", "regime", "im_model")


@dataclass(frozen=True)
class Pair:
    """A portfolio and one counterparty under one regime.

    Attributes
    ----------
    counterparty : its name, empty where it has none: such a netting set is a pair of its own.
    regime : its rules, None where the name is not known.
    scopes : by kind of margin.
    own_notional : average aggregate notional amount of the portfolio's entity, currency of the regime.
    """

    portfolio_id: str
    counterparty: str
    regime_name: str
    regime: MarginRegime | None
    base_currency: str
    scopes: Mapping[str, Scope]


@dataclass(frozen=True)
class MarginBook:
    """Uncleared netting sets, ordered by portfolio and name.

    Attributes
    ----------
    sets : their columns; texts empty and numbers NaN where nothing is given.
    pair : (n,) number of the pair of each.
    pairs : the pairs.
    values : market values, base currency.
    initial_margin, missing_margin : by side, (n,) margin of the agreed model, and what it lacks.
    usd : US dollars for one unit, by currency.
    """

    sets: pd.DataFrame
    pair: np.ndarray
    pairs: list[Pair]
    values: SetValues
    initial_margin: Mapping[str, np.ndarray]
    missing_margin: Mapping[str, list[str]]
    usd: Mapping[str, float]

    @cached_property
    def rows(self) -> list[dict[Any, Any]]:
        """The netting sets, one mapping each."""
        return self.sets.to_dict("records")

    def numbers(self, column: str) -> np.ndarray:
        """(n,) a column of numbers."""
        return self.sets[column].to_numpy(dtype=np.float64)


def margin_book(
    netting_sets: pd.DataFrame, otc_trades: pd.DataFrame, netting_set_margins: pd.DataFrame, portfolios: pd.DataFrame,
    entity_figures: pd.DataFrame, fx_rates: pd.DataFrame, rules: UnclearedMarginRules, as_of: dt.date,
) -> MarginBook:  # fmt: skip
    """Uncleared netting sets of all portfolios, with their pairs and amounts; cleared ones are left out."""
    usd = usd_rates(fx_rates, as_of)
    owners = {str(row["portfolio_id"]): row for row in portfolios.to_dict("records")}
    sets = uncleared_sets(netting_sets, owners, rules)
    figures = entity_figures[entity_figures["figure"] == "aana"].to_dict("records")
    notionals = {str(row["portfolio_id"]): (float(row["value"]), str(row["currency"])) for row in figures}
    pair, pairs = _pairs(sets, owners, notionals, usd, rules)
    margins, missing = _initial_margins(sets, netting_set_margins)
    return MarginBook(sets, pair, pairs, set_values(otc_trades, sets, usd), margins, missing, usd)


def uncleared_sets(netting_sets: pd.DataFrame, owners: Mapping[str, Mapping[Any, Any]], rules: UnclearedMarginRules) -> pd.DataFrame:
    """Uncleared netting sets with base currency and the name of the regime that applies, in a fixed order."""
    sets = netting_sets.copy()
    for column in (*NUMBERS, *TEXTS, "is_cleared", "margined"):
        if column not in sets:
            sets[column] = None
    sets = sets[~(sets["is_cleared"].astype("boolean").fillna(False).astype(bool))]
    sets = sets[sets["portfolio_id"].isin(list(owners))].sort_values(["portfolio_id", "netting_set_id"], kind="stable")
    sets = sets.reset_index(drop=True)
    for column in NUMBERS:
        sets[column] = sets[column].astype(float)
    for column in TEXTS:
        sets[column] = [_text(value) for value in sets[column]]
    sets["base_currency"] = [str(owners[name]["base_currency"]) for name in sets["portfolio_id"]]
    own = [own_regime(owners[name], rules) for name in sets["portfolio_id"]]
    sets["regime"] = [given.lower() or found or "" for given, found in zip(sets["regime"], own, strict=True)]
    return sets


def flag(value: Any) -> bool | None:
    """A truth value of a table, None where it is empty."""
    return None if value is None or pd.isna(value) else bool(value)


def own_regime(portfolio: Mapping[Any, Any], rules: UnclearedMarginRules) -> str | None:
    """Regime of the entity behind a portfolio, by jurisdiction and entity type."""
    return rules.own_regime(_text(portfolio["jurisdiction"]).upper(), _text(portfolio["entity_type"]).lower())


def exchange_rate(currency: str, into: str, usd: Mapping[str, float]) -> float:
    """Units of the second currency for one of the first, NaN where a rate is missing."""
    return 1.0 if currency == into else usd.get(currency, np.nan) / usd.get(into, np.nan)


def own_party(portfolio: Mapping[Any, Any], notional: tuple[float, str] | None, regime: MarginRegime, usd: Mapping[str, float]) -> Party:
    """The entity behind a portfolio, with its average aggregate notional amount (value and currency; None: not given)."""
    name, entity_type = f"portfolio {portfolio['portfolio_id']}", _text(portfolio["entity_type"]).lower()
    if notional is None:
        return Party(name, entity_type, np.nan, f"entity figure aana of {name}")
    amount, currency = notional
    missing = f"exchange rate of {currency} to {regime.currency}"
    return Party(name, entity_type, amount * exchange_rate(currency, regime.currency, usd), missing)


def _pairs(
    sets: pd.DataFrame, owners: Mapping[str, Mapping[Any, Any]], notionals: Mapping[str, tuple[float, str]], usd: Mapping[str, float],
    rules: UnclearedMarginRules,
) -> tuple[np.ndarray, list[Pair]]:  # fmt: skip
    """Number of the pair of each netting set, and the pairs in the order in which they first come."""
    numbers: dict[tuple[str, str, str, str], int] = {}
    members: list[list[dict[Any, Any]]] = []
    where = np.zeros(len(sets), dtype=np.int64)
    for position, row in enumerate(sets[PAIR_COLUMNS].to_dict("records")):
        lone = "" if row["counterparty"] else str(row["netting_set_id"])
        key = (str(row["portfolio_id"]), row["counterparty"], row["regime"], lone)
        where[position] = numbers.setdefault(key, len(numbers))
        if where[position] == len(members):
            members.append([])
        members[where[position]].append(row)
    pairs = []
    for (portfolio_id, name, regime_name, _), rows in zip(numbers, members, strict=True):
        owner, regime, base = owners[portfolio_id], rules.regimes.get(regime_name), str(rows[0]["base_currency"])
        if regime is None:
            known = ", ".join(sorted(rules.regimes))
            unknown = Scope(None, f"regime {regime_name or 'of the jurisdiction'} of uncleared margin is not known; there are {known}")
            scopes = dict.fromkeys(KINDS, unknown)
        else:
            own, other = own_party(owner, notionals.get(portfolio_id), regime, usd), _counterparty(rows, regime, base, usd)
            scopes = {kind: _scope(kind, regime, rules, own, other, name) for kind in KINDS}
        pairs.append(Pair(portfolio_id, name, regime_name, regime, base, scopes))
    return where, pairs


def _scope(kind: str, regime: MarginRegime, rules: UnclearedMarginRules, own: Party, other: Party, name: str) -> Scope:
    """Scope of a pair; initial margin has a threshold for each counterparty, so that one without a name stays undetermined."""
    found = margin_scope(kind, regime, rules, own, other)
    if kind == "initial" and not name and found.in_scope:
        return Scope(None, f"name of the counterparty, who has one threshold: {other.name}")
    return found


def _counterparty(rows: list[dict[Any, Any]], regime: MarginRegime, base: str, usd: Mapping[str, float]) -> Party:
    """The counterparty of some netting sets: what one row lacks another may say, but two may not contradict each other."""
    name = f"counterparty {rows[0]['counterparty']}" if rows[0]["counterparty"] else f"netting set {rows[0]['netting_set_id']}"
    types = sorted({row["counterparty_type"] for row in rows} - {""})
    amounts = sorted({row["counterparty_average_notional"] for row in rows if not np.isnan(row["counterparty_average_notional"])})
    party_type = " or ".join(types)
    if len(amounts) != 1:
        missing = f"average aggregate notional amount of {name}" + (": netting sets contradict each other" if amounts else "")
        return Party(name, party_type, np.nan, missing)
    rate = exchange_rate(base, regime.currency, usd)
    return Party(name, party_type, amounts[0] * rate, f"exchange rate of {base} to {regime.currency}")


def _initial_margins(sets: pd.DataFrame, margins: pd.DataFrame) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Initial margin of each set by its agreed model (the schedule where none is agreed), by side, and what is missing."""
    columns = [margins[name] for name in ("netting_set_id", "model", "side", "initial_margin", "missing")]
    rows = {(str(n), str(m), str(s)): (float(a), _text(why)) for n, m, s, a, why in zip(*columns, strict=True)}
    amounts, missing = {}, {}
    for side in ("call", "post"):
        keys = [(str(n), m or "schedule", side) for n, m in zip(sets["netting_set_id"], sets["im_model"], strict=True)]
        found = [rows.get(key, (np.nan, "")) for key in keys]
        amounts[side] = np.array([amount for amount, _ in found], dtype=np.float64)
        missing[side] = [why or f"initial margin of netting set {key[0]}" for key, (_, why) in zip(keys, found, strict=True)]
    return amounts, missing


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value).strip()
