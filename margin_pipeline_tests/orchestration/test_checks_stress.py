"""Checks of stress tests: what they let pass and what they stop."""

import pandas as pd
import pytest

from margin_pipeline.orchestration import checks_stress
from margin_pipeline_tests.decisions.stress_book import book, rules, stressed


@pytest.fixture(scope="module")
def frames():
    tables = stressed(book([("s", "A", 100), ("t", "P90", -3), ("t", "NOBETA", 1, "Q")], equity=1_000.0), rules(s={"market": -0.3}))
    reverse = pd.DataFrame({"portfolio_id": ["P", "Q"], "excess": [5.0, 1.0], "loss": [5.0, None], "reachable": [True, None]})
    portfolios = pd.DataFrame({"portfolio_id": ["P", "Q"]})
    return {
        "stress_results": tables.results,
        "stress_strategy_results": tables.strategies,
        "portfolios": portfolios,
        "reverse_stress": reverse,
    }


CHECKS = (
    checks_stress.strategies_add_up_to_the_portfolio,
    checks_stress.there_is_a_scenario,
    checks_stress.undetermined_is_never_passed,
    checks_stress.reverse_stress_meets_its_loss,
)


def test_a_failed_stress_is_a_result_and_passes_the_checks(frames):
    assert (frames["stress_results"]["passed"] == False).any()  # noqa: E712
    assert frames["stress_results"]["passed"].isna().any()
    assert all(check(frames).passed for check in CHECKS)


def broken(frames, table, column, value, where=slice(None)):
    frame = frames[table].copy()
    frame[column] = frame[column].astype(object)
    frame.loc[where, column] = value
    return {**frames, table: frame}


def test_each_check_stops_what_it_is_about(frames):
    results = frames["stress_results"]
    undetermined = results.index[results["passed"].isna()]
    moved = {**frames, "stress_strategy_results": frames["stress_strategy_results"].assign(pnl=lambda f: f["pnl"] + 0.01)}
    assert not CHECKS[0](moved).passed
    assert not CHECKS[1]({**frames, "stress_results": results.iloc[:0]}).passed
    assert not CHECKS[2](broken(frames, "stress_results", "passed", True, undetermined)).passed
    assert not CHECKS[2](broken(frames, "stress_results", "missing", None)).passed
    assert not CHECKS[3]({**frames, "reverse_stress": frames["reverse_stress"].assign(loss=5.1)}).passed
    assert not CHECKS[3]({**frames, "reverse_stress": frames["reverse_stress"].iloc[:1]}).passed
