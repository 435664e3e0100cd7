"""Storage: the embedded server, URLs, migrations, bulk load and the publication of calculations.

Belongs here: everything that knows a driver or SQL of the pipeline itself. Not here: finance, Dagster, the environment.

Every function that touches the results database takes `urls: DatabaseUrls` first; connections are kept one a process.

    with open_database(data_dir, database_url, dagster_database_url) as urls:   # server held, databases there, migrations applied
        calculation_id = begin(urls, as_of, run_id, code_version, settings)
        write_table(urls, calculation_id, as_of, "positions", frame)
        read_table(urls, calculation_id, as_of, "positions")
        publish(urls, calculation_id, content_hash=…, input_hash=…, scope="chain", expected_tables=[…], downstream={…})

Names are imported when first used, so that a command that only needs URLs does not load drivers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from margin_pipeline.storage.errors import StorageError

if TYPE_CHECKING:
    from margin_pipeline.storage.bulk import execute, load_frame, read_query
    from margin_pipeline.storage.calculations import (
        InputsSeen,
        abandon,
        abandon_dead,
        begin,
        input_hash,
        inputs_seen,
        record_content,
        write_table,
    )
    from margin_pipeline.storage.catalogue import Column, TableColumns, columns, table_names
    from margin_pipeline.storage.embedded import EmbeddedServer
    from margin_pipeline.storage.history import read_history
    from margin_pipeline.storage.migrations import apply_roles, rollback, status, upgrade
    from margin_pipeline.storage.previous import PreviousCalculation, previous_calculation
    from margin_pipeline.storage.publication import Publication, ended, publish, published_after, published_content, published_dates
    from margin_pipeline.storage.query import QueryResult, QuerySession
    from margin_pipeline.storage.reading import known_at, read_published, read_table
    from margin_pipeline.storage.session import database_urls, forget_half_made, is_lost_connection, open_database, taking_turns
    from margin_pipeline.storage.urls import DatabaseUrls

_HOME = {
    "DatabaseUrls": "urls",
    "EmbeddedServer": "embedded",
    "database_urls": "session",
    "forget_half_made": "session",
    "is_lost_connection": "session",
    "open_database": "session",
    "taking_turns": "session",
    "apply_roles": "migrations",
    "upgrade": "migrations",
    "status": "migrations",
    "rollback": "migrations",
    "Column": "catalogue",
    "TableColumns": "catalogue",
    "columns": "catalogue",
    "table_names": "catalogue",
    "load_frame": "bulk",
    "read_query": "bulk",
    "execute": "bulk",
    "begin": "calculations",
    "record_content": "calculations",
    "write_table": "calculations",
    "abandon": "calculations",
    "abandon_dead": "calculations",
    "input_hash": "calculations",
    "inputs_seen": "calculations",
    "InputsSeen": "calculations",
    "read_table": "reading",
    "read_published": "reading",
    "known_at": "reading",
    "read_history": "history",
    "PreviousCalculation": "previous",
    "previous_calculation": "previous",
    "Publication": "publication",
    "ended": "publication",
    "publish": "publication",
    "published_after": "publication",
    "published_content": "publication",
    "published_dates": "publication",
    "QueryResult": "query",
    "QuerySession": "query",
}

__all__ = [
    "Column",
    "DatabaseUrls",
    "EmbeddedServer",
    "InputsSeen",
    "PreviousCalculation",
    "Publication",
    "QueryResult",
    "QuerySession",
    "StorageError",
    "TableColumns",
    "abandon",
    "abandon_dead",
    "apply_roles",
    "begin",
    "columns",
    "database_urls",
    "ended",
    "execute",
    "forget_half_made",
    "input_hash",
    "inputs_seen",
    "is_lost_connection",
    "known_at",
    "load_frame",
    "open_database",
    "previous_calculation",
    "publish",
    "published_after",
    "published_content",
    "published_dates",
    "read_history",
    "read_published",
    "read_query",
    "read_table",
    "record_content",
    "rollback",
    "status",
    "table_names",
    "taking_turns",
    "upgrade",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
