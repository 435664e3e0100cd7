"""Parameter sets as text that says everything, and back: what is stored with a calculation.

Belongs here: the one way in which a set is written. Not here: reading files (`reader`), storing (`storage`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, ParameterSet

DATE = "$date"
"""Name under which a date stands, alone in its object."""


def to_text(parameters: ParameterSet) -> str:
    """Write a set as JSON: order of names kept, whole numbers and fractions told apart, dates as `{"$date": "YYYY-MM-DD"}`.

    Raises
    ------
    ParameterError : a value is of a kind that cannot be given back as it was.
    """
    content = {
        "name": parameters.name,
        "version": parameters.version,
        "effective_date": parameters.effective_date,
        "source": parameters.source,
        "values": dict(parameters.values),
    }
    return json.dumps(_plain(content, parameters.label), ensure_ascii=False, allow_nan=False)


def from_text(text: str) -> ParameterSet:
    """Read what `to_text` wrote; equal to what was written.

    Raises
    ------
    ParameterError : it is not the text of a set.
    """
    try:
        content = json.loads(text, object_hook=_dated)
        return ParameterSet(
            content["name"], content["version"], content["effective_date"], content["source"], MappingProxyType(content["values"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ParameterError(f"this is no parameter set: {text[:60]} ({error})") from error


def fingerprint(text: str) -> str:
    """SHA-256 of a written set, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any, label: str) -> Any:
    if isinstance(value, Mapping):
        if wrong := [name for name in value if not isinstance(name, str) or name == DATE]:
            raise ParameterError(f"{label}: the name {wrong[0]!r} cannot be stored; use text")
        return {name: _plain(part, label) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, label) for part in value]
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return {DATE: value.isoformat()}
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise ParameterError(f"{label}: {value} is no number that can be stored; leave the value empty")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise ParameterError(f"{label}: a {type(value).__name__} cannot be stored; use text, numbers, dates, lists and names")


def _dated(found: dict[str, Any]) -> Any:
    return dt.date.fromisoformat(found[DATE]) if set(found) == {DATE} else found
