"""Who is told of which alert, and when: severities, portfolios, quiet hours, digests, and when to try again.

Belongs here: the choice. Not here: telling (`orchestration.notifiers`), what is still untold (`storage.alerts`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

SEVERITIES = ("info", "warning", "critical", "emergency")
FIRST_PAUSE = dt.timedelta(seconds=15)
LONGEST_PAUSE = dt.timedelta(minutes=15)
"""Pauses between attempts double from the first to the longest."""

Event = Mapping[str, Any]


@dataclass(frozen=True)
class QuietHours:
    """Hours in which a channel is spared.

    Attributes
    ----------
    start, end : time of day in `timezone`; a start after the end goes over midnight.
    exempt : severities that are told anyway.
    """

    start: dt.time
    end: dt.time
    timezone: str
    exempt: frozenset[str] = frozenset({"emergency"})

    def spare(self, severity: str, now: dt.datetime) -> bool:
        """Whether an alert waits until the quiet hours end."""
        if severity in self.exempt:
            return False
        local = now.astimezone(ZoneInfo(self.timezone)).time().replace(tzinfo=None)
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True)
class Route:
    """What one channel is told.

    Attributes
    ----------
    channel : its name.
    severities, kinds : what it is told of; empty: everything.
    portfolios : names or patterns (`*`, `?`); alerts about all portfolios go to every channel.
    quiet_hours : hours in which it is spared; None: never.
    digest_minutes : how long alerts are gathered into one message; 0: each is told at once. What quiet hours exempt is never gathered.
    """

    channel: str
    severities: frozenset[str] = frozenset()
    portfolios: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    quiet_hours: QuietHours | None = None
    digest_minutes: int = 0

    def wants(self, event: Event) -> bool:
        """Whether the channel is told of an alert at all."""
        portfolio = str(event["portfolio_id"])
        return (
            (not self.severities or str(event["severity"]) in self.severities)
            and (not self.kinds or str(event["kind"]) in self.kinds)
            and (not self.portfolios or portfolio == "*" or any(fnmatchcase(portfolio, pattern) for pattern in self.portfolios))
        )


def batches(route: Route, events: Sequence[Event], now: dt.datetime) -> list[list[Event]]:
    """Messages that are due.

    Parameters
    ----------
    events : wanted and untold events, oldest first: severity, happened_at, attempts, last_attempt_at.
    now : instant with a time zone.

    Returns
    -------
    Lists of events, a message each. After a failure nothing is due before a pause, which doubles with every attempt.
    """
    if any(_rests(event, now) for event in events):
        return []
    awake = [e for e in events if route.quiet_hours is None or not route.quiet_hours.spare(str(e["severity"]), now)]
    if not route.digest_minutes:
        return [[event] for event in awake]
    urgent = route.quiet_hours.exempt if route.quiet_hours else frozenset({"emergency"})
    at_once = [[event] for event in awake if event["severity"] in urgent]
    gathered = [event for event in awake if event["severity"] not in urgent]
    waited = now - min((e["happened_at"] for e in gathered), default=now)
    is_due = bool(gathered) and not -LONGEST_PAUSE <= waited < dt.timedelta(minutes=route.digest_minutes)
    return at_once + ([gathered] if is_due else [])


def _rests(event: Event, now: dt.datetime) -> bool:
    if not event["attempts"] or event["last_attempt_at"] is None:
        return False
    pause = min(FIRST_PAUSE * 2 ** min(int(event["attempts"]) - 1, 20), LONGEST_PAUSE)
    # A clock that was set back far must not silence a channel until it has caught up.
    return bool(-LONGEST_PAUSE <= now - event["last_attempt_at"] < pause)
