"""Value at risk and attribution of a large book: seconds, growth, and what it costs beside the bare option formula.

Belongs here: timing of `risk`. Not here: correctness (margin_pipeline_tests/risk).
"""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from benchmarks.attribution_book import AS_OF, book_frames
from benchmarks.harness import Result, least_seconds
from margin_pipeline.market.implied_volatility import implied_volatility
from margin_pipeline.market.option_pricing import black_scholes_merton
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk import assess
from margin_pipeline.risk.book import build_book
from margin_pipeline.risk.estimates import factor_estimates
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.figures import portfolio_table, strategy_components
from margin_pipeline.risk.gaussian_method import gaussian_figures

SCENARIOS = 1000  # 500 of one day and 500 of ten


def run() -> list[Result]:
    """Assessment of 50,000 to 200,000 positions over 2,000 stocks, 8,000 option series and 50 portfolios of ten strategies."""
    settings = replace(risk_settings(AS_OF), methods=("gaussian", "historical"))
    every = risk_settings(AS_OF)
    frames = {n: book_frames(n) for n in (50_000, 100_000, 200_000)}
    seconds = {n: least_seconds(lambda f=f: assess(**f, settings=settings), repeats=3) for n, f in frames.items()}
    all_methods = least_seconds(lambda: assess(**frames[100_000], settings=every, threads=os.cpu_count() or 1), repeats=2)
    series = int(frames[100_000]["instruments"]["option_type"].notna().sum())
    bare = _bare_revaluation(series)
    growth = (seconds[200_000] - seconds[100_000]) / (2 * (seconds[100_000] - seconds[50_000]))
    return [
        Result("risk of 100,000 positions, gaussian and historical", seconds[100_000], "s", target=3.0),
        Result("the same under every method", all_methods, "s", note=f"{every.monte_carlo.scenarios:,} drawn scenarios"),
        Result("Gaussian attribution of 2,000 positions in 10 strategies", _attribution(2000), "s", target=0.020, note="covariance given"),
        Result("the same beside the bare formula of its option scenarios", seconds[100_000] / bare, "x", note=f"formula {bare:.2f} s"),
        Result("growth from 100,000 to 200,000 beside twice that from 50,000", growth, "x", target=1.2),
        Result("implied volatilities of 10,000 options", _implied(10_000), "s"),
    ]


def _attribution(positions: int) -> float:
    """Seconds from exposures and covariance to the rows of both tables."""
    frames, settings = book_frames(positions, stocks=positions, portfolios=1), risk_settings(AS_OF)
    held = risk_positions(*(frames[name] for name in ("positions", "instruments", "portfolios", "prices", "rates", "dividends")), AS_OF)
    book = build_book(held, frames["positions"], frames["portfolios"])
    estimates = factor_estimates(book, frames["symbols"], frames["correlation"], frames["symbol_risk"], settings.trading_days)

    def tables() -> None:
        figures = gaussian_figures(book, estimates, settings, {})
        portfolio_table(book, figures)
        strategy_components(book, figures)

    return least_seconds(tables)


def _bare_revaluation(series: int) -> float:
    """Seconds for one formula a series and scenario, in chunks that fit the cache."""
    random = np.random.default_rng(3)
    spot, strike = random.uniform(50, 150, (250, SCENARIOS)), random.uniform(50, 150, (250, 1))
    chunk = least_seconds(lambda: black_scholes_merton(spot, strike, 0.25, 0.03, 0.01, 0.3, True))
    return chunk * series / 250


def _implied(count: int) -> float:
    random = np.random.default_rng(4)
    spot, volatility = random.uniform(50, 150, count), random.uniform(0.1, 0.8, count)
    price = black_scholes_merton(spot, 100, 0.25, 0.03, 0.01, volatility, True)
    return least_seconds(lambda: implied_volatility(price, spot, 100, 0.25, 0.03, 0.01, True))
