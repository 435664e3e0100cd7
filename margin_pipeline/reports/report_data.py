"""Everything that the reports of a date show: rows of one calculation, read in one transaction.

Belongs here: which tables and views are read. Not here: what is shown of them (`sections`), how (`document`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from margin_pipeline.storage.catalogue import TableColumns
from margin_pipeline.storage.recorded import RecordedCalculation

FIRM = ""
"""portfolio_id of the lines of the firm as a whole."""
TABLES = (
    "portfolios", "portfolio_margins", "portfolio_margin_components", "portfolio_method_notes", "margin_reconciliation", "portfolio_risk",
    "strategy_risk", "backtest_results", "stress_results", "reverse_stress", "liquidation_prices", "regulatory_lines", "netting_sets",
    "rejected_rows", "landed_files",
)  # fmt: skip
"""Tables that every report reads; those of netting sets are found by their columns."""
COSTS = "margin_costs"
HISTORY_DATES = 60
NO_NETTING_TABLES = ("regulatory_lines", "netting_sets", "otc_trades", "crif")
"""Tables that have netting sets but are shown on their own, or hold what was given rather than what was found; none by trade is shown."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Parameters:
    """A parameter set that a calculation used: name, version, since when and by what source."""

    name: str
    version: str
    effective_date: dt.date
    source: str


@dataclass(frozen=True)
class ReportData:
    """Rows of one calculation.

    Attributes
    ----------
    as_of : business date.
    calculation : its row of margin.calculations, `settings` read.
    tables : frames by name of table or view.
    columns : columns, with comments, of the tables of netting sets.
    history : governing margins of this and earlier dates.
    alerts : alerts that are open as of the date.
    parameter_sets : parameter sets that were in force: name, version, effective_date, source.
    """

    as_of: dt.date
    calculation: Row
    tables: Mapping[str, pd.DataFrame]
    columns: Mapping[str, TableColumns]
    history: pd.DataFrame
    alerts: pd.DataFrame
    parameter_sets: pd.DataFrame
    _grouped: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def calculation_id(self) -> int:
        """The calculation that is shown."""
        return int(self.calculation["calculation_id"])

    @cached_property
    def portfolio_ids(self) -> list[str]:
        """All portfolios of the date, sorted."""
        return sorted(str(name) for name in self.tables["portfolios"]["portfolio_id"])

    @cached_property
    def netting_tables(self) -> list[str]:
        """Result tables with rows of netting sets, sorted."""
        return sorted(self.columns)

    @cached_property
    def parameters(self) -> list[Parameters]:
        """Parameter sets that were in force, as they are stored with the calculation."""
        rows = self.parameter_sets.sort_values("name", kind="stable").to_dict("records")
        return [Parameters(str(r["name"]), str(r["version"]), pd.Timestamp(r["effective_date"]).date(), str(r["source"])) for r in rows]

    def of(self, table: str, portfolio_id: str) -> list[dict[str, Any]]:
        """Rows of a table, a view, `history` or `alerts` that belong to a portfolio, in the order of the table."""
        if table not in self._grouped:
            frame = {"history": self.history, "alerts": self.alerts}.get(table)
            grouped: dict[str, list[dict[str, Any]]] = {}
            for row in (self.tables[table] if frame is None else frame).to_dict("records"):
                grouped.setdefault(str(row["portfolio_id"]), []).append({str(name): value for name, value in row.items()})
            self._grouped[table] = grouped
        return self._grouped[table].get(portfolio_id, [])

    def portfolio(self, portfolio_id: str) -> dict[str, Any]:
        """Row of a portfolio in table portfolios.

        Raises
        ------
        KeyError : there is no such portfolio.
        """
        rows = self.of("portfolios", portfolio_id)
        if not rows:
            raise KeyError(portfolio_id)
        return rows[0]

    def governing(self, portfolio_id: str) -> dict[str, Any] | None:
        """Row of the method that governs a portfolio; None where it has no margin."""
        return next((row for row in self.of("portfolio_margins", portfolio_id) if row["is_governing"]), None)


def read(recorded: RecordedCalculation) -> ReportData:
    """Read everything that reports of a calculation show.

    Raises
    ------
    StorageError : a table is not there, or its rows are no longer kept.
    """
    netting = {name: recorded.columns(name) for name in sorted(recorded.sources)}
    netting = {
        name: columns
        for name, columns in netting.items()
        if {"portfolio_id", "netting_set_id"} <= set(columns.names) and "trade_id" not in columns.names and name not in NO_NETTING_TABLES
    }
    tables = {name: recorded.rows(name) for name in (*TABLES, *netting)}
    tables[COSTS] = recorded.view(COSTS, "portfolio_id, maintenance_margin desc nulls first, underlying, item, group_id, legs")
    calculation = {**recorded.row, "settings": json.loads(recorded.row["settings"])}
    history = recorded.governing_history(HISTORY_DATES)
    return ReportData(recorded.as_of, calculation, tables, netting, history, recorded.open_alerts(), recorded.parameters())
