"""Cross margin of many portfolios over 2,000 symbols: seconds, and how near the sampled program comes to all pairs.

Belongs here: an invented book by seed, timings, the ratio of savings. Not here: correctness (margin_pipeline_tests/margin).
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.margin.cross_margin import find_benefits
from margin_pipeline.parameters.cross_margin import cross_margin_rules

AS_OF = dt.date(2022, 12, 28)
SYMBOLS, PORTFOLIOS, STRATEGIES, SECTORS = 2000, 50, 5, 11


def stock_book(rows: int, market: float, seed: int = 1) -> dict:
    """Arguments of `find_benefits`: a long and short stock book and a one-factor market.

    Parameters
    ----------
    rows : positions, each portfolio holding about half of the symbols.
    market : volatility of the common factor, in hundredths a day; 1 leaves few strong correlations, 2 many.
    seed : of the random generator.
    """
    random = np.random.default_rng(seed)
    symbols = np.array([f"S{n:04d}" for n in range(SYMBOLS)])
    beta = random.uniform(0.5, 1.5, SYMBOLS)
    returns = random.normal(0, 0.01 * market, (500, 1)) * beta + random.normal(0, 0.015, (500, SYMBOLS))
    cell = random.choice(PORTFOLIOS * STRATEGIES * SYMBOLS, rows, replace=False)
    portfolio, strategy, symbol = cell // (STRATEGIES * SYMBOLS), cell // SYMBOLS % STRATEGIES, cell % SYMBOLS
    notional = random.uniform(20, 400, SYMBOLS)[symbol] * random.integers(1, 500, rows) * random.choice([-1, 1], rows)
    key = {"portfolio_id": [f"P{n:02d}" for n in portfolio], "strategy": [f"T{n}" for n in strategy], "symbol": symbols[symbol]}
    positions = pd.DataFrame({**key, "currency": "USD", "asset_class": "equity", "isolated_wallet": np.nan, "notional": notional})
    instruments = pd.DataFrame({"symbol": symbols, "asset_class": "equity", "sector": [f"sector {n % SECTORS}" for n in range(SYMBOLS)]})
    none = pd.Series([None] * SYMBOLS, dtype="str")
    return {
        "positions": positions,
        "position_margins": pd.DataFrame({**key, "maintenance_margin": np.where(notional > 0, 0.25, 0.3) * np.abs(notional)}),
        "instruments": instruments.assign(underlying=none, contract_type=none, modified_duration=np.nan),
        "symbol_risk": pd.DataFrame({"symbol": symbols, "volatility": returns.std(axis=0) * np.sqrt(252), "beta": beta}),
        "symbols": symbols,
        "correlation": np.corrcoef(returns.T),
        "as_of": AS_OF,
    }


def run() -> list[Result]:
    """Seconds of 70,000 stock positions in 50 portfolios, and the saving against the program over all pairs for one of them."""
    results = []
    for market, name in ((1.0, "few strong correlations"), (2.0, "many strong correlations")):
        book = stock_book(70_000, market)
        seconds = least_seconds(lambda book=book: find_benefits(**book), repeats=1)
        results.append(Result(f"cross margin, 70,000 positions, {PORTFOLIOS} portfolios, {name}", seconds, "s", 5.0))
        one = {**book, "positions": book["positions"][book["positions"]["portfolio_id"] == "P00"]}
        every = find_benefits(**one, rules=dataclasses.replace(cross_margin_rules(AS_OF), all_pairs_up_to=SYMBOLS**2))
        share = find_benefits(**one)["saving"].sum() / every["saving"].sum()
        results.append(Result(f"saving with sampled pairs over that with all pairs, {name}", share, "x", 0.97, at_least=True))
    return results
