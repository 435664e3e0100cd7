"""Follows portfolios during the day: what live marks change, round by round.

Belongs here: what is kept between rounds, which portfolios are due, the budget of a round. Not here: margin (`decisions.intraday`), SQL.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions import alerts as alert_rules
from margin_pipeline.decisions.alerts.book import STALE_MARK
from margin_pipeline.decisions.alerts.evaluation import AlertChanges, compare
from margin_pipeline.decisions.alerts.live import LIVE_MARKS, stale_live_marks
from margin_pipeline.decisions.intraday import PublishedBook, live_symbols, published_book, revalue, shelves
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.orchestration import partitions
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.parameters.intraday import IntradayRules, intraday_rules
from margin_pipeline.parameters.stress import stress_rules
from margin_pipeline.storage import alerts as outbox
from margin_pipeline.storage import live
from margin_pipeline.storage.snapshot import Snapshot, snapshot

SESSIONS = 10
"""Sessions of prices and exchange rates that the stages of the chain read."""
BY_SCENARIOS = ("portfolio_margin", "futures")
"""Accounts whose governing method looks at scenarios."""
LOOK_AT_AGES_EVERY = dt.timedelta(minutes=1)
HISTORIES = ("fx_rates", "rates", "futures_margins", "margin_schedules", "margin_rates", "span_parameters")
TABLES = (
    "positions", "instruments", "portfolios", "house_margins", "symbol_risk", "strategy_groups", "rejected_rows", "dividends",
    "risk_arrays",
)  # fmt: skip


@dataclass(frozen=True)
class Cursor:
    """How far rounds have come.

    Attributes
    ----------
    calculation_id : published calculation that figures rest on; 0: none yet.
    version : newest change of live marks that has been looked at.
    pending : portfolios that the budget did not reach.
    pending_since : change of marks before the first that they wait for.
    """

    calculation_id: int = 0
    version: int = 0
    pending: tuple[str, ...] = ()
    pending_since: int = 0

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        """Cursor of a text that `write` gave; the beginning without one."""
        found = json.loads(text) if text else {}
        return cls(**{**found, "pending": tuple(found.get("pending", ()))})

    def write(self) -> str:
        """Text to be kept."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass
class Round:
    """What a round did.

    Attributes
    ----------
    cursor : where the next one begins.
    portfolios, left : portfolios computed, and left to the next round by the budget.
    rows : rows added to utilization_history.
    raised, cleared : alerts.
    seconds : how long it took.
    note : why nothing was computed; empty otherwise.
    """

    cursor: Cursor
    portfolios: int = 0
    left: int = 0
    rows: int = 0
    raised: int = 0
    cleared: int = 0
    seconds: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        """One line for the log."""
        alerts = f"{self.raised} alerts raised, {self.cleared} cleared"
        if self.note and not (self.raised or self.cleared):
            return self.note
        return f"{self.portfolios} portfolios in {self.seconds:.2f} s, {self.left} left to the next round; {alerts}"


@dataclass
class _Published:
    """The newest published date, read once: its tables, what its portfolios depend on, and books prepared so far."""

    newest: live.Newest
    since: dt.datetime
    thresholds: Mapping[str, float]
    rules: IntradayRules
    inputs: MarginInputs
    depends: pd.DataFrame
    shelves: list[list[str]]
    at: dt.datetime | None
    calendar_open: bool
    books: dict[int, PublishedBook] = field(default_factory=dict)

    def book(self, number: int) -> PublishedBook:
        """Prepared portfolios of a shelf."""
        if number not in self.books:
            as_of = self.newest.as_of
            inputs = _part(self.inputs, self.shelves[number], self.depends)
            self.books[number] = published_book(inputs, stress_rules(as_of), as_of, at=self.at, calendar_open=self.calendar_open)
        return self.books[number]


class LiveMargins:
    """Rounds of computing margin at live marks; keeps the published date in memory between them.

    Parameters
    ----------
    store : result store.
    calendar : name of the exchange calendar.
    threads : underlyings that are solved at once.
    """

    def __init__(self, store: ResultStore, calendar: str, threads: int = 1) -> None:
        self._store = store
        self._calendar = calendar
        self._threads = threads
        self._published: _Published | None = None
        self._ages_seen: dt.datetime | None = None
        self._one_round = threading.Lock()

    def round(self, cursor: Cursor, now: dt.datetime) -> Round:
        """Compute the portfolios that changed marks concern, as far as the budget reaches, and raise and clear their alerts."""
        started = time.perf_counter()
        with self._one_round:
            found = self._round(cursor, now, started)
        found.seconds = time.perf_counter() - started
        return found

    def _round(self, cursor: Cursor, now: dt.datetime, started: float) -> Round:
        newest = live.newest(self._store.urls)
        if newest is None or newest.version == 0:
            return Round(cursor, note="no live marks" if newest else "nothing is published")
        if cursor.calculation_id != newest.calculation_id:
            cursor = Cursor(newest.calculation_id)
        published = self._of(newest)
        if newest.version == cursor.version and not cursor.pending:
            done = Round(cursor, note="no live mark has changed")
            self._prepare(published, started)
        else:
            done = self._changes(published, cursor, started)
        self._look_at_ages(published, now, done)
        return done

    def _changes(self, published: _Published, cursor: Cursor, started: float) -> Round:
        """Compute what has changed since the cursor."""
        marks = live.marks(self._store.urls)
        version = int(marks["version"].max())
        # The publication has seen everything up to its marks.
        counts = marks[marks["marked_at"] > published.since]
        prices = counts.set_index("symbol")["price"]
        depends = published.depends.merge(counts[["symbol", "version"]], on="symbol")
        affected = {*depends.loc[depends["version"] > cursor.version, "portfolio_id"], *cursor.pending}
        done, left = Round(cursor, note="no portfolio depends on what has changed"), set[str]()
        for number, names in enumerate(published.shelves):
            due = affected.intersection(names)
            if not due:
                continue
            if done.portfolios and time.perf_counter() - started > published.rules.budget_seconds:
                left |= due
                continue
            self._compute(published, number, due, prices, depends, version, cursor, done)
        since = cursor.pending_since if cursor.pending else cursor.version
        done.left = len(left)
        done.cursor = replace(cursor, version=version, pending=tuple(sorted(left)), pending_since=since if left else 0)
        return done

    def _compute(
        self,
        published: _Published,
        number: int,
        due: set[str],
        prices: pd.Series,
        depends: pd.DataFrame,
        version: int,
        cursor: Cursor,
        done: Round,
    ) -> None:
        """Compute the due portfolios of a shelf, add their rows, raise and clear alerts."""
        started = time.perf_counter()
        margins = revalue(published.book(number), prices, published.thresholds, threads=self._threads).margins
        margins = margins[margins["portfolio_id"].isin(due)].reset_index(drop=True)
        seconds = time.perf_counter() - started
        waited = depends["portfolio_id"].isin(cursor.pending)
        fresh = depends[depends["version"] > np.where(waited, cursor.pending_since, cursor.version)]
        changed = fresh[fresh["portfolio_id"].isin(due)].groupby("portfolio_id")["symbol"].agg(sorted).to_dict()
        newest = published.newest
        about = {"calculation_id": newest.calculation_id, "as_of": newest.as_of, "marks_version": version, "seconds": seconds}
        added = [
            {**{str(k): v for k, v in row.items()}, **about, "changed_symbols": changed.get(row["portfolio_id"], [])}
            for row in margins.astype(object).to_dict("records")
        ]
        rows, raised, cleared = self._record(published, margins, added, version)
        done.portfolios, done.rows = done.portfolios + len(due), done.rows + rows
        done.raised, done.cleared, done.note = done.raised + raised, done.cleared + cleared, ""

    def _record(self, published: _Published, margins: pd.DataFrame, rows: list[dict[str, Any]], version: int) -> tuple[int, int, int]:
        """Add rows and change alerts, unless newer figures are there; gives rows added, alerts raised and cleared."""
        newest, url = published.newest, self._store.urls.libpq
        with outbox.AlertEvaluation(url) as evaluation:
            # Another process may have published meanwhile, or may be further.
            if evaluation.newest_published() != newest.as_of or evaluation.published_calculation(newest.as_of) != newest.calculation_id:
                return 0, 0, 0
            overtaken = live.overtaken(url, newest.calculation_id, version)
            added = live.add(url, [row for row in rows if row["portfolio_id"] not in overtaken])
            margins = margins[~margins["portfolio_id"].isin(list(overtaken))]
            state = evaluation.state()
            standing = (pd.DataFrame(state.open_alerts), pd.DataFrame(state.last_episodes))
            changes = alert_rules.evaluate(margins, *standing, published.thresholds, newest.as_of, newest.calculation_id)
            return added, *_apply(evaluation, changes)

    def _look_at_ages(self, published: _Published, now: dt.datetime, done: Round) -> None:
        """Once a minute, while the market has traded for as long as a mark may be old: alerts about marks that are older."""
        limit = published.rules.stale_after
        if self._ages_seen is not None and now - self._ages_seen < LOOK_AT_AGES_EVERY:
            return
        if not all(partitions.trades(self._calendar, instant) for instant in (now - limit, now)):
            return
        self._ages_seen = now
        marked_at = live.old_marks(self._store.urls, published.since, now - limit)
        hit = published.depends[published.depends["symbol"].isin(list(marked_at))]
        old = {str(name): list(symbols) for name, symbols in hit.groupby("portfolio_id")["symbol"]}
        newest = published.newest
        with outbox.AlertEvaluation(self._store.urls.libpq) as evaluation:
            state = evaluation.state()
            watched = {a["portfolio_id"] for a in state.open_alerts if (a["kind"], a["subject"]) == (STALE_MARK, LIVE_MARKS)}
            judged = list(stale_live_marks(old, marked_at, limit, now, watched))
            standing = (pd.DataFrame(state.open_alerts), pd.DataFrame(state.last_episodes))
            raised, cleared = _apply(evaluation, compare(judged, *standing, newest.as_of, newest.calculation_id))
        done.raised, done.cleared = done.raised + raised, done.cleared + cleared

    def _prepare(self, published: _Published, started: float) -> None:
        """Prepare what is not prepared yet, so that the next change finds everything at hand."""
        for number in range(len(published.shelves)):
            if time.perf_counter() - started > published.rules.budget_seconds:
                return
            published.book(number)

    def _of(self, newest: live.Newest) -> _Published:
        if self._published is None or self._published.newest.calculation_id != newest.calculation_id:
            # The one before goes first: two of them need not fit into memory.
            self._published = None
            with snapshot(self._store.urls) as found:
                self._published = _read(found, newest, self._calendar)
        return self._published


def _apply(evaluation: outbox.AlertEvaluation, changes: AlertChanges) -> tuple[int, int]:
    raised = changes.raised.assign(message=changes.raised["message"].astype(str) + " (at live marks)")
    rows = ([{str(k): v for k, v in row.items()} for row in frame.to_dict("records")] for frame in (raised, changes.cleared))
    return evaluation.apply(*rows)


def _read(found: Snapshot, newest: live.Newest, calendar: str) -> _Published:
    """The newest published date, of one moment."""
    as_of = newest.as_of
    calculations = found.calculations()
    settings = json.loads(str(calculations.loc[calculations["calculation_id"] == newest.calculation_id, "settings"].iloc[0]))
    tables = {name: found.rows(name, as_of) for name in TABLES}
    tables |= {name: found.history(name, as_of, sessions=SESSIONS if name == "fx_rates" else None) for name in HISTORIES}
    owners = tables["portfolios"]
    # Netting sets of derivatives have no positions.
    tables["portfolios"] = owners = owners[owners["account_type"] != "otc"].reset_index(drop=True)
    positions = tables["positions"][tables["positions"]["portfolio_id"].isin(owners["portfolio_id"])].reset_index(drop=True)
    depends = live_symbols(positions, tables["instruments"])
    prices = found.history("prices", as_of, sessions=SESSIONS)
    at = dt.datetime.fromisoformat(settings["at"]) if settings.get("at") else None
    rules = intraday_rules(as_of)
    by_scenarios = owners.set_index("portfolio_id")["account_type"].isin(BY_SCENARIOS)
    grouped = shelves(positions.groupby("portfolio_id").size(), by_scenarios, rules.alone_from_positions, rules.together_up_to_positions)
    inputs = MarginInputs(**{**tables, "positions": positions}, prices=prices, symbols=(), correlation=np.zeros((0, 0)))
    is_open = at is not None and partitions.is_open_and_not_closing_soon(calendar, at, as_of)
    since = at or partitions.close_of(calendar, as_of)
    return _Published(newest, since, settings["thresholds"], rules, inputs, depends, grouped, at, is_open)


def _part(inputs: MarginInputs, portfolios: list[str], depends: pd.DataFrame) -> MarginInputs:
    """The part of the tables that concerns some portfolios."""
    symbols = set(depends.loc[depends["portfolio_id"].isin(portfolios), "symbol"])

    def rows(frame: pd.DataFrame, column: str, values: Any) -> pd.DataFrame:
        return frame[frame[column].isin(values)].reset_index(drop=True)

    return replace(
        inputs,
        positions=rows(inputs.positions, "portfolio_id", portfolios),
        portfolios=rows(inputs.portfolios, "portfolio_id", portfolios),
        strategy_groups=rows(inputs.strategy_groups, "portfolio_id", portfolios),
        instruments=rows(inputs.instruments, "symbol", symbols),
        prices=rows(inputs.prices, "symbol", symbols),
        dividends=rows(inputs.dividends, "symbol", symbols),
        risk_arrays=rows(inputs.risk_arrays, "symbol", symbols),
    )
