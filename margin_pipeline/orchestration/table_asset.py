"""The one factory of table assets: pure function, checks, results recorded, written only if the checks passed.

Belongs here: turning a function over frames into a Dagster asset. Not here: what a stage computes.
"""

import base64
import datetime as dt
import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pandas as pd

from margin_pipeline.compute import pinned_threads
from margin_pipeline.orchestration import stale_runs
from margin_pipeline.orchestration.checks import Check, Outcome
from margin_pipeline.orchestration.context import CalculationContext
from margin_pipeline.orchestration.earlier_dates import wait_for_earlier_dates
from margin_pipeline.orchestration.run_tags import AT_TAG

OWNERS = ["team:risk"]
Frames = Mapping[str, pd.DataFrame]

# Connections break; arithmetic does not mend by trying again, and failed checks say so themselves (allow_retries=False).
RETRIES = dg.RetryPolicy(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL)

# Every table is due by 19:00 in New York on each weekday, from two hours after the close on.
FRESHNESS = dg.FreshnessPolicy.cron(deadline_cron="0 19 * * 1-5", lower_bound_delta=dt.timedelta(hours=20), timezone="America/New_York")

# A stage that compares with the date before may have to wait for it: what does not, goes first.
COMES_LAST = {"dagster/priority": "-1"}


@dataclass(frozen=True)
class TableAsset:
    """A stage before it is bound to partitions.

    Attributes
    ----------
    function : takes input frames by table name (and optionally `context` and `previous`), returns one frame or one per table.
    tables : tables that it makes, in the order of its results.
    group_name : stage shown in the Dagster UI.
    checks : what must hold before anything is written.
    history : inputs that are histories, with the number of sessions wanted (None: all).
    previous : tables of the published date before that `previous` holds (`PreviousDate`, None where no date is published before);
        those in `history` as histories up to that date. They are no inputs: they belong to another partition.
    metrics : numbers to plot over time, from the frames of tables.
    pictures : PNG pictures by name, from the frames of tables and inputs.
    pool : pool that limits how many such steps run at once.
    """

    function: Callable[..., Any]
    tables: tuple[str, ...]
    group_name: str
    checks: tuple[Check, ...] = ()
    history: Mapping[str, int | None] = field(default_factory=dict)
    previous: tuple[str, ...] = ()
    metrics: Callable[[Frames], Mapping[str, float]] | None = None
    pictures: Mapping[str, Callable[[Frames], bytes]] = field(default_factory=dict)
    pool: str | None = None

    @property
    def inputs(self) -> list[str]:
        """Tables that the function takes."""
        return [p for p in inspect.signature(self.function).parameters if p not in ("context", "previous")]

    def build(self, partitions_def: dg.PartitionsDefinition[str], *, pictures: bool = True) -> dg.AssetsDefinition:
        """Bind to partitions: the Dagster asset, with its pictures or without."""
        description = inspect.getdoc(self.function)

        @dg.multi_asset(
            name=self.function.__name__,
            # Read by the step itself: as a declared input each would cost two more events, of hundreds a date.
            deps=self.inputs,
            outs={
                table: dg.AssetOut(
                    description=description,
                    owners=OWNERS,
                    kinds={"python", "postgres"},
                    freshness_policy=FRESHNESS,
                    io_manager_key="io_manager",
                )
                for table in self.tables
            },
            check_specs=list(self._check_specs()),
            group_name=self.group_name,
            partitions_def=partitions_def,
            retry_policy=RETRIES,
            required_resource_keys={"store", "compute", "rules"},
            pool=self.pool,
            op_tags=COMES_LAST if self.previous else None,
        )
        def step(context: dg.AssetExecutionContext) -> Iterator[dg.Output | dg.AssetCheckResult]:
            stale_runs.claim(context.instance, context.run)
            with context.resources.store.parameters(context.run):
                yield from self._run(context, {name: self._read(context, name) for name in self.inputs}, pictures)

        return step

    def _read(self, context: dg.AssetExecutionContext, name: str) -> pd.DataFrame:
        store, as_of = context.resources.store, dt.date.fromisoformat(context.partition_key)
        return (
            store.read_history(context.run, as_of, name, self.history[name])
            if name in self.history
            else store.read(context.run, as_of, name)
        )

    def _check_specs(self) -> Iterator[dg.AssetCheckSpec]:
        for table in self.tables:
            yield dg.AssetCheckSpec(
                "schema", asset=table, blocking=True, description="Columns and types are those of the table in the database."
            )
        for check in self.checks:
            yield dg.AssetCheckSpec(check.name, asset=check.table, blocking=True, description=check.description)

    def _run(self, context: dg.AssetExecutionContext, inputs: Frames, pictures: bool) -> Iterator[dg.Output | dg.AssetCheckResult]:
        calculation = calculation_context(context)
        if self.previous and (waited := wait_for_earlier_dates(context.instance, context.run, calculation.as_of)):
            calculation.notes["waited_for_earlier_dates"] = waited
        started = time.perf_counter()
        arguments: dict[str, Any] = dict(inputs)
        if "context" in inspect.signature(self.function).parameters:
            arguments["context"] = calculation
        if self.previous:
            arguments["previous"] = context.resources.store.read_previous(context.run, calculation.as_of, self.previous, self.history)
        try:
            # The last bits of products and factorisations depend on the number of threads.
            with pinned_threads(context.resources.compute.threads), context.resources.compute.mapped():
                result = self.function(**arguments)
        except Exception as error:
            # Arithmetic gives the same again: only storage, which is around this call, is worth another try.
            raise dg.Failure(f"{self.function.__name__}: {type(error).__name__}: {error}", allow_retries=False) from error
        results = dict(zip(self.tables, (result,) if isinstance(result, pd.DataFrame) else result, strict=True))
        seconds = time.perf_counter() - started

        outcomes = [(table, "schema", schema_outcome(context.resources.store, table, frame)) for table, frame in results.items()]
        outcomes += [(check.table, check.name, check.function({**inputs, **results})) for check in self.checks]
        yield from record(outcomes)

        notes = {"seconds": seconds, **calculation.notes, **self._figures({**inputs, **results}, pictures)}
        for number, (table, frame) in enumerate(results.items()):
            yield dg.Output(frame, output_name=table, metadata=notes if number == 0 else {"seconds": seconds})

    def _figures(self, frames: Frames, pictures: bool) -> dict[str, Any]:
        metrics = dict(self.metrics(frames)) if self.metrics else {}
        for name, draw in self.pictures.items() if pictures else ():
            picture = base64.b64encode(draw(frames)).decode()
            metrics[name] = dg.MetadataValue.md(f"![{name}](data:image/png;base64,{picture})")
        return metrics


def record(outcomes: Sequence[tuple[str, str, Outcome]]) -> Iterator[dg.AssetCheckResult]:
    """Record the outcome of every check, then fail the step if one did not pass: nothing has been written by then.

    Raises
    ------
    dagster.Failure : a check failed; trying again would give the same.
    """
    for table, name, outcome in outcomes:
        yield dg.AssetCheckResult(check_name=name, asset_key=table, passed=outcome.passed, metadata=dict(outcome.metadata))
    failed = [f"{table}: {name} {dict(outcome.metadata)}" for table, name, outcome in outcomes if not outcome.passed]
    if failed:
        raise dg.Failure("nothing was written, a check failed: " + "; ".join(failed), allow_retries=False)


def schema_outcome(store: Any, table: str, frame: pd.DataFrame) -> Outcome:
    """Compare a frame with the columns of its table: names, and no empty cell where none may be."""
    columns = [c for c in store.columns(table).columns if c.name not in ("as_of", "calculation_id")]
    expected, actual = {c.name for c in columns}, set(frame.columns)
    empty = [c.name for c in columns if not c.nullable and c.name in actual and frame[c.name].isna().any()]
    return Outcome(
        expected == actual and not empty, {"missing": sorted(expected - actual), "unexpected": sorted(actual - expected), "empty": empty}
    )


def calculation_context(context: dg.AssetExecutionContext) -> CalculationContext:
    """The date, time and rules of the run that a step belongs to."""
    as_of = dt.date.fromisoformat(context.partition_key)
    instant = context.run.tags.get(AT_TAG)
    at = dt.datetime.fromisoformat(instant) if instant else None
    rules = context.resources.rules
    is_open, thresholds = rules.market_is_open(at, as_of), rules.thresholds(as_of)
    ahead = (rules.next_sessions(as_of), rules.calculated_at(at, as_of))
    return CalculationContext(as_of, at, is_open, thresholds, context.resources.compute, *ahead)


def table_asset(
    *,
    group_name: str,
    tables: Sequence[str] | None = None,
    checks: Sequence[Check] = (),
    history: Mapping[str, int | None] | None = None,
    previous: Sequence[str] = (),
    metrics: Callable[[Frames], Mapping[str, float]] | None = None,
    pictures: Mapping[str, Callable[[Frames], bytes]] | None = None,
    pool: str | None = None,
) -> Callable[[Callable[..., Any]], TableAsset]:
    """Make a stage of a function over frames: parameters name the tables it reads, its own name the table it makes.

    See `TableAsset` for the arguments.
    """

    def declare(function: Callable[..., Any]) -> TableAsset:
        return TableAsset(
            function,
            tuple(tables or (function.__name__,)),
            group_name,
            tuple(checks),
            history or {},
            tuple(previous),
            metrics,
            pictures or {},
            pool,
        )

    return declare
