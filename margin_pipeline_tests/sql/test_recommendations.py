"""Every figure that calls for something has its row, figures that do not have none, and what is unknown is never called idle."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage

DATE = dt.date(2022, 12, 28)
QUERY = Path(__file__).parents[2] / "sql" / "queries" / "what_should_be_done.sql"
LATER = dt.date(2023, 1, 3)
PORTFOLIOS = {"IDLE": (100.0, 30.0), "BUSY": (100.0, 92.0), "SHORT": (90.0, 100.0), "UNKNOWN": (100.0, np.nan), "EMPTY": (100.0, 0.0)}


def margins():
    rows = pd.DataFrame(
        [(p, *amounts) for p, amounts in PORTFOLIOS.items()], columns=["portfolio_id", "margin_equity", "maintenance_margin"]
    )
    rows = rows.assign(method="strategy_based", is_governing=True, equity=rows["margin_equity"])
    rows["initial_margin"] = rows["maintenance_margin"] + 50.0
    rows["utilization"] = rows["maintenance_margin"] / rows["margin_equity"]
    rows["excess"] = rows["margin_equity"] - rows["maintenance_margin"]
    unknown = rows["maintenance_margin"].isna()
    rows["status"] = np.select(
        [unknown, rows["utilization"] > 1, rows["utilization"] > 0.9], ["undetermined", "liquidatable", "critical"], "safe"
    )
    rows["missing"] = pd.Series(np.where(unknown, '["price of KO"]', None), dtype=object)
    cheaper = rows[rows["portfolio_id"] == "BUSY"].assign(
        method="portfolio_margin", is_governing=False, maintenance_margin=60.0, utilization=0.6, excess=40.0, status="safe"
    )
    found = pd.concat([rows, cheaper], ignore_index=True)
    known = found["status"] != "undetermined"
    for name, statuses in {"is_safe": {"safe"}, "is_warning": {"critical"}, "is_liquidatable": {"liquidatable"}}.items():
        found[name] = found["status"].isin(statuses).astype("boolean").where(known)
    return found


def tables():
    calls = [
        ("SHORT", "maintenance", "", 10.0, LATER, None),
        ("BUSY", "maintenance", "", 0.0, LATER, None),
        ("UNKNOWN", "maintenance", "", np.nan, None, "price"),
    ]
    deficiencies = pd.DataFrame(calls, columns=["portfolio_id", "kind", "subject", "amount", "due_date", "missing"])
    plan = {
        "portfolio_id": ["BUSY", "SHORT", "IDLE"],
        "plan_status": ["verified", "infeasible", "not_needed"],
        "maintenance_before": [92.0, 100.0, 30.0],
    }
    plan |= {
        "maintenance_after": [79.0, 95.0, np.nan],
        "utilization_before": [0.92, 100 / 90, 0.3],
        "utilization_after": [0.79, 0.95, np.nan],
    }
    plan |= {"trades": [2, 1, 0], "cost": [1.0, 2.0, np.nan], "margin_equity_before": [100.0, 90.0, 100.0]}
    announced = pd.DataFrame(
        {
            "portfolio_id": ["BUSY", "IDLE"],
            "effective_date": LATER,
            "cause": "futures_margins ES",
            "maintenance_before": [92.0, 30.0],
            "maintenance_after": [105.0, 33.0],
            "excess_after": [-5.0, 67.0],
        }
    )
    collateral = pd.DataFrame(
        {
            "portfolio_id": "BUSY",
            "requirement_id": ["IM", "VM"],
            "status": ["short", "covered"],
            "requirement": 50.0,
            "allocated_value": [40.0, 50.0],
            "shortfall": [10.0, 0.0],
        }
    )
    forecasts = pd.DataFrame(
        {
            "portfolio_id": ["BUSY", "IDLE"],
            "horizon_minutes": 390,
            "threshold": 1.0,
            "breach_probability": [0.6, 0.0],
            "distance": [8.0, 70.0],
            "standard_deviation": 1.0,
        }
    )
    portfolios = pd.DataFrame(
        {"portfolio_id": list(PORTFOLIOS), "account_type": "reg_t", "equity": 100.0, "base_currency": "USD", "jurisdiction": "US"}
    )
    return {
        "portfolios": portfolios.assign(entity_type="fund"),
        "portfolio_margins": margins(),
        "margin_deficiencies": deficiencies.assign(currency="USD", reference="FINRA Rule 4210(f)(6)"),
        "liquidation_plan_summaries": pd.DataFrame(plan).assign(method="strategy_based", target_utilization=0.8, explanation="{}"),
        "announced_margins": announced.assign(method="strategy_based"),
        "collateral_summaries": collateral.assign(binding_limits="[]", explanation="{}"),
        "margin_forecasts": forecasts.assign(calculated_at=pd.Timestamp("2022-12-28T21:00Z"), method="strategy_based"),
        "expiry_outcomes": pd.DataFrame(
            {
                "portfolio_id": ["IDLE", "SHORT"],
                "expiry": LATER,
                "method": "strategy_based",
                "maintenance_before": [30.0, 100.0],
                "maintenance_after": [150.0, 120.0],
                "excess_before": [70.0, -10.0],
                "excess_after": [-50.0, -30.0],
            }
        ),
    }


@pytest.fixture(scope="module")
def book(database):
    calculation_id = storage.begin(database, DATE, "run", "test", {})
    given = tables()
    for name, frame in given.items():
        for column in storage.columns(database, name).columns:
            if column.name not in ("as_of", "calculation_id", *frame.columns):
                empty = np.nan if column.type == "double precision" else None
                frame = frame.assign(**{column.name: pd.Series(empty, frame.index, dtype=object)})
        storage.write_table(database, calculation_id, DATE, name, frame)
    storage.publish(database, calculation_id, input_hash="x", scope="chain", expected_tables=list(given), content_hash="x")
    return database


def test_each_figure_that_calls_for_something_has_a_row(book):
    found = storage.read_query(book, "select portfolio_id, priority, action, amount from margin.recommendations")
    assert {(p, n, a, None if pd.isna(x) else round(x, 6)) for p, n, a, x in found.itertuples(index=False)} == {
        ("SHORT", 1, "meet_call", 10.0),
        ("SHORT", 1, "close_positions", 5.0),
        ("BUSY", 1, "close_positions", 13.0),
        ("BUSY", 1, "bring_collateral", 10.0),
        ("BUSY", 2, "prepare_for_rates", 5.0),
        ("IDLE", 2, "prepare_for_expiry", 50.0),
        ("BUSY", 2, "bring_equity_early", 8.0),
        ("BUSY", 3, "change_method", 32.0),
        ("IDLE", 3, "release_idle_equity", 20.0),
        ("UNKNOWN", 1, "complete_inputs", None),
    }
    assert len(found) == 10


def test_the_question_puts_first_what_is_due_first(book):
    found = storage.read_query(book, QUERY.read_text().rstrip().rstrip(";"))
    assert found["priority"].is_monotonic_increasing
    assert (found["portfolio_id"][0], found["action"][0], found["due_date"][0]) == ("SHORT", "meet_call", pd.Timestamp(LATER))
    plan = found[(found["portfolio_id"] == "SHORT") & (found["action"] == "close_positions")]["why"].iloc[0]
    assert "does not reach the target: bring equity" in plan
    assert found["worked_out_in"].isin({*storage.table_names(book), "method_comparison"}).all()
