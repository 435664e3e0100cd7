"""Margin of every portfolio under every method of its account after a shock of prices.

Belongs here: the margin stages called on shocked positions and prices. Not here: rules (`margin`), profits (`risk.stress`), verdicts.

The stages are those of the chain. Two of them are spared where books are large: groups are kept as they are (what they need bounds the
best groups from above), and positions that only add up are added up before margins are composed.

A method whose margin comes from elsewhere plugs in as a function of `AfterShock`, by its name: see `margins_after`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from margin_pipeline.decisions.bundles import Bundles
from margin_pipeline.decisions.shocked_scenarios import shocked_scenario_tables
from margin_pipeline.decisions.shocked_tables import AfterShock, MarginInputs, after_shock, in_scenario, portfolio_and_scenario
from margin_pipeline.margin import cross_margin, portfolio, registry, strategy_based
from margin_pipeline.margin.grouping import assembly
from margin_pipeline.margin.grouping.kept import KeptGroups, kept_groups, kept_margins, moved_table
from margin_pipeline.margin.grouping.netting import NetBook, net_book
from margin_pipeline.margin.methods import COMPUTED
from margin_pipeline.margin.models.book import Book, build_book
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.margin.scenario.class_groups import class_groups
from margin_pipeline.margin.status import status, utilization
from margin_pipeline.margin.valuation import at_symbols
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.margin_models import model_choice
from margin_pipeline.parameters.portfolio_margin import portfolio_margin_rules
from margin_pipeline.parameters.stress import StressRules
from margin_pipeline.risk.stress import ShockedPositions

Array = np.ndarray
KEY = ["portfolio_id", "strategy", "symbol"]
MARGIN_COLUMNS = [
    "portfolio_id", "method", "is_governing", "initial_margin", "maintenance_margin", "margin_equity", "utilization", "status", "missing",
]  # fmt: skip
REASONS_TOLD = 10
"""Missing inputs that are named where a portfolio lacks many."""
_GOVERNED_BY_SCENARIOS = ("portfolio_margin", "futures")
_GROUPS = ["portfolio_id", "structure", "legs", "initial_margin", "maintenance_margin", "missing"]
_NO_OFFSETS = ["portfolio_id", "benefit_id", "symbol_1", "symbol_2", "saving"]
_NO_NETTING_SETS = ["portfolio_id", "netting_set_id", "model", "side", "initial_margin", "missing"]


MarginAfter = Callable[[AfterShock], pd.DataFrame]
"""Margin of a method after a shock: portfolio_id, initial_margin, maintenance_margin (base currency), missing (JSON list or missing)."""


@dataclass(frozen=True)
class Prepared:
    """What does not depend on the scenario.

    Attributes
    ----------
    inputs, shocked : the book before and after.
    book, kept, kept_rows : net legs, and the groups of large portfolios on them with their rows of strategy_groups.
    regrouped, offset, by_scenarios : portfolios that are grouped again, whose offsets are looked for again, and whose scenario margin is
        computed again.
    shares : (legs, n) sparse, see `_shares`.
    bundles : which positions stand together.
    classes : class group of every instrument.
    margin_book : positions as margin models see them.
    models : user models by name.
    at, calendar_open : instant whose intraday rules apply, and whether the market is open then; None: after the close.
    """

    inputs: MarginInputs
    shocked: ShockedPositions
    book: NetBook
    kept: KeptGroups
    kept_rows: pd.DataFrame
    regrouped: frozenset[str]
    offset: frozenset[str]
    by_scenarios: frozenset[str]
    shares: Any
    bundles: Bundles
    classes: pd.DataFrame
    margin_book: Book
    models: Mapping[str, UserModel]
    at: dt.datetime | None = None
    calendar_open: bool | None = None


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
    account = inputs.portfolios["account_type"]
    by_scenarios = frozenset(owners[account.isin(_GOVERNED_BY_SCENARIOS) | ((account == "reg_t") & owners.isin(narrow))])
    bundles = Bundles.of(inputs.positions, inputs.instruments, inputs.portfolios, inputs.rejected_rows, by_scenarios, as_of)
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
    return Prepared(
        inputs,
        shocked,
        book,
        kept,
        kept_rows,
        small,
        narrow,
        by_scenarios,
        _shares(book, inputs.positions),
        bundles,
        class_groups(inputs.instruments, portfolio_margin_rules(as_of), inputs.house_margins),
        margin_book,
        installed,
    )


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
    governing_only: bool = False,
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
    governing_only : whether rows of methods that do not govern may be absent.

    Returns
    -------
    Frame of `scenario` (its number) and `MARGIN_COLUMNS`, one row for each portfolio and method of its account; `missing` is a JSON list
    or missing.

    Notes
    -----
    Rates and rules of the date apply, at the instant of `prepared`. Correlations and volatilities that rules use stay those of the date.
    A portfolio after a scenario is composed like one of its own, so that all scenarios are composed together.
    """
    after = [after_shock(prepared.inputs, prepared.shocked, n, equity.iloc[:, n], as_of) for n in range(len(prepared.shocked.scenarios))]
    alone = [_stand_alone(prepared, moved, as_of) for moved in after]
    again = _regrouped(prepared, after, threads)
    parts = []
    by_currencies: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for number, moved in enumerate(after):
        by_currencies.setdefault(tuple(sorted(moved.scenario.currencies.items())), []).append(number)
    for numbers in by_currencies.values():
        given = {n: (after[n], alone[n]) for n in numbers}
        # Without a portfolio that scenarios govern, scenario margin would be computed for nothing.
        looks = bool(prepared.by_scenarios) or not governing_only
        parts.append(_composed(prepared, given, again, thresholds, as_of, threads, looks))
    found = _only_computed(pd.concat(parts, ignore_index=True), prepared)
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
    threads: int,
    looks_at_scenarios: bool = True,
) -> pd.DataFrame:
    """Margins of scenarios that share exchange rates, composed at once."""
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in ("owners", "positions", "margins", "groups", "rejected")}
    for number, (after, alone) in moved.items():
        positions, margins = prepared.bundles.bundled(after.positions, alone)
        told = _told(positions["portfolio_id"], margins["missing"].notna() | positions[["market_value", "price"]].isna().any(axis=1))
        positions, margins = positions[told], margins[told]
        kept = prepared.bundles.groups(_kept(prepared, number, after))
        kept = kept[_told(kept["portfolio_id"], kept["missing"].notna())]
        own = (after.portfolios, positions, margins, kept, prepared.inputs.rejected_rows)
        for name, frame in zip(frames, own, strict=True):
            frames[name].append(frame.assign(portfolio_id=in_scenario(frame["portfolio_id"], number)))
    shocks = {number: after for number, (after, _) in moved.items()}
    scenarios = None
    if looks_at_scenarios:
        scenarios = shocked_scenario_tables(prepared.inputs, shocks, prepared.by_scenarios, prepared.classes, threads)
    stacked = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    names = set(stacked["owners"]["portfolio_id"])
    groups = pd.concat([prepared.bundles.groups(again[again["portfolio_id"].isin(names)]), stacked["groups"]], ignore_index=True)
    composed = portfolio.compose(
        stacked["owners"],
        stacked["positions"],
        prepared.inputs.instruments,
        stacked["margins"],
        groups,
        _offsets(prepared, moved),
        pd.DataFrame(columns=_NO_NETTING_SETS),
        stacked["rejected"],
        next(iter(moved.values()))[0].fx_rates,
        thresholds,
        as_of,
        scenarios=scenarios,
    ).portfolio_margins[MARGIN_COLUMNS]
    owner, scenario = portfolio_and_scenario(composed["portfolio_id"])
    return composed.assign(portfolio_id=owner, scenario=scenario)


def _told(portfolio_id: pd.Series, gap: pd.Series) -> Array:
    """(n,) rows that are not missing, and of each portfolio the first few that are: it is undetermined anyway."""
    number = gap.groupby(portfolio_id).cumsum()
    return (~gap | (number <= REASONS_TOLD)).to_numpy(bool)


def _stand_alone(prepared: Prepared, after: AfterShock, as_of: dt.date) -> pd.DataFrame:
    """Margins of positions on their own, in the order of the positions, without explanations."""
    inputs = prepared.inputs
    tables = (after.fx_rates, inputs.futures_margins, inputs.margin_schedules, inputs.margin_rates)
    terms = registry.terms_in_force(*tables, as_of, prepared.at, prepared.calendar_open)
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
    scenario = portfolio_and_scenario(book.legs["portfolio_id"])[1].to_numpy()
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


def _offsets(prepared: Prepared, moved: Mapping[int, tuple[AfterShock, pd.DataFrame]]) -> pd.DataFrame:
    """Offsets between positions of narrow portfolios, by the correlation of the date; portfolios by the name of `in_scenario`."""
    inputs = prepared.inputs
    if not prepared.offset:
        return pd.DataFrame(columns=_NO_OFFSETS)
    here = inputs.positions["portfolio_id"].isin(prepared.offset).to_numpy()
    accounts = [account for account, methods in COMPUTED.items() if "cross_margin" in methods]
    taken = inputs.portfolios["account_type"].isin(accounts) & inputs.portfolios["portfolio_id"].isin(prepared.offset)
    frames = [
        [frame.assign(portfolio_id=in_scenario(frame["portfolio_id"], number)) for frame in parts]
        for number, (after, alone) in moved.items()
        for parts in [(after.positions[here], alone[here], after.portfolios[taken.to_numpy()])]
    ]
    positions, alone, owners = (pd.concat(parts, ignore_index=True) for parts in zip(*frames, strict=True))
    market = (inputs.instruments, inputs.symbol_risk, inputs.symbols, inputs.correlation, next(iter(moved.values()))[0].as_of)
    return cross_margin.find_benefits(positions, alone, *market, portfolios=owners)


def _only_computed(margins: pd.DataFrame, prepared: Prepared) -> pd.DataFrame:
    """Methods that are not computed again for a portfolio are not determined there."""
    method, owner = margins["method"], margins["portfolio_id"]
    large = (method == "cross_margin") & ~owner.isin(prepared.offset)
    not_governing = (method == "portfolio_margin") & ~owner.isin(prepared.by_scenarios)
    lost = large | not_governing
    if not lost.any():
        return margins
    found = margins.copy()
    found.loc[lost, ["initial_margin", "maintenance_margin", "margin_equity", "utilization"]] = np.nan
    found.loc[lost, "status"] = "undetermined"
    found.loc[lost, "missing"] = [
        json.dumps([f"{name} of a portfolio of this size is not computed again after a shock, as it does not govern"])
        for name in method[lost]
    ]
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
