"""Seconds to forecast breaches of generated portfolios, with the calibration, and against a margin recalculation a factor.

Belongs here: timing. Not here: the book (`generated_book`), what is computed.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.generated_book import AS_OF, write_book
from benchmarks.harness import Result, least_seconds
from margin_pipeline.decisions.forecast import forecast
from margin_pipeline.decisions.forecast_sensitivities import sensitivities
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.landing import read_date
from margin_pipeline.margin import strategy_based, valuation
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.forecast import forecast_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.parameters.stress import stress_rules

THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
CLOSE = dt.datetime(AS_OF.year, AS_OF.month, AS_OF.day, 21, tzinfo=dt.UTC)
SESSIONS = 400


class _Book:
    """A generated book; correlations are those of one factor."""

    def __init__(self, positions: int, symbols: int, portfolios: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_book(Path(folder), positions, symbols=symbols, portfolios=portfolios, sessions=SESSIONS)
            tables = read_date(Path(folder) / AS_OF.isoformat(), AS_OF).tables
        market = [tables[n] for n in ("instruments", "portfolios", "prices", "fx_rates")]
        held = valuation.value_positions(tables["position_records"], *market, AS_OF)
        groups = strategy_based.group_positions(held, *market, AS_OF).groups
        stocks = tables["instruments"].query("asset_class == 'equity'")["symbol"].tolist()
        risk = pd.DataFrame({"symbol": stocks, "volatility": 0.3, "beta": 1.0})
        correlation = np.full((len(stocks), len(stocks)), 0.3) + 0.7 * np.eye(len(stocks))
        rules = [tables[n] for n in ("futures_margins", "margin_schedules", "margin_rates", "house_margins")]
        more = [tables[n] for n in ("rejected_rows", "rates", "dividends", "risk_arrays", "span_parameters")]
        self.inputs = MarginInputs(held, *market, *rules, risk, groups, *more, tuple(stocks), correlation)
        need = groups.groupby("portfolio_id")["maintenance_margin"].sum().reindex(tables["portfolios"]["portfolio_id"]).fillna(0.0)
        self.margins = pd.DataFrame({"portfolio_id": need.index, "method": "strategy_based", "maintenance_margin": need.to_numpy()})
        self.margins = self.margins.assign(is_governing=True, status="safe", missing=None, utilization=0.75)
        self.margins["margin_equity"] = self.margins["maintenance_margin"] / 0.75

    def forecast(self) -> None:
        """Forecasts and calibration of all portfolios."""
        settings = (stress_rules(AS_OF), risk_settings(AS_OF), estimation_settings(AS_OF), forecast_settings(AS_OF))
        found = forecast(self.inputs, self.margins, *settings, THRESHOLDS, AS_OF, CLOSE, models={})
        if found.forecasts["missing"].notna().any():
            raise AssertionError(found.forecasts["missing"].dropna().iloc[0])

    def sensitivities(self) -> None:
        """Sensitivities alone."""
        bump, benchmark = forecast_settings(AS_OF).bump, estimation_settings(AS_OF).benchmark
        sensitivities(self.inputs, stress_rules(AS_OF), bump, benchmark, THRESHOLDS, AS_OF, models={})


def run() -> list[Result]:
    """Ten and a hundred portfolios of a thousand positions."""
    results = []
    for count, symbols, portfolios in ((10_000, 500, 10), (100_000, 1_000, 100)):
        book = _Book(count, symbols, portfolios)
        name = f"{portfolios} portfolios, {count:,} positions"
        alone = least_seconds(partial(book.sensitivities), 1)
        whole = least_seconds(partial(book.forecast), 1)
        results.append(Result(f"sensitivities of {name}", alone, "s"))
        note = f"{symbols * portfolios * 2:,} recalculations would be needed one factor at a time; here 2"
        results.append(Result(f"forecast of {name}, with calibration", whole, "s", note=note))
    return results
