"""Net positions that can take part in cross margin, as arrays.

Belongs here: which positions take part, netting over strategies, what each symbol is. Not here: offsets (`cross_margin_pairs`), rows of
the table (`cross_margin`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.cross_margin_correlation import ReturnCorrelation, currency_part
from margin_pipeline.margin.cross_margin_pairs import NetPositions, group_benefits
from margin_pipeline.parameters.cross_margin import CrossMarginRules

KEY = ["portfolio_id", "strategy", "symbol"]


@dataclass(frozen=True)
class Factors:
    """Estimates of f risk factors.

    Attributes
    ----------
    names : names, in the order of the matrix.
    correlation : (f, f) correlation, float32 or float64.
    volatility : (f,) volatilities.
    scale : (f,) what exposure is scaled by: |beta|, or volatility when there is no beta at all.
    measure : "beta" or "volatility".
    """

    names: pd.Index
    correlation: np.ndarray
    volatility: np.ndarray
    scale: np.ndarray
    measure: str


@dataclass(frozen=True)
class NetBook:
    """Net positions of all portfolios that can take part, by portfolio, then symbol.

    Attributes
    ----------
    frame : portfolio_id, portfolio_code, symbol, currency, base_currency, exposure (base currency), margin (> 0), factor, capacity
        (> 0), group, duration.
    benefit_table : which class benefit each pair of groups may have.
    """

    frame: pd.DataFrame
    benefit_table: np.ndarray

    def portfolios(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Positions of each portfolio, in alphabetical order."""
        code = self.frame["portfolio_code"].to_numpy()
        starts = [*np.unique(code, return_index=True)[1].tolist(), len(code)]
        for start, end in itertools.pairwise(starts):
            yield str(self.frame["portfolio_id"].iloc[start]), self.frame.iloc[start:end]


def estimates(symbol_risk: pd.DataFrame, symbols: Sequence[str], correlation: np.ndarray) -> Factors:
    """Estimates in the order of the matrix, which is not copied when it is of floats."""
    names = pd.Index([str(s) for s in symbols], dtype="str")
    risk = symbol_risk.drop_duplicates("symbol").set_index("symbol").reindex(names)
    volatility = risk["volatility"].to_numpy(dtype=float)
    beta = np.abs(risk["beta"].to_numpy(dtype=float))
    measure = "beta" if np.isfinite(beta).any() else "volatility"
    matrix = np.asarray(correlation)
    if matrix.dtype not in (np.float32, np.float64):
        matrix = matrix.astype(np.float64)
    return Factors(names, matrix, volatility, beta if measure == "beta" else volatility, measure)


def net_book(
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    instruments: pd.DataFrame,
    factors: Factors,
    portfolios: pd.DataFrame | None,
    rules: CrossMarginRules,
) -> NetBook:
    """Net positions that can take part.

    Parameters
    ----------
    positions, position_margins, instruments : tables of these names.
    factors : estimates of risk factors.
    portfolios : table of portfolios, or None: all portfolios take part, each position in its own currency.
    rules : rules in force.

    Returns
    -------
    The book; positions with a gap, without a risk factor, and inverse contracts are left out.
    """
    rows = positions.loc[
        positions["asset_class"].isin(list(rules.asset_classes)) & positions["isolated_wallet"].isna(), [*KEY, "currency", "notional"]
    ]
    rows = rows.assign(base_currency=rows["currency"]) if portfolios is None else _admitted(rows, portfolios, rules)
    net, symbols = _netted(rows, position_margins)
    described, table = _described(symbols, instruments, factors, rules)
    net = pd.concat([net, described.iloc[net.pop("symbol_code")].reset_index(drop=True)], axis=1)
    net["capacity"] = net["exposure"].abs() * net["scale"]
    usable = (net["margin"] > 0) & (net["capacity"] > 0) & ~net["inverse"] & (net["factor"] >= 0)
    usable &= _currency_factors_known(net, factors)
    return NetBook(net[usable].reset_index(drop=True), table)


def held_positions(part: pd.DataFrame) -> NetPositions:
    """Net positions of one portfolio as arrays."""
    return NetPositions(
        sign=np.sign(part["exposure"].to_numpy()),
        capacity=part["capacity"].to_numpy(),
        margin=part["margin"].to_numpy(),
        group=part["group"].to_numpy(),
        duration=part["duration"].to_numpy(),
    )


def return_correlation(part: pd.DataFrame, factors: Factors) -> ReturnCorrelation:
    """Correlation of the base currency returns of the positions of one portfolio: local return + currency - base currency."""
    factor = part["factor"].to_numpy()
    foreign = part["currency"] != part["base_currency"]
    if not foreign.any():
        return ReturnCorrelation(factors.correlation, factor)
    kind, names = pd.factorize(part["currency"].where(foreign, ""), sort=True)
    base = part["base_currency"].iloc[0]
    loading = np.zeros((len(names), len(factors.names)))
    for row, name in enumerate(names):
        for currency, sign in ((name, 1.0), (base, -1.0)):
            if name and currency != "USD":
                loading[row, factors.names.get_loc(f"fx:{currency}")] += sign
    return ReturnCorrelation(factors.correlation, factor, currency_part(factors.correlation, factors.volatility, factor, kind, loading))


def _admitted(rows: pd.DataFrame, portfolios: pd.DataFrame, rules: CrossMarginRules) -> pd.DataFrame:
    """Rows of portfolios whose accounts take part, with their base currency."""
    takes_part = portfolios["account_type"].isin(list(rules.account_types))
    base = portfolios[takes_part].drop_duplicates("portfolio_id").set_index("portfolio_id")["base_currency"]
    which = base.index.get_indexer(pd.Index(rows["portfolio_id"]))
    return rows[which >= 0].assign(base_currency=base.to_numpy()[which[which >= 0]])


def _netted(rows: pd.DataFrame, position_margins: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index]:
    """Net exposure of each portfolio and symbol and its part of the margin of its side; NaN where any strategy has a gap.

    Sums are taken in the order of strategies, whatever the order of rows.
    """
    codes, names = zip(*(pd.factorize(rows[column], sort=True) for column in KEY), strict=True)
    portfolio, strategy, symbol = (code.astype(np.int64) for code in codes)
    cell = portfolio * len(names[2]) + symbol
    order = np.lexsort((strategy, cell))
    margin = _margins(cell * len(names[1]) + strategy, names, position_margins)[order]
    notional = rows["notional"].to_numpy(dtype=float)[order]
    known, first, inverse = np.unique(cell[order], return_index=True, return_inverse=True)
    gap = ~(np.isfinite(notional) & np.isfinite(margin))
    long, short = (notional > 0) & ~gap, ~(notional > 0) & ~gap

    def total(value: np.ndarray, side: np.ndarray) -> np.ndarray:
        return np.bincount(inverse, np.where(side, value, 0.0), len(known))

    long_size, short_size = total(np.abs(notional), long), total(np.abs(notional), short)
    exposure = long_size - short_size
    side_size = np.where(exposure > 0, long_size, short_size)
    side_margin = np.where(exposure > 0, total(margin, long), total(margin, short))
    share = np.divide(np.abs(exposure), side_size, out=np.zeros(len(known)), where=side_size > 0)
    net = rows[["portfolio_id", "symbol", "currency", "base_currency"]].iloc[order[first]].reset_index(drop=True)
    net["portfolio_code"] = known // max(len(names[2]), 1)
    net["symbol_code"] = known % max(len(names[2]), 1)
    net["exposure"] = np.where(np.bincount(inverse, gap, len(known)) > 0, np.nan, exposure)
    net["margin"] = side_margin * share
    return net, pd.Index(names[2])


def _margins(cell: np.ndarray, names: Sequence[pd.Index], position_margins: pd.DataFrame) -> np.ndarray:
    """Maintenance margin of each row, NaN where there is none; `cell` numbers portfolio, symbol and strategy."""
    portfolio, strategy, symbol = (
        pd.Index(known).get_indexer(pd.Index(position_margins[column])).astype(np.int64) for known, column in zip(names, KEY, strict=True)
    )
    wanted = (portfolio >= 0) & (strategy >= 0) & (symbol >= 0)
    own = ((portfolio * len(names[2]) + symbol) * len(names[1]) + strategy)[wanted]
    value = position_margins["maintenance_margin"].to_numpy(dtype=float)[wanted]
    order = np.argsort(own, kind="stable")
    place = np.minimum(np.searchsorted(own[order], cell), max(len(own) - 1, 0))
    if not len(own):
        return np.full(len(cell), np.nan)
    return np.where(own[order][place] == cell, value[order][place], np.nan)


def _described(symbols: pd.Index, instruments: pd.DataFrame, factors: Factors, rules: CrossMarginRules) -> tuple[pd.DataFrame, np.ndarray]:
    """Risk factor, scale of exposure, group, duration of each symbol, and benefits of groups; futures look through to their underlying."""
    listed = instruments if instruments["symbol"].is_unique else instruments.drop_duplicates("symbol")
    names = pd.Index(listed["symbol"])
    place = names.get_indexer(symbols)
    known = place >= 0
    found = listed.iloc[place].reset_index(drop=True) if len(listed) else listed.reindex(range(len(symbols)))
    through = (found["asset_class"] == "future").to_numpy() & found["underlying"].notna().to_numpy() & known
    classes = _classes(found["asset_class"], rules)
    if through.any():
        beneath = names.get_indexer(pd.Index(found["underlying"]))
        of_underlying_class = np.where(beneath >= 0, _classes(listed["asset_class"], rules)[beneath], None)
        classes = np.where(through, of_underlying_class, classes)
    own, of_underlying = factors.names.get_indexer(symbols), factors.names.get_indexer(pd.Index(found["underlying"]))
    factor = np.where(known, np.where(through & (of_underlying >= 0), of_underlying, own), -1)
    group, table = _groups(classes, found["sector"], known, rules)
    described = pd.DataFrame(
        {
            "factor": factor,
            "scale": np.where(factor >= 0, factors.scale[factor] if len(factors.scale) else np.nan, np.nan),
            "group": group,
            "duration": found["modified_duration"].to_numpy(dtype=float),
            "inverse": (found["contract_type"] == "inverse").fillna(False).to_numpy(dtype=bool),
        }
    )
    return described, table


def _classes(asset_class: pd.Series, rules: CrossMarginRules) -> np.ndarray:
    """(n,) class of benefit of each asset class, None where it has none."""
    code, names = pd.factorize(asset_class)
    return np.array([*(rules.class_of.get(str(name)) for name in names), None], dtype=object)[code]


def _groups(classes: np.ndarray, sectors: pd.Series, known: np.ndarray, rules: CrossMarginRules) -> tuple[np.ndarray, np.ndarray]:
    """Number of class and sector of each symbol, and which class benefit each pair of numbers may have."""
    class_code, class_names = pd.factorize(classes, sort=True)
    sector_code, sector_names = pd.factorize(sectors, sort=True)
    pairs, group = np.unique(np.where(known, [class_code, sector_code], -1), axis=1, return_inverse=True)
    of_class = [None if code < 0 else str(class_names[code]) for code in pairs[0]]
    of_sector = [None if code < 0 else str(sector_names[code]) for code in pairs[1]]
    return group.reshape(-1), group_benefits(of_class, of_sector, rules.class_benefits)


def _currency_factors_known(net: pd.DataFrame, factors: Factors) -> np.ndarray:
    """(n,) whether the exchange-rate factors that a return in base currency needs are estimated; the dollar needs none."""
    known = np.ones(len(net), dtype=bool)
    foreign = np.flatnonzero((net["currency"] != net["base_currency"]).to_numpy())
    for column in ("currency", "base_currency"):
        code, names = pd.factorize(net[column].iloc[foreign])
        there = np.array([*(name == "USD" or f"fx:{name}" in factors.names for name in names), False])
        known[foreign] &= there[code]
    return known
