"""Correlation of 2,000 symbols against the bare matrix product, and the whole estimation.

Belongs here: timing of `market`. Not here: correctness (margin_pipeline_tests/market).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.compute import BackendError, available_backends, backend_named
from margin_pipeline.market import estimation
from margin_pipeline.market.covariance import weighted_correlation
from margin_pipeline.market.positive_semidefinite import sound_correlation
from margin_pipeline.market.weights import exponential_weights
from margin_pipeline.parameters.estimation import EstimationSettings

SYMBOLS, DAYS, HALF_LIFE = 2000, 500, 63.0


def market_returns(days: int, symbols: int, gap_share: float, seed: int = 7) -> np.ndarray:
    """(days, symbols) invented log returns with ten common factors, a share of them missing."""
    random = np.random.default_rng(seed)
    common = random.standard_normal((days, 10)) @ random.standard_normal((10, symbols)) * 0.004
    returns = common + random.standard_normal((days, symbols)) * 0.012
    returns[random.random(returns.shape) < gap_share] = np.nan
    return returns


def price_history(days: int, symbols: int, gap_share: float) -> pd.DataFrame:
    """History frame of invented closes; a share of the rows is not there."""
    closes = 100.0 * np.exp(np.cumsum(market_returns(days, symbols, 0.0), axis=0))
    names = ["SP500", *(f"S{n:04d}" for n in range(1, symbols))]
    frame = pd.DataFrame(
        {
            "date": np.repeat(pd.bdate_range(end="2022-12-28", periods=days), symbols),
            "symbol": pd.Series(np.tile(names, days), dtype="str"),
            "close": closes.ravel(),
            "adjusted_close": np.nan,
        }
    )
    return frame[np.random.default_rng(8).random(len(frame)) >= gap_share]


def run() -> list[Result]:
    """Ratios to the bare product x' x on the fastest backend, and seconds of the estimation."""
    return [*_correlation_ratios(), *_estimation_seconds()]


def _bare_product() -> tuple[str, float]:
    """Fastest backend in float64, and its seconds for the bare product."""
    returns = market_returns(DAYS, SYMBOLS, 0.0)
    seconds = {}
    for name in available_backends():
        backend = backend_named(name)
        if backend.has_float64:
            x = backend.array(returns, "float64")
            seconds[name] = least_seconds(lambda b=backend, x=x: b.to_numpy(b.matmul(b.transpose(x), x)))
    if not seconds:
        raise BackendError("no backend computes in float64")
    best = min(seconds, key=seconds.__getitem__)
    return best, seconds[best]


def _correlation_ratios() -> list[Result]:
    name, product = _bare_product()
    backend, weights = backend_named(name), exponential_weights(DAYS, HALF_LIFE)
    complete, gappy = market_returns(DAYS, SYMBOLS, 0.0), market_returns(DAYS, SYMBOLS, 0.02)
    without_gaps = least_seconds(lambda: weighted_correlation(complete, weights, backend))
    with_gaps = least_seconds(lambda: weighted_correlation(gappy, weights, backend))
    estimated = weighted_correlation(gappy, weights, backend)
    repair = least_seconds(lambda: sound_correlation(estimated.correlation, estimated.singular), repeats=2)
    size = f"{SYMBOLS:,} symbols x {DAYS} days"
    return [
        Result(f"bare product, {size}", product, "s", note=f"{name}; only half of the symmetric result is computed"),
        Result(f"correlation to bare product, {size}, complete", without_gaps / product, "x", 3.0),
        Result(f"correlation to bare product, {size}, 2 % gaps", with_gaps / product, "x", 20.0, note="before repair"),
        Result(f"repair to bare product, {size}, 2 % gaps", repair / product, "x", note="one eigenvalue decomposition, one thread"),
    ]


def _estimation_seconds() -> list[Result]:
    rates = pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series([], dtype="str"), "usd_rate": pd.Series([], dtype=float)})
    results = []
    for share in (0.0, 0.001):
        prices, settings = price_history(757, SYMBOLS, share), EstimationSettings()
        last = prices["date"].max().date()
        seconds = least_seconds(lambda p=prices, s=settings, d=last: estimation.estimate(p, rates, s, d), repeats=2)
        results.append(Result(f"estimation, {SYMBOLS:,} symbols x 756 returns, {share:.1%} gaps", seconds, "s", 2.0))
    return results
