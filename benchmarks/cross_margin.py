"""Cross margin of many portfolios and of large ones: seconds, memory, and how near the saving comes to the best over all pairs.

Belongs here: an invented book by seed, timings, the share of the best saving. Not here: correctness (margin_pipeline_tests/margin).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import tracemalloc

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.margin.cross_margin import find_benefits
from margin_pipeline.parameters.cross_margin import cross_margin_rules

AS_OF = dt.date(2022, 12, 28)
SYMBOLS, PORTFOLIOS, STRATEGIES, SECTORS = 2000, 50, 5, 11
MARKETS = ((1.0, "few strong correlations"), (2.0, "many strong correlations"))


def stock_book(
    rows: int, market: float, seed: int = 1, symbol_count: int = SYMBOLS, portfolios: int = PORTFOLIOS, strategies: int = STRATEGIES
) -> dict:
    """Arguments of `find_benefits`: a long and short stock book and a one-factor market, its correlation in single precision as stored.

    Parameters
    ----------
    rows : positions.
    market : volatility of the common factor, in hundredths a day; 1 leaves few strong correlations, 2 many.
    seed : of the random generator.
    symbol_count, portfolios, strategies : how many the rows are drawn from; as many rows as the three allow give one of each.
    """
    random = np.random.default_rng(seed)
    symbols = np.array([f"S{n:04d}" for n in range(symbol_count)])
    beta = random.uniform(0.5, 1.5, symbol_count)
    returns = random.normal(0, 0.01 * market, (500, 1)) * beta + random.normal(0, 0.015, (500, symbol_count))
    cell = random.choice(portfolios * strategies * symbol_count, rows, replace=False)
    portfolio, strategy, symbol = cell // (strategies * symbol_count), cell // symbol_count % strategies, cell % symbol_count
    notional = random.uniform(20, 400, symbol_count)[symbol] * random.integers(1, 500, rows) * random.choice([-1, 1], rows)
    key = {"portfolio_id": [f"P{n:02d}" for n in portfolio], "strategy": [f"T{n}" for n in strategy], "symbol": symbols[symbol]}
    positions = pd.DataFrame({**key, "currency": "USD", "asset_class": "equity", "isolated_wallet": np.nan, "notional": notional})
    instruments = pd.DataFrame(
        {"symbol": symbols, "asset_class": "equity", "sector": [f"sector {n % SECTORS}" for n in range(symbol_count)]}
    )
    none = pd.Series([None] * symbol_count, dtype="str")
    return {
        "positions": positions,
        "position_margins": pd.DataFrame({**key, "maintenance_margin": np.where(notional > 0, 0.25, 0.3) * np.abs(notional)}),
        "instruments": instruments.assign(underlying=none, contract_type=none, modified_duration=np.nan),
        "symbol_risk": pd.DataFrame({"symbol": symbols, "volatility": returns.std(axis=0) * np.sqrt(252), "beta": beta}),
        "symbols": symbols,
        "correlation": np.corrcoef(returns.T, dtype=np.float32),
        "as_of": AS_OF,
    }


def proven(found: pd.DataFrame) -> float:
    """Proven share of the best saving of the one portfolio of a result."""
    return float(json.loads(found["explanation"].iloc[0])["proven_share"])


def extra_gigabytes(book: dict) -> float:
    """Greatest memory that a calculation takes beyond its inputs, as Python and NumPy ask for it."""
    tracemalloc.start()
    find_benefits(**book)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e9


def one_portfolio(symbol_count: int, seconds: float, repeats: int) -> list[Result]:
    """Seconds, memory and proven share of one portfolio that holds every symbol once."""
    results = []
    for market, name in MARKETS:
        book = stock_book(symbol_count, market, symbol_count=symbol_count, portfolios=1, strategies=1)
        title = f"cross margin, one portfolio, {symbol_count:,} symbols, {name}"
        results.append(Result(title, least_seconds(lambda book=book: find_benefits(**book), repeats), "s", seconds))
        results.append(Result("memory beyond the correlation", extra_gigabytes(book), "GB", 1.0))
        results.append(Result("proven share of the best saving", proven(find_benefits(**book)), "x", 0.97, at_least=True))
    return results


def run() -> list[Result]:
    """One portfolio of 2,000 and of 10,000 symbols; 70,000 positions in 50 portfolios; the saving against the best over all pairs."""
    results = one_portfolio(2000, 0.1, 10) + one_portfolio(10_000, 5.0, 2)
    for market, name in MARKETS:
        book = stock_book(70_000, market)
        seconds = least_seconds(lambda book=book: find_benefits(**book), repeats=1)
        results.append(Result(f"cross margin, 70,000 positions, {PORTFOLIOS} portfolios, {name}", seconds, "s", 5.0))
        one = {**book, "positions": book["positions"][book["positions"]["portfolio_id"] == "P00"]}
        best = find_benefits(**one, rules=dataclasses.replace(cross_margin_rules(AS_OF), proven_share=0.999))
        share = find_benefits(**one)["saving"].sum() / best["saving"].sum() * proven(best)
        results.append(Result(f"saving over the best of all pairs, {name}", share, "x", 0.98, at_least=True))
    return results
