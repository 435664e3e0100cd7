"""One of several daemons: it does what theirs does, at the same moment as the others.

Belongs here: a round of everything that a daemon does about alerts. Not here: what must come of it (test_daemons).

    python -m margin_pipeline_tests.chaos.daemon_tick LIBPQ_URL WEBHOOK_URL START ROUNDS
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
import time

from margin_pipeline.orchestration import channels, delivery
from margin_pipeline.orchestration.intraday import Cursor, LiveMargins
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.storage.urls import DatabaseUrls
from margin_pipeline_tests.chaos.book import DATE

PAUSE_SECONDS = 15
LIMITS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95, "hysteresis": 0.02}


def store_of(url: str) -> ResultStore:
    """Result store on a database."""
    return ResultStore(lambda: DatabaseUrls(url, url), "test", lambda as_of, at: {})


def tick(store: ResultStore, live: LiveMargins, cursor: Cursor, webhook: str, now: dt.datetime) -> Cursor:
    """Compute live margins, watch the deadline of the day after, hear of a failed run, deliver; gives the cursor of live margins."""
    cursor = live.round(cursor, now).cursor
    store.watch_publication(DATE + dt.timedelta(days=1))
    store.raise_failed_run(DATE, ["positions/schema"], "a check failed")
    delivery.deliver(store, channels.channels(webhook, None, logging.getLogger("daemon")), now)
    return cursor


def main(url: str, webhook: str, start: str, rounds: str) -> None:
    """Evaluate the published date some times, beginning at an instant (seconds since 1970); tick as often, beginning some seconds later."""
    store = store_of(url)
    live, cursor = LiveMargins(store, "XNYS"), Cursor()
    # What takes long is done before all of them begin.
    store.columns("positions")
    _wait_until(float(start))
    for _ in range(int(rounds)):
        store.evaluate_alerts(DATE, LIMITS)
    # A publication judges figures of the close: it would clear what live marks have raised by then.
    _wait_until(float(start) + PAUSE_SECONDS)
    for _ in range(int(rounds)):
        cursor = tick(store, live, cursor, webhook, dt.datetime.now(dt.UTC))


def _wait_until(instant: float) -> None:
    time.sleep(max(instant - time.time(), 0))


if __name__ == "__main__":
    main(*sys.argv[1:])
