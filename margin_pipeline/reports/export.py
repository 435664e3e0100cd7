"""Reports for programs: regulatory lines as CSV and Parquet, everything of a date as JSON with stable identifiers.

Belongs here: forms of rows. Not here: reading (`report_data`), documents for people (`document`).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from margin_pipeline.reports.report_data import ReportData
from margin_pipeline.reports.report_text import is_known

SCHEMA = "urn:margin_pipeline:report:1"
"""Name of the schema that the JSON keeps; a change that a reader notices takes the next number."""
LINE_KEY = ("portfolio_id", "scope", "regime", "line_item", "netting_set_id", "side")
# For each list of the JSON: the table, and the columns that tell its rows apart within date and kind.
LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "lines": ("regulatory_lines", LINE_KEY),
    "margins": ("portfolio_margins", ("portfolio_id", "method")),
    "margin_components": ("portfolio_margin_components", ("portfolio_id", "method", "component")),
    "method_notes": ("portfolio_method_notes", ("portfolio_id", "method")),
    "risk": ("portfolio_risk", ("portfolio_id", "method", "confidence", "horizon_days")),
    "strategy_risk": ("strategy_risk", ("portfolio_id", "strategy", "method", "confidence", "horizon_days")),
    "backtests": ("backtest_results", ("portfolio_id", "method", "confidence")),
    "stress": ("stress_results", ("portfolio_id", "method", "scenario")),
    "reverse_stress": ("reverse_stress", ("portfolio_id",)),
    "liquidation_prices": ("liquidation_prices", ("portfolio_id", "strategy", "symbol")),
    "netting_sets": ("netting_sets", ("netting_set_id",)),
    "rejected_rows": ("rejected_rows", ("source", "row_number", "column_name")),
    "files": ("landed_files", ("source",)),
}
PARTS_OF_JSON = ("missing", "inputs", "failed_criteria", "moves", "raw", "explanation", "settings")
"""Columns that hold JSON as text."""


def identifier(*parts: object) -> str:
    """Parts of a key, joined by slashes; a slash or anything unusual within a part is written in percents."""
    return "/".join(quote(_text(part), safe=" :.,+-_()") for part in parts)


def lines_frame(data: ReportData, portfolio_id: str | None = None) -> pd.DataFrame:
    """Regulatory lines of the date, or of one portfolio: identifier, date, calculation and the columns of the table."""
    frame = data.tables["regulatory_lines"]
    if portfolio_id is not None:
        frame = frame[frame["portfolio_id"] == portfolio_id].reset_index(drop=True)
    keys = zip(*(frame[column] for column in LINE_KEY), strict=True)
    own = pd.DataFrame(
        {
            "id": pd.Series([identifier(data.as_of, *key) for key in keys], dtype="str"),
            "as_of": pd.Series([pd.Timestamp(data.as_of)] * len(frame), dtype="datetime64[us]"),
            "calculation_id": pd.Series([data.calculation_id] * len(frame), dtype="int64"),
        }
    )
    return pd.concat([own, frame], axis=1)


def lines_csv(data: ReportData, portfolio_id: str | None = None) -> str:
    """Regulatory lines as CSV: an empty cell is empty, dates are ISO 8601, figures have all their digits."""
    frame = lines_frame(data, portfolio_id)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(frame.columns)
    writer.writerows([_text(value) for value in row] for row in frame.itertuples(index=False, name=None))
    return buffer.getvalue()


def lines_parquet(data: ReportData, portfolio_id: str | None = None) -> bytes:
    """Regulatory lines as Parquet: dates are dates, `inputs` is JSON as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(lines_frame(data, portfolio_id), preserve_index=False).replace_schema_metadata(None)
    for column in ("as_of", "effective_date"):
        place = table.schema.get_field_index(column)
        table = table.set_column(place, column, table.column(column).cast(pa.timestamp("us")).cast(pa.date32()))
    for place, field in enumerate(table.schema):
        if pa.types.is_large_string(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def report_json(data: ReportData, portfolio_id: str | None = None) -> str:
    """Everything of a date, or of one portfolio of it, as JSON that keeps `schema()`; the same text for the same calculation."""
    row = data.calculation
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "as_of": data.as_of.isoformat(),
        "calculation": {
            "id": data.calculation_id,
            "input_hash": row["input_hash"],
            "content_hash": row["content_hash"],
            "code_version": row["code_version"],
            "known_from": row["known_from"].isoformat(),
            "settings": row["settings"],
        },
        "parameters": [
            {
                "id": identifier(data.as_of, "parameters", one.name, one.version),
                "name": one.name,
                "version": one.version,
                "effective_date": one.effective_date,
                "source": one.source,
            }
            for one in data.parameters
        ],
        "portfolios": [
            {
                "id": identifier(data.as_of, one["portfolio_id"]),
                **one,
                "governing_method": (data.governing(one["portfolio_id"]) or {}).get("method"),
            }
            for one in _rows(data.tables["portfolios"], portfolio_id)
        ],
        "alerts": [
            {
                "id": identifier(
                    data.as_of, "alerts", *(one[name] for name in ("portfolio_id", "kind", "subject", "threshold", "episode"))
                ),
                **one,
            }
            for one in _rows(data.alerts, portfolio_id)
        ],
    }
    for name, (table, key) in LISTS.items():
        kind = () if name == "lines" else (name,)
        document[name] = [
            {"id": identifier(data.as_of, *kind, *(one[column] for column in key)), **one}
            for one in _rows(data.tables[table], portfolio_id)
        ]
    document["netting_set_tables"] = {
        table: [
            {"id": identifier(data.as_of, table, *(one[column] for column in data.columns[table].frame_key)), **one}
            for one in _rows(data.tables[table], portfolio_id)
        ]
        for table in data.netting_tables
    }
    return json.dumps(_plain(document), sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def schema() -> dict[str, Any]:
    """JSON Schema of what `report_json` writes."""
    found: dict[str, Any] = json.loads(schema_text())
    return found


def schema_text() -> str:
    """The same as it is shipped."""
    return (resources.files("margin_pipeline.reports") / "report.schema.json").read_text(encoding="utf-8")


def _rows(frame: pd.DataFrame, portfolio_id: str | None) -> Iterable[dict[str, Any]]:
    if portfolio_id is not None and "portfolio_id" in frame.columns:
        frame = frame[frame["portfolio_id"] == portfolio_id]
    for row in frame.to_dict("records"):
        yield {str(name): _read(str(name), value) for name, value in row.items()}


def _read(name: str, value: Any) -> Any:
    """A cell; those that hold JSON are read, those that may hold JSON or a text stay text when they are one."""
    if name not in PARTS_OF_JSON or not isinstance(value, str) or not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _plain(value: Any) -> Any:
    """A value as JSON takes it: nothing where nothing is known, "Infinity" where a figure has no bound."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return value.hex()
    if not is_known(value):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.tzinfo is None and value.time() == dt.time.min else value.isoformat()
    return value.isoformat() if isinstance(value, dt.date) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if not is_known(value):
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value)
