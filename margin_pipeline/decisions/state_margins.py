"""Margin under the governing method of books at other marks, their option groups kept.

Belongs here: the margin stages called for the methods that govern, and nothing else of them. Not here: rules (`margin`), the books.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from margin_pipeline.decisions.states_between import KEY, Frames, State
from margin_pipeline.margin import registry, strategy_based
from margin_pipeline.margin.components import GROUPED_CLASSES, uncovered
from margin_pipeline.margin.grouping.kept import kept_groups, kept_margins
from margin_pipeline.margin.grouping.netting import net_book
from margin_pipeline.margin.models.book import build_book
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.margin.span.margin import span_margins
from margin_pipeline.parameters.margin_models import model_choice

Array = np.ndarray
AMOUNTS = ["initial_margin", "maintenance_margin"]
GROUP_COLUMNS = ["portfolio_id", "structure", "units", "legs", *AMOUNTS, "missing"]


@dataclass(frozen=True)
class Fixed:
    """What does not change between the steps.

    Attributes
    ----------
    method : governing method by portfolio; others are left out.
    tables : futures_margins, margin_schedules, margin_rates, house_margins, risk_arrays, span_parameters.
    classes : class groups of the instruments; None: found where they are needed.
    threads : underlyings, and chunks of options, at once; no result depends on it.
    """

    method: Mapping[str, str]
    tables: Frames
    classes: pd.DataFrame | None = None
    threads: int = 1

    def governed_by(self, *methods: str) -> list[str]:
        """Portfolios that one of the methods governs."""
        return [portfolio_id for portfolio_id, method in self.method.items() if method in methods]


@dataclass(frozen=True)
class Groups:
    """Option groups that are kept.

    Attributes
    ----------
    frame : rows of strategy_groups, `GROUP_COLUMNS`.
    fx_rate : (g,) exchange rate of each group into base currency when it was found.
    """

    frame: pd.DataFrame
    fx_rate: Array


def found_groups(state: State, fixed: Fixed, changed: frozenset[str], before: pd.DataFrame) -> Groups:
    """Groups of a state: those of the date before where nothing was traded, else the best ones.

    Parameters
    ----------
    state : the book at the marks of the date before.
    changed : portfolios with trades.
    before : strategy_groups of the date before.
    """
    grouped = fixed.governed_by("strategy_based")
    kept = before[before["portfolio_id"].isin(grouped) & ~before["portfolio_id"].isin(changed)]
    parts = [kept[GROUP_COLUMNS]]
    if again := sorted(set(grouped) & changed):
        positions = state.positions[state.positions["portfolio_id"].isin(again)]
        owners = state.portfolios[state.portfolios["portfolio_id"].isin(again)]
        market = (state.prices, state.fx_rates, state.as_of, fixed.tables["house_margins"])
        best = strategy_based.group_positions(positions, state.instruments, owners, *market, threads=fixed.threads)
        parts.append(best.groups[GROUP_COLUMNS])
    frame = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return Groups(frame, _kept(state, fixed, frame)[1])


def kept_at(state: State, fixed: Fixed, groups: Groups) -> pd.DataFrame:
    """What kept groups need at the marks of a state, as rows of strategy_groups; a group that cannot be valued says so."""
    margins, _ = _kept(state, fixed, groups.frame, groups.fx_rate)
    lost = np.isnan(margins).any(axis=1)
    named = groups.frame["legs"].astype(str)
    missing = groups.frame["missing"].where(~lost, "no margin of the group " + groups.frame["structure"].astype(str) + " " + named)
    amounts = {name: margins[:, column] for column, name in enumerate(AMOUNTS)}
    return groups.frame.assign(**amounts, missing=missing.astype(object).where(lost, None))


def _kept(state: State, fixed: Fixed, frame: pd.DataFrame, fx_before: Array | None = None) -> tuple[Array, Array]:
    """(g, 2) margins of groups in a state, and (g,) exchange rates of their legs."""
    if frame.empty:
        return np.zeros((0, 2)), np.zeros(0)
    owners = fixed.governed_by("strategy_based")
    positions = state.positions[state.positions["portfolio_id"].isin(owners)]
    portfolios = state.portfolios[state.portfolios["portfolio_id"].isin(owners)]
    market = (state.prices, state.fx_rates, state.as_of, fixed.tables["house_margins"])
    book = net_book(positions, state.instruments, portfolios, *market)
    kept = kept_groups(book, frame)
    # What options lose together depends on their strikes alone: their amount moves with the exchange rate only.
    ratio = np.ones(len(frame)) if fx_before is None else kept.fx_rate / fx_before
    kept = replace(kept, before=kept.before * ratio[:, None])
    return kept_margins(kept, book.table, np.zeros(len(book.table))), kept.fx_rate


def margins_at(state: State, fixed: Fixed, *groups: pd.DataFrame) -> list[pd.DataFrame]:
    """Initial and maintenance margin of every portfolio under its governing method, once for each way to group its options.

    Parameters
    ----------
    state : a book; its rules are those of its date.
    fixed : governing methods and rates.
    groups : rows of strategy_groups of the portfolios under `strategy_based`.

    Returns
    -------
    Frames indexed by portfolio: initial_margin, maintenance_margin (base currency, NaN where something is missing), missing. Without the
    least initial margin of an account.
    """
    alone = stand_alone(state, fixed)
    rest = [_on_their_own(alone, state.positions, fixed), *_scenarios(state, fixed, alone)]
    return [added_up([*rest, frame], fixed) for frame in groups]


def added_up(parts: Sequence[pd.DataFrame], fixed: Fixed) -> pd.DataFrame:
    """Sums of what positions, groups and class groups need, by portfolio; see `margins_at`."""
    columns = ["portfolio_id", *AMOUNTS, "missing"]
    own = pd.concat([part[columns].astype({"missing": object}) for part in parts if len(part)] or [pd.DataFrame(columns=columns)])
    index = pd.Index(sorted(fixed.method), name="portfolio_id", dtype="str")
    sums = own.groupby("portfolio_id")[AMOUNTS].sum().reindex(index).astype(float).fillna(0.0).clip(lower=0.0)
    reasons = own[own["missing"].notna()].groupby("portfolio_id")["missing"].agg(lambda texts: "; ".join(sorted(set(map(str, texts)))))
    missing = reasons.reindex(index).astype(object)
    return sums.where(missing.isna(), np.nan).assign(missing=missing)


def ungrouped(position_margins: pd.DataFrame, positions: pd.DataFrame, fixed: Fixed) -> pd.DataFrame:
    """Margins of the positions that count on their own under `strategy_based`."""
    rows = position_margins.merge(positions[[*KEY, "asset_class"]], on=KEY, how="inner", validate="one_to_one")
    return rows[rows["portfolio_id"].isin(fixed.governed_by("strategy_based")) & ~rows["asset_class"].isin(GROUPED_CLASSES)]


def grouped_initial(tables: Frames, names: Collection[str]) -> pd.Series:
    """Initial margin under `strategy_based` without the least initial margin of an account, by portfolio, base currency; NaN where unknown.

    Parameters
    ----------
    tables : frames of strategy_groups, position_margins and positions.
    names : portfolios that are wanted.
    """
    fixed = Fixed(dict.fromkeys(sorted(names), "strategy_based"), {})
    groups = tables["strategy_groups"]
    own = ungrouped(tables["position_margins"], tables["positions"], fixed)
    return added_up([own, groups[groups["portfolio_id"].isin(list(names))]], fixed)["initial_margin"]


def _on_their_own(alone: pd.DataFrame, positions: pd.DataFrame, fixed: Fixed) -> pd.DataFrame:
    """Margins of positions that count on their own, those that scenarios may cover apart."""
    others = alone[alone["portfolio_id"].isin(fixed.governed_by("tiered"))]
    return pd.concat([ungrouped(alone, positions, fixed)[others.columns], others])


def stand_alone(state: State, fixed: Fixed) -> pd.DataFrame:
    """Margins of positions on their own, without explanations."""
    tables = fixed.tables
    given = (tables["futures_margins"], tables["margin_schedules"], tables["margin_rates"])
    terms = registry.terms_in_force(state.fx_rates, *given, state.as_of)
    frames = (state.positions, state.instruments, state.portfolios, state.prices, state.symbol_risk)
    book = build_book(*frames, terms.usd, state.as_of, tables["house_margins"])
    count = len(book)
    model, missing = np.full(count, "", dtype=object), np.full(count, None, dtype=object)
    amounts = np.full((count, 2), np.nan)
    for part in registry.requirements(book, terms, model_choice(state.as_of), registry.installed_models()):
        model[part.rows] = part.model
        amounts[part.rows] = np.stack([part.requirement.initial, part.requirement.maintenance], axis=1)
        for row, text in part.requirement.missing.items():
            missing[part.rows[row]] = text
    columns = {"model": model, "initial_margin": amounts[:, 0], "maintenance_margin": amounts[:, 1], "missing": missing}
    return pd.concat([book.keys.reset_index(drop=True), pd.DataFrame(columns)], axis=1)


def _scenarios(state: State, fixed: Fixed, alone: pd.DataFrame) -> list[pd.DataFrame]:
    """What the portfolios that scenarios govern need: product groups, class groups of futures, and what these do not cover on its own."""
    tables, found = fixed.tables, []
    owners, positions = _of(state, fixed.governed_by("portfolio_margin"))
    if len(positions):
        market = (state.prices, state.fx_rates, state.rates, state.dividends, state.as_of, tables["house_margins"])
        by_points = portfolio_margin(positions, state.instruments, owners, *market, classes=fixed.classes, threads=fixed.threads)
        groups = by_points.groups.assign(initial_margin=by_points.groups["maintenance_margin"])
        found += [groups, _without(alone, positions, by_points.positions)]
    owners, positions = _of(state, fixed.governed_by("futures"))
    if len(positions):
        exchange = (state.prices, state.rates, tables["risk_arrays"], tables["span_parameters"], state.as_of)
        span = span_margins(positions, state.instruments, owners, *exchange, threads=fixed.threads)
        found += [span.margins, _without(alone, positions, span.covered)]
    return found


def _without(alone: pd.DataFrame, positions: pd.DataFrame, covered: pd.DataFrame) -> pd.DataFrame:
    """Margins on their own of the positions that scenarios do not cover."""
    return uncovered(alone[alone["portfolio_id"].isin(positions["portfolio_id"])], covered)


def _of(state: State, owners: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    return tuple(frame[frame["portfolio_id"].isin(owners)] for frame in (state.portfolios, state.positions))  # type: ignore[return-value]
