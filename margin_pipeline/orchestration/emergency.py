"""The emergency stop from the Dagster UI: a job that stops monitoring and automation, and one that lets them go on.

Belongs here: the two jobs. Not here: the row that says so (`storage.automation`), who honours it (sensors and schedules).
"""

import dagster as dg

from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.storage import automation

WHO = dg.Field(dg.Noneable(str), default_value=None, is_required=False, description="Who; empty: whom Dagster knows as the run's author.")
AUTHOR_TAG = "user"


def _who(context: dg.OpExecutionContext) -> str:
    return (context.op_config["by"] or context.run.tags.get(AUTHOR_TAG) or "").strip() or "somebody at the Dagster UI"


@dg.op(
    required_resource_keys={"store"},
    config_schema={"reason": dg.Field(str, description="Why; recorded and shown by every tick."), "by": WHO},
)
def stop_automation_now(context: dg.OpExecutionContext) -> None:
    """Stops monitoring and automation; a stop that stands stays as it is."""
    store: ResultStore = context.resources.store
    why = context.op_config["reason"].strip()
    if not why:
        raise dg.Failure("reason is empty; say why", allow_retries=False)
    made = automation.stop(store.urls.libpq, _who(context), why)
    context.add_output_metadata({"stopped": made, "standing": store.standing_stop() or ""})


@dg.op(
    required_resource_keys={"store"},
    config_schema={"reason": dg.Field(dg.Noneable(str), default_value=None, is_required=False, description="Why it can go on."), "by": WHO},
)
def resume_automation_now(context: dg.OpExecutionContext) -> None:
    """Lets monitoring and automation go on; nothing where they are not stopped."""
    store: ResultStore = context.resources.store
    context.add_output_metadata({"resumed": automation.resume(store.urls.libpq, _who(context), context.op_config["reason"])})


@dg.job(description="Emergency stop: sensors and schedules start nothing and tell nobody.", executor_def=dg.in_process_executor)
def stop_automation() -> None:
    """Stop monitoring and automation."""
    stop_automation_now()


@dg.job(description="Ends the emergency stop.", executor_def=dg.in_process_executor)
def resume_automation() -> None:
    """Let monitoring and automation go on."""
    resume_automation_now()
