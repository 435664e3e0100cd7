"""Seconds for a liquidation plan of a portfolio of 2,000 positions, verification included, against selling a quarter at a time.

Belongs here: timing. Not here: the book (`generated_book`), what is computed.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.generated_book import AS_OF, write_book
from benchmarks.harness import Result, least_seconds
from margin_pipeline.decisions.liquidation_plan import liquidation_plans
from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline.landing import read_date
from margin_pipeline.margin.portfolio_margin import portfolio_margin

THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
POSITIONS, SYMBOLS, SESSIONS = 2_000, 500, 30
BEFORE = 0.95
"""Utilization that the book starts from."""
CUT = 0.25


class Book:
    """One portfolio of an account type, at 95 % of its equity, with the tables that a plan takes."""

    def __init__(self, account_type: str, positions: int = POSITIONS) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write_book(Path(folder), positions, symbols=SYMBOLS, portfolios=1, sessions=SESSIONS)
            tables = dict(read_date(Path(folder) / AS_OF.isoformat(), AS_OF).tables)
        tables["portfolios"] = tables["portfolios"].assign(account_type=account_type)
        stocks = tables["instruments"].query("asset_class == 'equity'")["symbol"]
        random = np.random.default_rng(7)
        tables["symbol_risk"] = pd.DataFrame({"symbol": stocks, "volatility": 0.3, "beta": 1.0})
        tables["correlation_matrices"] = pd.DataFrame(columns=["symbols", "triangle"])
        traded = tables["instruments"]["symbol"]
        tables["liquidity"] = pd.DataFrame(
            {
                "symbol": traded,
                "average_daily_volume": np.exp(random.normal(12, 1.5, len(traded))),
                "spread_bps": random.uniform(1, 60, len(traded)),
                "lot_size": 1.0,
            }
        )
        self.setting = Setting(AS_OF, THRESHOLDS, models={})
        first = recalculate(tables, tables["position_records"], tables["portfolios"], self.setting, governing_only=True)
        # Margin equity is equity and what options add to it.
        row = first.portfolio_margins.iloc[0]
        equity = row["maintenance_margin"] / BEFORE - (row["margin_equity"] - row["equity"])
        tables["portfolios"] = tables["portfolios"].assign(equity=equity)
        found = recalculate(tables, tables["position_records"], tables["portfolios"], self.setting, governing_only=True)
        market = (tables["instruments"], tables["portfolios"], tables["prices"], tables["fx_rates"], tables["rates"], tables["dividends"])
        groups = found.strategy_groups
        if groups.empty:
            wide = recalculate(tables, tables["position_records"], tables["portfolios"], self.setting)
            groups = wide.strategy_groups
        self.tables = tables | {
            "positions": found.positions,
            "position_margins": found.position_margins,
            "strategy_groups": groups,
            "portfolio_margins": found.portfolio_margins,
            "portfolio_margin_positions": portfolio_margin(found.positions, *market, AS_OF).positions,
            "span_positions": pd.DataFrame(columns=["portfolio_id", "strategy", "symbol"]),
        }

    def plan(self) -> pd.DataFrame:
        """The summary of the plan."""
        return liquidation_plans(self.tables, self.setting).summaries

    def cut(self) -> tuple[float, int]:
        """Cost of cutting every position by a quarter until the target is met (half spread and impact as the plan's), and rounds."""
        records, equity, cost = self.tables["position_records"], float(self.tables["portfolios"]["equity"].iloc[0]), 0.0
        liquidity = self.tables["liquidity"].set_index("symbol").reindex(records["symbol"])
        value = self.tables["positions"].set_index(["strategy", "symbol"])["market_value"].abs()
        held = records.set_index(["strategy", "symbol"]).index
        worth = value.reindex(held).to_numpy(float)
        size = records["quantity"].abs().to_numpy(float)
        volume, half = liquidity["average_daily_volume"].to_numpy(float), liquidity["spread_bps"].to_numpy(float) / 2e4
        impact = np.where(records["symbol"].str.contains("-"), 0.20, 0.02)
        left = 1.0
        for number in range(1, 20):
            left *= 1.0 - CUT
            taken = 1.0 - left
            cost = float((worth * taken * (half + impact * np.sqrt(size * taken / volume))).sum())
            rest = records.assign(quantity=records["quantity"] * left)
            owner = self.tables["portfolios"].assign(equity=equity - cost)
            after = recalculate(self.tables, rest, owner, self.setting, governing_only=True).portfolio_margins.iloc[0]
            if after["utilization"] <= 0.80:
                return cost, number
        return cost, number


def run() -> list[Result]:
    """A plan of 2,000 positions under scenario margin and under option structures."""
    results = []
    for account in ("portfolio_margin", "reg_t"):
        book = Book(account)
        summary = book.plan().iloc[0]
        note = f"{summary['plan_status']}, {summary['trades']} trades, gap {summary['gap']:.4%}"
        results.append(Result(f"plan of {POSITIONS:,} positions, {account}", least_seconds(partial(book.plan), 3), "s", 2.0, note=note))
        by_quarters, rounds = book.cut()
        name = f"cost of cutting everything by quarters over that of the plan, {account}"
        results.append(Result(name, by_quarters / summary["cost"], "x", 1.0, at_least=True, note=f"{rounds} cuts"))
    return results
