"""Forecasts of the small book of the stress tests.

Belongs here: the builder. Not here: tests.
"""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from margin_pipeline.decisions.forecast import forecast
from margin_pipeline.decisions.forecast_sensitivities import sensitivities
from margin_pipeline.decisions.shocked_margins import margins_after, prepare
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.forecast import forecast_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.parameters.stress import Scenario
from margin_pipeline.risk.stress import shocked_positions
from margin_pipeline_tests.decisions.stress_book import AS_OF, BENCHMARK, BETAS, THRESHOLDS, empty_table, rules

CLOSE = dt.datetime(2022, 12, 28, 21, tzinfo=dt.UTC)
SETTINGS = forecast_settings(AS_OF)
FACTORS = (*BETAS, "NOBETA", "BOND", "fx:EUR")
CORRELATION = np.full((len(FACTORS), len(FACTORS)), 0.3) + 0.7 * np.eye(len(FACTORS))
NO_SCENARIOS = rules(still={"market": 0.0})


def inputs(frames):
    """Inputs of margins after small moves."""
    market = ("positions", "instruments", "portfolios", "prices", "fx_rates")
    grouped = group_positions(*(frames[name] for name in market), AS_OF, frames["house_margins"])
    names = ("futures_margins", "margin_schedules", "margin_rates", "house_margins")
    risk = pd.DataFrame({"symbol": list(FACTORS), "volatility": 0.3, "beta": 1.0})
    more = (frames["rates"], frames["dividends"], empty_table("risk_arrays"), empty_table("span_parameters"))
    tables = (*(frames[name] for name in (*market, *names)), risk, grouped.groups, frames["rejected_rows"], *more)
    return MarginInputs(*tables, FACTORS, CORRELATION)


def slopes(frames):
    """Sensitivities of a book, added up by portfolio and factor."""
    found = sensitivities(inputs(frames), NO_SCENARIOS, SETTINGS.bump, BENCHMARK, THRESHOLDS, AS_OF, models={})
    return found.rows.groupby(["portfolio_id", "risk_factor"]).sum(), found.lacking


def all_margins_at(frames, *shocks):
    """Governing margins and margin equity of a book, computed again in full, after each of some (moves by symbol, moves by currency)."""
    given = inputs(frames)
    criteria = NO_SCENARIOS.default_criteria
    scenarios = tuple(
        Scenario(str(n), "", "", criteria, symbols=moves, currencies=currencies, market=0.0) for n, (moves, currencies) in enumerate(shocks)
    )
    names = ("positions", "instruments", "portfolios", "prices", "rates", "dividends")
    shocked = shocked_positions(*(frames[name] for name in names), given.symbol_risk, scenarios, BENCHMARK, AS_OF)
    given = replace(given, positions=shocked.positions)
    earned = pd.DataFrame(shocked.pnl).groupby(shocked.positions["portfolio_id"].to_numpy()).sum()
    equity = earned.add(given.portfolios.set_index("portfolio_id")["equity"], axis=0)
    found = margins_after(prepare(given, shocked, NO_SCENARIOS, AS_OF, {}), equity, THRESHOLDS, AS_OF, governing_only=True)
    found = found[found["is_governing"]].assign(equity=lambda f: f["margin_equity"])
    return [found[found["scenario"] == n].set_index("portfolio_id") for n in range(len(scenarios))]


def margins_at(frames, moves):
    """Governing margins and margin equity of a book, computed again in full, every symbol named in `moves` moved: a row a portfolio."""
    return all_margins_at(frames, (moves, {}))[0]


def forecasts(frames, margins=None, **changes):
    """Forecast of a book; margins of the date unless given."""
    margins = (margins_at(frames, {}) if margins is None else margins).reset_index()
    settings = replace(SETTINGS, **changes)
    given = (risk_settings(AS_OF), estimation_settings(AS_OF), settings, THRESHOLDS, AS_OF, CLOSE)
    return forecast(inputs(frames), margins, NO_SCENARIOS, *given, models={})
