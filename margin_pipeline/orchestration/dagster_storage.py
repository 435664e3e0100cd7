"""Dagster's own storage, in a second Postgres database.

Belongs here: finding its URL, so that dagster.yaml needs no secret. Not here: result tables.
"""

from __future__ import annotations

from typing import Any

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import DagsterPostgresException

from margin_pipeline import settings, storage
from margin_pipeline.storage import database_urls


def is_lost(error: BaseException) -> bool:
    """Whether an error is what Dagster raises when its database goes away under it."""
    return isinstance(error, DagsterPostgresException) or storage.is_lost_connection(error)


def table_names() -> set[str]:
    """All tables of Dagster's storage."""
    from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
    from dagster._core.storage.runs.schema import RunStorageSqlMetadata
    from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata

    return {*SqlEventLogStorageMetadata.tables, *RunStorageSqlMetadata.tables, *ScheduleStorageSqlMetadata.tables}


class MarginDagsterStorage(DagsterPostgresStorage):
    """Runs, events and schedules beside the results; the URL comes from the environment or the embedded server's folder."""

    @classmethod
    def config_type(cls) -> Any:
        """No configuration: everything is found."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: PostgresStorageConfig) -> MarginDagsterStorage:
        """Storage on the URL of this process's settings."""
        found = settings.from_environment()
        urls = database_urls(found.data_dir, found.database_url, found.dagster_database_url)
        return cls(postgres_url=urls.dagster, inst_data=inst_data)
