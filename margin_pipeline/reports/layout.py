"""Plain text for people: aligned columns, wrapped sentences, figures.

Belongs here: how text is laid out. Not here: what it says.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

WIDTH = 110
"""Characters a line has at most, where no single word is longer."""


def money(value: float | None) -> str:
    """An amount to the cent; "-" where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value + 0.0:,.2f}".replace("-0.00", "0.00") if abs(value) < 0.01 else f"{value:,.2f}"


def figure(value: object) -> str:
    """A number with the digits that it has, up to six after the point; anything else as text, "-" where there is nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value) or value == int(value):
        return f"{value:,.0f}"
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
