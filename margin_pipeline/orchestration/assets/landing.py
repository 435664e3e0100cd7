"""Landing: all files of a date, read and cross-checked before any is written.

Belongs here: the landing asset, and the landing of earlier folders that nobody has read yet. Not here: how files are read (`landing`).
"""

import datetime as dt
import time
from collections.abc import Iterator

import dagster as dg

from margin_pipeline.landing import LANDED_TABLES, LandedDate, LandingError, describe, read_date
from margin_pipeline.orchestration import checks, stale_runs
from margin_pipeline.orchestration.checks import Check, Outcome
from margin_pipeline.orchestration.resources import ResultStore
from margin_pipeline.orchestration.table_asset import FRESHNESS, OWNERS, RETRIES, record, schema_outcome

FILES = "landed_files"
ROW_CONSERVATION = Check(FILES, checks.every_row_is_accounted_for)
SHOWN_REJECTIONS = 20
UNUSABLE_INPUT = "unusable_input"
"""Metadata of a failure whose cause is the files of the date: the step did what it should."""


def build_landing(partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Bind the landing stage to partitions."""

    @dg.multi_asset(
        name="landing",
        outs={
            table: dg.AssetOut(
                description=f"Landed {table.replace('_', ' ')} of the date.",
                owners=OWNERS,
                kinds={"python", "postgres"},
                freshness_policy=FRESHNESS,
                io_manager_key="io_manager",
            )
            for table in LANDED_TABLES
        },
        check_specs=[
            dg.AssetCheckSpec(name, asset=FILES, blocking=True, description=description)
            for name, description in (
                ("schemas", "Columns and types of every landed table are those of the database."),
                (ROW_CONSERVATION.name, ROW_CONSERVATION.description),
            )
        ],
        group_name="landing",
        partitions_def=partitions_def,
        retry_policy=RETRIES,
        required_resource_keys={"store", "landing_zone", "rules"},
    )
    def landing(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
        """Reads and cross-checks all files of a date before it writes any; rows that break their contract go to `rejected_rows`."""
        stale_runs.claim(context.instance, context.run)
        yield from _land(context)

    return landing


def _land(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
    store: ResultStore = context.resources.store
    zone = context.resources.landing_zone
    as_of = dt.date.fromisoformat(context.partition_key)
    started = time.perf_counter()
    try:
        landed = read_date(zone / as_of.isoformat(), as_of)
    except LandingError as error:
        raise dg.Failure("\n".join(error.messages), metadata={UNUSABLE_INPUT: True}, allow_retries=False) from error
    tables = landed.tables
    outcomes = {table: schema_outcome(store, table, tables[table]) for table in LANDED_TABLES}
    wrong = {table: dict(outcome.metadata) for table, outcome in outcomes.items() if not outcome.passed}
    schemas = Outcome(not wrong, {"tables": len(outcomes), "wrong": wrong})
    yield from record([(FILES, "schemas", schemas), (FILES, ROW_CONSERVATION.name, ROW_CONSERVATION.function(tables))])

    earlier = land_earlier_folders(context, store, as_of)
    store.set_content_hash(context, landed.content_hash)
    for line in describe(tables["rejected_rows"])[:SHOWN_REJECTIONS]:
        context.log.warning(line)
    seconds = time.perf_counter() - started
    for table in LANDED_TABLES:
        yield dg.Output(tables[table], output_name=table, metadata=_notes(landed, earlier, seconds) if table == FILES else {})


def _notes(landed: LandedDate, earlier: list[str], seconds: float) -> dict[str, object]:
    files = landed.tables["landed_files"]
    return {
        "rows_read": int(files["rows_read"].sum()),
        "rows_rejected": int(files["rows_rejected"].sum()),
        "earlier_folders_landed": earlier,
        "notes": landed.notes,
        "seconds": seconds,
    }


def land_earlier_folders(context: dg.AssetExecutionContext, store: ResultStore, as_of: dt.date) -> list[str]:
    """Land folders before the date that no published calculation has read: their prices and rates belong to its history.

    A folder that cannot be read is an error for its own date only: it is reported and left out.
    """
    zone, rules = context.resources.landing_zone, context.resources.rules
    known = store.published_dates()
    landed: list[str] = []
    for date in zone.dates():
        if date >= as_of or date in known or not rules.is_session(date):
            continue
        try:
            folder = read_date(zone / date.isoformat(), date)
        except LandingError as error:
            context.log.warning(f"folder {date} was left out of the history: {'; '.join(error.messages)}")
            continue
        outcome = ROW_CONSERVATION.function(folder.tables)
        if not outcome.passed:
            context.log.warning(f"folder {date} was left out of the history: rows do not add up {dict(outcome.metadata)}")
            continue
        store.publish_landing(context, date, folder.tables, folder.content_hash)
        landed.append(date.isoformat())
        context.log.info(f"landed the earlier folder {date}")
    return landed
