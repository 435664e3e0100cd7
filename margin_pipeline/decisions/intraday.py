"""Margin of portfolios at live marks: the published book of a date, moved to the marks of this moment.

Belongs here: the mark of each position, what it has gained, margin under the governing method, which portfolios a mark concerns. Not here:
rules (`margin`), the margin stages at other prices (`shocked_margins`), storing.

A position has the live mark of its symbol. Without one, an option on a symbol with a live mark is valued at the implied volatility of the
publication, and a future moves as what it is on does; everything else keeps its published mark. Exchange rates, volatilities,
correlations and parameters are those of the publication, and no time passes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.decisions.shocked_margins import Prepared, margins_after, prepare
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.margin.methods import GOVERNING
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.margin.valuation import Closes, at_symbols, value_positions
from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values
from margin_pipeline.parameters.stress import Criteria, Scenario, StressRules
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.stress import ShockedPositions
from margin_pipeline.risk.stress_moves import PriceMoves

Floats = npt.NDArray[Any]
KEY = ["portfolio_id", "strategy", "symbol"]
OPTIMAL, KEPT = "optimal", "kept"
LIVE, UNDERLYING, IMPLIED_VOLATILITY, PUBLISHED = "live", "underlying", "implied_volatility", "published"
"""Where the mark of a position comes from."""
REASONS_TOLD = 10
LONGEST_CHAIN = 3
"""Options on futures on an index: how many instruments stand on each other at most."""
_NUMBERS = ["initial_margin", "maintenance_margin", "margin_equity", "excess", "utilization"]
_AT_LIVE_MARKS = Scenario("live_marks", "live marks", "margin.live_marks", Criteria(None, None, True))


class LivePositions(ShockedPositions):
    """Positions at live marks: one scenario, in which notional follows the mark of the position itself."""

    def notional(self, scenario: int) -> Floats:
        """(n,) notional, base currency: of options by the move of what they are on, of inverse contracts as it was."""
        before = self.positions["price"].to_numpy(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.where(self._option(), 1.0 + self.spot_move[:, scenario], self.price[:, scenario] / before)
        return self.positions["notional"].to_numpy(float) * np.where(self._inverse(), 1.0, moved)

    def _option(self) -> Floats:
        return self.positions["is_option"].to_numpy(bool)


@dataclass(frozen=True)
class PublishedBook:
    """Portfolios of a published date, with all that live marks do not change.

    Attributes
    ----------
    prepared : net legs, groups and bundles at the published marks.
    exposed : `risk_positions` of the positions held.
    series : (s,) terms of the option series held, and their values at the published marks.
    place : (h,) series of each position held; -1: no option.
    before : (s,) value a unit of the underlying.
    as_of : business date.
    """

    prepared: Prepared
    exposed: pd.DataFrame
    series: OptionTerms
    place: Floats
    before: Floats
    as_of: dt.date

    @property
    def inputs(self) -> MarginInputs:
        """Tables at the published marks."""
        return self.prepared.inputs


@dataclass(frozen=True)
class Revalued:
    """Portfolios at live marks.

    Attributes
    ----------
    margins : a row a portfolio, by the governing method: columns of portfolio_margins, `grouping` (optimal, kept or missing: no groups)
        and `mark_sources` (count of positions by where their mark comes from).
    positions : portfolio_id, strategy, symbol, price (instrument currency), mark_source, pnl (base currency, since the published mark).
    """

    margins: pd.DataFrame
    positions: pd.DataFrame


def published_book(
    inputs: MarginInputs,
    rules: StressRules,
    as_of: dt.date,
    *,
    at: dt.datetime | None = None,
    calendar_open: bool | None = None,
    models: Mapping[str, UserModel] | None = None,
) -> PublishedBook:
    """Everything about portfolios that does not depend on live marks.

    Parameters
    ----------
    inputs : published tables of these portfolios.
    rules : up to which size portfolios are grouped again.
    as_of : business date.
    at, calendar_open : instant whose intraday rules apply, as in `recalculation.Setting`.
    models : user models by name; None: those that installed packages bring.
    """
    ordered = inputs.positions.sort_values(KEY, kind="stable", ignore_index=True)
    terms = inputs.instruments.drop_duplicates("symbol").set_index("symbol")
    market = (inputs.prices, inputs.rates, inputs.dividends)
    exposed = risk_positions(ordered, inputs.instruments, inputs.portfolios, *market, as_of)
    option = np.zeros(len(ordered), dtype=bool)
    option[ordered["quantity"].to_numpy(float) != 0] = exposed["is_option"].to_numpy(bool)
    ordered = ordered.assign(contract_type=terms["contract_type"].reindex(ordered["symbol"]).to_numpy(object), is_option=option)
    inputs = replace(inputs, positions=ordered)
    # Only the governing method is wanted, and no offset belongs to one.
    alone = replace(rules, cross_margin_positions_up_to=0)
    prepared = prepare(inputs, _unmoved(inputs), alone, as_of, models)
    series = exposed[exposed["is_option"]].drop_duplicates("option_series")
    names = ("spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility")
    spot, strike, years, rate, dividend_yield, volatility = (series[name].to_numpy(float) for name in names)
    kinds = (series["is_call"].to_numpy(bool), series["is_american"].to_numpy(bool))
    options = OptionTerms(spot, strike, years, rate, dividend_yield, volatility, *kinds)
    place = pd.Index(series["option_series"]).get_indexer(pd.Index(exposed["option_series"]))
    before = scenario_values(options, np.zeros(1))[:, 0] if len(options) else np.zeros(0)
    place = np.where(exposed["is_option"].to_numpy(bool), place, -1)
    return PublishedBook(replace(prepared, at=at, calendar_open=calendar_open), exposed, options, place, before, as_of)


def revalue(book: PublishedBook, marks: pd.Series, thresholds: Mapping[str, float], *, threads: int = 1) -> Revalued:
    """Margin of all portfolios of a book at live marks.

    Parameters
    ----------
    book : the published book.
    marks : live marks by symbol, instrument currency; symbols that nobody holds are left alone.
    thresholds : utilization from which "warning", "critical" and "emergency" begin.
    threads : underlyings that are solved at once; results do not depend on it.

    Returns
    -------
    Revalued. Equity is that of the publication and quantity x multiplier x (mark - published mark) x exchange rate of every position (of
    an inverse contract multiplier x (mark - published mark) / entry price). A portfolio with a position whose gain is not known is
    undetermined, and so is one that lacks what its method needs.
    """
    live, sources = _live_positions(book, marks)
    owners = book.inputs.portfolios
    gained = _gains(live, owners)
    equity = owners["equity"].astype(float) + owners["portfolio_id"].map(gained).astype(float)
    own = pd.DataFrame({0: equity.to_numpy()}, index=owners["portfolio_id"])
    found = margins_after(replace(book.prepared, shocked=live), own, thresholds, book.as_of, threads=threads, governing_only=True)
    margins = found[found["is_governing"]].drop(columns="scenario").set_index("portfolio_id")
    margins = margins.assign(equity=own[0].reindex(margins.index), excess=margins["margin_equity"] - margins["maintenance_margin"])
    margins = _without_unknown(margins.astype(dict.fromkeys([*_NUMBERS, "equity"], float)), live)
    counts = _counts(live.positions["portfolio_id"], sources)
    margins["mark_sources"] = pd.Series([counts.get(str(name), {}) for name in margins.index], margins.index, dtype=object)
    margins["grouping"] = _grouping(margins.index, book)
    positions = live.positions[KEY].assign(price=live.price[:, 0], mark_source=pd.Series(sources, dtype="str"), pnl=live.pnl[:, 0])
    return Revalued(margins.reset_index().sort_values("portfolio_id", ignore_index=True), positions)


def gains(book: PublishedBook, marks: pd.Series) -> dict[str, float]:
    """What each portfolio has gained since the published marks, base currency; NaN where that of a position is not known."""
    return _gains(_live_positions(book, marks)[0], book.inputs.portfolios)


def with_positions(
    inputs: MarginInputs, records: pd.DataFrame, equity: Mapping[str, float], rejected_rows: pd.DataFrame, as_of: dt.date
) -> MarginInputs:
    """Tables in which some portfolios hold other positions, at the published marks, grouped anew.

    Parameters
    ----------
    inputs : published tables.
    records : all positions of the portfolios, as of table position_records.
    equity : the portfolios, with the equity of the other positions at the published marks (NaN: not known).
    rejected_rows : rejected rows of the other positions; they take the place of those of the portfolios' published positions.
    as_of : business date.
    """
    names = list(equity)
    owners, published = inputs.portfolios, inputs.rejected_rows
    own = owners[owners["portfolio_id"].isin(names)].reset_index(drop=True)
    market = (inputs.instruments, own, inputs.prices, inputs.fx_rates, as_of)
    positions = value_positions(records[records["portfolio_id"].isin(own["portfolio_id"])], *market)
    groups = group_positions(positions, *market, inputs.house_margins).groups
    moved = owners["portfolio_id"].map(equity)
    replaced = published["portfolio_id"].isin(names) & published["source"].astype(str).str.startswith("positions")

    def instead(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
        kept = table[~table["portfolio_id"].isin(names)]
        return (
            pd.concat([kept, rows.reindex(columns=table.columns)], ignore_index=True) if len(kept) else rows.reindex(columns=table.columns)
        )

    return replace(
        inputs,
        positions=instead(inputs.positions, positions),
        strategy_groups=instead(inputs.strategy_groups, groups),
        portfolios=owners.assign(equity=owners["equity"].astype(float).where(~owners["portfolio_id"].isin(names), moved)),
        rejected_rows=pd.concat([published[~replaced], rejected_rows], ignore_index=True) if len(rejected_rows) else published[~replaced],
    )


def live_symbols(positions: pd.DataFrame, instruments: pd.DataFrame) -> pd.DataFrame:
    """Symbols whose live marks each portfolio depends on: what it holds, and what that is on.

    Returns
    -------
    Frame of `portfolio_id` and `symbol`, each pair once.
    """
    held = positions.loc[positions["quantity"] != 0, ["portfolio_id", "symbol"]].drop_duplicates()
    beneath = instruments.drop_duplicates("symbol").set_index("symbol")["underlying"]
    parts = [held]
    for _ in range(LONGEST_CHAIN):
        below = parts[-1].assign(symbol=beneath.reindex(parts[-1]["symbol"]).to_numpy())
        parts.append(below[below["symbol"].notna()].drop_duplicates())
    return pd.concat(parts, ignore_index=True).astype("str").drop_duplicates(ignore_index=True)


def shelves(sizes: pd.Series, apart: pd.Series, alone_from: int, together_up_to: int) -> list[list[str]]:
    """Portfolios that are computed together: large ones alone, others together up to a size.

    Parameters
    ----------
    sizes : count of positions by portfolio.
    apart : by portfolio, a mark of those that may stand together (method by scenarios or not).
    alone_from : positions from which a portfolio is computed alone.
    together_up_to : positions of portfolios computed together, if they are more than one.
    """
    found: list[list[str]] = []
    for _, names in sorted(apart.groupby(apart).groups.items()):
        current: list[str] | None = None
        filled = 0
        for name in sorted(names):
            size = int(sizes.get(name, 0))
            if size >= alone_from:
                found.append([str(name)])
                continue
            if current is None or filled + size > together_up_to:
                current, filled = [], 0
                found.append(current)
            current.append(str(name))
            filled += size
    return found


def _unmoved(inputs: MarginInputs) -> ShockedPositions:
    """Positions at the published marks, as a shock that moves nothing."""
    symbols = pd.Index(sorted({*inputs.instruments["symbol"], *inputs.instruments["underlying"].dropna()}), dtype=object)
    lacks = np.full(len(symbols), "no close", dtype=object)
    positions = inputs.positions
    zeros = np.zeros((len(positions), 1))
    price = positions["price"].to_numpy(float)[:, None]
    moves = PriceMoves(symbols, np.zeros((len(symbols), 1)), lacks)
    return LivePositions(positions, moves, (_AT_LIVE_MARKS,), price, zeros, zeros, zeros, zeros, np.full(zeros.shape, None, dtype=object))


def _moves(book: PublishedBook, marks: pd.Series) -> tuple[PriceMoves, PriceMoves]:
    """Relative moves of symbols against their closes: of each symbol itself, and with options moving as what they are on.

    0 without a live mark; NaN where there is one and no close.
    """
    inputs, symbols = book.inputs, book.prepared.shocked.moves.symbols
    names = symbols.to_series()
    close = at_symbols(Closes.of(inputs.prices, book.as_of).today, names)
    own = at_symbols(marks, names) / close
    has_mark = symbols.isin(marks.index)
    terms = inputs.instruments.drop_duplicates("symbol").set_index("symbol")
    below = symbols.get_indexer(pd.Index(terms["underlying"].reindex(symbols).astype(object)))
    follows = (terms["asset_class"].reindex(symbols) == "future").to_numpy(bool) & ~has_mark & (below >= 0)
    for _ in range(LONGEST_CHAIN):
        # A future on something with a live mark; on something without one nothing moves.
        reached = follows & has_mark[below]
        own[reached], has_mark = own[below[reached]], has_mark | reached
        follows &= ~reached
    itself = np.where(has_mark, own - 1.0, 0.0)
    option = terms["option_type"].notna().reindex(symbols, fill_value=False).to_numpy(bool) & (below >= 0)
    lacks = book.prepared.shocked.moves.lacks
    as_driven = np.where(option, itself[below], itself)
    return PriceMoves(symbols, itself[:, None], lacks), PriceMoves(symbols, as_driven[:, None], lacks)


def _live_positions(book: PublishedBook, marks: pd.Series) -> tuple[LivePositions, Floats]:
    """Positions at live marks, and where each mark comes from."""
    positions, exposed = book.inputs.positions, book.exposed
    itself, driven = _moves(book, marks)
    move, spot_move = itself.of(positions["symbol"])[:, 0], driven.of(positions["symbol"])[:, 0]
    own = at_symbols(marks, positions["symbol"])
    price = positions["price"].to_numpy(float)
    option = positions["is_option"].to_numpy(bool)
    marked = ~np.isnan(own)
    held = np.flatnonzero(positions["quantity"].to_numpy(float) != 0)
    # A move that is not known is one, too: the option cannot keep its mark.
    by_model = option & ~marked & (spot_move != 0)
    after = np.where(marked, own, np.where(option, price, price * (1.0 + move)))
    change = np.zeros(len(positions))
    change[held] = _changes(book, spot_move[held], by_model[held])
    after = np.where(by_model, np.maximum(price + change, 0.0), after)
    followed = ~option & ~marked & (move != 0)
    sources = np.select([marked, by_model, followed], [LIVE, IMPLIED_VOLATILITY, UNDERLYING], PUBLISHED).astype(object)
    gain = np.zeros(len(positions))
    gain[held] = _gain(exposed, positions.iloc[held], price[held], after[held])
    reasons = np.full(len(positions), None, dtype=object)
    unknown = np.flatnonzero(np.isnan(gain))
    lacking = dict(zip(held, exposed["missing"].to_numpy(object), strict=True))
    for row in unknown:
        lacks = lacking.get(row)
        text = "no published mark, so that its gain since then is not known" if pd.isna(price[row]) else "its gain is not known"
        reasons[row] = lacks if isinstance(lacks, str) else f"{positions['symbol'].iloc[row]}: {text}"
    zeros = np.zeros((len(positions), 1))
    columns = (after[:, None], spot_move[:, None], zeros, gain[:, None], zeros, reasons[:, None])
    return LivePositions(positions, driven, (_AT_LIVE_MARKS,), *columns), sources


def _changes(book: PublishedBook, spot_move: Floats, by_model: Floats) -> Floats:
    """(h,) change of the price of options that are valued by model, instrument currency a unit; 0 for other positions."""
    change = np.zeros(len(spot_move))
    rows = np.flatnonzero(by_model)
    if not len(rows):
        return change
    series, first = np.unique(book.place[rows], return_index=True)
    moves = spot_move[rows[first]]
    values = np.full(len(book.series), np.nan)
    values[series] = scenario_values(book.series.rows(series), moves[:, None])[:, 0]
    change[rows] = (values - book.before)[book.place[rows]]
    return change


def _gain(exposed: pd.DataFrame, held: pd.DataFrame, before: Floats, after: Floats) -> Floats:
    """(h,) gain since the published mark, base currency."""
    entry = held["entry_price"].to_numpy(float)
    inverse = held["contract_type"].eq("inverse").fillna(False).to_numpy(bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        a_unit = np.where(inverse, np.where(entry > 0, (after - before) / entry, np.nan), after - before)
    return exposed["unit_value"].to_numpy(float) * a_unit


def _gains(live: LivePositions, owners: pd.DataFrame) -> dict[str, float]:
    """Gain of each portfolio, base currency; NaN where that of a position is not known."""
    row = pd.Index(owners["portfolio_id"]).get_indexer(pd.Index(live.positions["portfolio_id"]))
    total = np.bincount(row, live.pnl[:, 0], minlength=len(owners))
    return dict(zip(owners["portfolio_id"].astype(str), total.tolist(), strict=True))


def _without_unknown(margins: pd.DataFrame, live: LivePositions) -> pd.DataFrame:
    """Portfolios with a position whose gain is not known are undetermined, and say why."""
    lacking: dict[str, list[str]] = {}
    rows = np.flatnonzero(np.isnan(live.pnl[:, 0]))
    for name, reason in zip(live.positions["portfolio_id"].iloc[rows].astype(str), live.missing[rows, 0], strict=True):
        lacking.setdefault(name, []).append(str(reason))
    for name in margins.index[margins["equity"].isna() & ~margins.index.isin(list(lacking))]:
        lacking[str(name)] = ["equity: what it was when the positions changed is not known"]
    hit = margins.index.isin(list(lacking))
    margins.loc[hit, _NUMBERS] = np.nan
    margins.loc[hit, "status"] = "undetermined"
    texts = [
        json.dumps(sorted({*lacking[str(name)][:REASONS_TOLD], *(json.loads(given) if isinstance(given, str) else [])}))
        for name, given in margins.loc[hit, "missing"].items()
    ]
    margins.loc[hit, "missing"] = texts
    return margins


def _counts(portfolio_id: pd.Series, sources: Floats) -> dict[str, dict[str, int]]:
    """Positions by portfolio and source of their mark."""
    table = pd.crosstab(portfolio_id.to_numpy(object), sources)
    return {str(name): {str(k): int(v) for k, v in row.items() if v} for name, row in table.to_dict("index").items()}


def _grouping(names: pd.Index, book: PublishedBook) -> pd.Series:
    """Whether groups were found again; missing where the governing method has none."""
    accounts = book.inputs.portfolios.set_index("portfolio_id")["account_type"].reindex(names)
    has_groups = accounts.map(GOVERNING) == "strategy_based"
    found = np.where(names.isin(list(book.prepared.regrouped)), OPTIMAL, KEPT)
    return pd.Series(found, names, dtype=object).where(has_groups.to_numpy(bool), None)
