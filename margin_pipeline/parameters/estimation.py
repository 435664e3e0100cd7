"""Settings of estimation in force on a date, as a frozen record.

Belongs here: reading and checking estimation.yaml. Not here: estimating (`market`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields

from margin_pipeline.parameters.reader import ParameterError, in_force

ESTIMATORS = ("exponentially_weighted", "sample", "ledoit_wolf")
VOLATILITY_FLOORS = ("none", "stressed_weight", "long_look_back")


@dataclass(frozen=True)
class EstimationSettings:
    """How volatility, correlation and beta are estimated.

    Attributes
    ----------
    estimator : of the correlation: "exponentially_weighted", "sample" or "ledoit_wolf".
    half_life : sessions after which an observation weighs half, of volatility, beta and the exponentially weighted correlation.
    window : returns used, newest first.
    min_observations : returns below which there is no estimate.
    benchmark : symbol that beta is against.
    annualisation_days : daily variances in a year.
    vasicek_shrinkage : whether betas are shrunk towards 1.
    calendar_share : part of the symbols that trade at the time that must have a close for a date to be a session.
    volatility_floor : "none", "stressed_weight" or "long_look_back" (RTS 153/2013 art. 28).
    stressed_weight : weight of the stressed variance under the first.
    stressed_window : sessions of the stressed period.
    long_look_back : returns of the long look-back.
    """

    estimator: str = "exponentially_weighted"
    half_life: float = 63.0
    window: int = 756
    min_observations: int = 20
    benchmark: str = "SP500"
    annualisation_days: int = 252
    vasicek_shrinkage: bool = False
    calendar_share: float = 0.5
    volatility_floor: str = "none"
    stressed_weight: float = 0.25
    stressed_window: int = 252
    long_look_back: int = 2520

    def __post_init__(self) -> None:
        """Refuse settings that no estimate can be made with."""
        if self.estimator not in ESTIMATORS:
            raise ParameterError(f"estimator {self.estimator!r} is none of {', '.join(ESTIMATORS)}")
        if self.volatility_floor not in VOLATILITY_FLOORS:
            raise ParameterError(f"volatility_floor {self.volatility_floor!r} is none of {', '.join(VOLATILITY_FLOORS)}")
        if not (self.half_life > 0 and self.annualisation_days > 0 and 0 < self.calendar_share <= 1 and 0 <= self.stressed_weight <= 1):
            raise ParameterError("half_life and annualisation_days must be positive, calendar_share in (0, 1], stressed_weight in [0, 1]")
        if not 3 <= self.min_observations <= self.window or self.stressed_window < 2 or self.long_look_back < self.window:
            raise ParameterError("needed: 3 <= min_observations <= window <= long_look_back, and stressed_window of at least 2")

    @property
    def history(self) -> int:
        """Returns that the estimates need: the window, or the long look-back where a floor uses older ones."""
        return self.window if self.volatility_floor == "none" else self.long_look_back


def estimation_settings(as_of: dt.date) -> EstimationSettings:
    """Settings of estimation in force on a date.

    Raises
    ------
    ParameterError : no version in force, a value missing or unknown, or values that cannot be used.
    """
    found = in_force("estimation", as_of)
    names = {field.name for field in fields(EstimationSettings)}
    if set(found.values) != names:
        raise ParameterError(f"{found.label}: missing or unknown values: {', '.join(sorted(names ^ set(found.values)))}")
    return EstimationSettings(**found.values)
