"""Frames to Arrow and back, column by column, by the types of the catalogue.

Belongs here: explicit casts that lose nothing or say so. Not here: connections.

The bulk loader writes the bytes of a column as they are: whole numbers sent to a `double precision` column would arrive as other
numbers without an error. So every column is cast to its table's type first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from margin_pipeline.storage.catalogue import Column, TableColumns
from margin_pipeline.storage.errors import StorageError

TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "double precision": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp with time zone": pa.timestamp("us", "UTC"),
    "jsonb": pa.string(),
    "text[]": pa.list_(pa.string()),
    "double precision[]": pa.list_(pa.float64()),
    "bytea": pa.binary(),
}


class _CastError(Exception):
    """A column does not fit; the message is the reason."""


def to_arrow(frame: pd.DataFrame, table: TableColumns, constants: Mapping[str, object]) -> pa.Table:
    """Cast a frame to the types of a table.

    Parameters
    ----------
    frame : its columns are those of the table that `constants` do not give; those that the database fills in may be absent.
    constants : columns with one value for all rows.

    Raises
    ------
    StorageError : columns are missing or unexpected, or values do not fit; the message names table, column and reason.
    """
    given = set(frame.columns) | set(constants)
    missing = [column.name for column in table if column.name not in given and not column.has_default]
    unexpected = sorted(str(name) for name in given - set(table.names))
    if missing or unexpected:
        parts = [f"missing: {', '.join(missing)}"] * bool(missing) + [f"unexpected: {', '.join(unexpected)}"] * bool(unexpected)
        raise StorageError(f"{table.table}: the frame's columns are not the table's; {'; '.join(parts)}")
    arrays, fields = [], []
    for column in table:
        if column.name not in given:
            continue
        try:
            values = (
                _repeated(constants[column.name], column, len(frame)) if column.name in constants else _cast(frame[column.name], column)
            )
        except (_CastError, pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise StorageError(f"{table.table}.{column.name} ({column.type}): {' '.join(str(error).split())}") from error
        if values.null_count and not column.nullable:
            first = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
            raise StorageError(f"{table.table}.{column.name}: row {first} of the frame has no value, and the column needs one")
        arrays.append(values)
        fields.append(pa.field(column.name, pa.json_() if column.type == "jsonb" else values.type))
    return pa.Table.from_arrays([_as_field(values, field) for values, field in zip(arrays, fields, strict=True)], schema=pa.schema(fields))


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Turn a query's result into a frame: text as str, dates as datetime64, numeric as float64, JSON as text."""
    arrays = [_readable(table.column(number), field) for number, field in enumerate(table.schema)]
    names = table.schema.names
    if len(set(names)) != len(names):
        raise StorageError("two columns of the query have the same name; name them apart with `as`")
    frame: pd.DataFrame = pa.table(dict(zip(names, arrays, strict=True))).to_pandas(date_as_object=False)
    if frame.empty:
        # Arrow gives columns without rows no memory at all, and pandas cannot merge two such columns of text.
        frame = frame.assign(**{name: pd.Series([], dtype="str") for name in names if isinstance(frame[name].dtype, pd.StringDtype)})
    return frame


def _as_field(values: pa.Array, field: pa.Field) -> pa.Array:
    return pa.ExtensionArray.from_storage(field.type, values) if isinstance(field.type, pa.BaseExtensionType) else values


def _repeated(value: object, column: Column, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, type=_type(column)), count)


def _type(column: Column) -> pa.DataType:
    if column.type not in TYPES:
        raise _CastError(f"columns of type {column.type} cannot be loaded; use one of {', '.join(TYPES)}")
    return TYPES[column.type]


def _cast(values: pd.Series, column: Column) -> pa.Array:
    target = _type(column)
    if column.type == "jsonb" and not isinstance(values.dtype, pd.StringDtype):
        values = _json_text(values)
    if len(values) and isinstance(values.dtype, np.dtype) and values.dtype.kind in "fO" and bool(values.isna().all()):
        return pa.nulls(len(values), target)
    found = _plain(pa.array(values, from_pandas=True, type=target if values.dtype == object and pa.types.is_nested(target) else None))
    if pa.types.is_null(found.type):
        return pa.nulls(len(values), target)
    _refuse_other_kinds(found, column, target)
    if column.type == "date" and pa.types.is_timestamp(found.type):
        _refuse_times_of_day(found)
    return found if found.type == target else found.cast(target)


def _plain(found: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
        found = found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)
    return found.dictionary_decode() if pa.types.is_dictionary(found.type) else found


def _refuse_other_kinds(found: pa.Array, column: Column, target: pa.DataType) -> None:
    kind = found.type
    fits = {
        "text": _is_text(kind),
        "jsonb": _is_text(kind),
        "double precision": pa.types.is_floating(kind) or pa.types.is_integer(kind),
        "bigint": pa.types.is_floating(kind) or pa.types.is_integer(kind),
        "boolean": pa.types.is_boolean(kind),
        "date": pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None),
        "timestamp with time zone": pa.types.is_timestamp(kind) and kind.tz is not None,
        "text[]": pa.types.is_list(kind) or pa.types.is_large_list(kind),
        "double precision[]": (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_floating(kind.value_type),
        "bytea": pa.types.is_binary(kind) or pa.types.is_large_binary(kind),
    }
    if not fits[column.type]:
        raise _CastError(f"holds values of another kind ({kind}); it takes {target}")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())


def _refuse_times_of_day(found: pa.Array) -> None:
    # The cast to a date would drop them without a word.
    dates = found.cast(pa.date32()).cast(found.type)
    if not dates.equals(found):
        raise _CastError("holds instants with a time of day; it takes dates")


def _json_text(values: pd.Series) -> pd.Series:
    texts = [_json_cell(value) for value in values]
    return pd.Series(texts, index=values.index, dtype=object)


def _json_cell(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return json.dumps(value, allow_nan=False, default=_json_value, ensure_ascii=False)


def _json_value(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _readable(values: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    kind = field.type
    if isinstance(kind, pa.OpaqueType):
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], type=kind.storage_type)
        return values.cast(pa.float64()) if kind.type_name == "numeric" else values
    if isinstance(kind, pa.JsonType):
        return pa.chunked_array([chunk.storage for chunk in values.chunks], type=kind.storage_type)
    if pa.types.is_date(kind):
        return values.cast(pa.timestamp("us"))
    return values
