"""Views on compliance: the worst line counts, and nothing unknown is a pass.

Belongs here: compliance_status, capital_adequacy and their question. Not here: the lines (regulation).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.parameters.rule_version import RuleVersion
from margin_pipeline.regulation.line import RegulatoryLine, table

ROOT = Path(__file__).parents[2]
DATE = dt.date(2022, 12, 28)
VERSION = RuleVersion("rule:1", dt.date(2020, 1, 1))


def line(portfolio, regime, item, status, reason=None, value=1.0, limit=2.0):
    amounts = {"value": value, "limit_value": limit}
    return RegulatoryLine(portfolio, "entity", regime, item, "USD", status, "Rule 1", VERSION, reason=reason, **amounts)


LINES = [
    line("A", "basel", "cet1_ratio", "pass"),
    line("A", "basel", "leverage_ratio", "breach"),
    line("A", "basel", "tier1_ratio", "undetermined", "entity figure tier1"),
    line("A", "emir", "x", "undetermined", "entity figure y"),
    line("A", "emir", "z", "pass"),
    line("A", "finra", "x", "not_applicable", "no margin account"),
    line("B", "finra", "x", "information"),
    line("", "emir", "x", "pass"),
    line("G", "sec_15c3_1", "net_capital", "pass", value=110.0, limit=100.0),
    line("H", "finra", "minimum_equity", "undetermined", "exchange rate"),
    line("I", "finra", "portfolio_margin_minimum_equity", "breach"),
    line("J", "finra", "minimum_equity", "not_applicable", "no margin account"),
]
MARGINS = [
    *[("A", 120.0, 100.0), ("B", 119.0, 100.0), ("C", 99.0, 100.0), ("D", 50.0, 0.0), ("E", 50.0, np.nan), ("F", -1.0, 0.0)],
    *[(name, 150.0, 100.0) for name in "GHIJ"],
]


@pytest.fixture(scope="module")
def book(database):
    margins = pd.DataFrame(MARGINS, columns=["portfolio_id", "margin_equity", "maintenance_margin"]).assign(
        method="reg_t", is_governing=True, equity=1.0
    )
    margins["status"] = np.where(margins["maintenance_margin"].isna(), "undetermined", "safe")
    margins["missing"] = pd.Series(np.where(margins["maintenance_margin"].isna(), '["price"]', None), dtype=object)
    known = margins["status"] != "undetermined"
    for name in ("is_safe", "is_warning", "is_liquidatable"):
        margins[name] = pd.Series(name == "is_safe", margins.index, dtype="boolean").where(known)
    portfolios = pd.DataFrame({"portfolio_id": list("ABCDEFGHIJ"), "account_type": "reg_t", "equity": 1.0, "base_currency": "USD"})
    tables = {
        "portfolios": portfolios.assign(jurisdiction="US", entity_type="fund"),
        "portfolio_margins": margins,
        "regulatory_lines": table(LINES),
    }
    calculation_id = storage.begin(database, DATE, "run", "test", {})
    for name, frame in tables.items():
        for column in storage.columns(database, name).columns:
            if column.name not in ("as_of", "calculation_id", *frame.columns):
                value = np.nan if column.type == "double precision" else None
                frame = frame.assign(**{column.name: pd.Series(value, frame.index, dtype=object)})
        storage.write_table(database, calculation_id, DATE, name, frame)
    storage.publish(database, calculation_id, input_hash="x", scope="chain", expected_tables=list(tables), content_hash="x")
    return database


def test_the_worst_line_of_a_regime_counts_and_unknown_is_no_pass(book):
    found = storage.read_query(book, "select * from margin.compliance_status").set_index(["portfolio_id", "regime"])
    assert found["status"].to_dict() == {
        ("A", "basel"): "breach",
        ("A", "emir"): "undetermined",
        ("A", "finra"): "not_applicable",
        ("B", "finra"): "pass",
        ("", "emir"): "pass",
        ("G", "sec_15c3_1"): "pass",
        ("H", "finra"): "undetermined",
        ("I", "finra"): "breach",
        ("J", "finra"): "not_applicable",
    }
    assert found.loc[("A", "basel"), ["breaches", "undetermined", "passes", "first_breach"]].tolist() == [1, 1, 1, "leverage_ratio"]
    assert found.loc[("A", "emir"), "first_reason"] == "entity figure y"


def test_breaches_are_asked_about_first_and_what_does_not_apply_is_left_out(book):
    text = (ROOT / "sql" / "queries" / "are_we_compliant.sql").read_text().rstrip().rstrip(";")
    found = storage.read_query(book, text)
    assert found[["portfolio_id", "regime", "status"]].values.tolist() == [
        ["A", "basel", "breach"],
        ["I", "finra", "breach"],
        ["A", "emir", "undetermined"],
        ["H", "finra", "undetermined"],
        ["", "emir", "pass"],
        ["B", "finra", "pass"],
        ["G", "sec_15c3_1", "pass"],
    ]


def test_resources_are_adequate_thin_or_too_few_and_never_adequate_when_unknown(book):
    found = storage.read_query(book, "select * from margin.capital_adequacy").set_index("portfolio_id")
    of_margin = found.loc[list("ABCDEF"), "status"].to_dict()
    assert of_margin == {"A": "adequate", "B": "thin", "C": "breach", "D": "adequate", "E": "undetermined", "F": "breach"}
    assert found.loc["A", "ratio"] == 1.2
    assert found.loc[["D", "E"], "ratio"].isna().all()


def test_the_rule_that_leaves_least_is_the_one_that_binds(book):
    found = storage.read_query(book, "select * from margin.capital_adequacy").set_index("portfolio_id")
    assert found.loc[list("GHIJ"), ["status", "binding"]].values.tolist() == [
        ["thin", "net_capital"],
        ["undetermined", "minimum_equity"],
        ["breach", "portfolio_margin_minimum_equity"],
        ["adequate", "reg_t"],
    ]
    assert found.loc[["G", "I", "J"], "ratio"].tolist() == [1.1, 0.5, 1.5]
    assert found.index.is_unique
