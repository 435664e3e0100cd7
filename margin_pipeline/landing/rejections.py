"""Rows that broke their contract: how they are recorded, kept and told to a person.

Belongs here: the record of one rejection, the frame of `rejected_rows`, its lines of text. Not here: deciding what is rejected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

SHOWN_CHARACTERS = 60
KEPT_CHARACTERS = 100_000
REJECTED_COLUMNS = ("source", "row_number", "column_name", "reason", "portfolio_id", "raw")


class Rejection(NamedTuple):
    """One thing wrong with one row: its number in the file, the column at fault ('' = the whole line), the reason in words."""

    row_number: int
    column_name: str
    reason: str


def rejected(row_numbers: Iterable[Any], column_name: str, reasons: Iterable[str]) -> list[Rejection]:
    """Rejections of one column: row numbers and reasons, in step."""
    return [Rejection(int(row), column_name, reason) for row, reason in zip(row_numbers, reasons, strict=True)]


def printable(text: str) -> str:
    """Text with control characters written as escapes: Postgres takes no NUL, and a terminal should not obey a cell."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in text)


def shown(text: object) -> str:
    """A cell as it appears in a message: quoted, printable, cut when long."""
    cell = printable(str(text))
    return f'"{cell}"' if len(cell) <= SHOWN_CHARACTERS else f'"{cell[:SHOWN_CHARACTERS]}…" ({len(str(text)):,} characters)'


def raw_json(raw: Mapping[str, str | None]) -> str:
    """The row as JSON that Postgres accepts (no NUL; cells cut at `KEPT_CHARACTERS`)."""
    kept = {printable(name): None if text is None else printable(text[:KEPT_CHARACTERS]) for name, text in raw.items()}
    return json.dumps(kept, ensure_ascii=False)


def one_per_cell(rejections: Iterable[Rejection]) -> list[Rejection]:
    """Sorted rejections, one per row and column: several reasons of one cell are joined."""
    reasons: dict[tuple[int, str], list[str]] = {}
    for row_number, column_name, reason in rejections:
        known = reasons.setdefault((int(row_number), column_name), [])
        if reason not in known:
            known.append(reason)
    return [Rejection(row, column, "; ".join(found)) for (row, column), found in sorted(reasons.items())]


def rejected_rows_frame(rows: Sequence[tuple[str, int, str, str, str | None, str]]) -> pd.DataFrame:
    """Frame of table `rejected_rows` from tuples in the order of `REJECTED_COLUMNS`."""
    frame = pd.DataFrame(list(rows), columns=list(REJECTED_COLUMNS))
    text = [column for column in REJECTED_COLUMNS if column != "row_number"]
    frame = frame.astype({**dict.fromkeys(text, "str"), "row_number": "int64"})
    return frame.sort_values(["source", "row_number", "column_name"], ignore_index=True)


def describe(rejected_rows: pd.DataFrame) -> list[str]:
    """One line per rejection: `positions.csv, row 17, column quantity: "ten" is not a number (kept in margin.rejected_rows)`."""
    lines = []
    for source, row_number, column_name, reason in rejected_rows[["source", "row_number", "column_name", "reason"]].itertuples(index=False):
        column = f", column {column_name}" if column_name else ""
        lines.append(f"{source}, row {row_number}{column}: {reason} (kept in margin.rejected_rows)")
    return lines
