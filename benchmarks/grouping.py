"""How long the grouping of stock and options takes, and what it saves against a greedy matcher.

Belongs here: books by seed, timings, ratios. Not here: tests (nothing fails by the clock).
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness import Result
from margin_pipeline.margin.grouping.netting import net_book
from margin_pipeline.margin.strategy_based import Grouping, group_positions, optimum

AS_OF = dt.date(2024, 1, 5)
POSITIONS = 100_000
THREADS = 2
EXPIRIES = pd.to_datetime(["2024-02-16", "2024-03-15", "2024-06-21", "2025-01-17"])


def option_book(legs_by_underlying: np.ndarray, portfolios: int, seed: int, portfolio_of: np.ndarray | None = None) -> tuple:
    """Positions, instruments, portfolios, prices and exchange rates: underlying u holds ``legs_by_underlying[u]`` random option series."""
    random = np.random.default_rng(seed)
    underlyings = len(legs_by_underlying)
    names = np.array([f"S{u:05d}" for u in range(underlyings)], dtype=object)
    spot = np.round(random.uniform(20, 400, underlyings), 2)
    owner = random.integers(0, portfolios, underlyings) if portfolio_of is None else portfolio_of
    which = np.repeat(np.arange(underlyings), legs_by_underlying)
    count = len(which)
    step = np.round(spot[which] / 40) + 0.5
    strike = np.maximum(np.round(spot[which] / step + random.integers(-15, 16, count)), 1) * step
    call = random.random(count) < 0.5
    expiry = EXPIRIES[random.integers(0, len(EXPIRIES), count)]
    intrinsic = np.maximum(np.where(call, spot[which] - strike, strike - spot[which]), 0)
    price = np.round(intrinsic + random.uniform(0.05, 6, count), 2)
    symbol = names[which] + np.array([f"_{k:06d}" for k in range(count)], dtype=object)
    quantity = random.integers(1, 21, count) * np.where(random.random(count) < 0.5, 1.0, -1.0)
    options = pd.DataFrame(
        {
            "symbol": symbol,
            "asset_class": "equity_option",
            "underlying": names[which],
            "option_type": np.where(call, "call", "put"),
            "strike": strike,
            "expiry": expiry,
            "multiplier": 100.0,
            "quantity": quantity,
            "price": price,
            "portfolio": owner[which],
        }
    )
    stock = pd.DataFrame(
        {
            "symbol": names,
            "asset_class": "equity",
            "underlying": None,
            "option_type": None,
            "strike": np.nan,
            "expiry": pd.NaT,
            "multiplier": 1.0,
            "quantity": random.integers(1, 21, underlyings) * random.choice([-100.0, 100.0], underlyings),
            "price": spot,
            "portfolio": owner,
        }
    )
    rows = pd.concat([stock, options], ignore_index=True)
    instruments = (
        pd.concat([stock, options], ignore_index=True)
        .drop(columns=["quantity", "price", "portfolio"])
        .assign(
            currency="USD",
            exercise=None,
            settlement=None,
            deliverable_units=np.nan,
            conversion_ratio=np.nan,
            index_ratio=np.nan,
            leverage_factor=1.0,
            breadth=None,
        )
    )
    positions = rows[["symbol", "quantity", "price", "asset_class", "underlying"]].assign(
        portfolio_id=[f"P{p:03d}" for p in rows["portfolio"]],
        strategy=[f"strategy_{k}" for k in random.integers(0, 3, len(rows))],
        currency="USD",
        fx_rate=1.0,
    )
    accounts = pd.DataFrame({"portfolio_id": [f"P{p:03d}" for p in range(portfolios)]}).assign(
        account_type="reg_t", equity=1e8, base_currency="USD"
    )
    prices = pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": names, "close": spot, "adjusted_close": np.nan})
    return positions, instruments, accounts, prices, pd.DataFrame({"date": pd.to_datetime([]), "currency": [], "usd_rate": []})


def mixed_book(positions: int, portfolios: int = 50, seed: int = 7) -> tuple:
    """70 % stock, 30 % options in 1 to 6 legs an underlying; every (portfolio, underlying) has its own underlying symbol here."""
    random = np.random.default_rng(seed)
    stock = int(0.7 * positions)
    legs = np.zeros(stock, dtype=np.int64)
    with_options = int(0.3 * positions / 3.5)
    legs[:with_options] = random.integers(1, 7, with_options)
    return option_book(legs, portfolios, seed, portfolio_of=random.integers(0, portfolios, stock))


def timed(book: tuple, **options: Any) -> tuple[float, Grouping]:
    """Seconds of one grouping, and its result."""
    started = time.perf_counter()
    result = group_positions(*book, AS_OF, **options)
    return time.perf_counter() - started, result


def optimisation(seed: int) -> tuple[float, float]:
    """Seconds from the legs of one book of 20 to the proven optimum, and of the whole call with its frames."""
    book = option_book(np.array([20]), 1, seed)
    table = net_book(*book, AS_OF).table
    started = time.perf_counter()
    with np.errstate(invalid="ignore", divide="ignore"):
        optimum(table)
    return time.perf_counter() - started, timed(book)[0]


def savings(**options: Any) -> tuple[float, int, float]:
    """Of 200 random books of 4 to 40 legs: mean saving against greedy (%), how many are above it, greatest gap."""
    legs = np.random.default_rng(11).integers(4, 41, 200)
    proofs = timed(option_book(legs, 1, 11), threads=THREADS, **options)[1].proofs
    saving = 1.0 - proofs["optimum"] / proofs["greedy_margin"].where(proofs["greedy_margin"] > 0)
    above = int((proofs["optimum"] > proofs["greedy_margin"] * (1 + 1e-9)).sum())
    return 100 * float(saving.mean()), above, float(proofs["gap"].max())


def run() -> list[Result]:
    """Measure; gaps are those that are proven."""
    large, grouped = timed(mixed_book(POSITIONS), threads=THREADS)
    single = np.array([optimisation(seed) for seed in range(25)])
    many, of_many = timed(option_book(np.full(500, 20), 50, 3), threads=THREADS)
    long, of_long = timed(option_book(np.array([400]), 1, 5))
    saved, above, gap = savings()
    named, named_above, named_gap = savings(universal_spread="none")
    return [
        Result(
            f"{POSITIONS:,} positions, 50 portfolios x 2,000 symbols", large, "s", note=f"greatest gap {grouped.proofs['gap'].max():.1e}"
        ),
        Result(
            "20 legs on one underlying, median of 25",
            float(np.median(single[:, 0])),
            "s",
            0.020,
            note="from the legs to the proven optimum",
        ),
        Result("the same with netting, tables and explanations", float(np.median(single[:, 1])), "s"),
        Result(
            "500 underlyings of 20 legs",
            many,
            "s",
            5.0,
            note=f"greatest gap {of_many.proofs['gap'].max():.1e}, {THREADS} threads, all told",
        ),
        Result("one underlying of 400 legs", long, "s", 30.0, note="all told"),
        Result("its proven gap", 100 * float(of_long.proofs["gap"].max()), "%", 0.5),
        Result("200 random books of 4 to 40 legs, mean saving against greedy", saved, "%", note=f"greatest gap {gap:.1e}"),
        Result("books above greedy", above, "", 0.0),
        Result("the same with named structures only", named, "%", note=f"greatest gap {named_gap:.1e}"),
        Result("books above greedy", named_above, "", 0.0),
    ]
