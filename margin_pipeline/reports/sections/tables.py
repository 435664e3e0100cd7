"""Tables in which figures may be undetermined: the reason stands beside them once a row.

Belongs here: how reasons are shown. Not here: figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from margin_pipeline.reports.document.model import Cell, Column, Paragraph, Table, limited, table
from margin_pipeline.reports.report_text import reasons

REASON = Column("Why undetermined", weight=1.5)


@dataclass(frozen=True)
class Explained:
    """Cells of a row, and why some of them are undetermined (text or JSON list; nothing: none is)."""

    cells: Sequence[Cell | str]
    missing: object = None


def explained(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Explained],
    *,
    most: int,
    where: str,
    note: str = "",
    empty: str = "There are none.",
) -> Table | Paragraph:
    """Table with a column of reasons where a row has one; a sentence where nothing is known and the reason is the same throughout.

    Parameters
    ----------
    most, where : rows shown at most, and where the others are.
    """
    given = [reasons(row.missing) for row in rows]
    known = [cell for row in rows for cell in row.cells[1:] if isinstance(cell, Cell) and cell.tone != "unknown" and not cell.is_key]
    if rows and not known and len(set(given)) == 1 and given[0]:
        return Paragraph(f"{caption}. Undetermined: {given[0]} ({len(rows)} {'row' if len(rows) == 1 else 'rows'} in {where}).", "unknown")
    shown: list[Sequence[Cell | str]] = [row.cells for row in rows]
    if any(given):
        columns = [*columns, REASON]
        shown = [
            (*row.cells, f"undetermined: {reason}" if reason else "nothing is missing") for row, reason in zip(rows, given, strict=True)
        ]
    kept, more = limited(shown, most, where)
    return table(caption, columns, kept, note=" ".join(part for part in (note, more) if part), empty=empty)
