"""What a benchmark returns, and how it is timed and printed.

Belongs here: the record, the clock, the table. Not here: what is timed.

Figures are ratios within one run wherever a ratio says it: seconds differ from machine to machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """One figure.

    Attributes
    ----------
    name : what was measured.
    figure : the measured value.
    unit : "s", "GB", "x" (a ratio), …
    target : the value to reach; None: for information.
    at_least : whether the target is a least value rather than a most.
    note : what a reader must know to understand the figure.
    """

    name: str
    figure: float
    unit: str
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.at_least else self.figure <= self.target


def least_seconds(function: Callable[[], Any], repeats: int = 5) -> float:
    """Least wall time of some calls, after one that is not timed."""
    function()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)


def table(results: Iterable[Result]) -> str:
    """Results as lines of text: name, figure, target, met or not, note."""
    lines = []
    for r in results:
        target = "" if r.target is None else f"{'at least' if r.at_least else 'at most'} {r.target:g} {r.unit}"
        verdict = {True: "met", False: "NOT MET", None: ""}[r.is_met]
        lines.append(f"{r.name:<72} {r.figure:>10.3g} {r.unit:<3} {target:<16} {verdict:<8} {r.note}".rstrip())
    return "\n".join(lines)
