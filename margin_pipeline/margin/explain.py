"""JSON objects of explanations, built for whole columns at once.

Belongs here: how an explanation is written. Not here: what it says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray


def json_objects(length: int, fields: Mapping[str, Any]) -> pd.Series:
    """One JSON object a row.

    Parameters
    ----------
    length : number of rows n.
    fields : values by name: an (n,) float array (NaN and infinite become null), an (n,) series of text (missing becomes null), an
        (n,) array of booleans, a `Choice`, or one value for all rows.

    Returns
    -------
    (n,) series of text, each a JSON object with the fields in their order.
    """
    if not length:
        return pd.Series([], dtype="str")
    parts: list[Any] = []
    text = "{"
    for name, value in fields.items():
        text += json.dumps(name) + ": "
        column = _column(value)
        if column is None:
            text += json.dumps(value, allow_nan=False) + ", "
            continue
        parts += [pa.scalar(text, pa.large_string()), column]
        text = ", "
    parts.append(pa.scalar(text.removesuffix(", ") + "}", pa.large_string()))
    if len(parts) == 1:
        return pd.Series([parts[0].as_py()] * length, dtype="str")
    return pd.Series(pc.binary_join_element_wise(*parts, pa.scalar("", pa.large_string())).to_pandas(), dtype="str")


def extended(objects: pd.Series, fields: Mapping[str, Any]) -> pd.Series:
    """JSON objects with more fields behind their own; arguments as for `json_objects`."""
    more = json_objects(len(objects), fields)
    joined = [b if a == "{}" else f"{a[:-1]}, {b[1:]}" for a, b in zip(objects, more, strict=True)]
    return pd.Series(joined, dtype="str")


class Choice:
    """A text for each row out of a few: `texts[codes]`, and none where the code is -1."""

    def __init__(self, codes: Array, texts: Sequence[str]) -> None:
        self.codes = np.asarray(codes)
        self.texts = texts


def _column(value: Any) -> pa.Array | None:
    """The JSON of each row, or None when the value is one for all rows."""
    if isinstance(value, Choice):
        used, at = np.unique(value.codes, return_inverse=True)
        texts = [json.dumps(value.texts[code]) if code >= 0 else "null" for code in used.tolist()]
        return pa.array(texts, pa.large_string()).take(pa.array(at))
    if isinstance(value, pd.Series):
        codes, words = pd.factorize(value, use_na_sentinel=True)
        known = [json.dumps(str(word)) for word in words]
        return pa.array([*known, "null"], pa.large_string()).take(pa.array(np.where(codes < 0, len(known), codes)))
    if isinstance(value, np.ndarray) and value.dtype == bool:
        return pa.array(["false", "true"], pa.large_string()).take(pa.array(value.astype(np.int64)))
    if isinstance(value, np.ndarray):
        numbers = value.astype(np.float64)
        return pa.array(numbers, mask=~np.isfinite(numbers)).cast(pa.large_string()).fill_null("null")
    return None
