"""Margin of every portfolio under every method of its account after a shock of prices.

Belongs here: the margin stages called on shocked positions and prices. Not here: rules (`margin`), profits (`risk.stress`), verdicts.

The stages are those of the chain. Two of them are spared where books are large: groups are kept as they are (what they need bounds the
best groups from above), and positions that only add up are added up before margins are composed.

A method whose margin comes from elsewhere plugs in as a function of `AfterShock`, by its name: see `margins_after`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from margin_pipeline.decisions.bundles import Bundles
from margin_pipeline.margin import cross_margin, portfolio, registry, strategy_based
from margin_pipeline.margin.grouping import assembly
from margin_pipeline.margin.grouping.kept import KeptGroups, kept_groups, kept_margins, moved_table
from margin_pipeline.margin.grouping.netting import NetBook, net_book
from margin_pipeline.margin.methods import COMPUTED
from margin_pipeline.margin.models.book import Book, build_book
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.margin.status import status, utilization
from margin_pipeline.margin.valuation import at_symbols
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.margin_models import model_choice
from margin_pipeline.parameters.stress import Scenario, StressRules
from margin_pipeline.risk.stress import ShockedPositions

Array = np.ndarray
KEY = ["portfolio_id", "strategy", "symbol"]
MARGIN_COLUMNS = [
    "portfolio_id", "method", "is_governing", "initial_margin", "maintenance_margin", "margin_equity", "utilization", "status", "missing",
]  # fmt: skip
_SEPARATOR = "\x1f"
"""Stands between a portfolio and the number of a scenario; no name holds it."""
_GROUPS = ["portfolio_id", "structure", "legs", "initial_margin", "maintenance_margin", "missing"]
_NO_OFFSETS = ["portfolio_id", "benefit_id", "symbol_1", "symbol_2", "saving"]
_NO_NETTING_SETS = ["portfolio_id", "netting_set_id", "model", "side", "initial_margin", "missing"]


@dataclass(frozen=True)
class MarginInputs:
    """Frames of the tables of these names at the prices of the date; positions ordered by portfolio, strategy and symbol.

    `prices`: at least the closes of the date; `symbols`, `correlation`: risk factors and (m, m) their correlation.
    """

    positions: pd.DataFrame
    instruments: pd.DataFrame
    portfolios: pd.DataFrame
    prices: pd.DataFrame
    fx_rates: pd.DataFrame
    futures_margins: pd.DataFrame
    margin_schedules: pd.DataFrame
    margin_rates: pd.DataFrame
    house_margins: pd.DataFrame
    symbol_risk: pd.DataFrame
    strategy_groups: pd.DataFrame
    rejected_rows: pd.DataFrame
    symbols: tuple[str, ...]
    correlation: Array


@dataclass(frozen=True)
class AfterShock:
    """What a margin method sees after a shock: frames as of the tables of these names, moved.

    Attributes
    ----------
    scenario : the shock; its rates and volatilities are not in the frames.
    positions : price, fx_rate, market_value and notional after.
    portfolios : equity after profit and liquidity cost.
    prices : closes of the date only.
    fx_rates : moved.
    before : everything else.
    as_of : business date.
    """

    scenario: Scenario
    positions: pd.DataFrame
    portfolios: pd.DataFrame
    prices: pd.DataFrame
    fx_rates: pd.DataFrame
    before: MarginInputs
    as_of: dt.date


MarginAfter = Callable[[AfterShock], pd.DataFrame]
"""Margin of a method after a shock: portfolio_id, initial_margin, maintenance_margin (base currency), missing (JSON list or missing)."""


@dataclass(frozen=True)
class Prepared:
    """What does not depend on the scenario.

    Attributes
    ----------
    inputs, shocked : the book before and after.
    book, kept, kept_rows : net legs, and the groups of large portfolios on them with their rows of strategy_groups.
    regrouped, offset : portfolios that are grouped again, and whose offsets are looked for again.
    shares : (legs, n) sparse, see `_shares`.
    bundles : which positions stand together.
    margin_book : positions as margin models see them.
    models : user models by name.
    """

    inputs: MarginInputs
    shocked: ShockedPositions
    book: NetBook
    kept: KeptGroups
    kept_rows: pd.DataFrame
    regrouped: frozenset[str]
    offset: frozenset[str]
    shares: Any
    bundles: Bundles
    margin_book: Book
    models: Mapping[str, UserModel]


def prepare(
    inputs: MarginInputs, shocked: ShockedPositions, rules: StressRules, as_of: dt.date, models: Mapping[str, UserModel] | None = None
) -> Prepared:
    """Net legs, kept groups and bundles of a book; `models`: user models by name, None: those that installed packages bring."""
    book = net_book(inputs.positions, inputs.instruments, inputs.portfolios, inputs.prices, inputs.fx_rates, as_of, inputs.house_margins)
    legs = book.legs.groupby("portfolio_id").size()
    owners = inputs.portfolios["portfolio_id"]
    small = frozenset(owners[owners.map(legs).fillna(0) <= rules.regroup_legs_up_to])
    held = inputs.positions.groupby("portfolio_id").size()
    narrow = frozenset(owners[owners.map(held).fillna(0) <= rules.cross_margin_positions_up_to])
    groups = inputs.strategy_groups
    kept_rows = groups[~groups["portfolio_id"].isin(small)].reset_index(drop=True)
    bundles = Bundles.of(inputs.positions, inputs.instruments, inputs.portfolios, inputs.rejected_rows, as_of)
    installed = registry.installed_models() if models is None else models
    kept = kept_groups(book, kept_rows)
    margin_book = build_book(
        inputs.positions,
        inputs.instruments,
        inputs.portfolios,
        inputs.prices,
        inputs.symbol_risk,
        usd_rates(inputs.fx_rates, as_of),
        as_of,
        inputs.house_margins,
    )
    return Prepared(inputs, shocked, book, kept, kept_rows, small, narrow, _shares(book, inputs.positions), bundles, margin_book, installed)


def _shares(book: NetBook, positions: pd.DataFrame) -> Any:
    """(legs, n) sparse: part of each position in the size of its leg, to average figures of positions over strategies."""
    rows = book.rows
    owner = book.legs["portfolio_id"].to_numpy(object)[rows["leg"]]
    wanted = pd.MultiIndex.from_arrays([owner, rows["strategy"].astype(object), rows["symbol"].astype(object)])
    column = pd.MultiIndex.from_frame(positions[KEY].astype(object)).get_indexer(wanted)
    leg, size = rows["leg"].to_numpy(), rows["quantity"].abs().to_numpy(float)
    total = np.bincount(leg, size, minlength=len(book.legs))
    return sparse.csr_array((size / total[leg], (leg, column)), shape=(len(book.legs), len(positions)))


def margins_after(
    prepared: Prepared,
    equity: pd.DataFrame,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    other_methods: Mapping[str, MarginAfter] | None = None,
    *,
    threads: int = 1,
) -> pd.DataFrame:
    """Margin, margin equity, utilization and status of every portfolio after every scenario.

    Parameters
    ----------
    prepared : as `prepare` gives it, for k scenarios.
    equity : equity after profit and liquidity cost, base currency: a row a portfolio (its index), a column a scenario.
    thresholds : utilization from which "warning", "critical" and "emergency" begin.
    as_of : business date.
    other_methods : functions of methods that are not composed of the stages here, by name of the method; their margin is compared with
        equity.
    threads : underlyings that are solved at once; the result does not depend on it.

    Returns
    -------
    Frame of `scenario` (its number) and `MARGIN_COLUMNS`, one row for each portfolio and method of its account; `missing` is a JSON list
    or missing.

    Notes
    -----
    Rates and rules of the date apply after the close. Correlations and volatilities that rules use stay those of the date. A portfolio
    after a scenario is composed like one of its own, so that all scenarios are composed together.
    """
    after = [_after(prepared, scenario, equity.iloc[:, scenario], as_of) for scenario in range(len(prepared.shocked.scenarios))]
    alone = [_stand_alone(prepared, moved, as_of) for moved in after]
    again = _regrouped(prepared, after, threads)
    parts = []
    by_currencies: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for number, moved in enumerate(after):
        by_currencies.setdefault(tuple(sorted(moved.scenario.currencies.items())), []).append(number)
    for numbers in by_currencies.values():
        parts.append(_composed(prepared, {n: (after[n], alone[n]) for n in numbers}, again, thresholds, as_of))
    found = _without_offsets(pd.concat(parts, ignore_index=True), prepared)
    for method, function in (other_methods or {}).items():
        own = [
            _with_method(found[found["scenario"] == n], method, function(moved), moved.portfolios, thresholds).assign(scenario=n)
            for n, moved in enumerate(after)
        ]
        found = pd.concat(own, ignore_index=True)
    return found.sort_values(["scenario", "portfolio_id", "method"], kind="stable", ignore_index=True)


def _composed(
    prepared: Prepared,
    moved: Mapping[int, tuple[AfterShock, pd.DataFrame]],
    again: pd.DataFrame,
    thresholds: Mapping[str, float],
    as_of: dt.date,
) -> pd.DataFrame:
    """Margins of scenarios that share exchange rates, composed at once."""
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in ("owners", "positions", "margins", "groups", "offsets", "rejected")}
    for number, (after, alone) in moved.items():
        positions, margins = prepared.bundles.bundled(after.positions, alone)
        kept = prepared.bundles.groups(_kept(prepared, number, after))
        own = (after.portfolios, positions, margins, kept, _offsets(prepared, after, alone), prepared.inputs.rejected_rows)
        for name, frame in zip(frames, own, strict=True):
            frames[name].append(frame.assign(portfolio_id=in_scenario(frame["portfolio_id"], number)))
    stacked = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    names = set(stacked["owners"]["portfolio_id"])
    groups = pd.concat([prepared.bundles.groups(again[again["portfolio_id"].isin(names)]), stacked["groups"]], ignore_index=True)
    composed = portfolio.compose(
        stacked["owners"],
        stacked["positions"],
        prepared.inputs.instruments,
        stacked["margins"],
        groups,
        stacked["offsets"],
        pd.DataFrame(columns=_NO_NETTING_SETS),
        stacked["rejected"],
        next(iter(moved.values()))[0].fx_rates,
        thresholds,
        as_of,
    ).portfolio_margins[MARGIN_COLUMNS]
    owner = composed["portfolio_id"].str.rsplit(_SEPARATOR, n=1)
    return composed.assign(portfolio_id=owner.str[0].astype("str"), scenario=owner.str[1].astype(np.int64))


def in_scenario(portfolio_id: pd.Series, scenario: int) -> pd.Series:
    """Name of each portfolio after a scenario; missing where there is none."""
    return (portfolio_id.astype("str") + f"{_SEPARATOR}{scenario}").astype("str")


def _after(prepared: Prepared, scenario: int, equity: pd.Series, as_of: dt.date) -> AfterShock:
    """Frames of the tables, moved."""
    shocked, inputs = prepared.shocked, prepared.inputs
    move = shocked.scenarios[scenario]
    relative = 1.0 + shocked.currency_move[:, scenario]
    positions = inputs.positions.assign(
        price=shocked.price[:, scenario],
        fx_rate=inputs.positions["fx_rate"].to_numpy(float) * relative,
        market_value=shocked.market_value(scenario),
        notional=shocked.notional(scenario),
    )
    closes = inputs.prices[pd.to_datetime(inputs.prices["date"]) == pd.Timestamp(as_of)]
    moved = closes["close"].to_numpy(float) * (1.0 + shocked.moves.of(closes["symbol"])[:, scenario])
    rate = inputs.fx_rates["currency"].map(dict(move.currencies)).fillna(0.0).to_numpy(float)
    owners = inputs.portfolios
    own = owners["portfolio_id"].map(equity).astype(float)
    return AfterShock(
        scenario=move,
        positions=positions,
        portfolios=owners.assign(equity=own.where(own.notna(), owners["equity"].astype(float))),
        prices=closes.assign(close=moved),
        fx_rates=inputs.fx_rates.assign(usd_rate=inputs.fx_rates["usd_rate"].astype(float) * (1.0 + rate)),
        before=inputs,
        as_of=as_of,
    )


def _stand_alone(prepared: Prepared, after: AfterShock, as_of: dt.date) -> pd.DataFrame:
    """Margins of positions on their own, in the order of the positions, without explanations."""
    inputs = prepared.inputs
    terms = registry.terms_in_force(after.fx_rates, inputs.futures_margins, inputs.margin_schedules, inputs.margin_rates, as_of)
    book = _moved_book(prepared, after, terms.usd)
    count = len(book)
    model = np.full(count, "", dtype=object)
    missing = np.full(count, None, dtype=object)
    initial, maintenance = np.full(count, np.nan), np.full(count, np.nan)
    for part in registry.requirements(book, terms, model_choice(as_of), prepared.models):
        model[part.rows] = part.model
        initial[part.rows], maintenance[part.rows] = part.requirement.initial, part.requirement.maintenance
        for row, text in part.requirement.missing.items():
            missing[part.rows[row]] = text
    columns = {"model": model, "initial_margin": initial, "maintenance_margin": maintenance, "missing": missing}
    return pd.concat([inputs.positions[KEY], pd.DataFrame(columns)], axis=1)


def _moved_book(prepared: Prepared, after: AfterShock, usd: Mapping[str, float]) -> Book:
    """The book of the date with the prices and exchange rates of a shock."""
    instruments = prepared.inputs.instruments
    closes = after.prices.drop_duplicates("symbol", keep="last").set_index("symbol")["close"]
    return replace(
        prepared.margin_book,
        positions={name: after.positions[name].to_numpy(np.float64) for name in ("quantity", "price", "fx_rate")},
        instruments={
            **prepared.margin_book.instruments,
            "underlying_close": at_symbols(closes, instruments["underlying"]),
            "dollars": 1.0 / instruments["currency"].map(dict(usd)).to_numpy(np.float64),
        },
        _gathered={},
    )


def _regrouped(prepared: Prepared, after: Sequence[AfterShock], threads: int) -> pd.DataFrame:
    """Groups of small portfolios found again, each portfolio in each scenario by the name of `in_scenario`."""
    inputs = prepared.inputs
    small = inputs.positions["portfolio_id"].isin(prepared.regrouped).to_numpy()
    if not small.any():
        return inputs.strategy_groups[_GROUPS].iloc[:0]
    positions, owners = (
        pd.concat([f.assign(portfolio_id=in_scenario(f["portfolio_id"], n)) for n, f in enumerate(frames)], ignore_index=True)
        for frames in ([moved.positions[small] for moved in after], [moved.portfolios for moved in after])
    )
    as_of = after[0].as_of
    book = net_book(positions, inputs.instruments, owners, inputs.prices, inputs.fx_rates, as_of, inputs.house_margins)
    scenario = book.legs["portfolio_id"].str.rsplit(_SEPARATOR, n=1).str[1].astype(np.int64).to_numpy()
    moves = prepared.shocked.moves
    beneath = moves.of(book.legs["underlying"])[np.arange(len(scenario)), scenario]
    shocks = pd.DataFrame([dict(moved.scenario.currencies) for moved in after], dtype=float)
    named = [shocks.get(str(c), pd.Series(0.0, shocks.index)).fillna(0.0)[n] for c, n in zip(book.legs["currency"], scenario, strict=True)]
    table = moved_table(book.table, book.table.price, beneath, np.array(named, dtype=np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        best = strategy_based.optimum(table, threads)
        moved_book = replace(book, table=table)
        groups = assembly.chosen_groups(moved_book, best.chosen, best.singles)
        return assembly.group_frame(moved_book, groups, as_of)[_GROUPS]


def _kept(prepared: Prepared, scenario: int, after: AfterShock) -> pd.DataFrame:
    """Groups of large portfolios as they were, with what they need now."""
    groups, rows = prepared.kept, prepared.kept_rows
    if rows.empty:
        return rows[_GROUPS]
    shocked, book = prepared.shocked, prepared.book
    figures = (shocked.price, shocked.spot_move, shocked.currency_move)
    mark, spot_move, currency_move = (prepared.shares @ values[:, scenario] for values in figures)
    dollars = book.legs["currency"].map(dict(after.scenario.currencies)).fillna(0.0).to_numpy(float)
    moved = moved_table(groups.table, mark, spot_move, dollars)
    margins = kept_margins(groups, moved, currency_move)
    unknown = np.isnan(margins).any(axis=1)
    missing = np.full(len(rows), None, dtype=object)
    if unknown.any():
        lost = rows[unknown]
        reason = lost["underlying"].astype(str) + ": no price after the shock for its group " + lost["structure"].astype(str)
        missing[unknown] = lost["missing"].where(lost["missing"].notna(), reason).to_numpy(object)
    amounts = {name: np.where(unknown, np.nan, margins[:, column]) for column, name in enumerate(("initial_margin", "maintenance_margin"))}
    return rows[["portfolio_id", "structure", "legs"]].assign(**amounts, missing=missing)[_GROUPS]


def _offsets(prepared: Prepared, after: AfterShock, alone: pd.DataFrame) -> pd.DataFrame:
    """Offsets between positions of narrow portfolios, by the correlation of the date."""
    inputs = prepared.inputs
    if not prepared.offset:
        return pd.DataFrame(columns=_NO_OFFSETS)
    here = inputs.positions["portfolio_id"].isin(prepared.offset).to_numpy()
    accounts = [account for account, methods in COMPUTED.items() if "cross_margin" in methods]
    owners = after.portfolios[after.portfolios["account_type"].isin(accounts) & after.portfolios["portfolio_id"].isin(prepared.offset)]
    arguments = (
        after.positions[here],
        alone[here],
        inputs.instruments,
        inputs.symbol_risk,
        inputs.symbols,
        inputs.correlation,
        after.as_of,
    )
    return cross_margin.find_benefits(*arguments, portfolios=owners)


def _without_offsets(margins: pd.DataFrame, prepared: Prepared) -> pd.DataFrame:
    """Cross margin of portfolios whose offsets were not looked for is not determined."""
    unknown = (margins["method"] == "cross_margin") & ~margins["portfolio_id"].isin(prepared.offset) & margins["missing"].isna()
    if not unknown.any():
        return margins
    found = margins.copy()
    found.loc[unknown, ["initial_margin", "maintenance_margin", "margin_equity", "utilization"]] = np.nan
    found.loc[unknown, "status"] = "undetermined"
    found.loc[unknown, "missing"] = '["cross margin of a portfolio of this size is not optimised again after a shock"]'
    return found


def _with_method(
    margins: pd.DataFrame, method: str, given: pd.DataFrame, portfolios: pd.DataFrame, thresholds: Mapping[str, float]
) -> pd.DataFrame:
    """Margins with those of a method that plugs in, in place of its rows."""
    rows = given[["portfolio_id", "initial_margin", "maintenance_margin", "missing"]].reset_index(drop=True)
    own = margins[margins["method"] == method].set_index("portfolio_id")["is_governing"]
    equity = rows["portfolio_id"].map(portfolios.set_index("portfolio_id")["equity"]).to_numpy(float)
    known = rows["missing"].isna().to_numpy()
    maintenance = np.where(known, rows["maintenance_margin"].to_numpy(float), np.nan)
    found = rows.assign(
        method=method,
        is_governing=rows["portfolio_id"].map(own).fillna(False).astype(bool),
        initial_margin=np.where(known, rows["initial_margin"].to_numpy(float), np.nan),
        maintenance_margin=maintenance,
        margin_equity=equity,
        utilization=utilization(maintenance, equity),
        status=status(maintenance, equity, thresholds),
    )
    rest = margins[~((margins["method"] == method) & margins["portfolio_id"].isin(rows["portfolio_id"]))]
    return pd.concat([rest, found[MARGIN_COLUMNS]], ignore_index=True).sort_values(["portfolio_id", "method"], ignore_index=True)
