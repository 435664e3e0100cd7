"""Alerts: raised, escalated and cleared from published figures.

Belongs here: the asset that upserts alerts. Not here: when an alert is raised (`decisions.alerts`), who is told (the sensor).
"""

import datetime as dt

import dagster as dg

from margin_pipeline.orchestration.resources import ResultStore
from margin_pipeline.orchestration.table_asset import OWNERS, RETRIES


def build_alert_evaluation(partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Bind the alert evaluation to partitions."""

    @dg.asset(
        name="alert_evaluation",
        deps=["publication"],
        group_name="alerts",
        owners=OWNERS,
        kinds={"python", "postgres"},
        partitions_def=partitions_def,
        retry_policy=RETRIES,
        required_resource_keys={"store", "rules"},
    )
    def alert_evaluation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Raises, escalates and clears alerts from the published figures; dates before the newest published one change nothing."""
        store: ResultStore = context.resources.store
        as_of = dt.date.fromisoformat(context.partition_key)
        with store.parameters(context.run):
            return dg.MaterializeResult(metadata=store.evaluate_alerts(as_of, context.resources.rules.thresholds(as_of)))

    return alert_evaluation
