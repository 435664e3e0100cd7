"""Seconds to value options of either exercise style and to find their volatilities, and the backends side by side.

Belongs here: timing of `market`'s option formulas. Not here: correctness (margin_pipeline_tests/market), books.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.harness import Result, least_seconds
from margin_pipeline.compute import NUMPY, Backend, available_backends, backend_named
from margin_pipeline.market.american_implied_volatility import american_implied_volatility
from margin_pipeline.market.american_options import american_value
from margin_pipeline.market.binomial_tree import binomial_value
from margin_pipeline.market.greeks import american_greeks
from margin_pipeline.market.implied_volatility import implied_volatility
from margin_pipeline.market.option_pricing import black_scholes_merton, discounted_legs, option_sign, value_of_discounted

MANY = 1_000_000
FEW = 100_000
TREES = 200


def options(count: int) -> tuple[np.ndarray, ...]:
    """Spot, strike, years, rate, yield, volatility and kind of random options."""
    random = np.random.default_rng(1)
    spot = random.uniform(20, 500, count)
    strike = spot * np.exp(random.normal(0, 0.15, count))
    years = random.uniform(7 / 365, 2, count)
    rate, dividend_yield = random.uniform(0, 0.06, count), random.uniform(0, 0.04, count)
    return spot, strike, years, rate, dividend_yield, random.uniform(0.1, 0.8, count), random.random(count) < 0.5


def on_backend(backend: Backend, terms: tuple[np.ndarray, ...]) -> np.ndarray:
    """Values of European options, with the way to the device and back."""
    legs = (*discounted_legs(*terms[:6]), option_sign(terms[6]))
    with backend.on_device():
        return backend.to_numpy(value_of_discounted(*(backend.array(x, backend.widest_dtype) for x in legs), backend))


def european() -> list[Result]:
    """Black-Scholes-Merton values on every backend there is."""
    terms = options(MANY)
    results, plain = [], float("nan")
    expected = black_scholes_merton(*terms)
    for name in dict.fromkeys((NUMPY.name, *available_backends())):
        backend = backend_named(name)
        seconds = least_seconds(partial(on_backend, backend, terms), repeats=3)
        plain = seconds if name == NUMPY.name else plain
        worst = float(np.abs(on_backend(backend, terms) - expected).max())
        note = f"{seconds / plain:.2g} x NumPy, worst difference {worst:.1g}"
        results.append(Result(f"Black-Scholes-Merton values of {MANY:,} options on {name}", seconds, "s", note=note))
    return results


def american() -> list[Result]:
    """American values, volatilities and Greeks, and their error against the tree."""
    terms = options(FEW)
    value = american_value(*terms)
    some = [x[:TREES] for x in terms]
    spot, strike, years, rate, dividend_yield, _, is_call = terms
    error = np.abs(value[:TREES] - binomial_value(*some, True, steps=1001)) / some[0]
    european_price = black_scholes_merton(*terms)
    priced = (spot, strike, years, rate, dividend_yield, is_call)
    american_volatility = least_seconds(lambda: american_implied_volatility(value, *priced), repeats=1)
    return [
        Result(f"American values of {FEW:,} options", least_seconds(lambda: american_value(*terms), repeats=2), "s", note="one thread"),
        Result(
            f"American values of {FEW:,} options",
            least_seconds(lambda: american_value(*terms, threads=2), repeats=2),
            "s",
            note="two threads",
        ),
        Result(f"worst error of {TREES} American values, part of the spot", float(error.max()), "", 2e-4, note="tree of 1,001 steps"),
        Result(
            f"Greeks of {FEW // 10:,} American options", least_seconds(lambda: american_greeks(*(x[: FEW // 10] for x in terms)), 1), "s"
        ),
        Result(
            f"implied volatilities of {FEW:,} European options", least_seconds(lambda: implied_volatility(european_price, *priced), 2), "s"
        ),
        Result(f"implied volatilities of {FEW:,} American options", american_volatility, "s"),
    ]


def run() -> list[Result]:
    """European values by backend, then American ones."""
    return european() + american()
