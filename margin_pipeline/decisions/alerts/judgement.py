"""What a set of figures says about the alerts of one portfolio and kind.

Belongs here: the records. Not here: which figures say what (the modules beside this one), which alerts stand (`evaluation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

EVERY_PORTFOLIO = "*"
"""portfolio_id of alerts about the firm, or the pipeline itself."""


@dataclass(frozen=True)
class Condition:
    """An alert that should stand, if it does not stand already.

    Attributes
    ----------
    subject : what it is about within portfolio and kind (a symbol, a regulatory line); empty: the portfolio.
    threshold : threshold that was crossed, in the unit of observed; 0 where there is none.
    severity : info, warning, critical or emergency.
    observed : figure that crossed it; None where there is none.
    message : one line for a person: what, how much, what to look at.
    """

    threshold: float
    severity: str
    observed: float | None
    message: str
    subject: str = ""


@dataclass(frozen=True)
class Judgement:
    """Alerts of one portfolio and kind, as the figures call for them.

    A kind of which nothing is known has no judgement: its alerts stay as they are.

    Attributes
    ----------
    conditions : alerts that should stand.
    is_over : whether an open alert, by subject and threshold, ends (`always`, `below`).
    """

    portfolio_id: str
    kind: str
    conditions: tuple[Condition, ...]
    is_over: Callable[[str, float], bool]


def always(ends: bool) -> Callable[[str, float], bool]:
    """Every open alert of a judgement ends, or none does."""

    def is_over(subject: str, threshold: float) -> bool:
        return ends

    return is_over


def below(values: Mapping[str, float], hysteresis: float) -> Callable[[str, float], bool]:
    """An open alert ends once the figure of its subject is below its threshold by more than the hysteresis; no figure is 0."""

    def is_over(subject: str, threshold: float) -> bool:
        return values.get(subject, 0.0) < threshold - hysteresis

    return is_over
