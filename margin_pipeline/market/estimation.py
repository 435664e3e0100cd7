"""Volatility, beta and correlation of all symbols on a date, and the tables that hold them.

Belongs here: putting the estimators together. Not here: the estimators (volatility, covariance, beta), SQL.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend, ComputeReport
from margin_pipeline.market import covariance, positive_semidefinite
from margin_pipeline.market.beta import BetaEstimate, vasicek_shrunk, weighted_beta
from margin_pipeline.market.gaps import common_observations
from margin_pipeline.market.returns import CURRENCY_PREFIX, ReturnMatrix, log_returns
from margin_pipeline.market.triangle import pack_triangle, stored_correlation, unpack_triangle
from margin_pipeline.market.volatility import annual_volatility
from margin_pipeline.market.weights import exponential_weights
from margin_pipeline.parameters.estimation import EstimationSettings

__all__ = [
    "RiskEstimates",
    "correlation_rows",
    "estimate",
    "pack_triangle",
    "stored_correlation",
    "symbol_risk_table",
    "unpack_triangle",
]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RiskEstimates:
    """Estimates of one date. Currency factors (`fx:EUR`) stand among the symbols.

    Attributes
    ----------
    symbols : (m,) rows and columns of the matrix, ascending: those with enough observations, each and in every pair.
    correlation : (m, m) float64, least eigenvalue at least -1e-8.
    minimum_eigenvalue : of that matrix; 1 for a matrix without rows.
    repaired : whether the nearest positive semi-definite matrix had to be taken.
    estimated_symbols : (n,) all symbols with prices, ascending; the attributes below belong to them.
    volatility : (n,) annualised; NaN with too few observations.
    observations : (n,) returns in the window.
    beta, beta_std_error, r_squared : (n,) against the benchmark; NaN with too few observations in common with it.
    report : where the products were computed; its seconds are those of the whole estimation.
    """

    symbols: tuple[str, ...]
    correlation: Floats
    minimum_eigenvalue: float
    repaired: bool
    estimated_symbols: tuple[str, ...]
    volatility: Floats
    observations: npt.NDArray[np.int64]
    beta: Floats
    beta_std_error: Floats
    r_squared: Floats
    report: ComputeReport


def estimate(
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    settings: EstimationSettings,
    as_of: dt.date,
    symbols: Iterable[str] | None = None,
    exclude: Collection[str] = (),
    backend: Backend = NUMPY,
) -> RiskEstimates:
    """Estimate volatility, beta and correlation from the closes up to a date.

    Parameters
    ----------
    prices : history: date, symbol, close, adjusted_close.
    fx_rates : history: date, currency, usd_rate.
    settings : estimators and their parameters.
    as_of : closes after this date are not used.
    symbols : symbols and factors to estimate; None: all that have prices or rates.
    exclude : symbols left out (options: their closes follow the underlying's, not a distribution of their own).
    backend : where the products of the correlation are computed, in float64.

    Returns
    -------
    RiskEstimates, independent of the order of rows.

    Raises
    ------
    ValueError : a symbol or currency with two prices on a date.
    """
    started = time.perf_counter()
    history = log_returns(prices, fx_rates, as_of, settings.history, exclude, settings.calendar_share)
    wanted = set(history.symbols if symbols is None else symbols)
    benchmark = _column(history, settings.benchmark)
    chosen = [i for i, name in enumerate(history.symbols) if name in wanted]
    values = history.values if len(chosen) == len(history.symbols) else history.values[:, chosen]
    names = tuple(history.symbols[i] for i in chosen)
    recent = values[-settings.window :]
    observations = np.isfinite(recent).sum(axis=0)
    in_matrix = _enough_in_every_pair(recent, observations, settings.min_observations)
    estimated = _correlation(recent[:, in_matrix], settings, backend)
    sound = positive_semidefinite.sound_correlation(estimated.correlation, estimated.singular)
    betas = _betas(recent, benchmark[-settings.window :], names, settings)
    return RiskEstimates(
        symbols=tuple(names[i] for i in in_matrix),
        correlation=sound.correlation,
        minimum_eigenvalue=sound.minimum_eigenvalue,
        repaired=sound.repaired,
        estimated_symbols=names,
        volatility=annual_volatility(values, settings),
        observations=observations.astype(np.int64),
        beta=betas.beta,
        beta_std_error=betas.standard_error,
        r_squared=betas.r_squared,
        report=replace(estimated.report, seconds=time.perf_counter() - started),
    )


def symbol_risk_table(estimates: RiskEstimates) -> pd.DataFrame:
    """Rows of the table symbol_risk, one a symbol."""
    return pd.DataFrame(
        {
            "symbol": pd.Series(estimates.estimated_symbols, dtype="str"),
            "volatility": estimates.volatility,
            "beta": estimates.beta,
            "beta_std_error": estimates.beta_std_error,
            "r_squared": estimates.r_squared,
            "observations": estimates.observations,
        }
    )


def correlation_rows(estimates: RiskEstimates, held: Collection[str], threshold: float = 0.3) -> pd.DataFrame:
    """Rows of the table correlations: pairs of held symbols whose correlation is at least the threshold in size.

    Parameters
    ----------
    estimates : estimates of the date.
    held : symbols of interest; those not in the matrix have no rows.
    threshold : fraction.

    Returns
    -------
    symbol_a < symbol_b (by code point), correlation; ordered by both.
    """
    index = [i for i, name in enumerate(estimates.symbols) if name in held]
    names = np.array([estimates.symbols[i] for i in index], dtype=object)
    among = estimates.correlation[np.ix_(index, index)]
    first, second = np.nonzero(np.triu(np.abs(among) >= threshold, 1))
    return pd.DataFrame(
        {
            "symbol_a": pd.Series(names[first], dtype="str"),
            "symbol_b": pd.Series(names[second], dtype="str"),
            "correlation": among[first, second],
        }
    )


def _column(history: ReturnMatrix, symbol: str) -> Floats:
    """Returns of a symbol; NaN throughout when it has none."""
    if symbol not in history.symbols:
        return np.full(len(history.values), np.nan)
    return history.values[:, history.symbols.index(symbol)]


def _betas(returns: Floats, benchmark: Floats, names: tuple[str, ...], settings: EstimationSettings) -> BetaEstimate:
    weights = exponential_weights(len(returns), settings.half_life)
    betas = weighted_beta(returns, benchmark, weights, settings.min_observations)
    if not settings.vasicek_shrinkage:
        return betas
    are_shrunk = np.array([name != settings.benchmark and not name.startswith(CURRENCY_PREFIX) for name in names], dtype=bool)
    return vasicek_shrunk(betas, are_shrunk)


def _enough_in_every_pair(returns: Floats, observations: npt.NDArray[np.int64], least: int) -> npt.NDArray[np.int64]:
    """Columns that have enough observations, alone and in common with every other column taken.

    Where two columns have too few in common, the one that lacks them with more columns is left out (then the one with fewer
    observations, then the later one): a correlation that cannot be known must not pass for one that is.
    """
    taken = np.flatnonzero(observations >= least)
    gaps = len(returns) - observations[taken]
    if not len(taken) or len(returns) - 2 * int(gaps.max()) >= least:
        return taken  # any two have that many in common
    too_few = common_observations(np.isfinite(returns[:, taken])) < least
    kept = np.ones(len(taken), dtype=bool)
    lacking = too_few.sum(axis=1)
    while lacking.any():
        worst = np.lexsort((np.arange(len(taken)), -observations[taken], lacking))[-1]
        kept[worst] = False
        lacking = np.where(kept, lacking - too_few[:, worst], 0)
    return taken[kept]


def _correlation(returns: Floats, settings: EstimationSettings, backend: Backend) -> covariance.CorrelationEstimate:
    if settings.estimator == "ledoit_wolf" and returns.size:
        return covariance.ledoit_wolf_correlation(returns, backend)
    weights = covariance.correlation_weights(settings.estimator, len(returns), settings.half_life)
    return covariance.weighted_correlation(returns, weights, backend)
