"""Margin calls: issued, followed and settled from published figures.

Belongs here: the asset that upserts calls. Not here: what is lacking (`decisions.margin_calls`), who is told (alerts).
"""

import datetime as dt

import dagster as dg

from margin_pipeline.orchestration.resources import ResultStore
from margin_pipeline.orchestration.table_asset import OWNERS, RETRIES


def build_margin_calls(partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Bind the evaluation of margin calls to partitions."""

    @dg.asset(
        name="margin_calls",
        deps=["publication"],
        group_name="day_to_day",
        owners=OWNERS,
        kinds={"python", "postgres"},
        partitions_def=partitions_def,
        retry_policy=RETRIES,
        required_resource_keys={"store"},
    )
    def margin_calls(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Issues, follows and settles margin calls from the published figures; dates before the newest published one change nothing."""
        store: ResultStore = context.resources.store
        return dg.MaterializeResult(metadata=store.evaluate_margin_calls(dt.date.fromisoformat(context.partition_key)))

    return margin_calls
