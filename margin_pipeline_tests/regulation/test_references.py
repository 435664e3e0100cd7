"""Every rule that a line can name is explained, with its dates, in docs/regulation.md.

Belongs here: references and effective dates of all parameter files. Not here: what the lines say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).parents[2] / "docs" / "regulation.md").read_text(encoding="utf-8")
DATA = resources.files("margin_pipeline.parameters") / "data"
ROOM = Path(__file__).parents[2] / "margin_pipeline" / "regulation"
NO_RULE = "1990-01-01"
"""First version of every file: before any session that can be run."""


def files() -> list[str]:
    """Parameter files that the room regulation reads: each has a module of its name."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in sorted(ROOM.rglob("*.py")))
    named = set(re.findall(r"from margin_pipeline\.parameters\.(\w+) import", text))
    return sorted(name for name in named if (DATA / f"{name}.yaml").is_file())


def versions() -> Iterator[tuple[str, str, list[str]]]:
    """File and version, effective date and references of every version that names a rule."""
    for name in files():
        for version in yaml.safe_load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))["versions"]:
            yield f"{name} {version['version']}", str(version["effective_date"]), sorted(set(references(version["values"])))


def references(values: object) -> Iterator[str]:
    """Texts of all keys that end in reference, at any depth; a mapping of them gives all its texts."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            named = str(key).endswith(("reference", "references"))
            if named and isinstance(value, str):
                yield value
            elif named and isinstance(value, Mapping):
                yield from (text for text in value.values() if isinstance(text, str))
            else:
                yield from references(value)
    elif isinstance(values, list):
        for value in values:
            yield from references(value)


VERSIONS = list(versions())


def test_there_are_references_of_every_regime():
    named = {name.split()[0] for name, _, found in VERSIONS if found}
    assert {"finra", "basel", "sa_ccr", "schedule_im", "simm", "uncleared_margin"} <= named


@pytest.mark.parametrize(("name", "date", "found"), VERSIONS, ids=[name for name, _, _ in VERSIONS])
def test_every_reference_stands_in_the_page_and_so_does_its_date(name, date, found):
    assert [text for text in found if text not in PAGE] == []
    assert date == NO_RULE or date in PAGE
