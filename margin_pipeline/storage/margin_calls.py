"""Margin calls from issue to settlement: reading those that matter on a date, and writing what becomes of them.

Belongs here: SQL on `margin_calls`. Not here: what is called (`decisions.margin_calls`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from margin_pipeline.storage.connections import client

# One evaluation at a time, over all processes: two daemons would otherwise both issue a call.
_LOCK = "select pg_advisory_xact_lock(hashtext('margin calls'))"
_CLIENT = "select set_config('margin.client', %s, true)"
_NEWEST = """
select as_of, calculation_id from margin_data.calculations where state = 'published' and scope = 'chain' order by as_of desc limit 1
"""
_CALLS = """
select portfolio_id, kind, subject, due_date, as_of, amount from margin_data.margin_calls
 where withdrawn_at is null and (met_at is null or as_of = %(as_of)s or met_as_of = %(as_of)s)
 order by portfolio_id, kind, subject, due_date, as_of
"""
_ISSUE = """
insert into margin_data.margin_calls
    (portfolio_id, kind, subject, due_date, as_of, calculation_id, currency, amount, outstanding, seen_as_of, special_memorandum_account,
     buying_power, reference)
values (%(portfolio_id)s, %(kind)s, %(subject)s, %(due_date)s, %(as_of)s, %(calculation_id)s, %(currency)s, %(amount)s, %(amount)s,
        %(as_of)s, %(special_memorandum_account)s, %(buying_power)s, %(reference)s)
on conflict (portfolio_id, kind, subject, due_date, as_of) do update
   set calculation_id = excluded.calculation_id, amount = excluded.amount, outstanding = excluded.outstanding,
       special_memorandum_account = excluded.special_memorandum_account, buying_power = excluded.buying_power,
       reference = excluded.reference, withdrawn_at = null, met_at = null, met_as_of = null
"""
_KEY = """
 where portfolio_id = %(portfolio_id)s and kind = %(kind)s and subject = %(subject)s and due_date = %(due_date)s and as_of = %(as_of)s
"""
_SEEN = f"""
update margin_data.margin_calls set outstanding = %(outstanding)s, seen_as_of = %(seen_as_of)s, met_at = null, met_as_of = null {_KEY}
"""
_MET = f"""
update margin_data.margin_calls set outstanding = 0, seen_as_of = %(seen_as_of)s, met_as_of = %(seen_as_of)s,
       met_at = coalesce(met_at, clock_timestamp()) {_KEY}
"""
_WITHDRAWN = f"""
update margin_data.margin_calls set outstanding = 0, withdrawn_at = clock_timestamp(), met_at = null, met_as_of = null {_KEY}
"""
Rows = Sequence[Mapping[str, Any]]


class CallEvaluation:
    """One evaluation under the lock: read the calls, decide, write the changes, commit.

    Use as a context manager; nothing is written when the body raises.
    """

    def __init__(self, libpq_url: str) -> None:
        self._url = libpq_url

    def __enter__(self) -> CallEvaluation:
        self._connection = psycopg.connect(self._url, row_factory=dict_row)
        self._connection.execute(_CLIENT, (client(),))
        self._connection.execute(_LOCK)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self._connection.commit()
        self._connection.close()

    def newest_published(self) -> tuple[dt.date, int] | None:
        """Newest business date whose chain is published, and its calculation."""
        row = self._connection.execute(_NEWEST).fetchone()
        return (row["as_of"], row["calculation_id"]) if row else None

    def calls(self, as_of: dt.date) -> list[dict[str, Any]]:
        """Calls that are open, or were issued on or met as of a date."""
        return self._connection.execute(_CALLS, {"as_of": as_of}).fetchall()

    def apply(self, as_of: dt.date, calculation_id: int, *, issued: Rows, seen: Rows, met: Rows, withdrawn: Rows) -> dict[str, int]:
        """Write what becomes of calls on a date; gives how many rows of each kind there were."""
        about = {"seen_as_of": as_of, "calculation_id": calculation_id}
        with self._connection.cursor() as cursor:
            # Withdrawn and met ones first: one call of a kind is open at a time.
            for statement, rows in ((_WITHDRAWN, withdrawn), (_MET, met), (_SEEN, seen), (_ISSUE, issued)):
                for row in rows:
                    cursor.execute(statement, {**row, **about})
        return {"issued": len(issued), "open_before": len(seen), "met": len(met), "withdrawn": len(withdrawn)}
