"""A made-up calculation with what is hard to show: odd names, unknown, infinite and missing figures. Not here: tests."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd

from margin_pipeline.reports.report_data import COSTS, TABLES, ReportData
from margin_pipeline.storage.catalogue import Column, TableColumns

AS_OF = dt.date(2022, 12, 28)
ODD = '<b>&"ß€/..\\'
PLAIN = "PLAIN"
EMPTY = "NOTHING"
WHY = "price of <i>ACME</i> 2022-12-28"
HASH = "0123456789abcdef" * 4
SETTINGS = {
    "at": None,
    "calendar": "XNYS",
    "thresholds": {"warning": 0.8, "critical": 0.9, "emergency": 0.95},
    "parameters": ["finra:2", "thresholds:1", "gone:7"],
}
PARAMETERS = [
    ("finra", "2", pd.Timestamp("2010-12-02"), "FINRA Rule 4210"),
    ("gone", "7", pd.Timestamp("2001-02-03"), "a file that is not shipped any more"),
    ("thresholds", "1", pd.Timestamp("1990-01-01"), "house setting"),
]
NETTING = TableColumns(
    "netting_set_margins",
    "Initial margin of each netting set.",
    (
        Column("as_of", "date", False, False, ""),
        Column("calculation_id", "bigint", False, False, ""),
        Column("portfolio_id", "text", False, False, ""),
        Column("netting_set_id", "text", False, False, ""),
        Column("side", "text", False, False, ""),
        Column("net_to_gross_ratio", "double precision", True, False, "Net over gross, fraction."),
        Column("initial_margin", "double precision", True, False, "Base currency."),
        Column("missing", "text", True, False, ""),
        Column("explanation", "jsonb", False, False, ""),
    ),
    ("as_of", "calculation_id", "portfolio_id", "netting_set_id", "side"),
    True,
)

_COLUMNS = {
    "portfolios": "portfolio_id account_type equity base_currency jurisdiction entity_type",
    "portfolio_margins": "portfolio_id method initial_margin maintenance_margin equity margin_equity excess utilization status "
    "missing is_governing",
    "portfolio_margin_components": "portfolio_id method component initial_margin maintenance_margin",
    "portfolio_method_notes": "portfolio_id method reason",
    "margin_reconciliation": "portfolio_id symbol measure method base ours broker difference status hypothesis explained "
    "residual missing explanation",
    "portfolio_risk": "portfolio_id method confidence horizon_days var expected_shortfall standard_error observations missing",
    "strategy_risk": "portfolio_id strategy method confidence horizon_days var component_var var_share margin_contribution margin_share "
    "sharpe_ratio return_on_margin",
    "backtest_results": "portfolio_id method confidence observations exceptions expected_exceptions traffic_light verdict passed missing",
    "stress_results": "portfolio_id method scenario is_governing description source pnl liquidity_cost equity_after initial_margin_after "
    "margin_after margin_equity_after utilization_after status_after passed failed_criteria missing",
    "reverse_stress": "portfolio_id method excess loss distance probability probability_within horizon_days market_move moves "
    "reachable reason missing",
    "liquidation_prices": "portfolio_id strategy symbol margin_mode liquidation_price wallet maintenance_margin margin_ratio status "
    "distance missing",
    "regulatory_lines": "portfolio_id scope regime line_item netting_set_id side value unit limit_value status applicable reason reference "
    "parameter_set effective_date inputs",
    "netting_sets": "netting_set_id portfolio_id counterparty margined threshold minimum_transfer_amount im_model regime",
    "rejected_rows": "source row_number column_name reason portfolio_id raw",
    "landed_files": "source rows_read rows_accepted rows_rejected content_hash",
    COSTS: "portfolio_id governing_method item group_id underlying legs maintenance_margin margin_share",
    "netting_set_margins": "portfolio_id netting_set_id side net_to_gross_ratio initial_margin missing explanation",
}
_FROM = pd.Timestamp("2010-12-02")
_LINE = ("FINRA Rule 4210(b)(4)", "finra:2", _FROM, "{}")
_ROWS = {
    "portfolios": [
        (ODD, "reg_t", 1000.0, "EUR", None, None), (PLAIN, "otc", 5000.0, "USD", "US", "bank"),
        (EMPTY, "cash", 0.0, "USD", "US", "fund"),
    ],
    "portfolio_margins": [
        (ODD, "reg_t", 200.0, 100.0, 1000.0, 1000.0, 900.0, 0.1, "safe", None, False),
        (ODD, "strategy_based", None, None, 1000.0, 1000.0, None, None, "undetermined", json.dumps([WHY]), True),
        (PLAIN, "schedule_im", 7.0, 7.0, 5000.0, -1.0, -8.0, float("inf"), "liquidatable", None, True),
    ],
    "portfolio_margin_components": [(ODD, "reg_t", "stock", 200.0, 100.0)],
    "portfolio_method_notes": [(ODD, "futures", "not a futures account")],
    "margin_reconciliation": [
        (ODD, "", "initial", "reg_t", "positions", None, 50.0, None, "undetermined", None, None, None, WHY,
         json.dumps({"text": "ours is missing"}))
    ],
    "portfolio_risk": [
        (ODD, "gaussian", 0.99, 1, 12.345, 15.5, None, None, None),
        (ODD, "historical", 0.99, 1, None, None, None, None, json.dumps([WHY])),
        (PLAIN, "gaussian", 0.99, 1, None, None, None, None, json.dumps(["trades are not revalued"])),
        (PLAIN, "historical", 0.99, 1, None, None, None, None, json.dumps(["trades are not revalued"])),
    ],
    "strategy_risk": [(ODD, "", "historical", 0.99, 1, None, None, None, None, None, None, None)],
    "backtest_results": [(ODD, "gaussian", 0.99, None, None, None, None, None, None, json.dumps([WHY]))],
    "stress_results": [
        (ODD, "strategy_based", "fall_20", True, "d", "s", -400.5, 0.0, 600.0, 1.0, None, 600.0, None, "undetermined", None, None,
         json.dumps([WHY])),
        (PLAIN, "schedule_im", "fall_20", True, "d", "s", -6000.0, 0.0, -1000.0, 7.0, 7.0, -1000.0, float("inf"), "liquidatable", False,
         json.dumps([{"criterion": "utilization_below", "limit": 1.0, "observed": None}]), None),
    ],
    "reverse_stress": [
        (ODD, "strategy_based", None, None, None, None, None, 10, None, None, None, None, json.dumps([WHY])),
        (PLAIN, "schedule_im", -8.0, None, None, None, None, 10, None, None, False, "nothing is left to lose", None),
    ],
    "liquidation_prices": [
        (ODD, "s", "BTC", "cross", None, None, None, None, "undetermined", None, WHY),
        (ODD, "s", "ETH", "isolated", None, 10.0, 1.0, 0.1, "safe", None, None),
    ],
    "regulatory_lines": [
        (ODD, "portfolio", "finra", "maintenance_margin", "", "", None, "EUR", None, "undetermined", True, WHY, *_LINE),
        (ODD, "portfolio", "finra", "minimum_equity", "", "", 1000.0, "EUR", 1861.25, "breach", True, None, *_LINE),
        (PLAIN, "entity", "basel", "cet1_ratio", "", "", 0.18175, "ratio", 0.045, "pass", True, None, *_LINE),
        (PLAIN, "portfolio", "schedule_im", "initial_margin", "N/1", "call", 7.0, "USD", None, "information", True, None, *_LINE),
        (PLAIN, "portfolio", "finra", "minimum_equity", "", "", None, "USD", None, "not_applicable", False, "no margin account", *_LINE),
        ("", "firm", "basel", "leverage_ratio", "", "", None, "ratio", 0.03, "undetermined", True, "a part is missing", *_LINE),
    ],
    "netting_sets": [("N/1", PLAIN, None, None, None, 5.0, "schedule", None)],
    "rejected_rows": [("positions.csv", 3, "", "quantity <ten> is not a number", ODD, json.dumps({"quantity": "<ten>"}))],
    "landed_files": [("positions.csv", 4, 3, 1, HASH)],
    COSTS: [
        (ODD, "strategy_based", "naked_call", "g1", "A&B", json.dumps([{"symbol": "A&B", "quantity": -1.0}]), None, None),
        (PLAIN, "schedule_im", "schedule post", None, "N/1", None, 7.0, 1.0),
    ],
    "netting_set_margins": [
        (PLAIN, "N/1", "call", 0.6, 7.0, None, "{}"),
        (PLAIN, "N/2", "post", None, None, "notional of T1", "{}"),
    ],
}  # fmt: skip


def book(**emptied: bool) -> ReportData:
    """The made-up calculation; `emptied` names tables without rows, but for portfolios and margins."""
    rows = {name: [] if emptied.get("everything") and name != "portfolios" else found for name, found in _ROWS.items()}
    tables = {name: pd.DataFrame(rows[name], columns=_COLUMNS[name].split()) for name in (*TABLES, COSTS, "netting_set_margins")}
    calculation = {
        "calculation_id": 7, "input_hash": HASH, "content_hash": HASH, "code_version": "0.1.0+abc", "settings": SETTINGS,
        "state": "published",
        "known_from": pd.Timestamp("2023-01-01T10:00:00Z"), "known_to": None,
    }  # fmt: skip
    days = [pd.Timestamp("2022-12-23"), pd.Timestamp("2022-12-27"), pd.Timestamp(AS_OF)]
    history = [
        (day, ODD, "strategy_based", 1.0, used, 1.0, 1.0, used, "safe", None) for day, used in zip(days[:2], (0.4, 0.5), strict=True)
    ]
    history.append((days[2], ODD, "strategy_based", None, None, 1.0, None, None, "undetermined", json.dumps([WHY])))
    history.append((days[2], PLAIN, "schedule_im", 7.0, 7.0, -1.0, -8.0, float("inf"), "liquidatable", None))
    named = [
        "as_of",
        "portfolio_id",
        "method",
        "initial_margin",
        "maintenance_margin",
        "margin_equity",
        "excess",
        "utilization",
        "status",
        "missing",
    ]
    alerts = [(ODD, "missing_data", "", 0.0, 1, "critical", None, f"margin cannot be determined: {WHY}", pd.Timestamp(AS_OF))]
    raised = ["portfolio_id", "kind", "subject", "threshold", "episode", "severity", "observed", "message", "raised_as_of"]
    is_empty = emptied.get("everything", False)
    return ReportData(
        AS_OF,
        calculation,
        tables,
        {"netting_set_margins": NETTING},
        pd.DataFrame([] if is_empty else history, columns=named),
        pd.DataFrame([] if is_empty else alerts, columns=raised),
        pd.DataFrame(PARAMETERS, columns=["name", "version", "effective_date", "source"]),
    )
