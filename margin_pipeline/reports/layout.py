"""Plain text for people, and rows for programs: aligned columns, wrapped sentences, figures, JSON.

Belongs here: how rows and text are laid out. Not here: what they say.
"""

from __future__ import annotations

import datetime as dt
import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

WIDTH = 110
"""Characters a line has at most, where no single word is longer."""

SMALL = 1e-3
"""Figures below are shown with three digits that count."""


def money(value: float | None) -> str:
    """An amount to the cent; "-" where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value + 0.0:,.2f}".replace("-0.00", "0.00") if abs(value) < 0.01 else f"{value:,.2f}"


def figure(value: object) -> str:
    """A number with up to six digits after the point (small ones: three that count); anything else as text, "-" where there is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value) or value == int(value):
        return f"{value + 0.0:,.0f}"  # minus zero is zero
    if abs(value) < SMALL:
        return f"{value:.3g}"
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def percent(fraction: float) -> str:
    """A fraction in percent; "-" where there is none, "all" where it has no bound."""
    if math.isnan(fraction):
        return "-"
    return f"{fraction:.1%}".replace("%", " %") if math.isfinite(fraction) else "all"


def words(name: str) -> str:
    """A column's or structure's name as words."""
    return name.replace("_", " ")


def columns(rows: Sequence[Sequence[str]], right: Sequence[int], header: Sequence[str] = (), indent: int = 2) -> list[str]:
    """Rows in aligned columns, those numbered `right` at the right; the last one, when it is text, is wrapped."""
    every = [list(header)] * bool(header) + [list(row) for row in rows]
    if not every:
        return []
    last = len(every[0]) - 1
    widths = [max(len(row[place]) for row in every) for place in range(last + 1)]
    lines = []
    for row in every:
        cells = [
            cell.rjust(width) if place in right else cell.ljust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        if last in right:
            lines.append(" " * indent + "  ".join(cells).rstrip())
            continue
        lines += wrapped(row[last], " " * indent + "".join(f"{cell}  " for cell in cells[:-1]))
    return lines


def wrapped(text: str, start: str = "", indent: int | None = None) -> list[str]:
    """A sentence as lines: the first begins with `start`, the others under the text, or `indent` characters in."""
    rest = " " * (len(start) if indent is None else indent)
    found = textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
    return found or [start.rstrip()]


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Lines under a title; nothing where there are none."""
    return ["", title, "-" * len(title), *lines] if lines else []


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON takes them: nothing where nothing is known, "Infinity" where a figure has no bound, dates as text."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.tzinfo is None and value.time() == dt.time.min else value.isoformat()
    return value
