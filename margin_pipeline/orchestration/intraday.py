"""Follows portfolios during the day: what live marks change, round by round.

Belongs here: what is kept between rounds, which portfolios are due, the budget of a round. Not here: margin (`decisions.intraday`), SQL.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions import alerts as alert_rules
from margin_pipeline.decisions.alerts.book import STALE_MARK
from margin_pipeline.decisions.alerts.evaluation import AlertChanges, compare
from margin_pipeline.decisions.alerts.judgement import EVERY_PORTFOLIO, Condition, Judgement
from margin_pipeline.decisions.alerts.live import LIVE_MARKS, stale_live_marks
from margin_pipeline.decisions.alerts.margin import MISSING_DATA
from margin_pipeline.decisions.intraday import revalue
from margin_pipeline.landing import LandingError
from margin_pipeline.landing.intraday import newest_file, read_positions
from margin_pipeline.orchestration import partitions
from margin_pipeline.orchestration.live_book import LiveBook, read_book
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.storage import alerts as outbox
from margin_pipeline.storage import live

LOOK_AT_AGES_EVERY = dt.timedelta(minutes=1)
UNREADABLE = "positions.intraday"
"""Subject of the alert about a file of positions that cannot be read."""


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


class LiveMargins:
    """Rounds of computing margin at live marks; keeps the published date in memory between them.

    Parameters
    ----------
    store : result store.
    calendar : name of the exchange calendar.
    threads : underlyings that are solved at once.
    landing : landing zone, in which files of positions may arrive; None: none do.
    """

    def __init__(self, store: ResultStore, calendar: str, threads: int = 1, landing: Path | None = None) -> None:
        self._store = store
        self._calendar = calendar
        self._threads = threads
        self._published: LiveBook | None = None
        self._ages_seen: dt.datetime | None = None
        self._landing = landing
        # Path, size and time of the file of positions as it was in the round before, and of the one that was taken last.
        self._file_seen: tuple[Any, ...] | None = None
        self._file_taken: tuple[Any, ...] | None = None
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
        if newest is None:
            return Round(cursor, note="nothing is published")
        arrived = self._arrived(newest)
        if newest.version == 0 and arrived is None:
            return Round(cursor, note="no live marks")
        if cursor.calculation_id != newest.calculation_id:
            cursor = Cursor(newest.calculation_id)
        published = self._of(newest)
        alerts = (0, 0)
        if arrived is not None:
            alerts = self._take(published, arrived)
            newest = live.newest(self._store.urls) or newest
            published = self._of(newest)
        if newest.version == cursor.version and not cursor.pending:
            done = Round(cursor, note="no live mark has changed")
            self._prepare(published, started)
        else:
            done = self._changes(published, cursor, started)
        done.raised, done.cleared = done.raised + alerts[0], done.cleared + alerts[1]
        self._look_at_ages(published, now, done)
        return done

    def _arrived(self, newest: live.Newest) -> Path | None:
        """A file of positions that has not changed since the round before and has not been taken."""
        path = newest_file(self._landing, newest.as_of) if self._landing else None
        stamp = None
        if path is not None:
            stat = path.stat()
            stamp = (str(path), stat.st_size, stat.st_mtime_ns, newest.calculation_id)
        stands_still, self._file_seen = stamp == self._file_seen, stamp
        return path if stands_still and stamp != self._file_taken else None

    def _take(self, published: LiveBook, path: Path) -> tuple[int, int]:
        """Replace the positions of the portfolios that a file names; gives alerts raised and cleared."""
        urls, newest, told = self._store.urls, published.newest, ""
        try:
            found = read_positions(path, published.published.instruments, published.published.portfolios)
        except LandingError as error:
            told = f"{'; '.join(error.messages)}: positions of before still count; mend the file"
        else:
            if not live.is_taken(urls, newest.calculation_id, found.content_hash):
                marks = _counting(live.marks(urls), published).set_index("symbol")["price"]
                names = {*found.records["portfolio_id"], *found.rejected_rows["portfolio_id"].dropna()}
                names &= set(published.published.portfolios["portfolio_id"])
                equity = published.equity_after(found.records, names, marks)
                records = found.records[found.records["portfolio_id"].isin(list(names))]
                live.take_positions(urls, newest.calculation_id, found.content_hash, equity, records, found.rejected_rows, found.source)
        self._file_taken = self._file_seen
        lacking = (Condition(0.0, "critical", None, told, UNREADABLE),) if told else ()
        judged = Judgement(EVERY_PORTFOLIO, MISSING_DATA, lacking, lambda subject, _: subject == UNREADABLE and not told)
        with outbox.AlertEvaluation(urls.libpq) as evaluation:
            state = evaluation.state()
            standing = (pd.DataFrame(state.open_alerts), pd.DataFrame(state.last_episodes))
            return _apply(evaluation, compare([judged], *standing, newest.as_of, newest.calculation_id))

    def _changes(self, published: LiveBook, cursor: Cursor, started: float) -> Round:
        """Compute what has changed since the cursor."""
        marks = live.marks(self._store.urls)
        version = max(int(marks["version"].max()) if len(marks) else 0, published.newest.books_version)
        counts = _counting(marks, published)
        prices = counts.set_index("symbol")["price"]
        depends = published.depends.merge(counts[["symbol", "version"]], on="symbol")
        affected = {*depends.loc[depends["version"] > cursor.version, "portfolio_id"], *cursor.pending}
        if published.newest.books_version > cursor.version:
            affected |= set(published.sources)
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
        published: LiveBook,
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
            {
                **{str(k): v for k, v in row.items()},
                **about,
                "changed_symbols": changed.get(row["portfolio_id"], []),
                "positions_source": published.sources.get(row["portfolio_id"]),
            }
            for row in margins.astype(object).to_dict("records")
        ]
        rows, raised, cleared = self._record(published, margins, added, version)
        done.portfolios, done.rows = done.portfolios + len(due), done.rows + rows
        done.raised, done.cleared, done.note = done.raised + raised, done.cleared + cleared, ""

    def _record(self, published: LiveBook, margins: pd.DataFrame, rows: list[dict[str, Any]], version: int) -> tuple[int, int, int]:
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

    def _look_at_ages(self, published: LiveBook, now: dt.datetime, done: Round) -> None:
        """Once a minute, while the market has traded for as long as a mark may be old: alerts about marks that are older."""
        limit = published.rules.stale_after
        # A clock that was set back is no reason to wait until it has caught up.
        if self._ages_seen is not None and dt.timedelta() <= now - self._ages_seen < LOOK_AT_AGES_EVERY:
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

    def _prepare(self, published: LiveBook, started: float) -> None:
        """Prepare what is not prepared yet, so that the next change finds everything at hand."""
        for number in range(len(published.shelves)):
            if time.perf_counter() - started > published.rules.budget_seconds:
                return
            published.book(number)

    def _of(self, newest: live.Newest) -> LiveBook:
        if self._published is None or self._published.newest.calculation_id != newest.calculation_id:
            # The one before goes first: two of them need not fit into memory.
            self._published = None
            self._published = read_book(self._store.urls, newest, self._calendar)
        if self._published.newest.books_version != newest.books_version:
            self._published = self._published.taken(live.books(self._store.urls, newest.calculation_id), newest)
        return self._published


def _counting(marks: pd.DataFrame, published: LiveBook) -> pd.DataFrame:
    """Live marks that are newer than the published ones: the publication has seen the others."""
    return marks[marks["marked_at"] > published.since]


def _apply(evaluation: outbox.AlertEvaluation, changes: AlertChanges) -> tuple[int, int]:
    raised = changes.raised.assign(message=changes.raised["message"].astype(str) + " (at live marks)")
    rows = ([{str(k): v for k, v in row.items()} for row in frame.to_dict("records")] for frame in (raised, changes.cleared))
    return evaluation.apply(*rows)
