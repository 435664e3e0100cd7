"""What a figure can be checked with: alerts, rejected rows, parameters, settings, files, words.

Belongs here: the closing sections. Not here: figures of margin, risk, regulation.
"""

from __future__ import annotations

import json
from typing import Any

from margin_pipeline.reports.document.model import Block, Cell, Column, Facts, Section, limited, table
from margin_pipeline.reports.report_data import ReportData
from margin_pipeline.reports.report_text import day, is_known, number, status, text, words

MOST_ALERTS = 20
MOST_REJECTED = 30
MOST_RAW = 160
SEVERITY_TONES = {"emergency": "bad", "critical": "watch", "warning": "watch"}
GLOSSARY = (
    ("safe", "Utilization is below the first limit."),
    ("warning, critical, emergency", "Utilization has reached the limit of that name."),
    (
        "liquidatable",
        "Something is required and margin equity does not exceed it, or margin equity is negative: positions may be liquidated.",
    ),
    ("undetermined", "An input is missing or inadmissible; the reason names it. Never a pass, never 0."),
    ("pass, breach", "A regulatory figure keeps its limit, or does not."),
    ("information", "A regulatory figure without a limit."),
    ("not applicable", "The rule does not apply; the reason says why."),
    ("passed, failed", "All criteria of a stress scenario are met, or one is not."),
    ("maintenance margin", "Least margin that keeps the positions open."),
    ("initial margin", "Margin to open the positions."),
    ("margin equity", "What a requirement is measured against under the method."),
    ("excess", "Margin equity less maintenance margin."),
    ("utilization", "Maintenance margin over margin equity."),
    ("without bound", "Something is required and nothing is left that it could be measured against."),
)


def alerts(rows: list[dict[str, Any]]) -> Section:
    """Alerts that are open as of the date."""
    columns = (
        Column("Portfolio"), Column("Severity"), Column("Kind"), Column("Threshold", is_number=True), Column("Observed", is_number=True),
        Column("Raised by"), Column("Message", weight=2.0),
    )  # fmt: skip
    shown = [
        (
            "all portfolios" if row["portfolio_id"] == "*" else text(row["portfolio_id"], "the firm"),
            Cell(str(row["severity"]), SEVERITY_TONES.get(str(row["severity"]), "")), words(row["kind"]), number(row["threshold"]),
            number(row["observed"]) if is_known(row["observed"]) else Cell("no figure"), day(row["raised_as_of"]), str(row["message"]),
        )
        for row in rows
    ]  # fmt: skip
    kept, note = limited(shown, MOST_ALERTS, "margin.open_alerts")
    return Section(
        "Open alerts", "alerts", (table("Alerts that no date has cleared yet", columns, kept, note=note, empty="No alert is open."),)
    )


def rejected(rows: list[dict[str, Any]], whose: str) -> Section:
    """Input rows that broke their contract."""
    columns = (
        Column("File"),
        Column("Row", is_number=True),
        Column("Column"),
        Column("Reason", weight=1.5),
        Column("Row as it was read", weight=1.5),
    )
    shown = [
        (str(row["source"]), number(row["row_number"]), text(row["column_name"], "the whole line"), str(row["reason"]), _raw(row["raw"]))
        for row in rows
    ]
    kept, note = limited(shown, MOST_REJECTED, "margin.rejected_rows")
    return Section(
        "Rejected input rows", "rejected", (table(f"Rows {whose}, used nowhere", columns, kept, note=note, empty="No row was rejected."),)
    )


def appendix(data: ReportData) -> Section:
    """Parameters, settings, files and words."""
    columns = (Column("Parameter set"), Column("Version"), Column("In force from"), Column("Source", weight=3.0))
    parameters = [(one.name, one.version, one.effective_date.isoformat(), one.source) for one in data.parameters]
    files = (
        Column("File"),
        Column("Read", is_number=True),
        Column("Accepted", is_number=True),
        Column("Rejected", is_number=True),
        Column("SHA-256"),
    )
    landed = [
        (str(row["source"]), number(row["rows_read"]), number(row["rows_accepted"]), number(row["rows_rejected"]), str(row["content_hash"]))
        for row in data.tables["landed_files"].to_dict("records")
    ]
    settings = data.calculation["settings"]
    pairs = [(words(name), Cell(_setting(value))) for name, value in sorted(settings.items()) if name != "parameters"]
    blocks: list[Block] = [
        table("Parameter sets in force", columns, parameters, empty="None are recorded with this calculation."),
        Facts(tuple((f"Setting: {name}", cell) for name, cell in pairs)),
        table("Files of the date", files, landed),
        table(
            "Words used",
            (Column("Word"), Column("Meaning", weight=3.0)),
            [(Cell(word, status(word).tone), meaning) for word, meaning in GLOSSARY],
        ),
    ]
    return Section("Appendix", "appendix", tuple(blocks))


def _setting(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _raw(raw: Any) -> str:
    shown = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, sort_keys=True)
    return shown if len(shown) <= MOST_RAW else shown[: MOST_RAW - 1] + "…"
