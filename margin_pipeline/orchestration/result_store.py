"""The result store as Dagster's steps, sensors and schedules see it: calculations of runs, their tables, alerts.

Belongs here: which calculation a run writes under, and what publishing it tells. Not here: SQL (`storage`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd

from margin_pipeline import storage
from margin_pipeline.decisions import alerts as alert_rules
from margin_pipeline.decisions import margin_calls as call_rules
from margin_pipeline.decisions.previous_date import PreviousDate
from margin_pipeline.orchestration.run_tags import AT_TAG, PARAMETERS_OF_TAG
from margin_pipeline.parameters import reader
from margin_pipeline.storage import alerts as outbox
from margin_pipeline.storage import audit, automation, live, parameter_sets, retention
from margin_pipeline.storage import margin_calls as call_book

CalculationSettings = Callable[[dt.date, dt.datetime | None], Mapping[str, Any]]
Context = dg.AssetExecutionContext
EVERY_PORTFOLIO = "*"
"""Tag of a run: calculation whose stored parameters stand in for the files."""
WATCHED_TABLES = ("portfolios", "positions", "position_greeks", "stress_results", "regulatory_lines", "margin_forecasts")
"""Tables besides portfolio_margins that alerts are judged by."""
MANY_SESSIONS = 60
"""Histories from this length on are read once, at the longest length."""


class ResultStore:
    """Tables of the results database, by run and business date. Opens nothing before it is used.

    Parameters
    ----------
    find_urls : gives the databases.
    code_version : version recorded with each calculation.
    settings : what decides a result besides inputs and code, for a date and instant.
    longest : sessions of the longest history that any stage wants, by table; None: each stage reads its own.
    """

    def __init__(
        self,
        find_urls: Callable[[], storage.DatabaseUrls],
        code_version: str,
        settings: CalculationSettings,
        longest: Mapping[str, int] | None = None,
    ) -> None:
        self._find_urls = find_urls
        self._code_version = code_version
        self._settings = settings
        self._longest = dict(longest or {})
        self._calculations: dict[tuple[str, dt.date], int] = {}
        self._inputs: dict[int, storage.InputsSeen] = {}
        self._stored_parameters: dict[int, list[reader.ParameterSet]] = {}
        # Frames read by one run: several stages ask for the same ones, and pandas copies on write.
        self._frames: dict[tuple[Any, ...], pd.DataFrame] = {}

    @cached_property
    def urls(self) -> storage.DatabaseUrls:
        """The databases."""
        return self._find_urls()

    def columns(self, table: str) -> storage.TableColumns:
        """Columns of a stored table, from the catalogue."""
        return storage.columns(self.urls, table)

    def calculation_id(self, run: dg.DagsterRun, as_of: dt.date) -> int:
        """Calculation that a run writes a date under; begun when first asked for."""
        key = (run.run_id, as_of)
        if key not in self._calculations:
            # Another run: what the one before has read is its own affair.
            if all(run_id != run.run_id for run_id, _ in self._calculations):
                self._calculations.clear()
                self._frames.clear()
            self._calculations[key] = self._begin(run, as_of)
        return self._calculations[key]

    def _begin(self, run: dg.DagsterRun, as_of: dt.date) -> int:
        instant = run.tags.get(AT_TAG)
        with self.parameters(run):
            settings = dict(self._settings(as_of, dt.datetime.fromisoformat(instant) if instant else None))
            in_force = reader.all_in_force(as_of)
        if PARAMETERS_OF_TAG in run.tags:
            settings["parameters_of"] = int(run.tags[PARAMETERS_OF_TAG])
        return storage.begin(self.urls, as_of, run.run_id, self._code_version, settings, in_force)

    def parameters(self, run: dg.DagsterRun) -> AbstractContextManager[None]:
        """Context of everything that a run computes: where it asks for the parameters of an earlier calculation, those are in force.

        Raises
        ------
        StorageError : that calculation does not exist, or has none stored.
        """
        if PARAMETERS_OF_TAG not in run.tags:
            return nullcontext()
        source = int(run.tags[PARAMETERS_OF_TAG])
        if source not in self._stored_parameters:
            self._stored_parameters[source] = parameter_sets.stored(self.urls, source)
        return reader.replaced(self._stored_parameters[source])

    def audit(self, event: str, **about: Any) -> None:
        """Add a row to the audit log, in a transaction of its own; arguments as of `storage.audit.record`."""
        audit.record(self.urls, event, **about)

    def write(self, run: dg.DagsterRun, as_of: dt.date, table: str, frame: pd.DataFrame) -> None:
        """Store a table of a run's calculation."""
        self._frames = {key: kept for key, kept in self._frames.items() if key[2] != table}
        storage.write_table(self.urls, self.calculation_id(run, as_of), as_of, table, frame)

    def read(self, run: dg.DagsterRun, as_of: dt.date, table: str) -> pd.DataFrame:
        """Table of a run's calculation, else as published."""
        calculation_id = self.calculation_id(run, as_of)
        return self._kept((run.run_id, as_of, table), lambda: storage.read_table(self.urls, calculation_id, as_of, table))

    def read_history(self, run: dg.DagsterRun, as_of: dt.date, table: str, sessions: int | None) -> pd.DataFrame:
        """History of a table up to a date: the newest folder's row per key, the last `sessions` dates of it or all."""
        calculation_id = self.calculation_id(run, as_of)
        key = (run.run_id, as_of, table, sessions)
        if key not in self._frames and sessions:
            for (run_id, date, name, *kept), frame in self._frames.items():
                # A stage before has read a longer history: the days of this one are its last.
                if (run_id, date, name) == key[:3] and kept and kept[0] and kept[0] > sessions:
                    self._frames[key] = _last(frame, sessions)
                    return self._frames[key]
            # One reading serves all stages that want a long history: the longest that any of them wants.
            longest = self._longest.get(table, sessions)
            if MANY_SESSIONS <= sessions < longest:
                self._frames[key] = _last(self.read_history(run, as_of, table, longest), sessions)
        return self._kept(key, lambda: storage.read_history(self.urls, calculation_id, as_of, table, sessions=sessions))

    def read_previous(
        self, run: dg.DagsterRun, as_of: dt.date, tables: Sequence[str], history: Mapping[str, int | None]
    ) -> PreviousDate | None:
        """Published tables of the newest date before one, those in `history` up to that date; None where nothing is published before."""
        self._note_what_is_compared_with(self.calculation_id(run, as_of), as_of)
        found = storage.previous_calculation(self.urls, as_of)
        if found is None:
            return None

        def read(table: str) -> pd.DataFrame:
            if table in history:
                return storage.read_history(self.urls, found.calculation_id, found.as_of, table, sessions=history[table])
            return storage.read_published(self.urls, found.as_of, table)

        # A table that is newer than that date is not there; a history need not have rows of that date.
        wanted = [table for table in tables if table in history or table in found.tables]
        key = (run.run_id, found.calculation_id)
        return PreviousDate(found.as_of, {t: self._kept((*key, t, history.get(t, "date")), lambda t=t: read(t)) for t in wanted})

    def _note_what_is_compared_with(self, calculation_id: int, as_of: dt.date) -> None:
        """Of dates that run at once, the one before may have got its results since the files were read; other files stay what was seen."""
        seen = self._inputs.get(calculation_id)
        if seen is not None and (now := storage.inputs_seen(self.urls, calculation_id, as_of)).contents == seen.contents:
            self._inputs[calculation_id] = now

    def _kept(self, key: tuple[Any, ...], read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        if key not in self._frames:
            self._frames[key] = read()
        return self._frames[key]

    def set_content_hash(self, context: Context, content_hash: str) -> None:
        """Record which files a run's calculation was made from."""
        as_of = dt.date.fromisoformat(context.partition_key)
        calculation_id = self.calculation_id(context.run, as_of)
        storage.record_content(self.urls, calculation_id, content_hash)
        # Now, not at publication: this is what the stages are about to see.
        self._inputs[calculation_id] = storage.inputs_seen(self.urls, calculation_id, as_of)

    def publish_landing(self, context: Context, as_of: dt.date, tables: Mapping[str, pd.DataFrame], content_hash: str) -> None:
        """Store and publish the landed tables of an earlier date, nothing else of it."""
        calculation_id = self.calculation_id(context.run, as_of)
        for table, frame in tables.items():
            storage.write_table(self.urls, calculation_id, as_of, table, frame)
        storage.record_content(self.urls, calculation_id, content_hash)
        seen = storage.input_hash(self.urls, calculation_id, as_of)
        storage.publish(
            self.urls, calculation_id, input_hash=seen, scope="landing", expected_tables=list(tables), content_hash=content_hash
        )

    def publish(self, context: Context, as_of: dt.date, tables: list[str], downstream: Mapping[str, set[str]]) -> dict[str, Any]:
        """Publish a run's calculation; gives what the materialisation shows."""
        calculation_id = self.calculation_id(context.run, as_of)
        seen = self._inputs.get(calculation_id) or storage.inputs_seen(self.urls, calculation_id, as_of)
        published = storage.publish(
            self.urls, calculation_id, input_hash=seen.hash, scope="chain", expected_tables=tables, downstream=downstream
        )
        self._frames.clear()
        rows = sum(published.row_counts.values())
        return {"calculation_id": published.calculation_id, "state": published.state, "tables": len(published.tables), "rows": rows}

    def published_dates(self) -> set[dt.date]:
        """Dates of which something is published, if only the landed files."""
        return set(storage.published_dates(self.urls))

    def is_published_from(self, as_of: dt.date, content_hash: str) -> bool:
        """Whether the published chain of a date was made from these files."""
        return as_of in storage.published_dates(self.urls, "chain") and storage.published_content(self.urls, as_of) == content_hash

    def is_published_after(self, run: dg.DagsterRun, as_of: dt.date) -> bool:
        """Whether what is published of a date was begun after a run."""
        return storage.published_after(self.urls, as_of, run.run_id)

    def run_key(self, as_of: dt.date, content_hash: str) -> str:
        """Key of the run that a date's files are due: asked for again before that has ended, it is the same.

        Files alone do not make it: those that come back after a correction are due once more, and those of a calculation that was given up.
        """
        return f"{as_of}:{content_hash}:{storage.ended(self.urls, as_of)} ended"

    def published(self, as_of: dt.date, table: str) -> pd.DataFrame:
        """Published rows of a table."""
        return storage.read_published(self.urls, as_of, table)

    def abandon_dead(self, run_is_alive: Callable[[str], bool]) -> None:
        """Forget the rows of calculations whose run is over without having published them."""
        storage.abandon_dead(self.urls, run_is_alive)

    def evaluate_alerts(self, as_of: dt.date, thresholds: Mapping[str, float]) -> dict[str, Any]:
        """Raise and clear alerts from the published figures of a date; older dates than the newest published change nothing.

        The figures of any date go to the history of utilization.
        """
        live.record_publication(self.urls.libpq, as_of)
        with outbox.AlertEvaluation(self.urls.libpq) as evaluation:
            newest = evaluation.newest_published()
            if newest is None or as_of < newest:
                return {"raised": 0, "cleared": 0, "note": f"{newest} is published: older dates raise and clear nothing"}
            state = evaluation.state()
            watched = alert_rules.Watched(**{name: self.published(as_of, name) for name in WATCHED_TABLES})
            changes = alert_rules.evaluate(
                self.published(as_of, "portfolio_margins"),
                pd.DataFrame(state.open_alerts),
                pd.DataFrame(state.last_episodes),
                thresholds,
                as_of,
                evaluation.published_calculation(as_of),
                alert_rules.judgements(watched, as_of),
            )
            # What is published now has passed its checks: earlier failures are mended.
            mended = [a | {"as_of": as_of} for a in state.open_alerts if a["kind"] == alert_rules.FAILED_CHECK and a["as_of"] <= as_of]
            raised, cleared = evaluation.apply(changes.raised.to_dict("records"), [*changes.cleared.to_dict("records"), *mended])
        return {"raised": raised, "cleared": cleared}

    def evaluate_margin_calls(self, as_of: dt.date) -> dict[str, Any]:
        """Issue, follow and settle margin calls from published figures; older dates than the newest published change nothing."""
        with call_book.CallEvaluation(self.urls.libpq) as evaluation:
            newest = evaluation.newest_published()
            if newest is None or as_of < newest[0]:
                return {"issued": 0, "met": 0, "note": f"{newest and newest[0]} is published: older dates issue and settle nothing"}
            deficiencies, power = (self.published(as_of, name) for name in ("margin_deficiencies", "buying_power"))
            changes = call_rules.call_changes(deficiencies, power, evaluation.calls(as_of), as_of)
            return evaluation.apply(as_of, newest[1], **dataclasses.asdict(changes))

    def watch_publication(self, as_of: dt.date) -> str:
        """Raise an alert when a date, or a later one, is not published; clear it when it is; gives a line for the log."""
        alert: dict[str, Any] = {"portfolio_id": EVERY_PORTFOLIO, "kind": "missing_data", "subject": "", "threshold": 0.0}
        with outbox.AlertEvaluation(self.urls.libpq) as evaluation:
            newest = evaluation.newest_published()
            if newest is not None and newest >= as_of:
                evaluation.apply([], [alert | {"as_of": as_of}])
                return f"{newest} is published"
            state = evaluation.state()
            if any(alert.items() <= known.items() for known in state.open_alerts):
                return f"{as_of} is not published; the alert is open already"
            episode = max((known["episode"] for known in state.last_episodes if alert.items() <= known.items()), default=0) + 1
            message = (
                f"{as_of} is not published; the newest published date is {newest or 'none'}: see the runs of {as_of} and its landing folder"
            )
            details = {
                "as_of": as_of,
                "calculation_id": None,
                "severity": "critical",
                "episode": episode,
                "observed": None,
                "message": message,
            }
            evaluation.apply([alert | details], [])
            return message

    def raise_failed_run(self, as_of: dt.date, failed: Sequence[str], message: str) -> int:
        """Raise an alert for each failed check (or step) of a run of a date; gives how many are new."""
        with outbox.AlertEvaluation(self.urls.libpq) as evaluation:
            state = evaluation.state()
            raised = alert_rules.failed_checks(pd.DataFrame(state.open_alerts), pd.DataFrame(state.last_episodes), failed, message, as_of)
            return evaluation.apply(raised.to_dict("records"), [])[0]

    def retire(self, before: dt.date) -> dict[str, Any]:
        """Drop months that lie wholly before a date and that no later date needs; gives what the job shows."""
        plan = retention.execute(self.urls, before, retention.exempt_tables(self._longest))
        gone = [partition for partition in plan.dropped if partition.rows]
        return {
            "before": before.isoformat(),
            "partitions": len(gone),
            "rows": sum(partition.rows for partition in gone),
            "bytes": sum(partition.bytes for partition in gone),
        }

    def standing_stop(self) -> str | None:
        """Why automation is stopped, by whom and since when; None where it goes on."""
        stop = automation.standing_stop(self.urls.libpq)
        return f"stopped by {stop.stopped_by} since {stop.stopped_at:%Y-%m-%d %H:%M:%S %Z}: {stop.reason}" if stop else None

    def sole_deliverer(self, channel: str) -> AbstractContextManager[bool]:
        """Hold a channel of alerts, so that two daemons do not tell the same thing twice."""
        return outbox.sole_deliverer(self.urls.libpq, channel)

    def undelivered(self, channel: str) -> list[dict[str, Any]]:
        """Alert events that a channel has not been told yet."""
        return outbox.undelivered(self.urls.libpq, channel)

    def mark_delivered(self, events: Sequence[Mapping[str, Any]], channel: str) -> None:
        """Record that a channel has been told."""
        outbox.mark_delivered(self.urls.libpq, events, channel)

    def mark_failed(self, events: Sequence[Mapping[str, Any]], channel: str, error: str) -> None:
        """Record that telling a channel failed."""
        outbox.mark_failed(self.urls.libpq, events, channel, error)

    def mark_unwanted(self, events: Sequence[Mapping[str, Any]], channel: str) -> None:
        """Record that a channel leaves events out."""
        outbox.mark_unwanted(self.urls.libpq, events, channel)


def _last(frame: pd.DataFrame, sessions: int) -> pd.DataFrame:
    """Rows of the last sessions of a history; the frame itself where it has no more."""
    days = np.unique(frame["date"].to_numpy())
    return frame if len(days) <= sessions else frame[frame["date"].to_numpy() >= days[-sessions]].reset_index(drop=True)
