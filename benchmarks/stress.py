"""Seconds for all stress scenarios, and for reverse stress, of a generated book.

Belongs here: timing. Not here: the book (`generated_book`), what is computed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.generated_book import AS_OF, write_book
from benchmarks.harness import Result, least_seconds
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.decisions.stress import stress_tables
from margin_pipeline.landing import read_date
from margin_pipeline.margin import strategy_based, valuation
from margin_pipeline.parameters.stress import stress_rules
from margin_pipeline.risk.reverse_stress_table import reverse_stress_table
from margin_pipeline.risk.stress import shocked_positions

THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
SESSIONS = 60


class _Book:
    """A generated book with everything that stress tests take; betas are drawn, correlations are those of one factor."""

    def __init__(self, positions: int, symbols: int, portfolios: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_book(Path(folder), positions, symbols=symbols, portfolios=portfolios, sessions=SESSIONS)
            self.tables = read_date(Path(folder) / AS_OF.isoformat(), AS_OF).tables
        market = ("instruments", "portfolios", "prices", "fx_rates")
        self.positions = valuation.value_positions(self.tables["position_records"], *(self.tables[n] for n in market), AS_OF)
        self.groups = strategy_based.group_positions(self.positions, *(self.tables[n] for n in market), AS_OF).groups
        stocks = self.tables["instruments"].query("asset_class == 'equity'")["symbol"].tolist()
        random = np.random.default_rng(7)
        self.symbol_risk = pd.DataFrame({"symbol": stocks, "volatility": 0.3, "beta": random.uniform(0.5, 1.5, len(stocks))})
        self.symbols = tuple(stocks)
        self.correlation = np.full((len(stocks), len(stocks)), 0.3) + 0.7 * np.eye(len(stocks))
        self.rules = stress_rules(AS_OF)
        self.margins = pd.DataFrame(
            {"portfolio_id": self.tables["portfolios"]["portfolio_id"], "method": "strategy_based", "is_governing": True, "status": "safe"}
        ).assign(excess=self.positions["market_value"].abs().sum() / portfolios / 10, missing=None)

    def stress(self) -> Any:
        """All scenarios."""
        names = ("instruments", "portfolios", "prices", "rates", "dividends")
        shocked = shocked_positions(
            self.positions, *(self.tables[n] for n in names), self.symbol_risk, self.rules.scenarios, "SP500", AS_OF
        )
        before = ("instruments", "portfolios", "prices", "fx_rates", "futures_margins", "margin_schedules", "margin_rates", "house_margins")
        inputs = MarginInputs(
            shocked.positions,
            *(self.tables[n] for n in before),
            self.symbol_risk,
            self.groups,
            *(self.tables[n] for n in ("rejected_rows", "rates", "dividends", "risk_arrays", "span_parameters")),
            self.symbols,
            self.correlation,
        )
        return stress_tables(inputs, shocked, self.rules, THRESHOLDS, AS_OF)

    def reverse(self) -> pd.DataFrame:
        """Reverse stress of all portfolios."""
        names = ("instruments", "portfolios", "prices", "rates", "dividends")
        market = (*(self.tables[n] for n in names), self.symbol_risk, self.symbols, self.correlation)
        return reverse_stress_table(self.positions, *market, self.margins, "SP500", 10, 10, AS_OF)


def run() -> list[Result]:
    """Both, for 10,000 and 100,000 positions."""
    results = []
    for count, symbols, portfolios, target in ((10_000, 500, 10, None), (100_000, 2_000, 50, 5.0)):
        book = _Book(count, symbols, portfolios)
        scenarios = len(book.rules.scenarios)
        name = f"{count:,} positions in {portfolios} portfolios"
        results.append(Result(f"{scenarios} stress scenarios of {name}", least_seconds(book.stress, 2), "s", target))
        found = book.reverse()
        reached = f"{int(found['reachable'].sum())} of {len(found)} reachable"
        results.append(Result(f"reverse stress of {name}", least_seconds(book.reverse, 1), "s", None, note=reached))
    return results
