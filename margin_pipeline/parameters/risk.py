"""Settings of value at risk in force on a date, as a frozen record.

Belongs here: reading and checking risk.yaml. Not here: computing risk (`risk`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force


@dataclass(frozen=True)
class RiskSettings:
    """Settings of risk figures; meanings stand in risk.yaml.

    Attributes
    ----------
    label : file and version.
    confidences : fractions, each in (0, 1).
    horizons_days : trading days.
    historical_window : scenarios of historical simulation.
    min_observations : least daily returns of a risk factor.
    calendar_share : least share of living price series with a close on a day of the calendar.
    trading_days : trading days a year.
    """

    label: str
    confidences: tuple[float, ...]
    horizons_days: tuple[int, ...]
    historical_window: int
    min_observations: int
    calendar_share: float
    trading_days: int

    def __post_init__(self) -> None:
        """Refuse settings that no figure can be computed with."""
        if not self.confidences or not all(0 < c < 1 for c in self.confidences):
            raise ParameterError(f"{self.label}: confidences must be fractions between 0 and 1")
        if not self.horizons_days or not all(h >= 1 for h in self.horizons_days):
            raise ParameterError(f"{self.label}: horizons_days must be whole numbers of at least 1")
        if self.min_observations < 2 or self.historical_window < self.min_observations:
            raise ParameterError(f"{self.label}: needs historical_window >= min_observations >= 2")
        if not 0 < self.calendar_share <= 1 or self.trading_days < 1:
            raise ParameterError(f"{self.label}: calendar_share must be in (0, 1] and trading_days at least 1")


def risk_settings(as_of: dt.date) -> RiskSettings:
    """Risk settings in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("risk", as_of)
    v = found.values
    return RiskSettings(
        label=found.label,
        confidences=tuple(float(c) for c in v["confidences"]),
        horizons_days=tuple(int(h) for h in v["horizons_days"]),
        historical_window=int(v["historical_window"]),
        min_observations=int(v["min_observations"]),
        calendar_share=float(v["calendar_share"]),
        trading_days=int(v["trading_days"]),
    )
