"""Settings of value at risk in force on a date, as a frozen record.

Belongs here: reading and checking risk.yaml. Not here: computing risk (`risk`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force

METHODS = ("gaussian", "delta_gamma", "cornish_fisher", "historical", "monte_carlo")
DISTRIBUTIONS = ("normal", "student_t")
SEQUENCES = ("antithetic", "sobol")


@dataclass(frozen=True)
class MonteCarloSettings:
    """How returns of risk factors are drawn.

    Attributes
    ----------
    scenarios : count.
    distribution : "normal" or "student_t", both of the estimated covariance.
    degrees_of_freedom : of Student's t, above 2.
    sequence : "antithetic" (each draw with its mirror image) or "sobol" (scrambled, quasi-random).
    replications : independent scramblings of the Sobol sequence, from whose spread the standard error comes.
    grid_knots : returns at which option books are valued; odd, so that 0 is one.
    seed : of the random generator.
    """

    scenarios: int
    distribution: str
    degrees_of_freedom: float
    sequence: str
    replications: int
    grid_knots: int
    seed: int

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be drawn with."""
        if self.distribution not in DISTRIBUTIONS or self.sequence not in SEQUENCES:
            raise ParameterError(f"monte_carlo: distribution is one of {', '.join(DISTRIBUTIONS)}, sequence of {', '.join(SEQUENCES)}")
        if self.degrees_of_freedom <= 2:
            raise ParameterError("monte_carlo: degrees_of_freedom must be above 2, for a covariance to exist")
        if self.replications < 2 or self.scenarios < 2 * self.replications or self.scenarios % 2:
            raise ParameterError("monte_carlo: scenarios must be even and at least twice the replications, of which there are at least 2")
        length = self.scenarios // self.replications
        if self.sequence == "sobol" and (length * self.replications != self.scenarios or length & (length - 1)):
            raise ParameterError("monte_carlo: a Sobol sequence is balanced at powers of 2: scenarios = replications x a power of 2")
        if self.grid_knots < 17 or self.grid_knots % 2 == 0 or self.seed < 0:
            raise ParameterError("monte_carlo: grid_knots must be odd and at least 17, the seed not negative")


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
    methods : methods of the figures, of `METHODS`.
    delta_gamma_variables : leading variables of quadratic forms with many.
    monte_carlo : scenarios of the simulation.
    """

    label: str
    confidences: tuple[float, ...]
    horizons_days: tuple[int, ...]
    historical_window: int
    min_observations: int
    calendar_share: float
    trading_days: int
    methods: tuple[str, ...]
    delta_gamma_variables: int
    monte_carlo: MonteCarloSettings

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
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown or not self.methods or len(set(self.methods)) < len(self.methods):
            raise ParameterError(f"{self.label}: methods must be some of {', '.join(METHODS)}, each once")
        if self.delta_gamma_variables < 1:
            raise ParameterError(f"{self.label}: delta_gamma_variables must be at least 1")


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
        methods=tuple(str(m) for m in v["methods"]),
        delta_gamma_variables=int(v["delta_gamma_variables"]),
        monte_carlo=_monte_carlo(found.label, v["monte_carlo"]),
    )


def _monte_carlo(label: str, values: dict[str, Any]) -> MonteCarloSettings:
    names = {field.name for field in fields(MonteCarloSettings)}
    if set(values) != names:
        raise ParameterError(f"{label}: monte_carlo: missing or unknown values: {', '.join(sorted(names ^ set(values)))}")
    return MonteCarloSettings(**values)
