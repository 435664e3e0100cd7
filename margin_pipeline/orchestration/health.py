"""Whether the pipeline is healthy: what is looked at, and from when on it is not.

Belongs here: judging what storage says. Not here: reading it (`storage`), wording of the whole (`reports.findings`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from margin_pipeline.orchestration import stale_runs
from margin_pipeline.reports.findings import FAILED, OK, WARNING, Finding
from margin_pipeline.storage.dagster_state import DagsterState
from margin_pipeline.storage.migrations import MigrationStatus
from margin_pipeline.storage.operations import Running

UNTOLD_MINUTES = 10
LONG_CALCULATION = dt.timedelta(hours=1)
SILENT_SECONDS = 120
"""Daemons are heard of every 30 seconds, sensors tick every 5; whoever is silent for this long does not work."""
WATCHING = ("SENSOR", "SCHEDULER")
"""Daemons without which nothing runs on its own."""
LITTLE_SPACE, NO_SPACE = 2e9, 2e8


@dataclass(frozen=True)
class Seen:
    """What there is to judge.

    Attributes
    ----------
    now : instant of the look.
    status : the row of `margin.pipeline_status`.
    due : newest session whose deadline has passed.
    running : calculations that have begun and not ended.
    dagster : what Dagster's storage says; the runs of `running` among it.
    free_bytes : free space where the data folder is.
    """

    now: dt.datetime
    status: Mapping[str, Any]
    due: dt.date
    running: Sequence[Running]
    dagster: DagsterState
    free_bytes: int


def migrations(applied: Sequence[MigrationStatus]) -> Finding:
    """Whether the schema is that of this version."""
    outstanding = [m.name for m in applied if m.applied_at is None]
    newer = [m.name for m in applied if not m.known]
    if newer:
        return Finding("migrations", FAILED, f"the database was made by a newer version (it has {newer[-1]})", "upgrade this package")
    if outstanding:
        return Finding("migrations", FAILED, f"outstanding: {', '.join(outstanding)}", "apply them: margin-pipeline database upgrade")
    return Finding("migrations", OK, f"all {len(applied)} are applied")


def judged(seen: Seen, *, daemon: bool) -> list[Finding]:
    """Findings on what was seen.

    Parameters
    ----------
    daemon : whether a daemon is expected to run.
    """
    return [
        _publication(seen),
        _calculations(seen),
        _deliveries(seen, daemon),
        _automation(seen),
        *_daemons(seen, daemon),
        _disk(seen),
    ]


def stuck(running: Sequence[Running], dagster: DagsterState) -> list[tuple[Running, str]]:
    """Calculations that nobody will end, with the reason: their run is over, unknown or its process gone."""
    return [(calculation, why) for calculation in running if (why := _why_stuck(calculation, dagster))]


def _why_stuck(calculation: Running, dagster: DagsterState) -> str | None:
    run = dagster.runs.get(calculation.run_id)
    if run is None:
        return "Dagster does not know its run"
    if run.status not in {status.value for status in stale_runs.UNFINISHED}:
        return f"its run ended ({run.status})"
    return None if stale_runs.is_alive(dict(run.tags)) else "the process of its run is gone"


def _publication(seen: Seen) -> Finding:
    newest = seen.status["as_of"]
    advice = f"look at the runs of {seen.due} and its landing folder: margin-pipeline run --as-of {seen.due}"
    if newest is None:
        return Finding("publication", FAILED, "nothing is published yet", "run the chain: margin-pipeline run")
    if newest < seen.due:
        return Finding("publication", FAILED, f"{seen.due} was due and is not published; the newest is {newest}", advice)
    return Finding("publication", OK, f"{newest} is published; {seen.due} was due")


def _calculations(seen: Seen) -> Finding:
    dead = stuck(seen.running, seen.dagster)
    if dead:
        told = "; ".join(f"calculation {c.calculation_id} of {c.as_of} will not end: {why}" for c, why in dead)
        return Finding("calculations", FAILED, told, "the next margin-pipeline run gives it up; the log of the run says why it ended")
    long = [c for c in seen.running if seen.now - c.started_at > LONG_CALCULATION]
    if long:
        told = "; ".join(f"calculation {c.calculation_id} of {c.as_of} runs since {c.started_at:%Y-%m-%d %H:%M %Z}" for c in long)
        return Finding("calculations", WARNING, told, "see its run in margin-pipeline ui")
    return Finding("calculations", OK, f"{len(seen.running)} running, none stuck")


def _deliveries(seen: Seen, daemon: bool) -> Finding:
    outstanding, failing, since = (seen.status[name] for name in ("deliveries_outstanding", "deliveries_failing", "outstanding_since"))
    if not outstanding:
        return Finding("deliveries", OK, "every alert is told")
    minutes = (seen.now - since).total_seconds() / 60
    told = f"{outstanding} changes of alerts are not told, the oldest since {minutes:,.0f} minutes; {failing} of them were tried"
    if minutes <= UNTOLD_MINUTES:
        return Finding("deliveries", OK, told)
    if failing:
        advice = "mend the channel: margin.deliveries_outstanding has the errors"
        return Finding("deliveries", WARNING if seen.status["is_stopped"] else FAILED, told, advice)
    if seen.status["is_stopped"]:
        return Finding("deliveries", WARNING, told, "nobody is told anything until margin-pipeline resume")
    # Who runs the chain by hand reads alerts himself; where a daemon is expected, telling is what it is for.
    advice = "the daemon tells them: margin-pipeline ui; who reads them: margin-pipeline alerts"
    return Finding("deliveries", FAILED if daemon else WARNING, told, advice)


def _automation(seen: Seen) -> Finding:
    if not seen.status["is_stopped"]:
        return Finding("automation", OK, "not stopped")
    told = f"stopped by {seen.status['stopped_by']} since {seen.status['stopped_at']:%Y-%m-%d %H:%M:%S %Z}: {seen.status['stop_reason']}"
    return Finding("automation", WARNING, told, "let it go on: margin-pipeline resume")


def _daemons(seen: Seen, daemon: bool) -> Iterator[Finding]:
    advice = "start it: margin-pipeline ui"
    ages = {d.name: (seen.now - d.beat_at).total_seconds() for d in seen.dagster.daemons}
    silent = [name for name in WATCHING if ages.get(name, float("inf")) > SILENT_SECONDS]
    if not daemon:
        alive = "alive" if not silent else "none runs"
        yield Finding("daemon", OK, f"{alive}; none is expected (--daemon expects one)")
    elif seen.dagster.absent:
        yield Finding("daemon", FAILED, seen.dagster.absent, advice)
    elif silent:
        heard = ", ".join(f"{name} {f'silent for {ages[name]:,.0f} s' if name in ages else 'never heard of'}" for name in silent)
        yield Finding("daemon", FAILED, heard, advice)
    else:
        yield Finding("daemon", OK, ", ".join(f"{name} heard of {max(ages[name], 0):.0f} s ago" for name in WATCHING))
    # Without a daemon, errors of its sensors are of the past.
    if daemon or not silent:
        yield _sensors(seen)


def _sensors(seen: Seen) -> Finding:
    sensors = [t for t in seen.dagster.tickers if t.is_on]
    failing = [f"{t.name} fails: {t.error or 'no reason was recorded'}" for t in sensors if t.failed]
    late = [
        f"{t.name} has not ticked for {(seen.now - t.ticked_at).total_seconds():,.0f} s"
        for t in sensors
        if t.kind == "sensor" and t.ticked_at and (seen.now - t.ticked_at).total_seconds() > SILENT_SECONDS
    ]
    if failing or late:
        return Finding("sensors", FAILED, "; ".join(failing + late), "its ticks in margin-pipeline ui have more")
    return Finding("sensors", OK, f"{sum(t.kind == 'sensor' for t in sensors)} sensors tick")


def _disk(seen: Seen) -> Finding:
    told = f"{seen.free_bytes / 1e9:,.1f} GB free where the data folder is"
    advice = "make room; margin-pipeline retention drops old months"
    state = FAILED if seen.free_bytes < NO_SPACE else WARNING if seen.free_bytes < LITTLE_SPACE else OK
    return Finding("disk", state, told, advice if state != OK else "")
