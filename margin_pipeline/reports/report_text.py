"""How figures and verdicts read in a report.

Belongs here: numbers to text, statuses to tones, reasons. Not here: layout.

A figure that is not known reads "undetermined" with the reason, never 0 and never nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from margin_pipeline.reports.document.model import Cell

STATUS_TONES = {
    "safe": "good", "pass": "good", "passed": "good", "explained": "good", "match": "good", "green": "good",
    "warning": "watch", "critical": "watch", "yellow": "watch", "partly_explained": "watch",
    "emergency": "bad", "liquidatable": "bad", "breach": "bad", "failed": "bad", "red": "bad",
    "undetermined": "unknown", "unexplained": "unknown",
    "information": "neutral", "not_applicable": "neutral",
}  # fmt: skip
NO_REASON = "no reason is recorded"
MOST_REASONS = 3


def is_known(value: object) -> bool:
    """Whether a cell of a table holds something."""
    return value is not None and value is not pd.NaT and value is not pd.NA and not (isinstance(value, float) and math.isnan(value))


def undetermined(reason: object = None) -> Cell:
    """A figure that could not be found, and why."""
    return Cell(f"undetermined: {reasons(reason) or NO_REASON}", "unknown")


def bare(cell: Cell) -> Cell:
    """The cell without a reason, for rows in which it stands once for all."""
    return Cell("undetermined", "unknown") if cell.tone == "unknown" else cell


def key(cell: Cell) -> Cell:
    """The cell as one that tells rows apart."""
    return replace(cell, is_key=True)


def reasons(missing: object, most: int = MOST_REASONS) -> str:
    """What is missing, from a cell that holds a text or a JSON list of texts; empty where nothing is."""
    found = listed(missing)
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "; ".join([*found[:most], *more])


def listed(missing: object) -> list[str]:
    """The same as a list."""
    if not is_known(missing) or missing == "":
        return []
    if isinstance(missing, str):
        if not missing.startswith("["):
            return [missing]
        try:
            missing = json.loads(missing)
        except json.JSONDecodeError:
            return [str(missing)]
    return [str(one) for one in missing] if isinstance(missing, Sequence) else [str(missing)]


def amount(value: Any, reason: object = None) -> Cell:
    """An amount of money, to the cent."""
    if not is_known(value):
        return undetermined(reason)
    if not math.isfinite(value):
        return Cell("without bound" if value > 0 else "without bound, negative", "bad")
    return Cell(_signless_zero(f"{float(value):,.2f}"))


def share(value: Any, reason: object = None, *, digits: int = 1) -> Cell:
    """A fraction, in percent; one that has no bound says so."""
    if not is_known(value):
        return undetermined(reason)
    if not math.isfinite(value):
        return Cell("without bound", "bad")
    return Cell(_signless_zero(f"{100 * float(value):,.{digits}f}") + " %")


def number(value: Any, reason: object = None) -> Cell:
    """A number with up to six digits after the point; small ones with three that count."""
    if not is_known(value):
        return undetermined(reason)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Cell(str(value))
    if not math.isfinite(value):
        return Cell("without bound")
    if value == int(value):
        return Cell(f"{int(value):,d}")
    if abs(value) < 1e-3:
        return Cell(f"{value:.3g}")
    return Cell(_signless_zero(f"{value:,.6f}".rstrip("0").rstrip(".")))


def regulatory(value: Any, unit: str, reason: object = None) -> Cell:
    """A figure of a regulatory line with its unit: money to the cent, anything else as a number."""
    if not is_known(value):
        return undetermined(reason)
    if is_currency(unit):
        return Cell(f"{amount(value).text} {unit}")
    return Cell(number(value).text + ("" if unit in ("ratio", "count", "") else f" {unit}"))


def is_currency(unit: str) -> bool:
    """Whether a unit is an ISO 4217 code."""
    return len(unit) == 3 and unit.isalpha() and unit.isupper()


def status(value: Any) -> Cell:
    """A status of any table, in words, with its tone."""
    text = str(value) if is_known(value) and value != "" else "undetermined"
    return Cell(words(text), STATUS_TONES.get(text, ""))


def verdict(passed: Any) -> Cell:
    """Passed, failed, or neither."""
    if not is_known(passed):
        return Cell("undetermined", "unknown")
    return Cell("passed", "good") if passed else Cell("failed", "bad")


def has_failed(passed: Any) -> bool:
    """Whether a test is known to have failed."""
    return is_known(passed) and not passed


def words(name: Any) -> str:
    """A column's, method's or status's name as words."""
    return str(name).replace("_", " ")


def text(value: Any, otherwise: str) -> str:
    """A text, or what is said instead of an empty one."""
    return str(value) if is_known(value) and str(value) != "" else otherwise


def instant(value: Any) -> str:
    """An instant in UTC, to the second."""
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if is_known(value) else "unknown"


def day(value: Any) -> str:
    """A date."""
    return f"{value:%Y-%m-%d}" if is_known(value) else "unknown"


def _signless_zero(shown: str) -> str:
    return shown[1:] if shown.startswith("-") and not shown.strip("-0.,") else shown
