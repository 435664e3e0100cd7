"""What is watched besides utilization, as a frozen record.

Belongs here: reading alerts.yaml. Not here: judging figures (`decisions.alerts`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force


@dataclass(frozen=True)
class AlertRules:
    """Limits of alerts in force on a date.

    Attributes
    ----------
    concentration : net exposure to one underlying over equity, by severity, fractions.
    concentration_hysteresis : how far below its limit such an alert clears, fraction.
    concentration_exempt_classes : asset classes that are no single name.
    oldest_mark_days : calendar days that a mark may be older than the date.
    forecast_horizon_minutes : horizon of the forecast that is watched, session minutes.
    forecast_probability : probability of a breach, by severity, fractions.
    forecast_hysteresis : how far below its limit such an alert clears, fraction.
    """

    concentration: Mapping[str, float]
    concentration_hysteresis: float
    concentration_exempt_classes: frozenset[str]
    oldest_mark_days: int
    forecast_horizon_minutes: int
    forecast_probability: Mapping[str, float]
    forecast_hysteresis: float


def alert_rules(as_of: dt.date) -> AlertRules:
    """Limits in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    v = in_force("alerts", as_of).values
    return AlertRules(
        concentration={str(k): float(x) for k, x in v["concentration"].items()},
        concentration_hysteresis=float(v["concentration_hysteresis"]),
        concentration_exempt_classes=frozenset(v["concentration_exempt_classes"]),
        oldest_mark_days=int(v["oldest_mark_days"]),
        forecast_horizon_minutes=int(v["forecast_horizon_minutes"]),
        forecast_probability={str(k): float(x) for k, x in v["forecast_probability"].items()},
        forecast_hysteresis=float(v["forecast_hysteresis"]),
    )
