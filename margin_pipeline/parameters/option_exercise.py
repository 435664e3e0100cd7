"""Exercise of expiring options in force on a date, as a frozen record.

Belongs here: reading and checking option_exercise.yaml. Not here: what is exercised (`decisions`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class ExerciseRules:
    """Exercise by exception.

    Attributes
    ----------
    version : parameter file and version.
    threshold : what an option must be in the money by, money a unit of the underlying.
    sessions : expiries up to so many sessions ahead are looked at.
    reference : rule and paragraph.
    """

    version: RuleVersion
    threshold: float
    sessions: int
    reference: str


def exercise_rules(as_of: dt.date) -> ExerciseRules:
    """Rules of exercise in force on a date.

    Raises
    ------
    ParameterError : no version in force, or numbers that no rule can mean.
    """
    found = in_force("option_exercise", as_of)
    threshold, sessions = float(found.values["threshold"]), int(found.values["sessions"])
    if not threshold > 0 or sessions < 1:
        raise ParameterError(f"{found.label}: the threshold must be above 0, and at least one session be looked at")
    return ExerciseRules(RuleVersion(found.label, found.effective_date), threshold, sessions, str(found.values["reference"]))
