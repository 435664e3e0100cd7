"""Forecast of breaches of utilization of every portfolio, and how well such forecasts held in the past.

Belongs here: the tables `margin_forecasts` and `forecast_calibration`. Not here: sensitivities, probabilities, the test itself.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from margin_pipeline.decisions.forecast_sensitivities import sensitivities
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.parameters.estimation import EstimationSettings
from margin_pipeline.parameters.forecast import ForecastSettings
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.parameters.stress import StressRules
from margin_pipeline.risk.forecast import OTC_REASON, FactorExposures, estimated_covariance, factor_exposures, forecast_rows, moments
from margin_pipeline.risk.forecast_calibration import calibration_table

_LEVELS = ("warning", "critical", "emergency")


@dataclass(frozen=True)
class Forecast:
    """Forecasts of a date.

    Attributes
    ----------
    forecasts, calibration : frames of the tables `margin_forecasts` and `forecast_calibration`.
    """

    forecasts: pd.DataFrame
    calibration: pd.DataFrame


def forecast(
    inputs: MarginInputs,
    portfolio_margins: pd.DataFrame,
    rules: StressRules,
    risk: RiskSettings,
    estimation: EstimationSettings,
    settings: ForecastSettings,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    calculated_at: dt.datetime,
    *,
    models: Mapping[str, UserModel] | None = None,
    threads: int = 1,
) -> Forecast:
    """Probabilities of breaches of every portfolio under its governing method, and their calibration.

    Parameters
    ----------
    inputs : the book; prices and exchange rates as histories, as long as the calibration is to look back.
    portfolio_margins : frame of that table.
    rules : sizes of stress tests.
    risk, estimation, settings : calendar and days a year, half-life and window, horizons.
    thresholds : utilization from which "warning", "critical" and "emergency" begin; the margin call is forecast beside them.
    as_of : business date.
    calculated_at : instant that horizons begin at; not the clock's, so that a repeated run gives the same.
    models : user models by name; None: those that installed packages bring.
    threads : chunks of options at once; the result does not depend on it.
    """
    # What has no margin today has none after a move either, and says why itself.
    known = portfolio_margins.loc[portfolio_margins["is_governing"] & (portfolio_margins["status"] != "undetermined"), "portfolio_id"]
    own = replace(inputs, portfolios=inputs.portfolios[inputs.portfolios["portfolio_id"].isin(known)].reset_index(drop=True))
    found = sensitivities(own, rules, settings.bump, estimation.benchmark, thresholds, as_of, models=models, threads=threads)
    exposures = factor_exposures(found.rows, inputs.portfolios["portfolio_id"].astype(str).tolist())
    covariance, lacking = estimated_covariance(exposures.factors, inputs.symbols, inputs.correlation, inputs.symbol_risk, risk.trading_days)
    reasons = _reasons(inputs.portfolios, portfolio_margins, found.lacking, found.rows, lacking)
    levels = [*(thresholds[name] for name in _LEVELS), settings.margin_call]
    rows = forecast_rows(exposures, moments(exposures, covariance), portfolio_margins, reasons, levels, settings, calculated_at)
    return Forecast(rows, _calibration(inputs, exposures, portfolio_margins, reasons, risk, estimation, settings, as_of))


def _calibration(
    inputs: MarginInputs,
    exposures: FactorExposures,
    portfolio_margins: pd.DataFrame,
    reasons: Mapping[str, list[str]],
    risk: RiskSettings,
    estimation: EstimationSettings,
    settings: ForecastSettings,
    as_of: dt.date,
) -> pd.DataFrame:
    governing = portfolio_margins[portfolio_margins["is_governing"].astype(bool)].drop_duplicates("portfolio_id")
    methods = governing.set_index("portfolio_id")["method"].reindex(exposures.portfolios)
    tested = [name for name in exposures.portfolios if not reasons.get(str(name))]
    options = set(inputs.instruments.loc[inputs.instruments["option_type"].notna(), "symbol"])
    market = (inputs.prices, inputs.fx_rates, options)
    return calibration_table(exposures, {str(name): str(methods[name]) for name in tested}, *market, risk, estimation, settings, as_of)


def _reasons(
    portfolios: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    own: Mapping[str, set[str]],
    rows: pd.DataFrame,
    factors: Mapping[str, str],
) -> dict[str, list[str]]:
    """What each portfolio lacks, ordered; empty: nothing."""
    found = {str(name): set(own.get(str(name), ())) for name in portfolios["portfolio_id"]}
    for name in portfolios.loc[portfolios["account_type"] == "otc", "portfolio_id"]:
        found[str(name)].add(OTC_REASON)
    governing = portfolio_margins[portfolio_margins["is_governing"].astype(bool)].drop_duplicates("portfolio_id")
    for name, status, missing in governing[["portfolio_id", "status", "missing"]].itertuples(index=False, name=None):
        if status == "undetermined" and str(name) in found:
            texts = json.loads(missing) if isinstance(missing, str) else list(missing) if isinstance(missing, list) else []
            found[str(name)] |= set(texts or ["margin is undetermined"])
    for name in set(found) - set(governing["portfolio_id"].astype(str)):
        found[name].add("no governing method")
    unknown = rows.loc[rows["risk_factor"].isin(list(factors)), ["portfolio_id", "risk_factor"]].drop_duplicates()
    for name, factor in unknown.itertuples(index=False, name=None):
        found[str(name)].add(factors[str(factor)])
    return {name: sorted(texts) for name, texts in found.items()}
