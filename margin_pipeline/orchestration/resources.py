"""Resources: what steps, schedules and sensors are given besides tables.

Belongs here: rules of the date, landing zone, compute backend, notifier settings. Not here: SQL (`storage`), formulas.
The result store has a module of its own.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from margin_pipeline import landing
from margin_pipeline.compute import Backend, Mapper, mapped_by, routing
from margin_pipeline.orchestration import partitions
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.parameters import in_force
from margin_pipeline.parameters.reader import names

__all__ = ["ComputeResource", "LandingZone", "NotifierSettings", "ResultStore", "Rules", "calculation_settings"]


SESSIONS_AHEAD = 21
"""Sessions after a date that stages know: no call is due later, no expiry looked at further ahead."""


@dataclass(frozen=True)
class Rules:
    """Calendar and thresholds.

    Attributes
    ----------
    calendar : name of the exchange calendar.
    threshold_overrides : utilization thresholds that replace the shipped ones.
    """

    calendar: str
    threshold_overrides: Mapping[str, float]

    def is_session(self, date: dt.date) -> bool:
        """Whether a date is a session."""
        return partitions.is_session(self.calendar, date, dt.datetime.now(dt.UTC).date())

    def next_sessions(self, as_of: dt.date) -> tuple[dt.date, ...]:
        """Sessions after a date, the nearest first, as far ahead as any rule looks."""
        return partitions.sessions_after(self.calendar, as_of, SESSIONS_AHEAD, dt.datetime.now(dt.UTC).date())

    def market_is_open(self, at: dt.datetime | None, as_of: dt.date) -> bool:
        """Whether the market trades at an instant of the date and is not about to close; without one it is after the close.

        An instant of another date finds the positions of this one held overnight.
        """
        return at is not None and partitions.is_open_and_not_closing_soon(self.calendar, at, as_of)

    def calculated_at(self, at: dt.datetime | None, as_of: dt.date) -> dt.datetime:
        """Instant that figures of a date are of: the one given, or the close, so that a repeated run gives the same."""
        return partitions.close_of(self.calendar, as_of) if at is None else at.astimezone(dt.UTC)

    def thresholds(self, as_of: dt.date) -> dict[str, float]:
        """Utilization thresholds and hysteresis in force, fractions."""
        return {**in_force("thresholds", as_of).values, **self.threshold_overrides}


@dataclass(frozen=True)
class LandingZone:
    """The folder that holds a folder of files for each date."""

    path: Path

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def dates(self) -> list[dt.date]:
        """Dates that have a folder, oldest first."""
        return landing.list_folders(self.path) if self.path.is_dir() else []

    def missing_files(self, date: dt.date) -> list[str]:
        """Required files that a date's folder does not hold yet."""
        return landing.missing_files(self.path / date.isoformat())

    def stamp(self, date: dt.date) -> str:
        """Names, sizes and times of a date's files: cheap to compare from tick to tick."""
        folder = self.path / date.isoformat()
        return ";".join(f"{f.name}:{s.st_size}:{s.st_mtime_ns}" for f in sorted(folder.iterdir()) if f.is_file() and (s := f.stat()))

    def fingerprint(self, date: dt.date) -> str:
        """Content hash of a date's files."""
        return landing.fingerprint(self.path / date.isoformat())


@dataclass(frozen=True)
class NotifierSettings:
    """Where alerts are sent besides the log: a webhook, and the channels of a file."""

    webhook_url: str | None = field(repr=False)
    file: Path | None = None


class ComputeResource:
    """Chooses the backend of heavy arithmetic: measured once a machine, or as preferred.

    Parameters
    ----------
    preference : auto, numpy, mlx-cpu or mlx-gpu.
    threads : threads of the linear algebra library.
    measurements : file that keeps the measured speeds of this machine.
    mapper : computes chunks that need not be computed here; None: threads of this machine do. Results do not depend on it.
    """

    def __init__(self, preference: str, threads: int, measurements: Path, mapper: Mapper | None = None) -> None:
        self.preference = preference
        self.threads = threads
        self.measurements = measurements
        self.mapper = mapper

    def mapped(self) -> AbstractContextManager[None]:
        """Context of a step: its chunks go where the settings say."""
        return mapped_by(self.mapper)

    def backend(self, kernel: str, size: int, notes: dict[str, Any]) -> Backend:
        """Backend for a kernel of a size; which, why and how long the choice took goes to `notes`."""
        started = time.perf_counter()
        choice = routing.route(self.preference, kernel, size, self.measurements, self.threads)
        notes.update(
            device=choice.backend.device,
            backend=choice.backend.name,
            backend_reason=choice.reason,
            choice_seconds=time.perf_counter() - started,
        )
        return choice.backend

    def describe(self) -> dict[str, Any]:
        """What a calculation records: preference, threads and the choice for each kernel."""
        return {
            "preference": self.preference,
            "threads": self.threads,
            "choices": routing.choices(self.preference, self.measurements, self.threads),
        }


def calculation_settings(calendar: str, as_of: dt.date, at: dt.datetime | None, rules: Rules, compute: ComputeResource) -> dict[str, Any]:
    """Everything that decides a result besides inputs and code: kept with the calculation."""
    return {
        "calendar": calendar,
        "at": at.isoformat() if at else None,
        "thresholds": rules.thresholds(as_of),
        "parameters": sorted(in_force(name, as_of).label for name in names()),
        "compute": compute.describe(),
    }
