"""A data folder with a small book under faults: commands on it, and what it shows.

Belongs here: starting commands, reading what is published and which alerts there are. Not here: faults, assertions about them.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psycopg

from margin_pipeline.storage.urls import DatabaseUrls
from margin_pipeline_tests.chaos.book import DATE

LIMIT_SECONDS = 400
# Equity of a portfolio by variant of the book: utilization 0.63, and 0.87 with a warning. Far apart, so that hysteresis decides nothing.
EQUITY = {"calm": 600_000, "strained": 440_000}
_COMMAND = [sys.executable, "-c", "import sys; from margin_pipeline.cli import main; sys.exit(main())"]
# How long something took, and instants, differ from run to run.
_KEYS = """
select attname from pg_attribute
 where attrelid = %s::regclass and attnum > 0 and (atttypid = 'timestamptz'::regtype or attname = 'seconds')
"""
_DIGEST = """
select count(*), md5(coalesce(string_agg(line, ',' order by line), ''))
  from (select (to_jsonb(t) - 'calculation_id' - %s::text[])::text as line from margin.{table} t where as_of = %s) lines
"""

Key = tuple[str, str, str, float]
Tables = Mapping[str, tuple[int, str]]


@dataclass(frozen=True)
class Shown:
    """What a data folder shows of the date.

    Attributes
    ----------
    tables : count and digest of the published rows by table; empty: nothing is published.
    is_whole : whether every published table has the rows that were counted when it was written.
    open_alerts : alerts that are open.
    episodes : episodes of every alert that there ever was, in order.
    running : calculations that are marked as running.
    """

    tables: Tables
    is_whole: bool
    open_alerts: frozenset[Key]
    episodes: Mapping[Key, list[int]]
    running: int


@dataclass
class Site:
    """A data folder and a landing zone.

    Attributes
    ----------
    data_dir, landing : the folders.
    urls : its databases.
    given : environment of its commands beyond the usual.
    expected_episodes : how often each alert has been raised, if none was lost or doubled.
    """

    data_dir: Path
    landing: Path
    urls: DatabaseUrls
    given: dict[str, str] = field(default_factory=dict)
    expected_episodes: Counter[Key] = field(default_factory=Counter)
    last_open: frozenset[Key] = frozenset()

    def put(self, variant: str) -> None:
        """Write a variant of the book into the landing zone."""
        path = self.landing / DATE.isoformat() / "portfolios.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.loc[frame["portfolio_id"] == "MOMENTUM", "equity"] = str(EQUITY[variant])
        draft = path.with_suffix(".draft")
        frame.to_csv(draft, index=False)
        draft.replace(path)

    def environment(self) -> dict[str, str]:
        """Environment of its commands."""
        found = {k: v for k, v in os.environ.items() if not k.startswith(("MARGIN_", "DAGSTER_"))}
        quick = {"MARGIN_COMPUTE": "numpy", "MARGIN_THREADS": "1", "MARGIN_PICTURES": "off", "MARGIN_REPORTS": "off"}
        folders = {"MARGIN_DATA_DIR": str(self.data_dir), "MARGIN_LANDING_DIR": str(self.landing)}
        return found | quick | folders | self.given

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; it and its children are a process group of their own."""
        # Not in the data folder, whose disk may be full.
        log = (self.landing.parent / "command.log").open("w", encoding="utf-8")
        with log:
            return subprocess.Popen(
                [*_COMMAND, *arguments], env=self.environment(), stdout=log, stderr=subprocess.STDOUT, text=True, start_new_session=True
            )

    def said(self) -> str:
        """What the last command said."""
        return (self.landing.parent / "command.log").read_text(encoding="utf-8")

    def start_run(self) -> subprocess.Popen[str]:
        """Start the chain of the date."""
        return self.start("run", "--as-of", DATE.isoformat())

    def finish_run(self) -> float:
        """Run the chain of the date to its end; gives the seconds."""
        started = time.monotonic()
        process = self.start_run()
        assert process.wait(LIMIT_SECONDS) == 0, self.said()
        return time.monotonic() - started

    def shown(self) -> Shown:
        """What readers see now; waits for a server that recovers."""
        with _connect(self.urls) as connection:
            connection.execute("set transaction isolation level repeatable read, read only")
            if not connection.execute("select to_regclass('margin.intraday_positions') is not null").fetchone()[0]:  # type: ignore[index]
                # Killed while the tables were made.
                return Shown({}, True, frozenset(), {}, 0)
            rows = connection.execute(
                "select p.table_name, t.row_count from margin_data.published_tables p left join margin_data.calculations c "
                "on c.as_of = p.as_of and c.state = 'published' left join margin_data.calculation_tables t "
                "on t.calculation_id = c.calculation_id and t.table_name = p.table_name where p.as_of = %s order by 1",
                (DATE,),
            ).fetchall()
            tables = {}
            for name, _ in rows:
                left_out = [key for (key,) in connection.execute(_KEYS, (f"margin.{name}",)).fetchall()]
                tables[name] = connection.execute(_DIGEST.format(table=name), (left_out, DATE)).fetchone()
            alerts = connection.execute(
                "select portfolio_id, kind, subject, threshold, episode, cleared_at is null from margin_data.alerts order by 1, 2, 3, 4, 5"
            ).fetchall()
            (running,) = connection.execute("select count(*) from margin_data.calculations where state = 'running'").fetchone()  # type: ignore[misc]
        episodes: dict[Key, list[int]] = {}
        for *key, episode, _ in alerts:
            episodes.setdefault(tuple(key), []).append(episode)
        opened = Counter(tuple(key) for *key, _, is_open in alerts if is_open)
        assert max(opened.values(), default=1) == 1, f"open twice: {opened}"
        is_whole = all(tables[name][0] == count for name, count in rows)
        return Shown(tables, is_whole, frozenset(opened), episodes, running)

    def finished(self, shown: Shown) -> None:
        """Take note that a run has ended and shows this: which alerts it has raised anew."""
        self.expected_episodes.update(shown.open_alerts - self.last_open)
        self.last_open = shown.open_alerts


def seeded(name: str) -> random.Random:
    """Random numbers of CHAOS_SEED, or of a seed of the moment, which is printed."""
    seed = os.environ.get("CHAOS_SEED") or str(time.time_ns() % 1_000_000)
    print(f"\n{name}: CHAOS_SEED={seed}", flush=True)
    return random.Random(f"{name} {seed}")


def rounds(share: float) -> int:
    """Rounds of a test whose share of all rounds this is, of CHAOS_RUNS in all; one at least."""
    return max(round(int(os.environ.get("CHAOS_RUNS", "50")) * share), 1)


def family(process: int) -> dict[int, str]:
    """A process and all below it, with their command lines."""
    parents, lines = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError, IndexError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                lines[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    found, queue = {}, [process]
    while queue:
        number = queue.pop()
        if number in lines:
            found[number] = lines[number]
        queue += [child for child, parent in parents.items() if parent == number]
    return found


def _connect(urls: DatabaseUrls) -> psycopg.Connection[tuple]:
    deadline = time.monotonic() + 60
    while True:
        try:
            return psycopg.connect(urls.libpq)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
