"""Which version of which parameter file a figure was computed with.

Belongs here: the record. Not here: values (a module a file), reading (`reader`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class RuleVersion:
    """Which version of which parameter file a line was computed with."""

    label: str
    effective_date: dt.date
