"""The IO manager: frames to tables and back.

Belongs here: which table and history an asset means, and what its materialisation shows. Not here: SQL (`storage`), checks (the factory).
"""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import dagster as dg
import pandas as pd

from margin_pipeline.orchestration.result_store import ResultStore


class TableIOManager(dg.IOManager):
    """Stores an asset's frame as rows of its own calculation; loads the rows of this run, else the published ones."""

    def __init__(self, store: ResultStore) -> None:
        self._store = store

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Load a frame into its table, by an explicit cast to the types of the catalogue."""
        table = context.asset_key.to_user_string()
        started = time.perf_counter()
        self._store.write(context.step_context.dagster_run, dt.date.fromisoformat(context.partition_key), table, obj)
        context.add_output_metadata(
            {
                "dagster/row_count": len(obj),
                "dagster/column_schema": self._column_schema(table),
                "dagster/table_name": f"margin.{table}",
                "load_seconds": time.perf_counter() - started,
            }
        )

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Load a table of the date, or its history where the asset asks for one."""
        table = context.asset_key.to_user_string()
        as_of = dt.date.fromisoformat(context.asset_partition_key)
        run = context.step_context.dagster_run
        wanted: dict[str, Any] = dict(context.definition_metadata or {})
        if wanted.get("history"):
            return self._store.read_history(run, as_of, table, wanted["sessions"] or None)
        return self._store.read(run, as_of, table)

    def _column_schema(self, table: str) -> dg.TableSchema:
        return dg.TableSchema(
            [
                dg.TableColumn(column.name, column.type, column.comment, dg.TableColumnConstraints(nullable=column.nullable))
                for column in self._store.columns(table).columns
            ]
        )
