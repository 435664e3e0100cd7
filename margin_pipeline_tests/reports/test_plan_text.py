"""A liquidation plan as text and rows: what is said when it holds, when it cannot, when nothing is known. Not here: plans (decisions)."""

import datetime as dt
import io
import json

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.decisions.liquidation_tables import PLAN_COLUMNS, SUMMARY_COLUMNS, LiquidationPlans
from margin_pipeline.reports.plan_text import show

AS_OF = dt.date(2022, 12, 28)


def plans(status="verified", explanation=None, trades=1, **figures):
    summary = dict.fromkeys(SUMMARY_COLUMNS, np.nan) | {
        "portfolio_id": "P", "method": "strategy_based", "plan_status": status, "target_utilization": 0.8, "maintenance_before": 950.0,
        "maintenance_after": 800.0, "margin_equity_before": 1_000.0, "margin_equity_after": 1_000.0, "utilization_before": 0.95,
        "utilization_after": 0.8, "status_after": "warning", "trades": trades, "cost": 12.5, "gap": 0.0003, "equity_dual": 0.25,
        "explanation": json.dumps(explanation or {}), "missing": None, **figures,
    }  # fmt: skip
    trade = dict.fromkeys(PLAN_COLUMNS, 0.0) | {
        "portfolio_id": "P", "strategy": "s", "symbol": "C", "group_id": None, "groups": "[]", "quantity_before": -10.0,
        "trade_quantity": 2.5, "cost": 12.5, "margin_released": 150.0, "cost_basis": "volume, lot by default of liquidation:1",
    }  # fmt: skip
    return LiquidationPlans(pd.DataFrame([trade] * trades, columns=PLAN_COLUMNS), pd.DataFrame([summary]))


def said(found, form="table"):
    out = io.StringIO()
    show(found, AS_OF, "USD", form, out)
    return out.getvalue()


def test_a_plan_that_holds_names_trades_cost_and_what_equity_is_worth():
    text = " ".join(said(plans()).split())
    assert "95.0 % 80.0 %" in text
    assert "It costs 12.50 of spread and market impact, at most 0.03 % above the least possible" in text
    assert "each further unit of equity would save 0.25" in text
    assert "s C +2.5 -10 12.50 150.00 default volume, lot" in text


def test_what_is_not_enough_says_how_much_more_it_takes_and_what_stays():
    kept = [{"symbol": f"S{n}", "reason": f"S{n} does not trade (volume 0)"} for n in range(7)]
    explanation = {"remains": {"equity_needed": 400.0}, "cannot_be_closed": kept, "notes": ["everything that can be closed is closed"]}
    text = " ".join(said(plans("infeasible", explanation, gap=np.nan, equity_dual=np.nan)).split())
    assert "it is not enough" in text
    assert "it takes 400.00 more of margin equity" in text
    assert "S4 does not trade (volume 0); and 2 more" in text
    assert "above the least possible" not in text


def test_what_is_unknown_is_no_figure():
    unknown = plans("undetermined", trades=0, missing='["price of S"]', utilization_before=np.nan, maintenance_before=np.nan, cost=np.nan)
    text = said(unknown)
    assert "missing: price of S" in text
    assert "nan" not in text.lower().split()
    found = json.loads(said(unknown, "json"), parse_constant=pytest.fail)
    assert (found["utilization_before"], found["missing"], found["trades"]) == (None, ["price of S"], [])


def test_utilization_without_equity_has_no_bound():
    found = plans(utilization_before=np.inf)
    assert " all " in said(found)
    assert json.loads(said(found, "json"), parse_constant=pytest.fail)["utilization_before"] == "Infinity"


def test_rows_have_a_trade_each():
    header, row = said(plans(), "csv").splitlines()
    assert header == ",".join(["as_of", *PLAN_COLUMNS])
    assert row.startswith("2022-12-28,P,s,C,")
