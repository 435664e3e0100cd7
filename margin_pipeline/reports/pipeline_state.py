"""The state of the pipeline, as a terminal or a program wants to read it.

Belongs here: wording and layout. Not here: looking (`storage.operations`, `storage.dagster_state`), judging (`orchestration.health`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from margin_pipeline.storage.dagster_state import DagsterState

STATUSES = ("liquidatable", "undetermined", "emergency", "critical", "warning", "safe")
SEVERITIES = ("emergency", "critical", "warning", "info")


@dataclass(frozen=True)
class PipelineState:
    """What there is to say.

    Attributes
    ----------
    database : URL of the database, without password.
    row : the row of `margin.pipeline_status`.
    due : newest session whose deadline has passed.
    sessions_behind : sessions due since the newest published date, count; None: nothing is published.
    dagster : what Dagster's storage says.
    data_dir : the data folder.
    free_bytes, total_bytes : of the disk that it is on.
    """

    database: str
    row: Mapping[str, Any]
    due: dt.date
    sessions_behind: int | None
    dagster: DagsterState
    data_dir: Path
    free_bytes: int
    total_bytes: int


def as_text(state: PipelineState) -> str:
    """Return a line a subject."""
    row, now = state.row, state.row["seen_at"]
    subjects = {
        "database": f"{state.database}, {_size(row['database_bytes'])}",
        "published": _published(state),
        "portfolios": _counts(row["portfolios_by_status"], STATUSES) or "none",
        "open alerts": _alerts(row),
        "notifications": _deliveries(row, now),
        "automation": _automation(row),
        "calculations": _calculations(row, now),
        "input rows": "none" if row["rows_read"] is None else f"{row['rows_rejected']:,} of {row['rows_read']:,} rejected",
        "daemon": _daemon(state.dagster, now),
        **dict(_tickers(state.dagster, now)),
        "disk": f"{_size(state.free_bytes)} of {_size(state.total_bytes)} free for {state.data_dir}",
    }
    width = max(map(len, subjects))
    return "\n".join(f"{subject:<{width}}  {text}" for subject, text in subjects.items())


def as_json(state: PipelineState) -> str:
    """Return one object: the columns of `margin.pipeline_status`, and what stands beside them."""
    found = {
        **state.row,
        "database": state.database,
        "due": state.due,
        "sessions_behind": state.sessions_behind,
        "dagster": {
            "absent": state.dagster.absent,
            "daemons": [asdict(daemon) for daemon in state.dagster.daemons],
            "tickers": [asdict(ticker) for ticker in state.dagster.tickers],
        },
        "data_dir": str(state.data_dir),
        "free_bytes": state.free_bytes,
        "total_bytes": state.total_bytes,
    }
    return json.dumps(found, ensure_ascii=False, indent=1, allow_nan=False, default=_written)


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else float(value)


def _published(state: PipelineState) -> str:
    row = state.row
    if row["as_of"] is None:
        return f"nothing yet; {state.due} is due: margin-pipeline run"
    behind = state.sessions_behind
    due = "nothing newer is due" if not behind else f"{behind:,} session{'s' if behind > 1 else ''} behind {state.due}, which is due"
    return f"{row['as_of']} (calculation {row['calculation_id']}, {_ago(row['published_at'], row['seen_at'])}); {due}"


def _alerts(row: Mapping[str, Any]) -> str:
    counted = _counts(row["open_alerts_by_severity"], SEVERITIES)
    return f"{counted}; {row['alerts_unacknowledged']} without anybody's note (margin-pipeline alerts)" if counted else "none"


def _deliveries(row: Mapping[str, Any], now: dt.datetime) -> str:
    if not row["deliveries_outstanding"]:
        return "all are told"
    told = f"{row['deliveries_outstanding']} are not told, the oldest from {_ago(row['outstanding_since'], now)}"
    return f"{told}; {row['deliveries_failing']} were tried and failed" if row["deliveries_failing"] else told


def _automation(row: Mapping[str, Any]) -> str:
    if not row["is_stopped"]:
        return "not stopped"
    return f"STOPPED by {row['stopped_by']} since {row['stopped_at']:%Y-%m-%d %H:%M:%S %Z}: {row['stop_reason']}"


def _calculations(row: Mapping[str, Any], now: dt.datetime) -> str:
    running = f"{row['calculations_running']} running"
    if row["calculations_running"]:
        running += f" (the oldest began {_ago(row['running_since'], now)})"
    last = "" if row["chain_seconds"] is None else f", the newest published took {row['chain_seconds']:.1f} s"
    return f"{running}, {row['calculations_abandoned_in_a_day']} given up in 24 hours{last}"


def _daemon(dagster: DagsterState, now: dt.datetime) -> str:
    if dagster.absent:
        return dagster.absent
    heard = [f"{d.name.lower()} {_ago(d.beat_at, now)}{f' FAILING: {_line(d.error)}' if d.error else ''}" for d in dagster.daemons]
    return ", ".join(heard) or "none was ever heard of (margin-pipeline ui starts it)"


def _tickers(dagster: DagsterState, now: dt.datetime) -> Iterator[tuple[str, str]]:
    for ticker in dagster.tickers:
        ticked = "has not ticked yet" if ticker.ticked_at is None else f"ticked {_ago(ticker.ticked_at, now)}"
        failed = f", FAILED: {_line(ticker.error)}" if ticker.failed else ""
        yield f"{ticker.kind} {ticker.name}", f"{ticked}{failed}" if ticker.is_on else "off"


def _counts(counts: Mapping[str, int] | None, order: tuple[str, ...]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in order if name in counts) if counts else ""


def _line(text: str | None) -> str:
    return " ".join((text or "no reason was recorded").split())


def _ago(then: dt.datetime, now: dt.datetime) -> str:
    seconds = max((now - then).total_seconds(), 0)
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _size(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:,.0f} kB"
