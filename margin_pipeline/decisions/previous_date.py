"""Tables of the date before: what figures that speak of changes are compared with.

Belongs here: the record. Not here: which date that is, reading (`storage`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class PreviousDate:
    """Published tables of the newest date before the one that is calculated.

    Attributes
    ----------
    as_of : that date.
    tables : frames by table name; histories are resolved up to that date. A table that was not published then is absent.
    """

    as_of: dt.date
    tables: Mapping[str, pd.DataFrame]
