"""The life of an alert in the database: once under two writers and kills, escalated, acknowledged, told to listeners.

Belongs here: rows and notifications. Not here: when an alert is raised (decisions), delivery to people (orchestration).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time

import psycopg
import pytest

from margin_pipeline import storage
from margin_pipeline.storage import alerts

KEY = {"portfolio_id": "P", "kind": "utilization", "subject": "", "threshold": 0.8}


def alert(threshold=0.8, episode=1, severity="warning", **changes):
    figures = {"as_of": "2022-12-28", "calculation_id": None, "observed": 0.97, "message": "P: high"}
    return {**KEY, **figures, "threshold": threshold, "episode": episode, "severity": severity, **changes}


def apply(urls, raised=(), cleared=()):
    with alerts.AlertEvaluation(urls.libpq) as evaluation:
        return evaluation.apply(raised, cleared)


def rows(urls, columns="threshold, episode, cleared_at is null as is_open"):
    return storage.read_query(urls, f"select {columns} from margin.alerts order by alert_id").to_dict("records")


def test_an_alert_is_raised_once_an_episode_whoever_raises_it(empty_tables):
    assert apply(empty_tables, [alert()]) == (1, 0)
    assert apply(empty_tables, [alert()]) == (0, 0)
    apply(empty_tables, cleared=[{**KEY, "as_of": "2022-12-28"}])
    assert apply(empty_tables, [alert()]) == (0, 0)
    assert apply(empty_tables, [alert(episode=2)]) == (1, 0)
    assert [r["is_open"] for r in rows(empty_tables)] == [False, True]


def test_subjects_are_alerts_of_their_own(empty_tables):
    assert apply(empty_tables, [alert(subject="A"), alert(subject="B")]) == (2, 0)
    apply(empty_tables, cleared=[{**KEY, "subject": "A", "as_of": "2022-12-28"}])
    assert [r["is_open"] for r in rows(empty_tables)] == [False, True]


def test_a_higher_threshold_names_the_alert_that_it_escalates(empty_tables):
    apply(empty_tables, [alert()])
    apply(empty_tables, [alert(0.9, severity="critical"), alert(0.95, severity="emergency"), alert(0.9, subject="OTHER")])
    found = rows(empty_tables, "alert_id, threshold, subject, escalated_from")
    by_place = {(r["threshold"], r["subject"]): r for r in found}
    assert by_place[0.9, ""]["escalated_from"] == by_place[0.8, ""]["alert_id"]
    assert by_place[0.95, ""]["escalated_from"] == by_place[0.9, ""]["alert_id"]
    assert by_place[0.9, "OTHER"]["escalated_from"] != by_place[0.8, ""]["alert_id"]


def test_who_takes_note_is_recorded_once(empty_tables):
    apply(empty_tables, [alert()])
    (number,) = [r["alert_id"] for r in rows(empty_tables, "alert_id")]
    assert alerts.acknowledge(empty_tables.libpq, number, "Ada", "calling the desk")
    assert not alerts.acknowledge(empty_tables.libpq, number, "Bob", None)
    assert not alerts.acknowledge(empty_tables.libpq, number + 99, "Ada", None)
    with pytest.raises(psycopg.errors.RaiseException):
        alerts.acknowledge(empty_tables.libpq, number, "  ", None)
    assert rows(empty_tables, "acknowledged_by, acknowledgement") == [{"acknowledged_by": "Ada", "acknowledgement": "calling the desk"}]


def test_whoever_listens_is_told_after_the_commit_and_not_before(empty_tables):
    with psycopg.connect(empty_tables.libpq, autocommit=True) as listener:
        listener.execute("listen margin_alerts")
        with alerts.AlertEvaluation(empty_tables.libpq) as evaluation:
            evaluation.apply([alert(), alert(0.9, severity="critical", observed=float("inf"))], [])
            assert list(listener.notifies(timeout=0.2)) == []
        apply(empty_tables, cleared=[{**KEY, "as_of": "2022-12-28"}])
        told = [json.loads(note.payload) for note in listener.notifies(timeout=1.0, stop_after=3)]
    assert [(t["event"], t["threshold"], t["observed"]) for t in told] == [
        ("raised", 0.8, 0.97),
        ("escalated", 0.9, None),
        ("cleared", 0.8, 0.97),
    ]


def _evaluate_and_hang(libpq, entered):
    with alerts.AlertEvaluation(libpq) as evaluation:
        evaluation.apply([alert()], [])
        entered.set()
        time.sleep(60)


def _evaluate(libpq, results):
    with alerts.AlertEvaluation(libpq) as evaluation:
        known = {r["episode"] for r in evaluation.state().last_episodes}
        is_open = bool(evaluation.state().open_alerts)
        time.sleep(0.05)
        results.put(evaluation.apply([] if is_open else [alert(episode=max(known, default=0) + 1)], [])[0])


@pytest.mark.slow
def test_a_killed_evaluation_leaves_nothing_and_the_next_one_raises(empty_tables):
    context = multiprocessing.get_context("spawn")
    entered = context.Event()
    process = context.Process(target=_evaluate_and_hang, args=(empty_tables.libpq, entered))
    process.start()
    assert entered.wait(30)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert rows(empty_tables) == []
    assert apply(empty_tables, [alert()]) == (1, 0)


@pytest.mark.slow
def test_two_evaluations_at_a_time_raise_one_alert(empty_tables):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_evaluate, args=(empty_tables.libpq, results)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert sorted(results.get(timeout=5) for _ in processes) == [0, 0, 1]
    assert len(rows(empty_tables)) == 1
