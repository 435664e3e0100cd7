"""Offsets between positions of one portfolio that hedge each other (method cross_margin).

Belongs here: the offsets granted and their rows. Not here: net positions (`cross_margin_netting`), which pairs qualify
(`cross_margin_pairs`), how far each is matched (`cross_margin_matching`), the total of the method (`portfolio`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from margin_pipeline.compute import pinned_threads
from margin_pipeline.margin.cross_margin_matching import Matching, best_matching
from margin_pipeline.margin.cross_margin_netting import Factors, estimates, held_positions, net_book, return_correlation
from margin_pipeline.margin.cross_margin_pairs import (
    BY_CORRELATION,
    DIVERSIFICATION,
    HEDGE,
    NetPositions,
)
from margin_pipeline.parameters.cross_margin import CrossMarginRules, cross_margin_rules

COLUMNS = [
    "portfolio_id", "benefit_id", "kind", "symbol_1", "symbol_2", "correlation", "hedge_ratio", "standalone_margin", "combined_margin",
    "saving", "explanation",
]  # fmt: skip


def find_benefits(
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    instruments: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    symbols: Sequence[str],
    correlation: np.ndarray,
    as_of: dt.date,
    portfolios: pd.DataFrame | None = None,
    rules: CrossMarginRules | None = None,
) -> pd.DataFrame:
    """Offsets of every portfolio, each unit of exposure used once, that together save the most margin.

    Parameters
    ----------
    positions, position_margins, instruments, symbol_risk : tables of these names.
    symbols, correlation : (n,) risk factors and (n, n) their correlation.
    as_of : date of the rules.
    portfolios : table of portfolios; restricts offsets to the account types of the rules and puts returns into base currency. Without it
        all portfolios take part, at the correlation of local returns.
    rules : rules to use instead of those in force.

    Returns
    -------
    Frame as margin_data.cross_margin_benefits, ordered by portfolio and benefit. Savings are of maintenance margin.

    Notes
    -----
    Positions are net over strategies; the margin of a net position is that of its side, pro rata. Exposure is scaled by |beta|, or by
    volatility when no symbol has a beta (missing benchmark). A symbol without margin, notional, correlation or beta takes no part (fails
    closed), nor do options, inverse contracts and positions with a wallet of their own.
    """
    rules = rules or cross_margin_rules(as_of)
    factors = estimates(symbol_risk, symbols, correlation)
    book = net_book(positions, position_margins, instruments, factors, portfolios, rules)
    code, names = pd.factorize(position_margins["portfolio_id"])
    margin = np.nan_to_num(position_margins["maintenance_margin"].to_numpy(dtype=float))
    total = dict(zip(names, np.bincount(code + 1, margin, len(names) + 1)[1:].tolist(), strict=True))
    # One thread: the last bits of products depend on how many there are, and products here are too small to gain from more.
    with pinned_threads(1):
        parts = [
            _portfolio_benefits(name, part, factors, book.benefit_table, rules, total[name])
            for name, part in book.portfolios()
            if len(part) > 1
        ]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else _empty()


def _portfolio_benefits(
    name: str, part: pd.DataFrame, factors: Factors, table: np.ndarray, rules: CrossMarginRules, standalone: float
) -> pd.DataFrame:
    """Offsets of one portfolio, whose positions need `standalone` before any offset."""
    held = held_positions(part)
    found = best_matching(held, return_correlation(part, factors), table, rules)
    granted = np.flatnonzero(found.matched * found.pairs.saving_rate > 0)
    allowed = (1 - rules.net_floor) * standalone
    kept = min(1.0, allowed / found.saving) if found.saving else 1.0
    return _rows(name, part["symbol"].to_numpy(), held, found, granted, kept, factors, rules)


def _rows(
    name: str,
    symbol: np.ndarray,
    held: NetPositions,
    found: Matching,
    granted: np.ndarray,
    kept: float,
    factors: Factors,
    rules: CrossMarginRules,
) -> pd.DataFrame:
    """Rows of the table for the pairs that were granted; `kept` is the part of the saving that the floor leaves."""
    pairs, matched = found.pairs, found.matched
    first, second, x, s = pairs.first[granted], pairs.second[granted], matched[granted], pairs.s[granted]
    a, b = (held.margin[side] / held.capacity[side] * x for side in (first, second))
    before = np.minimum(x * pairs.saving_rate[granted], a + b)
    opposite = held.sign[first] != held.sign[second]
    benefit = pairs.benefit[granted]
    kinds = np.array([*(c.kind for c in rules.class_benefits), HEDGE, DIVERSIFICATION], dtype=object)
    kind = kinds[np.where(benefit != BY_CORRELATION, benefit, len(kinds) - np.where(opposite, 2, 1))]
    floor = "true" if kept < 1 else "false"
    proven = found.proven_share
    explanation = [
        f'{{"rule": "{rules.label}", "s": {r}, "exposure_measure": "{factors.measure}", "matched_exposure": {m}, "margin_1": {p}, '
        f'"margin_2": {q}, "saving_before_floor": {g}, "floor_binds": {floor}, '
        f'"proven_share": {proven}}}'
        for r, m, p, q, g in zip(s.tolist(), x.tolist(), a.tolist(), b.tolist(), before.tolist(), strict=True)
    ]
    return pd.DataFrame(
        {
            "portfolio_id": name,
            "benefit_id": symbol[first] + "/" + symbol[second],
            "kind": kind,
            "symbol_1": symbol[first],
            "symbol_2": symbol[second],
            "correlation": np.where(opposite, s, -s),
            "hedge_ratio": x / np.maximum(held.capacity[first], held.capacity[second]),
            "standalone_margin": a + b,
            "combined_margin": a + b - kept * before,
            "saving": kept * before,
            "explanation": explanation,
        }
    )


def _empty() -> pd.DataFrame:
    numbers = {"correlation", "hedge_ratio", "standalone_margin", "combined_margin", "saving"}
    return pd.DataFrame({c: pd.Series(dtype=float if c in numbers else "str") for c in COLUMNS})
