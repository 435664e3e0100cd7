"""Seconds to value and margin positions one by one, against a plain loop, as the figures that `make bench` prints.

Belongs here: timing of valuation and position models. Not here: the chain around them, grouping.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import generated_book, mixed_book, plain_models
from benchmarks.harness import Result, least_seconds
from margin_pipeline.landing import read_date
from margin_pipeline.margin.models.book import Book, build_book
from margin_pipeline.margin.models.requirement import Terms
from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.margin.registry import ModelPart, requirements, stand_alone_margins, terms_in_force
from margin_pipeline.margin.valuation import value_positions
from margin_pipeline.parameters.margin_models import model_choice

MANY = 1_000_000
LARGE = "from benchmarks.position_models import large; large()"


def measure(positions: int) -> tuple[float, float]:
    """Seconds of valuation and of stand-alone margins for a book of about `positions` rows."""
    as_of = generated_book.AS_OF
    with tempfile.TemporaryDirectory() as folder:
        generated_book.write_book(Path(folder), positions)
        tables = read_date(Path(folder) / as_of.isoformat(), as_of).tables
    prices = tables["prices"][tables["prices"]["date"] == pd.Timestamp(as_of)]
    terms, portfolios, fx_rates = tables["instruments"], tables["portfolios"], tables["fx_rates"]
    valued = partial(value_positions, tables["position_records"], terms, portfolios, prices, fx_rates, as_of)
    held = valued()
    risk = pd.DataFrame({"symbol": terms["symbol"], "volatility": 0.2})
    files = [tables[name] for name in ("futures_margins", "margin_schedules", "margin_rates")]
    margined = partial(stand_alone_margins, held, terms, portfolios, prices, fx_rates, *files, risk, as_of)
    return least_seconds(valued), least_seconds(margined)


def prepared(positions: int) -> tuple[mixed_book.MixedBook, Book, Terms]:
    """Frames of a book with positions of every model, its columns, and the rates in force."""
    frames, as_of = mixed_book.build(positions), mixed_book.AS_OF
    terms = terms_in_force(frames.fx_rates, frames.futures_margins, frames.margin_schedules, frames.margin_rates, as_of)
    described = (frames.instruments, frames.portfolios, frames.prices, frames.symbol_risk)
    return frames, build_book(frames.positions, *described, terms.usd, as_of, frames.house_margins), terms


def large() -> None:
    """Print, as JSON, seconds of the arithmetic on `MANY` positions and the peak memory of the process in GB."""
    _, book, terms = prepared(MANY)
    seconds = least_seconds(partial(requirements, book, terms, model_choice(terms.as_of), {}), repeats=3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps([seconds, peak / 1e9]))


def against_loop(positions: int) -> tuple[float, float]:
    """Seconds of the arithmetic on a book of every model, and of the plain loop over it, after asserting that they agree."""
    _, book, terms = prepared(positions)
    choice = model_choice(terms.as_of)
    arithmetic, loop = partial(requirements, book, terms, choice, {}), _loop(book, plain_models.Rules.of(terms, choice))
    _same(arithmetic(), np.array(loop()))
    return least_seconds(arithmetic, repeats=20), least_seconds(loop, repeats=3)


def mixed() -> list[Result]:
    """Arithmetic on books of every model: 10,000 positions, against the loop, and `MANY` in a process of their own."""
    few, plain = against_loop(10_000)
    more, plain_more = against_loop(100_000)
    tables = vars(mixed_book.build(10_000))
    whole = least_seconds(lambda: stand_alone_margins(**tables, as_of=mixed_book.AS_OF, models={}))
    many, peak = json.loads(subprocess.run([sys.executable, "-c", LARGE], check=True, capture_output=True, text=True).stdout)
    return [
        Result("arithmetic of 10,000 positions of every model", few, "s", 0.005, note=f"{len(plain_models.MODELS)} models"),
        Result("the same with columns joined and explanations written", whole, "s"),
        Result("plain loop over the arithmetic, 10,000 positions, equal to 1e-9", plain / few, "x", 30, at_least=True),
        Result("plain loop over the arithmetic, 100,000 positions, equal to 1e-9", plain_more / more, "x", 30, at_least=True),
        Result(f"arithmetic of {MANY:,} positions of every model", many, "s", 0.6),
        Result("peak memory of that process, frames and all", peak, "GB", 1.5),
    ]


def _loop(book: Book, rules: plain_models.Rules) -> Callable[[], list[tuple[float, float]]]:
    """The plain loop over the same inputs: positions, and instruments and accounts to look up."""
    columns = {name: list(column) if isinstance(column, Texts) else column.tolist() for name, column in book.instruments.items()}
    columns["expiry"] = list(pd.to_datetime(book.instruments["expiry"]))
    terms = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    held = pd.concat([book.keys, pd.DataFrame(dict(book.positions))], axis=1).to_dict("records")
    accounts = dict(zip(book.keys["portfolio_id"], book.text("account_type"), strict=True))
    return partial(plain_models.margins, held, dict(zip(columns["symbol"], terms, strict=True)), accounts, rules)


def _same(parts: list[ModelPart], loop: np.ndarray) -> None:
    """Raise where the arithmetic and the loop differ by more than 1e-9 of the amount, or a position has no margin."""
    found = np.full(loop.shape, np.nan)
    for part in parts:
        found[part.rows] = np.stack([part.requirement.initial, part.requirement.maintenance], axis=1)
    np.testing.assert_allclose(found, loop, rtol=1e-9, atol=1e-9)


def run() -> list[Result]:
    """Measure three sizes of a book of stock and options, and a book of every model."""
    results, before = [], None
    for size in (50_000, 100_000, 200_000):
        valuation, margin = measure(size)
        note = "" if before is None else f"{margin / before:.2f} x the half"
        results.append(Result(f"valuation of {size:,} positions", valuation, "s"))
        results.append(Result(f"stand-alone margins of {size:,} positions, with explanations", margin, "s", note=note))
        before = margin
    return results + mixed()
