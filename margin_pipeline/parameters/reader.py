"""Reads dated parameter files and picks the version in force on a date.

Belongs here: reading and choosing. Not here: what a value means (the room that uses it says that).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import yaml


class ParameterError(ValueError):
    """A parameter file is missing, unreadable, or has no version in force on the date."""


@dataclass(frozen=True)
class ParameterSet:
    """One version of one parameter file.

    Attributes
    ----------
    name : name of the file, without ending.
    version : version of the values, as the file says.
    effective_date : first date on which the values apply.
    source : rule, paper or publication that the values come from.
    values : the values, by name; not to be changed.
    """

    name: str
    version: str
    effective_date: dt.date
    source: str
    values: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Name and version, as stored with a calculation."""
        return f"{self.name}:{self.version}"


@cache
def _versions(name: str) -> tuple[ParameterSet, ...]:
    file = resources.files("margin_pipeline.parameters") / "data" / f"{name}.yaml"
    if not file.is_file():
        raise ParameterError(f"there is no parameter file {name}.yaml")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    found = [
        ParameterSet(name, str(v["version"]), v["effective_date"], str(v["source"]), MappingProxyType(v["values"]))
        for v in content["versions"]
    ]
    return tuple(sorted(found, key=lambda p: p.effective_date))


_replacements: dict[str, ParameterSet] = {}
"""Sets that stand in for the files of their names, in this process."""


@contextmanager
def replaced(sets: Iterable[ParameterSet]) -> Iterator[None]:
    """Context in which given sets are in force on every date, whatever the files of their names say; other files stay in force.

    It holds for the whole process, threads included: a date is calculated again with what was in force for it then.
    """
    global _replacements
    before = _replacements
    _replacements = before | {found.name: found for found in sets}
    try:
        yield
    finally:
        _replacements = before


def in_force(name: str, as_of: dt.date) -> ParameterSet:
    """Version of a parameter file that applies on a date: the newest one effective by then.

    Raises
    ------
    ParameterError : no such file, or no version in force yet.
    """
    if name in _replacements:
        return _replacements[name]
    effective = [p for p in _versions(name) if p.effective_date <= as_of]
    if not effective:
        raise ParameterError(f"no version of {name}.yaml is in force on {as_of}")
    return effective[-1]


def announced(wanted: Iterable[str], as_of: dt.date, until: dt.date) -> list[ParameterSet]:
    """Versions of some files that come into force after a date, up to another one; none of a file that is replaced.

    Raises
    ------
    ParameterError : no such file.
    """
    found = [p for name in wanted if name not in _replacements for p in _versions(name) if as_of < p.effective_date <= until]
    return sorted(found, key=lambda p: (p.effective_date, p.name))


def names() -> list[str]:
    """Names of all parameter files."""
    folder = resources.files("margin_pipeline.parameters") / "data"
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))


def all_in_force(as_of: dt.date) -> list[ParameterSet]:
    """Every parameter set that applies on a date, by name.

    Raises
    ------
    ParameterError : a file has no version in force yet.
    """
    return [in_force(name, as_of) for name in names()]
