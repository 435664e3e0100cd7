"""Portfolio margin: ten-point revaluation of 100,000 options on every backend, and the margin of a book of them.

Belongs here: invented options by seed, timings. Not here: correctness (margin_pipeline_tests/margin).
"""

from __future__ import annotations

import datetime as dt
import os

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.compute import available_backends, backend_named
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.market.option_pricing import option_value
from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values
from margin_pipeline.parameters.portfolio_margin import portfolio_margin_rules

AS_OF = dt.date(2022, 12, 28)
OPTIONS = 100_000
MOVES = portfolio_margin_rules(AS_OF).moves([-0.15], [0.15])[0]


def option_terms(count: int, seed: int = 7) -> OptionTerms:
    """Options of mixed moneyness, expiry and style."""
    random = np.random.default_rng(seed)
    spot = random.uniform(20, 400, count)
    return OptionTerms(
        spot=spot,
        strike=spot * random.uniform(0.7, 1.3, count),
        years=random.integers(5, 400, count) / 365.0,
        rate=np.full(count, 0.04),
        dividend_yield=random.uniform(0, 0.03, count),
        volatility=random.uniform(0.15, 0.6, count),
        is_call=random.random(count) < 0.5,
        is_american=random.random(count) < 0.8,
    )


def plain_values(terms: OptionTerms) -> np.ndarray:
    """The same values, one point after the other, whole columns at a time."""
    given = (terms.strike, terms.years, terms.rate, terms.dividend_yield, terms.volatility, terms.is_call, terms.is_american)
    return np.stack([option_value(terms.spot * (1 + move), *given) for move in MOVES], axis=1)


def option_book(count: int, portfolios: int = 50, symbols: int = 2000, seed: int = 7) -> dict[str, pd.DataFrame]:
    """Arguments of `portfolio_margin`: options on many stocks, each held by one portfolio."""
    random = np.random.default_rng(seed)
    terms = option_terms(count, seed)
    on = random.integers(0, symbols, count)
    stocks = np.array([f"S{n:04d}" for n in range(symbols)])
    close = random.uniform(20, 400, symbols)
    strike = close[on] * terms.strike / terms.spot
    sign = np.where(terms.is_call, 1.0, -1.0)
    price = np.maximum(sign * (close[on] - strike), 0.0) + 0.03 * close[on]
    names = [f"{stocks[s]}-{n}" for n, s in enumerate(on)]
    none = pd.Series([None] * (symbols + count), dtype="str")
    instruments = pd.DataFrame(
        {
            "symbol": [*stocks, *names],
            "asset_class": ["equity"] * symbols + ["equity_option"] * count,
            "underlying": pd.Series([None] * symbols + list(stocks[on]), dtype="str"),
            "option_type": pd.Series([None] * symbols + list(np.where(terms.is_call, "call", "put")), dtype="str"),
            "strike": np.concatenate([np.full(symbols, np.nan), strike]),
            "expiry": pd.to_datetime([pd.NaT] * symbols + [pd.Timestamp(AS_OF) + pd.Timedelta(days=int(d)) for d in terms.years * 365]),
            "exercise": pd.Series([None] * symbols + list(np.where(terms.is_american, "american", "european")), dtype="str"),
            "multiplier": [1.0] * symbols + [100.0] * count,
            **dict.fromkeys(("deliverable_units", "conversion_ratio", "index_ratio"), np.nan),
            **dict.fromkeys(("breadth", "class_group", "product_group", "contract_type"), none),
            "leverage_factor": 1.0,
            "is_inverse": False,
            "currency": "USD",
        }
    )
    held = pd.DataFrame(
        {
            "portfolio_id": [f"P{n:02d}" for n in random.integers(0, portfolios, count)],
            "strategy": "s",
            "symbol": names,
            "quantity": random.choice([-1, 1], count) * random.integers(1, 50, count).astype(float),
            "price": price,
            "fx_rate": 1.0,
            "currency": "USD",
        }
    )
    day = pd.Timestamp(AS_OF)
    accounts = pd.DataFrame({"portfolio_id": sorted(held["portfolio_id"].unique()), "account_type": "portfolio_margin"})
    return {
        "positions": held,
        "instruments": instruments,
        "portfolios": accounts.assign(equity=1e9, base_currency="USD"),
        "prices": pd.DataFrame({"date": day, "symbol": stocks, "close": close}),
        "fx_rates": pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series([], dtype="str"), "usd_rate": []}),
        "rates": pd.DataFrame({"date": [day], "currency": ["USD"], "rate": [0.04]}),
        "dividends": pd.DataFrame({"symbol": stocks, "dividend_yield": 0.01}),
        "as_of": AS_OF,
    }


def run() -> list[Result]:
    """Revaluation on every backend of this machine, then the whole margin of as many positions."""
    terms, threads = option_terms(OPTIONS), os.cpu_count() or 1
    plain = least_seconds(lambda: plain_values(terms), repeats=3)
    results = []
    for name in available_backends():
        backend = backend_named(name)
        seconds = least_seconds(lambda backend=backend: scenario_values(terms, MOVES, backend=backend, threads=threads))
        wrong = float(np.abs(scenario_values(terms, MOVES, backend=backend, threads=threads) - plain_values(terms)).max())
        target = 0.1 if name == "numpy" else None
        note = f"{backend.device}, {threads} threads; plain {plain:.3g} s; largest difference {wrong:.1e}"
        results.append(Result(f"ten points, {OPTIONS:,} options, {name}", seconds, "s", target, note=note))
    book = option_book(OPTIONS)
    seconds = least_seconds(lambda: portfolio_margin(**book, threads=threads), repeats=2)
    results.append(Result(f"portfolio margin, {OPTIONS:,} option positions, implied volatilities included", seconds, "s"))
    return results
