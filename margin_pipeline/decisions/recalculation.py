"""The chain's margin stages for some portfolios, from their positions to their margins.

Belongs here: calling the pure functions of the stages in their order. Not here: any of them, which positions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from margin_pipeline.margin import cross_margin, portfolio, registry, strategy_based, valuation
from margin_pipeline.margin.house_additions import house_additions
from margin_pipeline.margin.methods import GOVERNING
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.margin.scenario_tables import ScenarioTables
from margin_pipeline.margin.span.margin import span_margins
from margin_pipeline.market import triangle

TABLES = (
    "portfolios", "position_records", "rejected_rows", "instruments", "prices", "fx_rates", "rates", "dividends", "futures_margins",
    "margin_schedules", "margin_rates", "house_margins", "risk_arrays", "span_parameters", "symbol_risk", "correlation_matrices",
)  # fmt: skip
"""Tables that the margin of a portfolio depends on: its own rows of the first two, all rejected rows, and of the others
those of its symbols, of what is beneath them, of currencies and of schedules."""

_STAGES = ("strategy_based", "portfolio_margin", "futures")
"""Methods with a stage of their own."""
_NO_OFFSETS = ["portfolio_id", "benefit_id", "symbol_1", "symbol_2", "saving"]
_NO_NETTING_SETS = ["portfolio_id", "netting_set_id", "model", "side", "initial_margin", "missing"]


@dataclass(frozen=True)
class Setting:
    """What decides margins besides tables.

    Attributes
    ----------
    as_of : business date.
    thresholds : utilization from which "warning", "critical" and "emergency" begin, fractions.
    at : instant whose intraday rules apply; None: after the close.
    calendar_open : whether the market is open at that instant and not about to close.
    models : user models by name; None: those that installed packages bring.
    """

    as_of: dt.date
    thresholds: Mapping[str, float]
    at: dt.datetime | None = None
    calendar_open: bool | None = None
    models: Mapping[str, UserModel] | None = None


@dataclass(frozen=True)
class Recalculated:
    """Frames of the tables of these names, of the portfolios."""

    positions: pd.DataFrame
    position_margins: pd.DataFrame
    strategy_groups: pd.DataFrame
    portfolio_margins: pd.DataFrame
    portfolio_margin_components: pd.DataFrame


def recalculate(
    tables: Mapping[str, pd.DataFrame],
    records: pd.DataFrame,
    portfolios: pd.DataFrame,
    setting: Setting,
    *,
    governing_only: bool = False,
    threads: int = 1,
) -> Recalculated:
    """Margins of portfolios under every method of their accounts.

    Parameters
    ----------
    tables : frames of `TABLES`, of which house_margins may be absent.
    records : their rows of position_records.
    portfolios : their rows of portfolios.
    setting : date and rules.
    governing_only : margins of the governing methods alone, in less time; then there are no components.
    threads : underlyings and chunks of options at once; the result does not depend on it.
    """
    as_of, house = setting.as_of, tables.get("house_margins")
    instruments, prices, fx_rates = (tables[name] for name in ("instruments", "prices", "fx_rates"))
    positions = valuation.value_positions(records, instruments, portfolios, prices, fx_rates, as_of)
    alone = registry.stand_alone_margins(
        positions,
        instruments,
        portfolios,
        prices,
        fx_rates,
        tables["futures_margins"],
        tables["margin_schedules"],
        tables["margin_rates"],
        tables["symbol_risk"],
        as_of,
        at=setting.at,
        calendar_open=setting.calendar_open,
        models=setting.models,
        house_margins=house,
    )
    market = (prices, fx_rates, tables["rates"], tables["dividends"])
    own = {name: _governed(name, portfolios, positions, instruments, governing_only) for name in _STAGES}
    owners, held, described = own["strategy_based"]
    groups = strategy_based.group_positions(held, described, owners, prices, fx_rates, as_of, house, threads=threads).groups
    benefits = pd.DataFrame(columns=_NO_OFFSETS) if governing_only else _offsets(tables, positions, alone, portfolios, as_of)
    owners, held, described = own["portfolio_margin"]
    by_scenarios = portfolio_margin(held, described, owners, *market, as_of, house, threads=threads)
    owners, held, described = own["futures"]
    futures = (tables["rates"], tables["risk_arrays"], tables["span_parameters"])
    span = span_margins(held, described, owners, prices, *futures, as_of, threads=threads)
    scenarios = ScenarioTables(by_scenarios.classes, by_scenarios.groups, by_scenarios.positions, span.margins, span.covered)
    stages = (positions, instruments, portfolios, prices, fx_rates, alone, groups)
    added = None if house is None or governing_only else house_additions(*stages, house, as_of, scenarios)
    composed = portfolio.compose(
        portfolios,
        positions,
        instruments,
        alone,
        groups,
        benefits,
        pd.DataFrame(columns=_NO_NETTING_SETS),
        tables["rejected_rows"],
        fx_rates,
        setting.thresholds,
        as_of,
        added,
        scenarios,
    )
    margins, components = composed.portfolio_margins, composed.components
    if governing_only:
        # Under the other methods something was left out.
        margins, components = margins[margins["is_governing"]].reset_index(drop=True), components.iloc[:0]
    return Recalculated(positions, alone, groups, margins, components)


def _governed(
    method: str, portfolios: pd.DataFrame, positions: pd.DataFrame, instruments: pd.DataFrame, governing_only: bool
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Portfolios whose account a method governs, their positions, and the instruments, none where there are no such portfolios.

    Without `governing_only` everything.
    """
    if not governing_only:
        return portfolios, positions, instruments
    owners = portfolios[portfolios["account_type"].map(GOVERNING) == method]
    held = positions[positions["portfolio_id"].isin(owners["portfolio_id"])]
    return owners, held, instruments if len(held) else instruments.iloc[:0]


def _offsets(
    tables: Mapping[str, pd.DataFrame], positions: pd.DataFrame, alone: pd.DataFrame, portfolios: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    symbols, correlation = triangle.stored_correlation(tables["correlation_matrices"])
    market = (tables["instruments"], tables["symbol_risk"], symbols, correlation, as_of)
    return cross_margin.find_benefits(positions, alone, *market, portfolios=portfolios)
