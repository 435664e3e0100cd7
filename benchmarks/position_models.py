"""Seconds to value, margin and compose a generated book, as the figures that `make bench` prints.

Belongs here: timing of position models and portfolio totals. Not here: the chain around them, grouping.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks import generated_book
from margin_pipeline.landing import read_date
from margin_pipeline.margin.registry import stand_alone_margins
from margin_pipeline.margin.valuation import value_positions

REPEATS = 5


def least_seconds(function: Callable[[], pd.DataFrame]) -> tuple[pd.DataFrame, float]:
    """Return the result of a function and the least seconds of several calls."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        found = function()
        seconds.append(time.perf_counter() - started)
    return found, min(seconds)


def measure(positions: int) -> dict[str, float]:
    """Return rows and seconds of valuation and of stand-alone margins for a book of about `positions` rows."""
    as_of = generated_book.AS_OF
    with tempfile.TemporaryDirectory() as folder:
        generated_book.write_book(Path(folder), positions)
        tables = read_date(Path(folder) / as_of.isoformat(), as_of).tables
    prices = tables["prices"][tables["prices"]["date"] == pd.Timestamp(as_of)]
    terms, portfolios, fx_rates = tables["instruments"], tables["portfolios"], tables["fx_rates"]
    held, valuing = least_seconds(lambda: value_positions(tables["position_records"], terms, portfolios, prices, fx_rates, as_of))
    risk = pd.DataFrame({"symbol": terms["symbol"], "volatility": 0.2})
    files = [tables[name] for name in ("futures_margins", "margin_schedules", "margin_rates")]
    margins, margining = least_seconds(lambda: stand_alone_margins(held, terms, portfolios, prices, fx_rates, *files, risk, as_of))
    return {"positions": len(margins), "valuation_seconds": valuing, "stand_alone_margin_seconds": margining}


def main() -> None:
    """Print the figures of three sizes, and each size's margin seconds over those of the size before."""
    before: dict[str, float] | None = None
    for size in (50_000, 100_000, 200_000):
        figures = measure(size)
        seconds = figures["stand_alone_margin_seconds"]
        growth = "" if before is None else f", {seconds / before['stand_alone_margin_seconds']:.2f} x the half"
        print(
            f"{figures['positions']:>7,} positions: valued in {figures['valuation_seconds']:.2f} s, "
            f"margined with explanations in {seconds:.2f} s{growth}"
        )
        before = figures


if __name__ == "__main__":
    main()
