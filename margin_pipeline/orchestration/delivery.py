"""Tells every channel what it has not been told yet: each on its own, so that a dead one holds nobody up.

Belongs here: the round over the channels. Not here: what a channel wants (`decisions.alerts.routing`), how it is told (`notifiers`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from margin_pipeline.decisions.alerts.routing import Route, batches
from margin_pipeline.orchestration.notifiers import DeliveryError, Notifier
from margin_pipeline.orchestration.result_store import ResultStore


@dataclass(frozen=True)
class Delivered:
    """What a round did with one channel: messages told and failed."""

    channel: str
    told: int
    failed: int


def deliver(store: ResultStore, channels: Sequence[tuple[Route, Notifier]], now: dt.datetime) -> list[Delivered]:
    """Tell every channel what is due; a failed message is recorded, and the rest of its channel waits for the next attempt."""
    with ThreadPoolExecutor(max_workers=max(len(channels), 1), thread_name_prefix="delivery") as pool:
        return list(pool.map(lambda channel: _deliver(store, *channel, now), channels))


def _deliver(store: ResultStore, route: Route, notifier: Notifier, now: dt.datetime) -> Delivered:
    told = 0
    with store.sole_deliverer(route.channel) as is_ours:
        if not is_ours:
            return Delivered(route.channel, 0, 0)
        untold = store.undelivered(route.channel)
        unwanted = [event for event in untold if not route.wants(event)]
        if unwanted:
            store.mark_unwanted(unwanted, route.channel)
        for message in batches(route, [event for event in untold if route.wants(event)], now):
            try:
                notifier.deliver(message)
            except DeliveryError as error:
                store.mark_failed(message, route.channel, str(error))
                return Delivered(route.channel, told, 1)
            store.mark_delivered(message, route.channel)
            told += 1
    return Delivered(route.channel, told, 0)
