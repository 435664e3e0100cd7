"""Risk arrays of a million options on every backend, and scenario margin of a book of futures and options on them.

Belongs here: invented contracts by seed, timings. Not here: correctness (margin_pipeline_tests/margin/span).
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import sys
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.compute import NUMPY, Backend, available_backends, backend_named
from margin_pipeline.margin.span import span_margins
from margin_pipeline.margin.span.arrays import option_arrays
from margin_pipeline.market.option_scenarios import OptionTerms

AS_OF = dt.date(2022, 12, 28)
MANY = 1_000_000
GROUPS = 50


def option_terms(count: int) -> OptionTerms:
    """Options on futures of mixed moneyness, expiry and style."""
    random = np.random.default_rng(3)
    spot, rate = random.uniform(20, 5000, count), np.full(count, 0.04)
    return OptionTerms(
        spot=spot,
        strike=spot * random.uniform(0.7, 1.3, count),
        years=random.integers(5, 400, count) / 365.0,
        rate=rate,
        dividend_yield=rate,
        volatility=random.uniform(0.1, 0.6, count),
        is_call=random.random(count) < 0.5,
        is_american=random.random(count) < 0.8,
    )


def arrays_of(terms: OptionTerms, backend: Backend, threads: int) -> np.ndarray:
    """Arrays of the options with ranges of about four daily moves."""
    n = len(terms)
    ranges = 0.06 * terms.spot, np.full(n, 0.05), np.full(n, 50.0), np.full(n, 3.0), np.full(n, 0.33)
    return option_arrays(terms, *ranges, backend=backend, threads=threads)


def arrays() -> list[Result]:
    """Sixteen scenarios of many options, backend by backend."""
    terms, threads = option_terms(MANY), os.cpu_count() or 1
    few = terms.rows(slice(0, 1000))
    expected, results = arrays_of(few, NUMPY, 1), []
    for name in dict.fromkeys((NUMPY.name, *available_backends())):
        backend = backend_named(name)
        worst = float(np.abs(arrays_of(few, backend, 1) - expected).max() / np.abs(expected).max())
        seconds = least_seconds(partial(arrays_of, terms, backend, threads), repeats=2)
        note = f"{threads} threads, worst difference {worst:.1g} of the greatest value"
        target = 2.0 if name == NUMPY.name else None
        results.append(Result(f"arrays of {MANY:,} options on futures on {name}", seconds, "s", target, note=note))
        if name == NUMPY.name:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            held = f"of it {16 * 8 * MANY / 1e9:.2g} the result"
            results.append(Result("peak memory of the process by then", peak / 1e9, "GB", note=held))
    return results


def book(portfolios: int, contracts: int) -> tuple[pd.DataFrame, ...]:
    """Positions, instruments, portfolios, prices, rates, no arrays, and parameters of `GROUPS` class groups."""
    random = np.random.default_rng(5)
    futures = pd.DataFrame({"symbol": [f"F{g}_{m}" for g in range(GROUPS) for m in range(4)], "asset_class": "future"})
    months = pd.to_datetime(["2023-03-17", "2023-06-16", "2023-09-15", "2023-12-15"])
    futures = futures.assign(expiry=np.tile(months, GROUPS), class_group=np.repeat([f"G{g}" for g in range(GROUPS)], 4))
    at = random.integers(0, len(futures), contracts)
    options = futures.take(at).reset_index(drop=True).rename(columns={"symbol": "underlying"})
    options["symbol"] = [f"O{i}" for i in range(contracts)]
    options["asset_class"] = "future_option"
    options["option_type"] = np.where(random.random(contracts) < 0.5, "call", "put")
    options["strike"] = random.uniform(80, 120, contracts)
    instruments = pd.concat([futures, options], ignore_index=True).assign(currency="USD", multiplier=50.0, exercise="american")
    for column in ("root", "margin_model", "contract_type"):
        instruments[column] = pd.Series(pd.NA, index=instruments.index, dtype="str")
    instruments = instruments.assign(deliverable_units=np.nan, conversion_ratio=np.nan)
    price = np.where(instruments["asset_class"] == "future", 100.0, random.uniform(3, 5, len(instruments)))
    price += np.maximum(np.where(instruments["option_type"] == "call", 1, -1) * (100 - instruments["strike"].fillna(100)), 0)
    prices = pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": instruments["symbol"], "close": price})
    rows = random.integers(0, len(instruments), portfolios * 100)
    held = pd.DataFrame(
        {"portfolio_id": np.repeat([f"P{p}" for p in range(portfolios)], 100), "symbol": instruments["symbol"].take(rows).array}
    )
    held = held.drop_duplicates(ignore_index=True).assign(strategy="s", fx_rate=1.0)
    held["quantity"] = random.integers(-20, 21, len(held)).astype(float)
    held["price"] = held["symbol"].map(prices.set_index("symbol")["close"])
    owners = pd.DataFrame({"portfolio_id": held["portfolio_id"].unique(), "base_currency": "USD"})
    rates = pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["USD"], "rate": [0.04]})
    no_arrays = pd.DataFrame({"symbol": [], "scenario": [], "value": [], "composite_delta": []})
    return held, instruments, owners, prices, rates, no_arrays, parameters()


def parameters() -> pd.DataFrame:
    """Ranges, one spread charge, a minimum and a credit with the next class group."""
    terms = (("price_scan_range", 300.0), ("volatility_scan_range", 0.05), ("intra_spread_charge", 40.0), ("short_option_minimum", 5.0))
    rows = [{"class_group": f"G{g}", "term": term, "value": value} for g in range(GROUPS) for term, value in terms]
    rows += [
        {"class_group": f"G{g}", "term": "inter_commodity_credit", "value": 0.6, "class_group_2": f"G{g + 1}", "priority": float(g)}
        for g in range(GROUPS - 1)
    ]
    blank = {"tier_1": 0.0, "tier_2": 0.0, "delta_1": 1.0, "delta_2": 1.0, "side_1": "a", "side_2": "b", "currency": "USD"}
    frame = pd.DataFrame(rows).fillna({"class_group_2": "", "priority": 0.0}).assign(**blank, contract_multiplier=np.nan)
    return frame.assign(effective_date=pd.Timestamp("2020-01-01"), expiry_from=pd.Timestamp("1900-01-01"), expiry_to=pd.NaT)


def whole() -> list[Result]:
    """Scenario margin of 1,000 portfolios with 100 contracts each."""
    frames, threads = book(1000, 5000), os.cpu_count() or 1
    found = span_margins(*frames, AS_OF)
    note = (
        f"{len(frames[0]):,} positions, {len(found.margins):,} class groups, {int(found.margins['missing'].notna().sum()):,} without margin"
    )
    seconds = least_seconds(lambda: span_margins(*frames, AS_OF, threads=threads), repeats=2)
    return [Result("scenario margin of 1,000 portfolios", seconds, "s", note=note)]


def run() -> list[Result]:
    """Arrays by backend, then a book."""
    return arrays() + whole()
