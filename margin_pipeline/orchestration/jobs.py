"""Jobs: the whole chain, and one a stage with everything after it.

Belongs here: which assets run together. Not here: when they run.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

CHAIN = "margin_chain"
STAGES = ("landing", "positions", "estimation", "margins", "netting", "portfolio_margins", "risk", "regulation")
FROM_STAGE = {f"from_{stage}": stage for stage in STAGES}

LIMIT_TAG = "dagster/max_runtime"
"""Tag by which Dagster's run monitoring ends runs."""

# In one process a step costs 0.1 s; in a process each, seconds.
EXECUTOR = dg.in_process_executor


def jobs(limit_seconds: int) -> list[UnresolvedAssetJobDefinition]:
    """The chain, and for each stage that stage with all that follows from it, so that no published table is ever stale.

    Parameters
    ----------
    limit_seconds : how long a run may take; the daemon ends those that take longer.
    """
    limit = {LIMIT_TAG: str(limit_seconds)}
    description = "The whole chain of one business date."
    chain = dg.define_asset_job(CHAIN, dg.AssetSelection.all(), description=description, executor_def=EXECUTOR, tags=limit)
    stages = [
        dg.define_asset_job(
            name,
            dg.AssetSelection.groups(stage).downstream(),
            description=f"Stage {stage} and everything after it; earlier stages as published.",
            executor_def=EXECUTOR,
            tags=limit,
        )
        for name, stage in FROM_STAGE.items()
    ]
    return [chain, *stages]
