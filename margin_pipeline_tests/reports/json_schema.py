"""The part of JSON Schema that the project's schema uses: a value against it. Not here: tests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

KINDS = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None)}
KNOWN = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "pattern", "minLength", "anyOf", "$ref",
    "$defs", "$schema", "$id", "title", "description",
}  # fmt: skip


def violations(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """What breaks the schema, as place and reason; a word of the schema that is not known here is an error."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        yield from violations(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, place)
    if "type" in schema and not any(_is(value, kind) for kind in ([schema["type"]] if isinstance(schema["type"], str) else schema["type"])):
        yield f"{place}: {value!r} is no {schema['type']}"
    if "const" in schema and value != schema["const"]:
        yield f"{place}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "anyOf" in schema and all(any(violations(value, one, root, place)) for one in schema["anyOf"]):
        yield f"{place}: {value!r} is none of the forms"
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{place}: {value!r} is not like {schema['pattern']}"
        if len(value) < schema.get("minLength", 0):
            yield f"{place}: {value!r} is too short"
    if isinstance(value, list) and "items" in schema:
        for number, one in enumerate(value):
            yield from violations(one, schema["items"], root, f"{place}/{number}")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        yield from (f"{place}: there is no {name}" for name in schema.get("required", []) if name not in value)
        for name, one in value.items():
            inner = known.get(name, schema.get("additionalProperties", True))
            if inner is False:
                yield f"{place}: {name} is not expected"
            elif isinstance(inner, Mapping):
                yield from violations(one, inner, root, f"{place}/{name}")


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))
