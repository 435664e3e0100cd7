"""The published calculation before a date.

Belongs here: which one that is, and which of its tables are kept. Not here: reading their rows (`reading`, `history`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.storage.connections import transaction
from margin_pipeline.storage.urls import DatabaseUrls

_NEWEST_BEFORE = """
select as_of, calculation_id from margin_data.calculations
 where state = 'published' and scope = 'chain' and retired_at is null and as_of < %s order by as_of desc limit 1
"""


@dataclass(frozen=True)
class PreviousCalculation:
    """A published calculation of a whole date.

    Attributes
    ----------
    as_of : its date.
    calculation_id : its number.
    tables : tables whose rows readers see of that date.
    """

    as_of: dt.date
    calculation_id: int
    tables: frozenset[str]


def previous_calculation(urls: DatabaseUrls, as_of: dt.date) -> PreviousCalculation | None:
    """The published calculation of the newest whole date before a date; None where there is none."""
    with transaction(urls) as connection:
        found = connection.execute(_NEWEST_BEFORE, (as_of,)).fetchone()
        if found is None:
            return None
        rows = connection.execute("select table_name from margin_data.published_tables where as_of = %s", (found[0],)).fetchall()
    return PreviousCalculation(found[0], int(found[1]), frozenset(name for (name,) in rows))
