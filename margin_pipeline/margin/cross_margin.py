"""Offsets between positions of one portfolio that hedge each other (method cross_margin).

Belongs here: net positions of a portfolio, the offsets granted and their rows. Not here: which pairs qualify (`cross_margin_pairs`), how
far each is matched (`cross_margin_matching`), the total of the method (`portfolio`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.cross_margin_correlation import ReturnCorrelation, currency_part
from margin_pipeline.margin.cross_margin_matching import Matching, best_matching
from margin_pipeline.margin.cross_margin_pairs import (
    BY_CORRELATION,
    DIVERSIFICATION,
    HEDGE,
    NetPositions,
    group_benefits,
)
from margin_pipeline.parameters.cross_margin import CrossMarginRules, cross_margin_rules

COLUMNS = [
    "portfolio_id", "benefit_id", "kind", "symbol_1", "symbol_2", "correlation", "hedge_ratio", "standalone_margin", "combined_margin",
    "saving", "explanation",
]  # fmt: skip
KEY = ["portfolio_id", "strategy", "symbol"]


@dataclass(frozen=True)
class _Factors:
    """Estimates of the risk factors: position in the matrix, correlation, volatility and scale of exposure by factor."""

    index: pd.Series
    correlation: np.ndarray
    volatility: np.ndarray
    scale: np.ndarray
    measure: str


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
    factors = _factors(symbol_risk, symbols, correlation)
    held = _net_positions(positions, position_margins, instruments, factors, portfolios, rules)
    groups = held[["class", "sector"]].drop_duplicates().reset_index(drop=True)
    held["group"] = held[["class", "sector"]].merge(groups.reset_index(), on=["class", "sector"], how="left")["index"].to_numpy()
    table = group_benefits(
        [None if c == "" else c for c in groups["class"]], [None if s == "" else s for s in groups["sector"]], rules.class_benefits
    )
    total = position_margins.groupby("portfolio_id")["maintenance_margin"].sum()
    parts = [
        _portfolio_benefits(str(name), part.reset_index(drop=True), factors, table, rules, float(total[name]))
        for name, part in held.groupby("portfolio_id", sort=True)
        if len(part) > 1
    ]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else _empty()


def _factors(symbol_risk: pd.DataFrame, symbols: Sequence[str], correlation: np.ndarray) -> _Factors:
    """Estimates in the order of the matrix; scale is |beta|, or volatility when there is no beta at all."""
    index = pd.Series(np.arange(len(symbols)), index=pd.Index([str(s) for s in symbols], dtype="str"))
    risk = symbol_risk.drop_duplicates("symbol").set_index("symbol").reindex(index.index)
    volatility = risk["volatility"].to_numpy(dtype=float)
    beta = np.abs(risk["beta"].to_numpy(dtype=float))
    measure = "beta" if np.isfinite(beta).any() else "volatility"
    matrix = np.asarray(correlation)
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
    return _Factors(index, matrix, volatility, beta if measure == "beta" else volatility, measure)


def _net_positions(
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    instruments: pd.DataFrame,
    factors: _Factors,
    portfolios: pd.DataFrame | None,
    rules: CrossMarginRules,
) -> pd.DataFrame:
    """Net positions that can take part: one row a portfolio and symbol, in this order."""
    rows = positions.loc[
        positions["asset_class"].isin(list(rules.asset_classes)) & positions["isolated_wallet"].isna(), [*KEY, "currency", "notional"]
    ]
    if portfolios is not None:
        admitted = portfolios.loc[portfolios["account_type"].isin(list(rules.account_types)), ["portfolio_id", "base_currency"]]
        rows = rows.merge(admitted, on="portfolio_id", how="inner")
    else:
        rows = rows.assign(base_currency=rows["currency"])
    rows = rows.merge(position_margins[[*KEY, "maintenance_margin"]], on=KEY, how="left").sort_values(KEY, kind="stable")
    net = _netted(rows)
    described = _described(net["symbol"], instruments, factors, rules)
    net = pd.concat([net, described], axis=1)
    net["capacity"] = net["exposure"].abs() * net["scale"]
    usable = (net["margin"] > 0) & (net["capacity"] > 0) & ~net["inverse"] & (net["factor"] >= 0)
    usable &= _currency_factors_known(net, factors)
    return net[usable].reset_index(drop=True)


def _netted(rows: pd.DataFrame) -> pd.DataFrame:
    """Net exposure of each portfolio and symbol and its part of the margin of its side; NaN where any strategy has a gap."""
    work = rows[["portfolio_id", "symbol", "currency", "base_currency"]].copy()
    long = (rows["notional"] > 0).to_numpy()
    size, margin = rows["notional"].abs().to_numpy(dtype=float), rows["maintenance_margin"].to_numpy(dtype=float)
    gap = ~(np.isfinite(size) & np.isfinite(margin))
    work["gap"] = gap
    for name, value in (("size", size), ("margin", margin)):
        work[f"long_{name}"] = np.where(long & ~gap, value, 0.0)
        work[f"short_{name}"] = np.where(~long & ~gap, value, 0.0)
    sums = ["long_size", "long_margin", "short_size", "short_margin"]
    how = {**dict.fromkeys(sums, "sum"), "gap": "any", "currency": "first", "base_currency": "first"}
    net = work.groupby(["portfolio_id", "symbol"], sort=True).agg(how).reset_index()
    exposure = net["long_size"] - net["short_size"]
    side_size = np.where(exposure > 0, net["long_size"], net["short_size"])
    side_margin = np.where(exposure > 0, net["long_margin"], net["short_margin"])
    net["exposure"] = exposure.where(~net["gap"])
    net["margin"] = side_margin * np.divide(exposure.abs(), side_size, out=np.zeros(len(net)), where=side_size > 0)
    return net[["portfolio_id", "symbol", "currency", "base_currency", "exposure", "margin"]]


def _described(symbol: pd.Series, instruments: pd.DataFrame, factors: _Factors, rules: CrossMarginRules) -> pd.DataFrame:
    """Risk factor, scale of exposure, class, sector and duration of each symbol; futures look through to their underlying."""
    known = instruments.drop_duplicates("symbol").set_index("symbol")
    known["class"] = known["asset_class"].map(dict(rules.class_of))
    through = (known["asset_class"] == "future") & known["underlying"].notna()
    known.loc[through, "class"] = known.loc[through, "underlying"].map(known["class"])
    own = factors.index.reindex(known.index)
    beneath = pd.Series(factors.index.reindex(known["underlying"]).to_numpy(), index=known.index)
    known["factor"] = own.where(~(through & beneath.notna()), beneath)
    found = known.reindex(symbol.to_numpy()).reset_index(drop=True)
    factor = found["factor"].fillna(-1).to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "factor": factor,
            "scale": np.where(factor >= 0, factors.scale[factor] if len(factors.scale) else np.nan, np.nan),
            "class": found["class"].astype("str").fillna(""),
            "sector": found["sector"].astype("str").fillna(""),
            "duration": found["modified_duration"].to_numpy(dtype=float),
            "inverse": (found["contract_type"] == "inverse").fillna(False).to_numpy(dtype=bool),
        },
        index=symbol.index,
    )


def _currency_factors_known(net: pd.DataFrame, factors: _Factors) -> np.ndarray:
    """(n,) whether the exchange-rate factors that a return in base currency needs are estimated; the dollar needs none."""
    known = np.ones(len(net), dtype=bool)
    foreign = np.flatnonzero((net["currency"] != net["base_currency"]).to_numpy())
    for column in ("currency", "base_currency"):
        code, names = pd.factorize(net[column].iloc[foreign])
        there = np.array([name == "USD" or f"fx:{name}" in factors.index.index for name in names], dtype=bool)
        known[foreign] &= there[code] & (code >= 0) if len(names) else False
    return known


def _return_correlation(part: pd.DataFrame, factors: _Factors) -> ReturnCorrelation:
    """Correlation of the base currency returns of the positions: local return + currency - base currency."""
    factor = part["factor"].to_numpy()
    foreign = (part["currency"] != part["base_currency"]).to_numpy()
    if not foreign.any():
        return ReturnCorrelation(factors.correlation, factor)
    kind, names = pd.factorize(part["currency"].where(foreign, ""), sort=True)
    base = part["base_currency"].iloc[0]
    loading = np.zeros((len(names), len(factors.index)))
    for row, name in enumerate(names):
        for currency, sign in ((name, 1.0), (base, -1.0)):
            if name and currency != "USD":
                loading[row, factors.index[f"fx:{currency}"]] += sign
    return ReturnCorrelation(factors.correlation, factor, currency_part(factors.correlation, factors.volatility, factor, kind, loading))


def _portfolio_benefits(
    name: str, part: pd.DataFrame, factors: _Factors, table: np.ndarray, rules: CrossMarginRules, standalone: float
) -> pd.DataFrame:
    """Offsets of one portfolio, whose positions need `standalone` before any offset."""
    held = NetPositions(
        sign=np.sign(part["exposure"].to_numpy()),
        capacity=part["capacity"].to_numpy(),
        margin=part["margin"].to_numpy(),
        group=part["group"].to_numpy(),
        duration=part["duration"].to_numpy(),
    )
    found = best_matching(held, _return_correlation(part, factors), table, rules)
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
    factors: _Factors,
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
