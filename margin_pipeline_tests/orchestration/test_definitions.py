"""The definitions load without a database and without a warning, and their names stay. Not here: what assets compute."""

import os
import subprocess
import sys

import pytest

from margin_pipeline.definitions import build_defs, downstream_tables
from margin_pipeline.settings import from_environment

ASSET_KEYS = [
    "alert_evaluation",
    "announced_margins",
    "backtest_days",
    "backtest_results",
    "broker_margins",
    "buying_power",
    "collateral",
    "collateral_allocations",
    "collateral_eligibility",
    "collateral_requirements",
    "collateral_summaries",
    "correlation_clusters",
    "correlation_matrices",
    "correlations",
    "crif",
    "cross_margin_benefits",
    "dividends",
    "eligibility_notes",
    "entity_figures",
    "expiry_exposures",
    "expiry_outcomes",
    "exposures",
    "forecast_calibration",
    "futures_margins",
    "fx_rates",
    "grouping_proofs",
    "house_additions",
    "house_margins",
    "instruments",
    "landed_files",
    "liquidation_plan_summaries",
    "liquidation_plans",
    "liquidation_prices",
    "liquidity",
    "listed_sensitivities",
    "margin_calls",
    "margin_changes",
    "margin_coverage",
    "margin_deficiencies",
    "margin_forecasts",
    "margin_rates",
    "margin_reconciliation",
    "margin_schedule_positions",
    "margin_schedule_tiers",
    "margin_schedules",
    "netting_set_margins",
    "netting_sets",
    "otc_trades",
    "portfolio_clusters",
    "portfolio_margin_classes",
    "portfolio_margin_components",
    "portfolio_margin_groups",
    "portfolio_margin_positions",
    "portfolio_margins",
    "portfolio_method_notes",
    "portfolio_risk",
    "portfolio_risk_factors",
    "portfolios",
    "position_greeks",
    "position_margins",
    "position_records",
    "positions",
    "prices",
    "publication",
    "rates",
    "regulatory_lines",
    "rejected_rows",
    "reports",
    "reverse_stress",
    "risk_arrays",
    "risk_summaries",
    "risk_weighted_assets",
    "sa_ccr_hedging_sets",
    "sa_ccr_netting_sets",
    "sa_ccr_trades",
    "simm_results",
    "span_margins",
    "span_parameters",
    "span_positions",
    "strategy_group_legs",
    "strategy_groups",
    "strategy_returns",
    "strategy_risk",
    "stress_results",
    "stress_scenarios",
    "stress_strategy_results",
    "symbol_risk",
    "uncleared_margin_calls",
]

LOAD = """
import warnings
warnings.simplefilter("error")
import margin_pipeline.definitions as d
repository = d.defs.get_repository_def()
print(*sorted(k.to_user_string() for k in repository.asset_graph.get_all_asset_keys()))
print(*sorted(j.name for j in repository.get_all_jobs()))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    environment = {
        **os.environ,
        "MARGIN_DATA_DIR": str(tmp_path_factory.mktemp("empty")),
        "MARGIN_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }
    done = subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_definitions_load_without_database_and_warning(loaded):
    assert loaded.stderr == ""


def test_asset_keys_have_not_changed(loaded):
    assert loaded.stdout.splitlines()[0].split() == ASSET_KEYS


def test_there_is_a_job_for_the_chain_and_for_each_stage(loaded):
    stages = ("estimation", "landing", "margins", "netting", "portfolio_margins", "positions", "regulation", "risk")
    expected = sorted(
        ["margin_chain", "publication_deadline", "stop_automation", "resume_automation", *(f"from_{stage}" for stage in stages)]
    )
    assert [j for j in loaded.stdout.splitlines()[1].split() if not j.startswith("__")] == expected


def test_everything_made_from_positions_lies_downstream_of_it():
    downstream = downstream_tables()
    assert {"position_margins", "portfolio_margins", "strategy_risk", "regulatory_lines"} <= downstream["positions"]
    assert "positions" not in downstream["portfolio_margins"]
    risk = {"portfolio_risk", "strategy_risk", "portfolio_risk_factors", "risk_summaries", "reverse_stress"}
    backtests = {"backtest_results", "backtest_days", "margin_coverage"}
    watched = {"margin_forecasts", "forecast_calibration", "margin_changes", "announced_margins", "expiry_exposures", "expiry_outcomes"}
    acted_on = {"buying_power", "margin_deficiencies", "liquidation_plans", "liquidation_plan_summaries"}
    assert downstream["portfolio_margins"] == {"margin_reconciliation", "regulatory_lines", *risk, *backtests, *watched, *acted_on}


def test_runs_of_the_daemon_have_a_limit(tmp_path):
    settings = from_environment({"MARGIN_DATA_DIR": str(tmp_path), "MARGIN_RUN_LIMIT_SECONDS": "600"})
    assert build_defs(settings).resolve_job_def("margin_chain").tags["dagster/max_runtime"] == "600"
