"""kill -9 of a run, of Postgres, of the daemon's processes, at random moments of many runs. Not here: other faults."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from contextlib import suppress

import psycopg
import pytest

from margin_pipeline.decisions.alerts import FAILED_CHECK
from margin_pipeline.storage.embedded import EmbeddedServer
from margin_pipeline_tests.chaos.harness import LIMIT_SECONDS, family, rounds, seeded

VARIANTS = ("strained", "calm")


def kill(process):
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def check_after_the_fault(site, undisturbed, before, variant):
    """Readers see the date as it was before or as it is now, whole, and no alert twice."""
    shown = site.shown()
    allowed = [before.tables, undisturbed.shown[variant].tables]
    assert shown.is_whole
    assert shown.tables in allowed
    for key, episodes in shown.episodes.items():
        assert episodes == list(range(1, len(episodes) + 1)), key


def check_after_the_next_run(site, undisturbed, variant, faults=0):
    """The next run has completed what was asked for: the same rows, the same alerts, each raised once for every time it was due.

    A daemon that outlives its run by some seconds may have told that it failed, once a fault; publishing the date clears that.
    """
    seconds = site.finish_run()
    shown, expected = site.shown(), undisturbed.shown[variant]
    assert {t for t in {*shown.tables, *expected.tables} if shown.tables.get(t) != expected.tables.get(t)} == set()
    assert shown.is_whole
    assert shown.running == 0
    assert shown.open_alerts == expected.open_alerts
    site.finished(shown)
    raised = {key: len(episodes) for key, episodes in shown.episodes.items()}
    told = {key: raised.pop(key) for key in list(raised) if key[1] == FAILED_CHECK}
    assert sum(told.values()) <= faults
    assert raised == dict(site.expected_episodes)
    return seconds


def disturb(site, undisturbed, name, share, fault, *, is_watched=False):
    """Rounds of: new files, a fault at a random moment of their run, then a run that must go through.

    `is_watched`: a daemon started that run, and may tell that it failed.
    """
    random_numbers = seeded(name)
    count = rounds(share)
    for number in range(count):
        variant = VARIANTS[number % 2]
        before = site.shown()
        site.put(variant)
        happened = fault(random_numbers)
        check_after_the_fault(site, undisturbed, before, variant)
        seconds = check_after_the_next_run(site, undisturbed, variant, number + 1 if is_watched else 0)
        print(f"{name} {number + 1}/{count}: {happened}; the next run took {seconds:.1f} s", flush=True)


def test_runs_that_are_killed(make_site, undisturbed):
    site = make_site("runs")

    def fault(random_numbers: random.Random):
        process = site.start_run()
        after = random_numbers.uniform(0.1, 1.0) * undisturbed.seconds
        with suppress(TimeoutError):
            _wait(process, after)
        kill(process.pid)
        process.wait(LIMIT_SECONDS)
        return f"killed after {after:.1f} s"

    disturb(site, undisturbed, "run worker", 0.42, fault)


def test_postgres_that_is_killed(make_site, undisturbed):
    site = make_site("postgres")

    def fault(random_numbers: random.Random):
        process = site.start_run()
        after = random_numbers.uniform(0.1, 1.0) * undisturbed.seconds
        with suppress(TimeoutError):
            _wait(process, after)
        victim = random_numbers.choice(["server", "session"])
        server = EmbeddedServer(site.data_dir).process()
        if victim == "session":
            with suppress(psycopg.Error), psycopg.connect(site.urls.libpq) as connection:
                sessions = connection.execute(
                    "select pid from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend' order by 1"
                ).fetchall()
                server = random_numbers.choice(sessions)[0] if sessions else server
        if server:
            kill(server)
        # It ends by itself, and tells a person why in words.
        status = process.wait(LIMIT_SECONDS)
        assert "Traceback" not in site.said(), site.said()
        _bring_up(site)
        return f"{victim} killed after {after:.1f} s, the run ended with {status}"

    disturb(site, undisturbed, "Postgres", 0.4, fault)


def test_a_daemon_that_is_killed(make_site, undisturbed):
    site = make_site("daemon")

    def fault(random_numbers: random.Random):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = site.start("ui", "--port", str(port))
        everything: dict[int, str] = {}
        try:
            _wait_for_a_calculation(site, process)
            after = random_numbers.uniform(0.0, 0.6) * undisturbed.seconds
            with suppress(TimeoutError):
                _wait(process, after)
            everything = family(process.pid)
            named = {
                "daemon": [p for p, line in everything.items() if "_daemon" in line or "daemon run" in line],
                "run worker": [p for p, line in everything.items() if "multiprocessing" in line and "spawn_main" in line],
                "everything": list(everything),
            }
            victim = random_numbers.choice([name for name in sorted(named) if named[name]])
            for number in named[victim]:
                kill(number)
            time.sleep(random_numbers.uniform(0, 3))
            # The machine goes down, or somebody ends the rest in order.
            if random_numbers.random() < 0.5:
                process.terminate()
                with suppress(TimeoutError):
                    _wait(process, 60)
        finally:
            # Nothing of it may outlive the round, whatever was found.
            for number in {*everything, *family(process.pid)}:
                kill(number)
        process.wait(LIMIT_SECONDS)
        return f"{victim} killed {after:.1f} s after its run began"

    disturb(site, undisturbed, "daemon", 0.18, fault, is_watched=True)


def _wait(process, seconds):
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def _bring_up(site):
    """Start the server again, as the next command does, without ending the hold of this process."""
    with EmbeddedServer(site.data_dir).hold():
        site.shown()


def _wait_for_a_calculation(site, process):
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(site.said())
        if site.shown().running:
            return
        time.sleep(0.3)
    pytest.fail(f"no run began: {site.said()}")
