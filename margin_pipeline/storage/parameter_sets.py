"""Parameters behind calculations: stored once each, word by word, and read back.

Belongs here: SQL on `parameter_sets` and `calculation_parameters`. Not here: which sets are in force (`parameters`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from margin_pipeline.parameters import written
from margin_pipeline.parameters.reader import ParameterSet
from margin_pipeline.storage.connections import transaction
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls


def store(connection: psycopg.Connection[Any], calculation_id: int, sets: Iterable[ParameterSet]) -> None:
    """Store what is in force for a calculation; contents that are there already are not sent again.

    Raises
    ------
    ParameterError : a set holds something that cannot be stored.
    """
    texts = [(written.to_text(found), found) for found in sets]
    rows = [(written.fingerprint(text), found, text) for text, found in texts]
    known = connection.execute(
        "select sha256 from margin_data.parameter_sets where sha256 = any(%s)", ([digest for digest, _, _ in rows],)
    ).fetchall()
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into margin_data.parameter_sets (sha256, name, version, effective_date, source, content) "
            "values (%s, %s, %s, %s, %s, %s) on conflict (sha256) do nothing",
            # Sorted: two that store the same new contents wait for each other in one order.
            sorted(
                (digest, found.name, found.version, found.effective_date, found.source, text)
                for digest, found, text in rows
                if (digest,) not in known
            ),
        )
        cursor.executemany(
            "insert into margin_data.calculation_parameters (calculation_id, name, sha256) values (%s, %s, %s) "
            "on conflict (calculation_id, name) do nothing",
            [(calculation_id, found.name, digest) for digest, found, _ in rows],
        )


def stored(urls: DatabaseUrls, calculation_id: int) -> list[ParameterSet]:
    """Parameter sets that were in force for a calculation, by name.

    Raises
    ------
    StorageError : there is no such calculation, or none were stored with it.
    """
    with transaction(urls) as connection:
        rows = connection.execute(
            "select p.sha256, p.content::text from margin_data.calculation_parameters u join margin_data.parameter_sets p using (sha256) "
            "where u.calculation_id = %s order by u.name",
            (calculation_id,),
        ).fetchall()
        known = connection.execute("select as_of from margin_data.calculations where calculation_id = %s", (calculation_id,)).fetchone()
    if known is None:
        raise StorageError(f"there is no calculation {calculation_id}; margin.calculations lists all")
    if not rows:
        raise StorageError(f"no parameters were stored with calculation {calculation_id}: an earlier version of this package made it")
    if changed := [digest for digest, text in rows if written.fingerprint(text) != digest]:
        raise StorageError(f"the stored parameter set {changed[0]} is not what it was when it was stored; it is not used")
    return [written.from_text(text) for _, text in rows]
