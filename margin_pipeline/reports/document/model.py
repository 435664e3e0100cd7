"""What a document is made of, whatever it is written as.

Belongs here: the records of content. Not here: how they look (`html`, `pdf`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from margin_pipeline.reports.document.drawing import Drawing

TONES = {"good": "✓", "watch": "▲", "bad": "✗", "unknown": "?", "neutral": ""}
"""How a verdict is marked besides its words and its colour."""


@dataclass(frozen=True)
class Cell:
    """Text with a meaning.

    Attributes
    ----------
    text : what it says; never empty.
    tone : one of TONES where it is a verdict, else empty.
    link : address relative to the document; empty for none.
    is_key : whether it tells rows apart rather than being a figure.
    """

    text: str
    tone: str = ""
    link: str = ""
    is_key: bool = False

    @property
    def marked(self) -> str:
        """Text after the mark of its tone."""
        mark = TONES.get(self.tone, "")
        return f"{mark}\N{NO-BREAK SPACE}{self.text}" if mark else self.text


@dataclass(frozen=True)
class Column:
    """Column of a table: heading, whether it holds numbers, and how much room its text asks compared with others."""

    title: str
    is_number: bool = False
    weight: float = 1.0


@dataclass(frozen=True)
class Table:
    """Rows under a caption; the first cell of a row names it. `note` is a sentence below, `empty` what stands instead of no rows."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    empty: str = "There are none."

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.caption!r}: a row has another number of cells than there are columns")


@dataclass(frozen=True)
class Facts:
    """Pairs of name and value; `is_prominent` for the few that a reader looks for first."""

    pairs: tuple[tuple[str, Cell], ...]
    is_prominent: bool = False


@dataclass(frozen=True)
class Paragraph:
    """A paragraph, with a tone where it is a verdict."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing with a caption, and the words that say the same for who does not see it."""

    caption: str
    alternative: str
    drawing: Drawing


Block = Table | Facts | Paragraph | Figure


@dataclass(frozen=True)
class Section:
    """Blocks under a heading; `anchor` is its address within the document."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole document.

    Attributes
    ----------
    title : heading, also the name of the window.
    subtitle : a line below it.
    footer : what stands on every printed page: date and calculation.
    links : documents beside it, shown first.
    sections : its sections, in order.
    """

    title: str
    subtitle: str
    footer: str
    links: tuple[Cell, ...]
    sections: tuple[Section, ...]


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], *, note: str = "", empty: str = "There are none."
) -> Table:
    """Make a table of cells and plain texts."""
    cells = tuple(tuple(cell if isinstance(cell, Cell) else Cell(cell) for cell in row) for row in rows)
    return Table(caption, tuple(columns), cells, note, empty)


def limited(rows: Sequence[Sequence[Cell | str]], most: int, where: str) -> tuple[list[Sequence[Cell | str]], str]:
    """The first rows, and the sentence that says where the others are."""
    left = len(rows) - most
    return list(rows[:most]), f"And {left:,} more in {where}." if left > 0 else ""
