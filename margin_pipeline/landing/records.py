"""Reading an input file into records: text cells with their row numbers, and the lines that do not parse.

Belongs here: what a record is, splitting a CSV into physical lines, choosing columns. Not here: what cells mean (coercion, contracts).

A CSV is read as text, one physical line is one record: no cell holds a newline, no word is read as missing. `csv.reader` on one line
(strict) defines what a line means. Lines on which that definition is plain splitting at separators - printable ASCII, no quote, the
header's number of fields - are parsed together; all others one by one. Both give the same cells (tested).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from margin_pipeline.landing.errors import LandingError
from margin_pipeline.landing.rejections import Rejection, shown

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
LONGEST_PLAIN_LINE = 4_096
NEWLINE, CARRIAGE_RETURN, QUOTE = 10, 13, 34

CSV_ERRORS = {
    "unexpected end of data": "a quote is opened and not closed",
    "expected after": "text follows a closing quote",
    "field limit": "a cell is too long",
    "new-line character": "a carriage return stands inside the line",
}


@dataclass(frozen=True)
class Records:
    """Records of one file.

    Attributes
    ----------
    source : file name.
    header : column names, lower case, in the file's order.
    row_number : (n,) int64; number of each parsed record in the file.
    cells : text of the wanted columns that the file has, (n,) each; null = empty.
    unparsed : records that are no rows of the header, with the reason.
    raw : row number → the record as it was read, by column (or under `line`).
    refused : records that are rows, but that their reader cannot use, with the reason.
    """

    source: str
    header: tuple[str, ...]
    row_number: np.ndarray
    cells: dict[str, pa.ChunkedArray]
    unparsed: list[Rejection]
    raw: Callable[[int], dict[str, str | None]] = field(repr=False)
    refused: list[Rejection] = field(default_factory=list)

    @property
    def rows_read(self) -> int:
        """Records in the file."""
        return len(self.row_number) + len(self.unparsed)


@dataclass(frozen=True)
class _Lines:
    """Physical lines of a file: where each begins and ends (its line ending excluded)."""

    data: bytes
    starts: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> bytes:
        return self.data[self.starts[index] : self.ends[index]]


def plain_name(written: str) -> str:
    """Name of a column as it is written, without blanks around it, in lower case."""
    return written.strip().lower()


def read_csv(
    source: str, data: bytes, wanted: Sequence[str], separators: str = ",", column_name: Callable[[str], str] = plain_name
) -> Records:
    """Read the records of a CSV file.

    Parameters
    ----------
    source : file name, for messages.
    data : content of the file, UTF-8 with or without byte order mark; lines end with LF or CRLF.
    wanted : columns to read; others are left alone.
    separators : what may stand between cells, one character each; the first of those that the header has most of.
    column_name : name of the column that a cell of the header means.

    Raises
    ------
    LandingError
        When there is no header, or it cannot be read.
    """
    data = data.removeprefix(BYTE_ORDER_MARK)
    lines = _split(data)
    at = next((i for i in range(len(lines)) if lines[i].strip()), None)
    if at is None:
        raise LandingError([f"{source} is empty; write a header line with the column names"])
    separator = max(separators, key=lambda mark: lines[at].count(mark.encode()))
    header = _header(source, lines[at], separator, column_name)
    chosen = [i for i, name in enumerate(header) if name in set(wanted)]
    plain = _plain_lines(lines, len(header) - 1, separator)
    plain[: at + 1] = False
    numbers, columns = _read_plain(lines, plain, chosen, len(header), separator)
    slow = np.flatnonzero(~plain[at + 1 :]) + at + 1
    slow_numbers, slow_rows, unparsed = _read_one_by_one(lines, slow, header, separator)
    if slow_rows:
        numbers = np.concatenate([numbers, np.asarray(slow_numbers, dtype=np.int64)])
        extra = [pa.chunked_array([pa.array([row[i] for row in slow_rows], pa.string())]) for i in chosen]
        columns = [pa.chunked_array(part.chunks + more.chunks, pa.string()) for part, more in zip(columns, extra, strict=True)]

    def raw(row_number: int) -> dict[str, str | None]:
        return _raw(lines[row_number - 1], header, separator)

    return Records(source, header, numbers, {header[i]: column for i, column in zip(chosen, columns, strict=True)}, unparsed, raw)


def check_header(source: str, names: Sequence[str], column_name: Callable[[str], str] = plain_name) -> tuple[str, ...]:
    """Names of columns; one that stands twice cannot be used (unnamed columns are ignored).

    Raises
    ------
    LandingError
        When two columns have one name.
    """
    header = tuple(column_name(name) for name in names)
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise LandingError([f"{source} has more than one column {', '.join(shown(name) for name in repeated)}; keep one of each name"])
    return header


def _header(source: str, line: bytes, separator: str, column_name: Callable[[str], str]) -> tuple[str, ...]:
    try:
        return check_header(source, _parse(line.decode("utf-8"), separator), column_name)
    except UnicodeDecodeError:
        raise LandingError([f"{source} is not UTF-8 text; save it as CSV in UTF-8"]) from None
    except csv.Error as error:
        raise LandingError([f"{source}: the header does not parse ({_in_words(error)}); mend the first line"]) from None


def _split(data: bytes) -> _Lines:
    buffer = np.frombuffer(data, dtype=np.uint8)
    newlines = np.flatnonzero(buffer == NEWLINE)
    starts = np.concatenate([[0], newlines + 1])
    ends = np.concatenate([newlines, [len(data)]])
    if starts[-1] == len(data):
        starts, ends = starts[:-1], ends[:-1]
    filled = np.flatnonzero(ends > starts)
    filled = filled[buffer[ends[filled] - 1] == CARRIAGE_RETURN]
    ends[filled] -= 1
    return _Lines(data, starts, ends)


def _plain_lines(lines: _Lines, marks: int, separator: str) -> np.ndarray:
    """Which lines are short printable ASCII without a quote and have so many separators: splitting them at these is exact."""
    buffer = np.frombuffer(lines.data, dtype=np.uint8)
    mark_positions = np.flatnonzero(buffer == ord(separator))
    found = np.searchsorted(mark_positions, lines.ends) - np.searchsorted(mark_positions, lines.starts)
    plain: np.ndarray = (found == marks) & (marks > 0) & (lines.ends - lines.starts <= LONGEST_PLAIN_LINE)
    odd = np.ones(256, dtype=bool)
    odd[32:127] = False
    odd[QUOTE], odd[NEWLINE], odd[ord(separator)] = True, False, False
    positions = np.flatnonzero(odd[buffer])
    line_of = np.searchsorted(lines.starts, positions, side="right") - 1
    inside = positions < lines.ends[line_of] if len(positions) else np.zeros(0, dtype=bool)
    plain[line_of[inside]] = False
    return plain


def _read_plain(
    lines: _Lines, plain: np.ndarray, chosen: Sequence[int], fields: int, separator: str
) -> tuple[np.ndarray, list[pa.ChunkedArray]]:
    """Row numbers and chosen columns of the plain lines, parsed together."""
    index = np.flatnonzero(plain)
    if not len(index) or not chosen:
        return index.astype(np.int64) + 1, [pa.chunked_array([], pa.string()) for _ in chosen]
    names = [str(i) for i in range(fields)]
    table = arrow_csv.read_csv(
        pa.BufferReader(_bytes_of(lines, index)),
        read_options=arrow_csv.ReadOptions(column_names=names, block_size=4 << 20),
        parse_options=arrow_csv.ParseOptions(
            delimiter=separator, quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=False
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            include_columns=[names[i] for i in chosen],
            check_utf8=False,
        ),
    )
    if table.num_rows != len(index):
        raise AssertionError(f"{len(index)} plain lines were read as {table.num_rows} records")
    return index.astype(np.int64) + 1, [table.column(names[i]) for i in chosen]


def _bytes_of(lines: _Lines, index: np.ndarray) -> pa.Buffer:
    """The chosen lines, one after the other; a view of the file where they stand together."""
    view = memoryview(lines.data)
    breaks = np.flatnonzero(np.diff(index) > 1)
    first = lines.starts[index[np.concatenate([[0], breaks + 1])]]
    last = lines.ends[index[np.concatenate([breaks, [len(index) - 1]])]]
    runs = [view[start:end] for start, end in zip(first, last, strict=True)]
    return pa.py_buffer(runs[0] if len(runs) == 1 else b"\n".join(runs))


def _read_one_by_one(
    lines: _Lines, index: np.ndarray, header: Sequence[str], separator: str
) -> tuple[list[int], list[list[str]], list[Rejection]]:
    """Row numbers and cells of lines parsed singly, and the lines that do not parse; blank lines are skipped."""
    numbers: list[int] = []
    rows: list[list[str]] = []
    unparsed: list[Rejection] = []
    for i in index.tolist():
        line = lines[i]
        if not line.strip():
            continue
        try:
            row = _parse(line.decode("utf-8"), separator)
        except UnicodeDecodeError:
            unparsed.append(Rejection(i + 1, "", "the line is not valid UTF-8 text"))
        except csv.Error as error:
            unparsed.append(Rejection(i + 1, "", f"the line does not parse: {_in_words(error)}"))
        else:
            if len(row) == len(header):
                numbers.append(i + 1)
                rows.append(row)
            else:
                unparsed.append(Rejection(i + 1, "", f"the line has {len(row)} fields, the header {len(header)}"))
    return numbers, rows, unparsed


def _parse(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], strict=True, delimiter=separator), [])


def _in_words(error: csv.Error) -> str:
    return next((words for part, words in CSV_ERRORS.items() if part in str(error)), str(error))


def _raw(line: bytes, header: Sequence[str], separator: str) -> dict[str, str | None]:
    """A line by column, or whole (undecodable bytes as escapes) where it is no row of the header."""
    text = line.decode("utf-8", "backslashreplace")
    try:
        cells = _parse(line.decode("utf-8"), separator)
    except (UnicodeDecodeError, csv.Error):
        return {"line": text}
    if len(cells) != len(header):
        return {"line": text}
    return dict(zip((name or f"column {i + 1}" for i, name in enumerate(header)), cells, strict=True))
