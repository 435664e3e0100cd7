"""What a stage may know besides its tables: the date, the time of day, thresholds and the compute backend.

Belongs here: the record that the factory passes on. Not here: tables, environment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from margin_pipeline.orchestration.resources import ComputeResource


@dataclass(frozen=True)
class CalculationContext:
    """One run's view of one business date.

    Attributes
    ----------
    as_of : business date.
    at : instant whose intraday rules apply; None: after the close.
    market_is_open : whether the market trades at `at` and is not about to close.
    thresholds : utilization thresholds and hysteresis in force, fractions.
    compute : chooses the backend of heavy arithmetic.
    next_sessions : sessions after the date, the nearest first.
    calculated_at : instant that figures about what comes next begin at: `at`, or the close of the date.
    notes : metadata that the stage adds to its materialisations (backend, seconds and why).
    """

    as_of: dt.date
    at: dt.datetime | None
    market_is_open: bool
    thresholds: Mapping[str, float]
    compute: ComputeResource
    next_sessions: tuple[dt.date, ...] = ()
    calculated_at: dt.datetime | None = None
    notes: dict[str, Any] = field(default_factory=dict)
