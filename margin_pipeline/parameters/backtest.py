"""Settings of backtests in force on a date, as a frozen record.

Belongs here: reading and checking backtest.yaml. Not here: computing backtests (`risk`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from margin_pipeline.parameters.reader import ParameterError, in_force


@dataclass(frozen=True)
class BacktestSettings:
    """Settings of backtests; meanings stand in backtest.yaml.

    Attributes
    ----------
    label : file and version.
    days : sessions tested.
    min_window : least profits before a day for its value at risk.
    min_days : least days tested.
    significance : of the tests, in (0, 1).
    yellow_from, red_from : cumulative probabilities at which the zones begin.
    multiplier_days, multiplier_confidence : what the additions are made for.
    multiplier_additions : addition by number of exceptions; the last one counts for more.
    margin_period_days, otc_margin_period_days : trading days.
    coverage_target, otc_coverage_target : fractions of periods.
    """

    label: str
    days: int
    min_window: int
    min_days: int
    significance: float
    yellow_from: float
    red_from: float
    multiplier_days: int
    multiplier_confidence: float
    multiplier_additions: tuple[float, ...]
    margin_period_days: int
    coverage_target: float
    otc_margin_period_days: int
    otc_coverage_target: float

    def __post_init__(self) -> None:
        """Refuse settings that no backtest can be made with."""
        if not 1 <= self.min_days <= self.days or self.min_window < 2:
            raise ParameterError(f"{self.label}: needs 1 <= min_days <= days and min_window >= 2")
        if not (0 < self.significance < 1 and 0 < self.yellow_from <= self.red_from < 1):
            raise ParameterError(f"{self.label}: significance must be in (0, 1), and 0 < yellow_from <= red_from < 1")
        if not self.multiplier_additions or list(self.multiplier_additions) != sorted(self.multiplier_additions):
            raise ParameterError(f"{self.label}: multiplier_additions must not fall as exceptions grow")
        if min(self.margin_period_days, self.otc_margin_period_days) < 1:
            raise ParameterError(f"{self.label}: margin periods must be at least 1 day")
        if not (0 < self.coverage_target <= 1 and 0 < self.otc_coverage_target <= 1):
            raise ParameterError(f"{self.label}: coverage targets must be in (0, 1]")


def backtest_settings(as_of: dt.date) -> BacktestSettings:
    """Settings of backtests in force on a date.

    Raises
    ------
    ParameterError : no version in force, a value missing or unknown, or values that cannot be used.
    """
    found = in_force("backtest", as_of)
    names = {field.name for field in fields(BacktestSettings)} - {"label"}
    if set(found.values) != names:
        raise ParameterError(f"{found.label}: missing or unknown values: {', '.join(sorted(names ^ set(found.values)))}")
    values = dict(found.values) | {"multiplier_additions": tuple(float(a) for a in found.values["multiplier_additions"])}
    return BacktestSettings(label=found.label, **values)
