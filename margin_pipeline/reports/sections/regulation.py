"""Regulatory lines by regime, and uncleared derivatives by netting set.

Belongs here: sections that a compliance officer checks. Not here: margin of listed books.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from margin_pipeline.reports.document.model import Block, Cell, Column, Paragraph, Section, limited, table
from margin_pipeline.reports.report_data import ReportData
from margin_pipeline.reports.report_text import (
    NO_REASON,
    amount,
    day,
    is_known,
    number,
    reasons,
    regulatory,
    share,
    status,
    text,
    words,
)  # fmt: skip
from margin_pipeline.storage.catalogue import Column as StoredColumn

REGIMES = {
    "basel": "Basel III", "sa_ccr": "Counterparty credit risk (SA-CCR)", "simm": "Initial margin by model (ISDA SIMM)",
    "schedule_im": "Initial margin by schedule", "emir": "EMIR", "cftc": "CFTC", "us_prudential": "US prudential regulators",
    "uk": "United Kingdom", "mas": "Singapore (MAS)", "finra": "Margin accounts (FINRA, Regulation T)",
    "sec_15c3_1": "Net capital (SEC Rule 15c3-1)",
}  # fmt: skip
"""Regimes in the order of a report, and their names."""
MOST_LINES = 60
MOST_ROWS = 20
MOST_COLUMNS = 9


def lines(data: ReportData, portfolio_id: str) -> Section:
    """Lines of a portfolio, or of the firm for an empty name, a table a regime."""
    rows = data.of("regulatory_lines", portfolio_id)
    counts = {
        name: sum(row["status"] == name for row in rows) for name in ("breach", "undetermined", "pass", "information", "not_applicable")
    }
    said = ", ".join(f"{count} {words(name)}" for name, count in counts.items() if count)
    tone = "bad" if counts["breach"] else "unknown" if counts["undetermined"] else "good" if counts["pass"] else ""
    blocks: list[Block] = [Paragraph(f"Lines: {said}.", tone)] if rows else [Paragraph("There are no regulatory lines.")]
    known = [*REGIMES, *sorted({str(row["regime"]) for row in rows} - set(REGIMES))]
    for regime in known:
        own = [row for row in rows if row["regime"] == regime]
        if own:
            blocks.append(_regime(REGIMES.get(regime, words(regime)), own))
    return Section("Regulatory lines", "regulatory-lines", tuple(blocks))


def _regime(name: str, rows: list[dict[str, Any]]) -> Block:
    columns = (
        Column("Line"), Column("Value", is_number=True), Column("Limit", is_number=True), Column("Status"),
        Column("Reference", weight=1.2), Column("Reason", weight=1.2),
    )  # fmt: skip
    kept, note = limited([_line(row) for row in rows], MOST_LINES, "margin.regulatory_lines and lines.csv")
    if not any(text(row["reason"], "") or row["status"] == "undetermined" for row in rows):
        return table(name, columns[:-1], [cells[:-1] for cells in kept], note=note)
    return table(name, columns, kept, note=note)


def _line(row: dict[str, Any]) -> tuple[Cell | str, ...]:
    details = [str(row[column]) for column in ("netting_set_id", "side") if text(row[column], "")]
    scope = [] if row["scope"] == "portfolio" else [str(row["scope"])]
    name = words(row["line_item"]) + (f" ({', '.join([*scope, *details])})" if scope or details else "")
    version = f"{row['reference']} [{row['parameter_set']}, from {day(row['effective_date'])}]"
    return (name, _value(row), _limit(row), status(row["status"]), version, _reason(row))


def _reason(row: dict[str, Any]) -> str:
    said = text(row["reason"], "none")
    return f"undetermined: {said if said != 'none' else NO_REASON}" if row["status"] == "undetermined" else said


def _value(row: dict[str, Any]) -> Cell:
    if is_known(row["value"]):
        return regulatory(row["value"], str(row["unit"]))
    if row["status"] == "not_applicable":
        return Cell("not applicable", "neutral")
    # The reason stands in a column of its own.
    return status(None)


def _limit(row: dict[str, Any]) -> Cell:
    if is_known(row["limit_value"]):
        return regulatory(row["limit_value"], str(row["unit"]))
    if row["status"] == "not_applicable":
        return Cell("not applicable", "neutral")
    return Cell("no limit", "neutral") if row["status"] == "information" else status(None)


def derivatives(data: ReportData, portfolio_id: str) -> Section:
    """Netting sets as agreed, and whatever tables hold of them."""
    sets = data.of("netting_sets", portfolio_id)
    blocks: list[Block] = [_agreements(sets, data.portfolio(portfolio_id)["base_currency"])]
    for name in data.netting_tables:
        rows = data.of(name, portfolio_id)
        if rows:
            blocks.append(_stored(data, name, rows))
    return Section("Uncleared derivatives", "derivatives", tuple(blocks))


def has_derivatives(data: ReportData, portfolio_id: str) -> bool:
    """Whether a portfolio has netting sets."""
    return any(data.of(name, portfolio_id) for name in ("netting_sets", *data.netting_tables))


def _agreements(sets: list[dict[str, Any]], currency: str) -> Block:
    columns = (
        Column("Netting set"), Column("Counterparty"), Column("Margined"), Column("Model"), Column("Regime"),
        Column(f"Threshold, {currency}", is_number=True), Column(f"Minimum transfer, {currency}", is_number=True),
    )  # fmt: skip
    rows = [
        (
            str(row["netting_set_id"]), text(row["counterparty"], "not stated"),
            {True: "yes", False: "no"}.get(row["margined"], "not stated"), text(row["im_model"], "not stated"),
            text(row["regime"], "not stated"), _given(row["threshold"]), _given(row["minimum_transfer_amount"]),
        )
        for row in sets
    ]  # fmt: skip
    kept, note = limited(rows, MOST_ROWS, "margin.netting_sets")
    return table("Netting sets as agreed", columns, kept, note=note)


def _given(value: Any) -> Cell:
    return amount(value) if is_known(value) else Cell("not stated")


def _stored(data: ReportData, name: str, rows: list[dict[str, Any]]) -> Block:
    """Rows of a table of netting sets as they stand there, the key first; what is empty in all rows or is no figure is left out."""
    known = data.columns[name]
    by_name = {column.name: column for column in known}
    key = [column for column in known.frame_key if column != "portfolio_id" and any(text(row[column], "") for row in rows)]
    missing = "missing" if "missing" in by_name else "reason" if "reason" in by_name else ""
    others = [
        column.name
        for column in known
        if column.name in known.frame_names
        and column.name not in (*key, "portfolio_id", missing)
        and column.type not in ("jsonb", "bytea", "double precision[]", "text[]")
        and any(is_known(row[column.name]) or _undetermined_row(row, missing) for row in rows)
    ]
    # Results stand after what they are made of: of too many columns the last are shown.
    room = max(MOST_COLUMNS - len(key), 1)
    shown = [*key, *others[-room:]]
    columns = [Column(words(column).capitalize(), is_number=by_name[column].type in ("double precision", "bigint")) for column in shown]
    cells = [[_stored_cell(row, by_name[column], missing) for column in shown] for row in rows]
    if missing and any(text(row[missing], "") for row in rows):
        columns.append(Column(words(missing).capitalize(), weight=1.5))
        cells = [[*cell, Cell(reasons(row[missing]) or "nothing")] for cell, row in zip(cells, rows, strict=True)]
    kept, note = limited([tuple(cell) for cell in cells], MOST_ROWS, f"margin.{name}")
    left_out = [words(column) for column in others[:-room]]
    more = f"Further columns in margin.{name}: {', '.join(left_out)}." if left_out else ""
    return table(f"{_title(name)}: {known.comment.rstrip('.')}", columns, kept, note=" ".join(part for part in (note, more) if part))


def _title(name: str) -> str:
    """Name of a table as a heading."""
    spelled = " ".join(words(name).split()).capitalize()
    for plain, proper in (("Sa ccr", "SA-CCR"), ("Simm", "SIMM")):
        spelled = spelled.replace(plain, proper)
    return spelled


def _undetermined_row(row: dict[str, Any], missing: str) -> bool:
    return bool(missing) and bool(text(row[missing], ""))


def _stored_cell(row: dict[str, Any], column: StoredColumn, missing: str) -> Cell:
    value = row[column.name]
    if not is_known(value):
        return Cell("undetermined", "unknown") if _undetermined_row(row, missing) and column.type == "double precision" else Cell("none")
    if column.name == "status":
        return status(value)
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, pd.Timestamp):
        return Cell(day(value))
    if isinstance(value, float):
        is_fraction = "fraction" in column.comment
        return share(value) if is_fraction else amount(value) if "currency" in column.comment else number(value)
    return Cell(text(value, "all" if column.name.endswith("_id") else "none"))
