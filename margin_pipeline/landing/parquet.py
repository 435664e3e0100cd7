"""Reading a Parquet file into the same records of text as a CSV.

Belongs here: turning typed columns into text cells. Not here: what cells mean (coercion, contracts).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as arrow_parquet

from margin_pipeline.landing.errors import LandingError
from margin_pipeline.landing.records import Records, check_header, plain_name


def read_parquet(
    source: str, data: bytes, wanted: Sequence[str], separators: str = ",", column_name: Callable[[str], str] = plain_name
) -> Records:
    """Read the records of a Parquet file; row numbers from 1.

    Parameters
    ----------
    source : file name, for messages.
    data : content of the file.
    wanted : columns to read; others are left alone.
    separators : of text files; has no meaning here.
    column_name : name of the column that a name in the file means.

    Raises
    ------
    LandingError
        When the file is no Parquet file or a wanted column holds lists, structures or bytes that are no text.
    """
    try:
        table = arrow_parquet.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        line = str(error).splitlines()[0] if str(error) else "unknown format"
        raise LandingError([f"{source} cannot be read as Parquet ({line}); write it again"]) from None
    header = check_header(source, table.column_names, column_name)
    cells: dict[str, pa.ChunkedArray] = {}
    for name, column in zip(header, table.columns, strict=True):
        if name in set(wanted):
            try:
                cells[name] = _as_text(column)
            except (pa.ArrowException, UnicodeDecodeError):
                message = f"{source}, column {name}: type {column.type} is no text, number, date or boolean; write it as one"
                raise LandingError([message]) from None

    def raw(row_number: int) -> dict[str, str | None]:
        return {name: column[row_number - 1].as_py() for name, column in cells.items()}

    return Records(source, header, np.arange(1, table.num_rows + 1, dtype=np.int64), cells, [], raw)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as a CSV would write them: ISO dates, true and false, shortest exact decimals."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type):
        return _dates_where_midnight(column)
    return column.cast(pa.string())


def _dates_where_midnight(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells at midnight as dates; others keep their time of day, and are rejected one by one."""
    local = pc.local_timestamp(column) if column.type.tz else column
    days = pc.floor_temporal(local, unit="day")
    return pc.if_else(pc.equal(days, local), days.cast(pa.date32()).cast(pa.string()), local.cast(pa.string()))
