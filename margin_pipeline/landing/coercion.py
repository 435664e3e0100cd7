"""Turning text cells into numbers, dates, booleans and text, and saying which cells are none.

Belongs here: the grammar of each kind of cell. Not here: ranges and allowed values (contracts), rows (validation).

Numbers are plain decimals with an optional exponent: no thousands separators, percent signs, hexadecimal digits or underscores.
Dates are YYYY-MM-DD. Blanks around a cell are ignored; an empty cell is missing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from margin_pipeline.landing.rejections import shown

LONGEST_CELL = 200
"""Characters; three cells of that length still fit a key of Postgres (2,704 bytes)."""

LARGEST_NUMBER = 1e18
"""Magnitude: products of a few such numbers and sums over a book stay far from the end of double precision (1.8e308)."""

NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
WRITTEN_OTHERWISE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
CONTROL = r"\p{Cc}"
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
FIRST_DATE = dt.date(1900, 1, 1)


class Coerced(NamedTuple):
    """Values of a column, and the cells that are none: position → reason."""

    values: pd.Series
    problems: dict[int, str]


def coerce(cells: pa.ChunkedArray, kind: str, case: str = "as_is") -> Coerced:
    """Values of a column of text cells.

    Parameters
    ----------
    cells : (n,) text, null = empty.
    kind : `text`, `number`, `date` or `boolean`.
    case : `lower`, `upper` or `as_is`; for text.

    Returns
    -------
    (n,) series of dtype str, float64, datetime64[us] or boolean, missing where the cell is empty or has a problem; and the problems.
    """
    cells = _trimmed(cells)
    too_long = _too_long(cells)
    if kind == "number":
        return _numbers(cells, too_long)
    if kind == "text":
        return _texts(cells, too_long, case)
    values, problems = _by_distinct_cell(cells, _date if kind == "date" else _boolean)
    return Coerced(values.astype("datetime64[us]" if kind == "date" else "boolean"), problems | too_long)


def _trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    if pc.any(pc.match_substring_regex(cells, r"^\s|\s$|[^\x21-\x7e]")).as_py():
        cells = pc.utf8_trim_whitespace(cells)
    empty = pc.equal(cells, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), cells) if pc.any(empty).as_py() else cells


def _too_long(cells: pa.ChunkedArray) -> dict[int, str]:
    lengths = pc.utf8_length(cells)
    if (pc.max(lengths).as_py() or 0) <= LONGEST_CELL:
        return {}
    long = np.flatnonzero(pc.fill_null(pc.greater(lengths, LONGEST_CELL), False).to_numpy())
    return {int(i): f"the cell has {lengths[int(i)].as_py():,} characters, more than {LONGEST_CELL}" for i in long}


def _numbers(cells: pa.ChunkedArray, too_long: dict[int, str]) -> Coerced:
    problems = dict(too_long)
    try:
        values = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        values = None
    if values is None or not pc.all(pc.less_equal(pc.abs(values), LARGEST_NUMBER)).as_py() or too_long:
        is_number = pc.fill_null(pc.match_substring_regex(cells, NUMBER), False)
        for i in np.flatnonzero(pc.and_(pc.is_valid(cells), pc.invert(is_number)).to_numpy()):
            problems.setdefault(int(i), _not_a_number(cells[int(i)].as_py()))
        values = _floats(pc.if_else(is_number, cells, pa.scalar(None, pa.string())))
        for i in np.flatnonzero(np.abs(values) > LARGEST_NUMBER):
            problems.setdefault(int(i), f"{shown(cells[int(i)].as_py())} is too large for a number")
        values[list(problems)] = np.nan
        return Coerced(pd.Series(values), problems)
    return Coerced(pd.Series(values.to_numpy(zero_copy_only=False)), problems)


def _floats(cells: pa.ChunkedArray) -> np.ndarray:
    """Floats of cells that follow the grammar; a leading plus and overflows are beyond the fast parser."""
    plus = pc.replace_substring_regex(cells, r"^\+", "")
    try:
        return np.array(plus.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:
        return np.array([np.nan if cell is None else float(cell) for cell in cells.to_pylist()])


def _not_a_number(cell: str) -> str:
    finite = "is not a finite number" if WRITTEN_OTHERWISE.fullmatch(cell) else "is not a number"
    return f"{shown(cell)} {finite}"


def _texts(cells: pa.ChunkedArray, too_long: dict[int, str], case: str) -> Coerced:
    problems = dict(too_long)
    controls = pc.fill_null(pc.match_substring_regex(cells, CONTROL), False)
    if pc.any(controls).as_py():
        problems |= {int(i): "the cell holds a control character" for i in np.flatnonzero(controls.to_numpy())}
    if case != "as_is":
        cells = pc.utf8_lower(cells) if case == "lower" else pc.utf8_upper(cells)
    values = cells.to_pandas().astype("str")
    if problems:
        values.iloc[list(problems)] = None
    return Coerced(values, problems)


def _by_distinct_cell(cells: pa.ChunkedArray, parse: Callable[[str], object]) -> tuple[pd.Series, dict[int, str]]:
    """Parse each distinct cell once; a `ValueError` of `parse` is the reason why a cell is none."""
    encoded = cells.combine_chunks().dictionary_encode() if cells.num_chunks != 1 else cells.chunk(0).dictionary_encode()
    values: list[object] = []
    reasons: dict[int, str] = {}
    for code, cell in enumerate(encoded.dictionary.to_pylist()):
        try:
            values.append(parse(cell))
        except ValueError as error:
            values.append(None)
            reasons[code] = str(error)
    codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
    bad = np.flatnonzero(np.isin(codes, list(reasons))) if reasons else ()
    dtype = "boolean" if parse is _boolean else "datetime64[us]"
    table = pd.Series([*values, None], dtype=dtype)
    return table.take(np.where(codes < 0, len(values), codes)).reset_index(drop=True), {int(i): reasons[int(codes[i])] for i in bad}


def _date(cell: str) -> dt.date:
    if not ISO_DATE.fullmatch(cell):
        raise ValueError(f"{shown(cell)} is not a date (YYYY-MM-DD)")
    try:
        date = dt.date.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"{shown(cell)} is not a day of the calendar") from None
    if date < FIRST_DATE:
        raise ValueError(f"{shown(cell)} is before {FIRST_DATE}")
    return date


def _boolean(cell: str) -> bool:
    if cell.lower() not in WORDS:
        raise ValueError(f"{shown(cell)} is not true or false")
    return WORDS[cell.lower()]
