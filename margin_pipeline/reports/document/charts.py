"""Charts of bars and of a course over dates.

Belongs here: where shapes go. Not here: shapes (`drawing`), figures that are drawn.

Every bar and point has its figure beside it in words, so that no axis has to be read and no colour told apart.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from margin_pipeline.reports.document.drawing import WIDTH, Bar, Dot, Drawing, Line, Shape, Words

INK, GREY, PALE, BLUE, RED, GREEN = "#1a1f24", "#59636e", "#d5dae0", "#2f6db5", "#b3261e", "#2e7d4f"
NAMES, BARS = 196.0, 296.0
"""Units for the names at the left and for the bars; the rest is for what stands beside them."""
ROW = 24.0
LONGEST_NAME, LONGEST_WORDS = 28, 36
LABELLED_POINTS = 8
"""More points than that are not all labelled."""


@dataclass(frozen=True)
class Item:
    """A bar: its name, its length (None: unknown, no bar), what stands beside it, colour, and whether it is outlined."""

    name: str
    value: float | None
    words: str
    fill: str = BLUE
    is_outlined: bool = False


@dataclass(frozen=True)
class Mark:
    """A level drawn across a chart, with its name."""

    value: float
    name: str


def bars(items: Sequence[Item], marks: Sequence[Mark] = ()) -> Drawing:
    """Horizontal bars, one below the other, to the left of a zero line where they are negative."""
    known = [item.value for item in items if item.value is not None and math.isfinite(item.value)] + [mark.value for mark in marks]
    low, high = min([0.0, *known]), max([0.0, *known])
    span = (high - low) or 1.0
    top = 20.0 if marks else 4.0
    bottom = top + ROW * len(items)

    def place(value: float) -> float:
        return NAMES + BARS * (min(max(value, low), high) - low) / span

    shapes: list[Shape] = []
    for mark in marks:
        shapes.append(Line(place(mark.value), top - 4, place(mark.value), bottom, GREY, is_dashed=True))
    shapes += _mark_names([(place(mark.value), mark.name) for mark in marks])
    for number, item in enumerate(items):
        y = top + ROW * number
        shapes.append(Words(NAMES - 8, y + 16, short(item.name, LONGEST_NAME), 12, "end", is_bold=item.is_outlined))
        if item.value is not None:
            start, end = sorted((place(0.0), place(item.value)))
            shapes.append(Bar(start, y + 4, max(end - start, 1.0), ROW - 8, item.fill, INK if item.is_outlined else ""))
        shapes.append(Words(NAMES + BARS + 10, y + 16, short(item.words, LONGEST_WORDS), 12, is_bold=item.is_outlined))
    shapes.append(Line(place(0.0), top - 2, place(0.0), bottom, INK))
    return Drawing(bottom + 4, tuple(shapes))


def course(dates: Sequence[str], values: Sequence[float | None], words: Sequence[str], marks: Sequence[Mark] = ()) -> Drawing:
    """A line over dates, broken where a value is unknown, with levels across it.

    Parameters
    ----------
    dates, values, words : names of the dates, values and the words for each of the same length; None: unknown. Infinite ones are drawn
        at the top.
    """
    known = [value for value in values if value is not None and math.isfinite(value)] + [mark.value for mark in marks]
    high = 1.12 * max(known, default=1.0) or 1.0
    left, right, top, bottom = 46.0, WIDTH - 136.0, 16.0, 176.0

    def place(number: int) -> float:
        return left + (right - left) * (number / (len(dates) - 1) if len(dates) > 1 else 0.5)

    def level(value: float) -> float:
        return bottom - (bottom - top) * min(value, high) / high

    shapes: list[Shape] = [Line(left - 10, bottom, right + 10, bottom, INK)]
    for mark in marks:
        shapes.append(Line(left - 10, level(mark.value), right + 10, level(mark.value), GREY, is_dashed=True))
        shapes.append(Words(right + 30, level(mark.value) + 4, mark.name, 11, fill=GREY))
    points = [(place(number), None if value is None else level(value)) for number, value in enumerate(values)]
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        if y1 is not None and y2 is not None:
            shapes.append(Line(x1, y1, x2, y2, BLUE, 2.0))
    step = -(-len(dates) // LABELLED_POINTS)
    for number, (x, y) in enumerate(points):
        shown = (len(points) - 1 - number) % step == 0
        if y is None:
            shapes.append(Words(x, bottom - 6, "?", 13, "middle", is_bold=True))
        else:
            shapes.append(Dot(x, y, 4.0, BLUE))
        if shown:
            shapes.append(Words(x, (bottom - 24 if y is None else y - 9), words[number], 11, "middle", is_bold=True))
            shapes.append(Words(x, bottom + 16, dates[number], 11, "middle", fill=GREY))
    return Drawing(bottom + 26, tuple(shapes))


def short(text: str, most: int) -> str:
    """A text, cut where it has more characters than there is room for."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _mark_names(names: Sequence[tuple[float, str]]) -> list[Shape]:
    """Names of levels above them; of those too close together only the first is named."""
    shapes: list[Shape] = []
    taken = -1e9
    for x, name in sorted(names):
        if x - taken >= 3.2 * len(name) + 20:
            shapes.append(Words(x, 12, name, 11, "middle", fill=GREY))
            taken = x + 3.2 * len(name)
    return shapes
