"""Settings of forecasts of breaches in force on a date, as a frozen record.

Belongs here: reading and checking forecast.yaml. Not here: forecasting (`risk`, `decisions`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from margin_pipeline.parameters.reader import ParameterError, in_force

_LISTS = {
    "horizons_minutes": int, "calibration_horizons_days": int, "starting_probabilities": float,
}  # fmt: skip


@dataclass(frozen=True)
class ForecastSettings:
    """Settings of forecasts; meanings stand in forecast.yaml.

    Attributes
    ----------
    label : file and version.
    horizons_minutes : session minutes, ascending.
    session_minutes : of a session.
    margin_call : threshold of utilization.
    bump : relative move, fraction.
    longest_minutes : session minutes.
    largest_deviation : fraction of margin equity.
    calibration_days, min_window : days.
    calibration_horizons_days : trading days, ascending.
    starting_probabilities : fractions, ascending.
    bins : count.
    """

    label: str
    horizons_minutes: tuple[int, ...]
    session_minutes: int
    margin_call: float
    bump: float
    longest_minutes: int
    largest_deviation: float
    calibration_days: int
    min_window: int
    calibration_horizons_days: tuple[int, ...]
    starting_probabilities: tuple[float, ...]
    bins: int

    def __post_init__(self) -> None:
        """Refuse settings that no forecast can be made with."""
        for name in _LISTS:
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values)) or values[0] <= 0:
                raise ParameterError(f"{self.label}: {name} must be positive and ascend")
        if self.starting_probabilities[-1] >= 1:
            raise ParameterError(f"{self.label}: starting_probabilities must be below 1")
        if not 0 < self.bump < 0.5 or not 0 < self.largest_deviation < 1:
            raise ParameterError(f"{self.label}: bump must be in (0, 0.5), largest_deviation in (0, 1)")
        if min(self.session_minutes, self.longest_minutes, self.calibration_days, self.bins) < 1 or self.min_window < 2:
            raise ParameterError(f"{self.label}: counts must be at least 1, min_window at least 2")
        if not self.margin_call > 0:
            raise ParameterError(f"{self.label}: margin_call must be above 0")


def forecast_settings(as_of: dt.date) -> ForecastSettings:
    """Settings of forecasts in force on a date.

    Raises
    ------
    ParameterError : no version in force, a value missing or unknown, or values that cannot be used.
    """
    found = in_force("forecast", as_of)
    names = {field.name for field in fields(ForecastSettings)} - {"label"}
    if set(found.values) != names:
        raise ParameterError(f"{found.label}: missing or unknown values: {', '.join(sorted(names ^ set(found.values)))}")
    lists = {name: tuple(kind(value) for value in found.values[name]) for name, kind in _LISTS.items()}
    return ForecastSettings(label=found.label, **(dict(found.values) | lists))
