"""Publication: the one step that makes a calculation visible.

Belongs here: the asset that flips the pointers. Not here: how (`storage`).
"""

import datetime as dt
from collections.abc import Mapping

import dagster as dg

from margin_pipeline.orchestration.resources import ResultStore
from margin_pipeline.orchestration.table_asset import FRESHNESS, OWNERS, RETRIES

PUBLICATION = "publication"
"""Name of the step: once it has succeeded, readers see the date."""


def build_publication(
    partitions_def: dg.PartitionsDefinition[str], tables: list[str], downstream: Mapping[str, set[str]]
) -> dg.AssetsDefinition:
    """Bind the publication to partitions and to the tables that it publishes.

    Parameters
    ----------
    tables : all tables of the chain.
    downstream : tables made from each table, directly or not.
    """

    @dg.asset(
        name=PUBLICATION,
        deps=tables,
        group_name=PUBLICATION,
        owners=OWNERS,
        kinds={"postgres"},
        partitions_def=partitions_def,
        retry_policy=RETRIES,
        freshness_policy=FRESHNESS,
        required_resource_keys={"store"},
    )
    def publication(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        """Publishes all tables of the date together, after every check has passed: readers see the old calculation or the new one."""
        store: ResultStore = context.resources.store
        published = store.publish(context, dt.date.fromisoformat(context.partition_key), tables, downstream)
        return dg.MaterializeResult(metadata=published)

    return publication
