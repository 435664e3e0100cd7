"""Stress tests in the database: their tables take what is computed, and refuse a pass without figures.

Belongs here: tables of migration 0011. Not here: the results.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.risk.reverse_stress_table import reverse_stress_table
from margin_pipeline_tests.decisions.stress_book import AS_OF, BENCHMARK, BETAS, book, rules, stressed


@pytest.fixture(scope="module")
def frames():
    held = [("s", "A", 100), ("t", "P90", -3), ("u", "NOBETA", 1, "Q"), ("v", "C100", 1, "R")]
    given = book(held, equity=500.0)
    tables = stressed(given, rules(crash={"market": -0.3}, calm={"liquidity": {"default": 0.01}}))
    margins = pd.DataFrame({"portfolio_id": ["P", "Q", "R"], "method": "strategy_based", "is_governing": True, "status": "safe"})
    margins = margins.assign(excess=[2_000.0, 5.0, 10_000.0], missing=None)
    market = [given[name] for name in ("positions", "instruments", "portfolios", "prices", "rates", "dividends", "symbol_risk")]
    reverse = reverse_stress_table(*market, tuple(BETAS), np.eye(len(BETAS)), margins, BENCHMARK, 10, 3, AS_OF)
    own = pd.DataFrame([("mine", "market", "", -0.2)], columns=["scenario", "target_kind", "target", "shock"])
    return {
        "stress_scenarios": own,
        "stress_results": tables.results,
        "stress_strategy_results": tables.strategies,
        "reverse_stress": reverse,
    }


def test_tables_take_what_is_computed(calculate, empty_tables, frames):
    calculation_id = calculate("run", frames)
    where = f"where calculation_id = {calculation_id}"
    stored = storage.read_query(empty_tables, f"select * from margin_data.stress_results {where} order by portfolio_id, method, scenario")
    assert len(stored) == len(frames["stress_results"])
    assert stored["passed"].isna().tolist() == frames["stress_results"]["passed"].isna().tolist()
    assert {True, False} <= set(stored["passed"].dropna())
    assert np.isinf(stored["utilization_after"]).any()
    reverse = storage.read_query(empty_tables, f"select * from margin_data.reverse_stress {where} order by portfolio_id")
    assert [None if pd.isna(v) else bool(v) for v in reverse["reachable"]] == [True, None, False]


def test_a_pass_without_figures_is_refused(calculate, frames):
    results = frames["stress_results"]
    unknown = results["passed"].isna()
    assert unknown.any()
    forged = results.assign(passed=results["passed"].fillna(True))
    with pytest.raises(storage.StorageError):
        calculate("forged", {**frames, "stress_results": forged})
