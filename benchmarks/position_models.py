"""Seconds to value, margin and compose a generated book, as the figures that `make bench` prints.

Belongs here: timing of position models and portfolio totals. Not here: the chain around them, grouping.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pandas as pd

from benchmarks import generated_book
from benchmarks.harness import Result, least_seconds
from margin_pipeline.landing import read_date
from margin_pipeline.margin.registry import stand_alone_margins
from margin_pipeline.margin.valuation import value_positions


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


def run() -> list[Result]:
    """Measure three sizes."""
    results, before = [], None
    for size in (50_000, 100_000, 200_000):
        valuation, margin = measure(size)
        note = "" if before is None else f"{margin / before:.2f} x the half"
        results.append(Result(f"valuation of {size:,} positions", valuation, "s"))
        results.append(Result(f"stand-alone margins of {size:,} positions, with explanations", margin, "s", note=note))
        before = margin
    return results
