"""The state of the pipeline as operators ask for it: the results database at this moment.

Belongs here: reading `pipeline_status`, metrics and what does not end. Not here: Dagster's side (`dagster_state`), wording (`reports`).
Nothing is written: a user who may only read can ask.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row, dict_row

from margin_pipeline.storage.connections import connect, one_line
from margin_pipeline.storage.errors import StorageError
from margin_pipeline.storage.urls import DatabaseUrls

# Whoever looks must not hang: a health check that waits for ever says nothing.
_PATIENCE = "set statement_timeout = '10s'"
_METRICS = "select metric, type, help, labels, value from margin.pipeline_metrics order by place, labels::text"
_RUNNING = "select calculation_id, as_of, run_id, started_at from margin.calculations where state = 'running' order by calculation_id"


@dataclass(frozen=True)
class Running:
    """A calculation that has begun and not ended, with the Dagster run that calculates it."""

    calculation_id: int
    as_of: dt.date
    run_id: str
    started_at: dt.datetime


@dataclass(frozen=True)
class Sample:
    """One value of a metric.

    Attributes
    ----------
    metric : name, without labels.
    type : counter, gauge or histogram.
    help : what it measures, with its unit.
    labels : what tells it from the other values of the metric.
    value : the value.
    """

    metric: str
    type: str
    help: str
    labels: dict[str, str]
    value: float


def pipeline_status(urls: DatabaseUrls) -> dict[str, Any]:
    """The row of `margin.pipeline_status`, by column.

    Raises
    ------
    StorageError : the database cannot be reached, or has not this version's views.
    """
    with _reading(urls) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return _one(cursor.execute("select * from margin.pipeline_status").fetchone())


def running_calculations(urls: DatabaseUrls) -> list[Running]:
    """Calculations that have begun and not ended, oldest first.

    Raises
    ------
    StorageError : as of `pipeline_status`.
    """
    with _reading(urls) as connection, connection.cursor(row_factory=class_row(Running)) as cursor:
        return cursor.execute(_RUNNING).fetchall()


def metrics(urls: DatabaseUrls) -> list[Sample]:
    """Every metric of `margin.pipeline_metrics`; what is undetermined is not among them.

    Raises
    ------
    StorageError : as of `pipeline_status`.
    """
    with _reading(urls) as connection, connection.cursor(row_factory=class_row(Sample)) as cursor:
        return cursor.execute(_METRICS).fetchall()


@contextmanager
def _reading(urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A read-only connection; what the driver says of missing views and refused statements becomes a line for people."""
    with connect(urls) as connection:
        connection.read_only = True
        try:
            connection.execute(_PATIENCE)
            yield connection
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName):
            raise StorageError("the schema is not that of this version; apply it: margin-pipeline database upgrade") from None
        except psycopg.Error as error:
            raise StorageError(f"the database refused: {one_line(error)}") from error


def _one(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        raise StorageError("margin.pipeline_status gave no row; apply the schema again: margin-pipeline database upgrade")
    return row
