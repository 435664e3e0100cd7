"""The chain's margin stages for one portfolio, from its positions to its margins.

Belongs here: calling the pure functions of the stages in their order. Not here: any of them, which positions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from margin_pipeline.margin import cross_margin, portfolio, registry, strategy_based, valuation
from margin_pipeline.margin.house_additions import house_additions
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
    """Frames of the tables of these names, of one portfolio."""

    positions: pd.DataFrame
    position_margins: pd.DataFrame
    strategy_groups: pd.DataFrame
    portfolio_margins: pd.DataFrame
    portfolio_margin_components: pd.DataFrame


def recalculate(tables: Mapping[str, pd.DataFrame], records: pd.DataFrame, portfolios: pd.DataFrame, setting: Setting) -> Recalculated:
    """Margins of a portfolio under every method of its account.

    Parameters
    ----------
    tables : frames of `TABLES`, of which house_margins may be absent.
    records : its rows of position_records.
    portfolios : its row of portfolios.
    setting : date and rules.
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
    groups = strategy_based.group_positions(positions, instruments, portfolios, prices, fx_rates, as_of, house).groups
    symbols, correlation = triangle.stored_correlation(tables["correlation_matrices"])
    benefits = cross_margin.find_benefits(
        positions, alone, instruments, tables["symbol_risk"], symbols, correlation, as_of, portfolios=portfolios
    )
    market = (prices, fx_rates, tables["rates"], tables["dividends"])
    by_scenarios = portfolio_margin(positions, instruments, portfolios, *market, as_of, house)
    futures = (tables["rates"], tables["risk_arrays"], tables["span_parameters"])
    span = span_margins(positions, instruments, portfolios, prices, *futures, as_of)
    scenarios = ScenarioTables(by_scenarios.classes, by_scenarios.groups, by_scenarios.positions, span.margins, span.covered)
    stages = (positions, instruments, portfolios, prices, fx_rates, alone, groups)
    added = None if house is None else house_additions(*stages, house, as_of, scenarios)
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
    return Recalculated(positions, alone, groups, composed.portfolio_margins, composed.components)
