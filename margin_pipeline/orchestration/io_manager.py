"""The IO manager: frames to tables and back.

Belongs here: which table an asset means, and what its materialisation shows. Not here: SQL (`storage`), checks and inputs (the factory).
"""

from __future__ import annotations

import datetime as dt
import time

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
        """Load a published table of the date, for a notebook or an asset of somebody else's."""
        return self._store.published(dt.date.fromisoformat(context.asset_partition_key), context.asset_key.to_user_string())

    def _column_schema(self, table: str) -> dg.TableSchema:
        return dg.TableSchema(
            [
                dg.TableColumn(column.name, column.type, column.comment, dg.TableColumnConstraints(nullable=column.nullable))
                for column in self._store.columns(table).columns
            ]
        )
