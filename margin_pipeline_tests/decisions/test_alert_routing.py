"""Who is told of which alert, and when.

Belongs here: routes, quiet hours, digests, pauses. Not here: telling anybody.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.decisions.alerts.routing import LONGEST_PAUSE, SEVERITIES, QuietHours, Route, batches

NOW = dt.datetime(2022, 12, 28, 15, 0, tzinfo=dt.UTC)
NIGHT = QuietHours(dt.time(22), dt.time(6, 30), "America/New_York")


def event(severity="warning", portfolio_id="LONG_SHORT", kind="utilization", minutes_ago=0, attempts=0, tried=None):
    happened = NOW - dt.timedelta(minutes=minutes_ago)
    return {
        "severity": severity, "portfolio_id": portfolio_id, "kind": kind, "happened_at": happened, "attempts": attempts,
        "last_attempt_at": tried,
    }  # fmt: skip


def test_a_route_without_conditions_wants_everything():
    assert all(Route("c").wants(event(s)) for s in SEVERITIES)


def test_a_route_wants_its_severities_portfolios_and_kinds():
    route = Route("c", frozenset({"critical"}), ("LONG_*", "MACRO"), frozenset({"utilization"}))
    assert route.wants(event("critical"))
    assert route.wants(event("critical", "MACRO"))
    assert not route.wants(event("warning"))
    assert not route.wants(event("critical", "BANK"))
    assert not route.wants(event("critical", kind="stress"))


def test_an_alert_about_all_portfolios_goes_to_every_channel():
    assert Route("c", portfolios=("MACRO",)).wants(event(portfolio_id="*"))


@pytest.mark.parametrize(
    ("utc", "quiet"), [("2022-12-28T02:59", False), ("2022-12-28T03:00", True), ("2022-12-28T11:29", True), ("2022-12-28T11:30", False)]
)
def test_quiet_hours_are_those_of_their_time_zone_and_go_over_midnight(utc, quiet):
    now = dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)
    assert NIGHT.spare("critical", now) is quiet
    assert not NIGHT.spare("emergency", now)


def test_what_waits_in_quiet_hours_is_told_when_they_end():
    route = Route("c", quiet_hours=QuietHours(dt.time(14), dt.time(16), "UTC"))
    waiting = [event(), event("emergency")]
    assert batches(route, waiting, NOW) == [[waiting[1]]]
    assert batches(route, waiting, NOW + dt.timedelta(hours=1)) == [[waiting[0]], [waiting[1]]]


def test_a_digest_gathers_until_its_oldest_alert_has_waited_and_emergencies_do_not_wait():
    route = Route("c", digest_minutes=30)
    early = [event(minutes_ago=29), event(minutes_ago=1), event("emergency")]
    assert batches(route, early, NOW) == [[early[2]]]
    late = [event(minutes_ago=30), event(minutes_ago=1)]
    assert batches(route, late, NOW) == [late]


def test_after_a_failure_nothing_is_due_before_a_pause_that_doubles():
    def due(attempts, seconds):
        return bool(batches(Route("c"), [event(attempts=attempts, tried=NOW - dt.timedelta(seconds=seconds)), event()], NOW))

    assert [due(1, 14), due(1, 15), due(2, 29), due(2, 30)] == [False, True, False, True]
    assert due(50, LONGEST_PAUSE.total_seconds())
    assert not due(50, LONGEST_PAUSE.total_seconds() - 1)


def test_a_clock_that_was_set_back_far_neither_silences_a_channel_nor_a_digest():
    ahead = NOW + dt.timedelta(days=1)
    assert batches(Route("c"), [event(attempts=1, tried=ahead)], NOW)
    assert batches(Route("c", digest_minutes=30), [event(minutes_ago=-24 * 60)], NOW)
    # Clocks of two machines are never the same: seconds are no jump.
    soon = NOW + dt.timedelta(seconds=20)
    assert batches(Route("c"), [event(attempts=1, tried=soon)], NOW) == []
    assert batches(Route("c", digest_minutes=30), [event(minutes_ago=-1)], NOW) == []


@given(st.lists(st.tuples(st.sampled_from(SEVERITIES), st.integers(0, 90)), max_size=12), st.sampled_from([0, 30]), st.booleans())
def test_no_alert_is_in_two_messages_and_without_quiet_hours_none_waits_longer_than_the_digest(rows, digest, quiet):
    events = [event(severity, minutes_ago=ago) for severity, ago in sorted(rows, key=lambda r: -r[1])]
    found = batches(Route("c", digest_minutes=digest, quiet_hours=NIGHT if quiet else None), events, NOW)
    told = [id(e) for message in found for e in message]
    assert len(told) == len(set(told))
    assert all(id(e) in told for e in events if e["severity"] == "emergency")
    if any(ago >= digest for severity, ago in rows if severity != "emergency"):
        assert all(id(e) in told for e in events)
