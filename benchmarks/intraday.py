"""Seconds from a changed live mark to the row in utilization_history, and of a round without a change.

Belongs here: rounds as the sensor runs them, on published generated books. Not here: the chain that publishes them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import tempfile
import time
from pathlib import Path

import dagster as dg

from benchmarks.generated_book import AS_OF, write_book
from benchmarks.harness import Result
from margin_pipeline import storage
from margin_pipeline.definitions import build_defs
from margin_pipeline.orchestration.intraday import Cursor, LiveMargins
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.settings import from_environment
from margin_pipeline.storage import connections

NIGHT = dt.datetime(2023, 1, 5, 3, tzinfo=dt.UTC)
"""The market is closed: ages of marks are not looked at."""
REPEATS = 5


class _Followed:
    """A published book with live marks of all its stocks and options, and rounds that have found everything once."""

    def __init__(self, urls: storage.DatabaseUrls) -> None:
        self.urls = urls
        store = ResultStore(lambda: urls, "benchmark", lambda as_of, at: {})
        self.store, self.live = store, LiveMargins(store, "XNYS")
        self._execute("insert into margin.live_marks (symbol, price) select symbol, close from margin.prices where date = %s", AS_OF)
        self.cursor = self.live.round(Cursor(), NIGHT).cursor

    def _execute(self, statement: str, *values: object) -> None:
        with connections.connect(self.urls) as connection:
            connection.execute(statement, values)

    def changed(self, which: str) -> tuple[float, int]:
        """Least seconds of a round after marks have changed, by a condition on their symbols, and portfolios that it computed."""
        seconds, portfolios = [], 0
        for _ in range(REPEATS):
            self._execute(f"update margin.live_marks set price = price * 1.001, marked_at = clock_timestamp() where {which}")
            started = time.perf_counter()
            found = self.live.round(self.cursor, NIGHT)
            seconds.append(time.perf_counter() - started)
            self.cursor, portfolios = found.cursor, found.portfolios
            if not (found.rows == portfolios > 0 and not found.left):
                raise AssertionError(f"a round must add a row for each portfolio that it computes: {found}")
        return min(seconds), portfolios

    def unchanged(self) -> float:
        """Least seconds of a round without a change, with the look at the emergency stop that the sensor takes before it."""
        seconds = []
        for _ in range(20):
            started = time.perf_counter()
            self.store.standing_stop()
            self.live.round(self.cursor, NIGHT)
            seconds.append(time.perf_counter() - started)
        return min(seconds)


def _publish(root: Path, urls: storage.DatabaseUrls, landing: Path) -> None:
    quick = {"MARGIN_DATA_DIR": str(root / "data"), "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off", "MARGIN_COMPUTE": "numpy"}
    settings = dataclasses.replace(from_environment(quick), landing_dir=landing)
    job = build_defs(settings, urls=urls).resolve_job_def("margin_chain")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        job.execute_in_process(instance=instance, partition_key=AS_OF.isoformat(), run_config=quiet)


def _follow(positions: int, symbols: int, portfolios: int) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_book(root / "landing", positions, symbols=symbols, portfolios=portfolios, sessions=260)
        with storage.open_database(root / "data", None, None) as urls:
            _publish(root, urls, root / "landing")
            book = _Followed(urls)
            one, concerned = book.changed("symbol = 'S0001'")
            everything, all_of_them = book.changed("true")
            name = f"{portfolios} portfolio{'s' * (portfolios > 1)} of {positions // portfolios:,} positions"
            return [
                Result(f"a mark changes, {name}", one, "s", 1.0 if portfolios == 1 else None, note=f"{concerned} portfolios computed"),
                Result(f"all marks change, {name}", everything, "s", 2.0 if portfolios > 1 else 1.0, note=f"{all_of_them} computed"),
                Result(f"no mark changes, {name}", book.unchanged(), "s", 0.020),
            ]


def run() -> list[Result]:
    """One portfolio of 10,000 positions, and 100 of 1,000; publishing them takes most of the time."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return [*_follow(10_000, 500, 1), *_follow(100_000, 2_000, 100)]
