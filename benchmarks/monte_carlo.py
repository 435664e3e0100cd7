"""Monte Carlo risk of 10,000 positions with options over 50 factors in 1,000,000 scenarios, beside the plain formulation.

Belongs here: seconds and peak memory of drawn profits and their statistics. Not here: correctness (margin_pipeline_tests/risk).

The plain formulation draws all normals at once, multiplies them by the factor of the correlation, and reprices every option position
in every scenario with NumPy in float64. It is timed at a part of the scenarios and scaled up, since it would not fit the memory; its
time grows in proportion to the scenarios.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.attribution_book import AS_OF, STRATEGIES, book_frames
from benchmarks.harness import Result

SCENARIOS, PLAIN_SCENARIOS, FACTORS, SERIES, POSITIONS = 1_000_000, 20_000, 50, 40, 10_000
CONFIDENCE = 0.99
TERMS = ("strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility", "is_call", "is_american")

# In processes of their own: peak memory is a process's.
CODE = "import sys; from benchmarks.monte_carlo import measure; measure(*sys.argv[1:])"


def _book() -> tuple[Any, Any]:
    """A book of 10,000 positions, 9,500 of them options, of one portfolio of ten strategies over 50 underlyings of 40 series each."""
    from margin_pipeline.risk.book import build_book
    from margin_pipeline.risk.estimates import factor_estimates
    from margin_pipeline.risk.exposures import risk_positions

    frames = _frames()
    held = risk_positions(*(frames[name] for name in ("positions", "instruments", "portfolios", "prices", "rates", "dividends")), AS_OF)
    book = build_book(held, frames["positions"], frames["portfolios"])
    return book, factor_estimates(book, frames["symbols"], frames["correlation"], frames["symbol_risk"], 252)


def _frames() -> dict[str, Any]:
    """Frames of the market of `attribution_book`, with more series and every strategy in most of them."""
    from margin_pipeline.market.option_pricing import black_scholes_merton

    random = np.random.default_rng(5)
    frames = book_frames(1000, stocks=FACTORS, portfolios=1)
    stocks = frames["instruments"].query("asset_class == 'equity'")
    option = frames["instruments"].query("asset_class == 'equity_option'").iloc[[0]]
    closes = frames["prices"].drop_duplicates("symbol", keep="last").set_index("symbol")["close"]
    options = pd.concat([option] * (FACTORS * SERIES), ignore_index=True)
    options["underlying"] = np.repeat(stocks["symbol"].to_numpy(), SERIES)
    options["symbol"] = options["underlying"] + "-" + pd.Series(np.tile(np.arange(SERIES), FACTORS)).astype(str)
    options["option_type"] = np.tile(["call", "put"], FACTORS * SERIES // 2)
    spot = options["underlying"].map(closes).to_numpy(float)
    options["strike"] = spot * np.tile(np.linspace(0.8, 1.2, SERIES), FACTORS)
    price = black_scholes_merton(spot, options["strike"], 79 / 365, 0.04, 0.0, 0.35, options["option_type"] == "call")
    prices = pd.concat([closes.reindex(stocks["symbol"]), pd.Series(np.maximum(price, 0.01), index=options["symbol"])])
    pairs = pd.MultiIndex.from_product([[f"strategy_{n}" for n in range(STRATEGIES)], prices.index], names=["strategy", "symbol"])
    held = pairs.to_frame(index=False)
    is_stock = held["symbol"].isin(stocks["symbol"]).to_numpy()
    kept = np.sort(np.concatenate([np.flatnonzero(is_stock), random.permutation(np.flatnonzero(~is_stock))[: POSITIONS - is_stock.sum()]]))
    held, is_stock = held.iloc[kept].reset_index(drop=True), is_stock[kept]
    quantity = random.integers(1, 20, len(held)) * np.where(random.random(len(held)) < 0.5, -1.0, 1.0) * np.where(is_stock, 100.0, 1.0)
    price = held["symbol"].map(prices).to_numpy(float)
    value = quantity * price * np.where(is_stock, 1.0, 100.0)
    held = held.assign(
        portfolio_id="BOOK_00", quantity=quantity, price=price, market_value=value, entry_price=np.nan, currency="USD", fx_rate=1.0
    )
    return frames | {"instruments": pd.concat([stocks, options], ignore_index=True), "positions": held}


def _peak_gigabytes() -> float:
    import resource

    unit = 1e9 if sys.platform == "darwin" else 1e6  # kilobytes on Linux, bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(kind: str, backend_name: str = "numpy") -> None:
    """Print seconds, peak memory and the estimate of one kind of run as JSON."""
    import time
    from dataclasses import replace

    from margin_pipeline.compute import backend_named
    from margin_pipeline.parameters.risk import risk_settings
    from margin_pipeline.risk.monte_carlo_method import monte_carlo_figures

    book, estimates = _book()
    backend = backend_named(backend_name)
    started = time.perf_counter()
    if kind == "plain":
        profit = _plain_profits(book, estimates)
        seconds = time.perf_counter() - started
        figures = {"var": -float(np.quantile(profit, 1 - CONFIDENCE)), "error": _error(profit)}
    else:
        settings = risk_settings(AS_OF)
        draws = replace(settings.monte_carlo, scenarios=SCENARIOS)
        settings = replace(settings, confidences=(CONFIDENCE,), horizons_days=(1,), monte_carlo=draws)
        found = monte_carlo_figures(book, estimates, settings, {}, backend)[0]
        seconds = time.perf_counter() - started
        figures = {"var": float(found.portfolio["var"][0]), "error": float(found.portfolio["standard_error"][0])}
    options = sum(group.option_size.nnz for group in book.currency_groups)
    print(json.dumps({"seconds": seconds, "gigabytes": _peak_gigabytes(), "options": options} | figures))


def _plain_profits(book: Any, estimates: Any) -> Any:
    from margin_pipeline.market.option_pricing import option_value

    random = np.random.default_rng(1)
    root = np.linalg.cholesky(estimates.correlation)
    returns = random.standard_normal((PLAIN_SCENARIOS, FACTORS)) @ root.T * estimates.daily_volatility
    profit, series = np.zeros(PLAIN_SCENARIOS), book.option_series
    for group in book.currency_groups:
        profit += returns @ group.exposure.sum(axis=0)
        sizes = group.option_size.tocoo()
        for row, size in zip(sizes.coords[1], sizes.data, strict=True):
            option = series.iloc[row]
            terms = [
                option[c] for c in ("strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility", "is_call", "is_american")
            ]
            after = option["spot"] * (1 + returns[:, book.factors.get_loc(option["risk_factor"])])
            profit += size * (option_value(after, *terms) - option_value(option["spot"], *terms))
    return profit


def _error(profit: Any) -> float:
    from margin_pipeline.risk.historical import standard_error

    return standard_error(profit, CONFIDENCE)


def _separately(*arguments: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run() -> list[Result]:
    """Measure; the plain formulation takes most of the time."""
    from margin_pipeline.compute import available_backends

    plain = _separately("plain")
    expected = plain["seconds"] * SCENARIOS / PLAIN_SCENARIOS
    note = f"{plain['options']:,} option positions; plain {plain['seconds']:.3g} s for {PLAIN_SCENARIOS:,} scenarios, scaled"
    results = []
    for name in available_backends():
        ours = _separately("ours", name)
        apart = abs(ours["var"] - plain["var"]) / float(np.hypot(ours["error"], plain["error"]))
        results += [
            Result(f"1,000,000 scenarios x 50 factors, 10,000 positions, {name}", ours["seconds"], "s"),
            Result(f"the plain formulation beside it, {name}", expected / ours["seconds"], "x", target=10.0, at_least=True, note=note),
            Result(f"peak memory of the process, {name}", ours["gigabytes"], "GB", target=1.5),
            Result(f"estimates apart, in standard errors, {name}", apart, "x", target=2.0),
        ]
    return results
