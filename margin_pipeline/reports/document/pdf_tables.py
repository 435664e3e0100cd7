"""Tables of a PDF: widths of columns, lines of cells.

Belongs here: measuring and breaking text. Not here: pages (`pdf`).

Cells are broken into lines here and given as plain text: a paragraph object a cell would take most of the time of a report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from margin_pipeline.reports.document.model import Cell, Table

SIZE, LEADING, PADDING = 7.2, 8.8, 3.0
"""Points: letters, from line to line, room at each side of a cell."""
LEAST = 34.0
"""Points that a column has at least."""
MOST_LINES = 40
"""Lines of one cell; a longer text ends with an ellipsis, for a row has to fit on a page."""


def is_bold(cell: Cell, place: int) -> bool:
    """Whether a cell is written in bold: the one that names its row, and verdicts."""
    return place == 0 or cell.tone in ("good", "watch", "bad", "unknown")


def text_width(text: str, font: str, size: float) -> float:
    """Width of a line, points."""
    widths, default = _widths(font)
    return size * sum(widths.get(ord(letter), default) for letter in text) / 1000.0


def broken(text: str, width: float, font: str, size: float) -> list[str]:
    """Lines of a text that fit into a width; words that are too long are cut."""
    lines: list[str] = []
    line, room = "", 0.0
    space = text_width(" ", font, size)
    for word in re.split(r"[ \t\n]+", text):
        needed = text_width(word, font, size)
        if line and room + space + needed <= width:
            line, room = f"{line} {word}", room + space + needed
            continue
        if line:
            lines.append(line)
        while needed > width and len(word) > 1:
            cut = _fitting(word, width, font, size)
            lines.append(word[:cut])
            word = word[cut:]
            needed = text_width(word, font, size)
        line, room = word, needed
    lines = [*lines, line] if line or not lines else lines
    return [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1] + " …"] if len(lines) > MOST_LINES else lines


def column_widths(table: Table, room: float, font: str, bold: str) -> list[float]:
    """Widths of the columns, points, which add up to at most the room.

    Every column gets what its longest word and its heading's need, numbers all they need; what is left goes to those with longer text,
    by how much more they would take and by their weight.
    """
    natural, least = [], []
    for place, column in enumerate(table.columns):
        texts = [(row[place].marked, bold if is_bold(row[place], place) else font) for row in table.rows]
        heading = max(text_width(word, bold, SIZE) for word in column.title.split() or [""])
        full = max([heading, *(text_width(text, used, SIZE) for text, used in texts)]) + 2 * PADDING + 1
        words = max([heading, *(text_width(word, used, SIZE) for text, used in texts for word in text.split(" ")[:60])])
        natural.append(max(full, LEAST))
        least.append(min(max(LEAST, words + 2 * PADDING + 1), 0.3 * room, max(full, LEAST)))
    if sum(natural) <= room:
        return natural
    if sum(least) > room:
        return [room * one / sum(least) for one in least]
    wishes = [(full - one) * column.weight for full, one, column in zip(natural, least, table.columns, strict=True)]
    return _shared(natural, least, wishes, room)


def _shared(natural: Sequence[float], least: Sequence[float], wishes: Sequence[float], room: float) -> list[float]:
    """Least widths and a part of what is left; short wishes are granted in full first, so that a figure is not broken for an essay."""
    widths, left = list(least), room - sum(least)
    order = sorted(range(len(widths)), key=lambda place: wishes[place])
    for done, place in enumerate(order):
        given = min(natural[place] - least[place], left / (len(order) - done))
        widths[place] += given
        left -= given
    return widths


def _fitting(word: str, width: float, font: str, size: float) -> int:
    """Letters of a word that fit into a width, at least one."""
    for cut in range(len(word), 1, -1):
        if text_width(word[:cut], font, size) <= width:
            return cut
    return 1


@cache
def _widths(font: str) -> tuple[dict[int, float], float]:
    from reportlab.pdfbase import pdfmetrics

    face = pdfmetrics.getFont(font).face
    return face.charWidths, face.defaultWidth
