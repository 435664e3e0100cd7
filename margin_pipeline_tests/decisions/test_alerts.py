"""Alerts over sequences of figures: raised once a crossing, escalated, cleared with hysteresis, never doubled."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.alerts import CLEARED_COLUMNS, RAISED_COLUMNS, evaluate

THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95, "hysteresis": 0.02}
DAY = dt.date(2022, 12, 28)


def figures(utilization, portfolio_id="P", governing=True):
    """Row of portfolio_margins; None is undetermined, 1 and more is liquidatable."""
    known = utilization is not None
    maintenance = 1000.0 * utilization if known and np.isfinite(utilization) else (1000.0 if known else np.nan)
    equity = 1000.0 if known and np.isfinite(utilization) else -50.0
    return {
        "portfolio_id": portfolio_id,
        "method": "strategy_based",
        "maintenance_margin": maintenance,
        "margin_equity": equity,
        "excess": equity - maintenance,
        "utilization": utilization if known else np.nan,
        "status": "undetermined" if not known else "liquidatable" if utilization >= 1 else "safe",
        "missing": None if known else json.dumps(["price of AAPL 2022-12-28", "positions.csv row 17:\nquantity"]),
        "is_governing": governing,
    }


class Outbox:
    """The alerts of a database, as storage keeps them: unique by key and episode, one open alert a key."""

    def __init__(self):
        self.rows = []

    def evaluate(self, *rows, thresholds=THRESHOLDS):
        last = {}
        for r in self.rows:
            key = (r["portfolio_id"], r["kind"], r["threshold"])
            last[key] = max(last.get(key, 0), r["episode"])
        episodes = [dict(zip(("portfolio_id", "kind", "threshold", "episode"), (*k, e), strict=True)) for k, e in last.items()]
        changes = evaluate(pd.DataFrame(rows), pd.DataFrame(self.open()), pd.DataFrame(episodes), thresholds, DAY, 7)
        for gone in changes.cleared.to_dict("records"):
            found = [r for r in self.open() if all(r[c] == gone[c] for c in ("portfolio_id", "kind", "threshold", "episode"))]
            assert len(found) == 1
            found[0]["open"] = False
        for new in changes.raised.to_dict("records"):
            key = (new["portfolio_id"], new["kind"], new["threshold"])
            assert key not in {(r["portfolio_id"], r["kind"], r["threshold"]) for r in self.open()}
            assert (*key, new["episode"]) not in {(r["portfolio_id"], r["kind"], r["threshold"], r["episode"]) for r in self.rows}
            self.rows.append({**new, "open": True})
        return changes

    def open(self):
        return [r for r in self.rows if r["open"]]

    def standing(self):
        return sorted((r["kind"], r["threshold"], r["episode"]) for r in self.open())


def test_each_threshold_is_an_alert_of_its_own_and_the_lower_ones_stay():
    outbox = Outbox()
    outbox.evaluate(figures(0.79))
    assert outbox.standing() == []
    outbox.evaluate(figures(0.80))
    assert outbox.standing() == [("utilization", 0.80, 1)]
    outbox.evaluate(figures(0.96))
    assert outbox.standing() == [("utilization", 0.80, 1), ("utilization", 0.90, 1), ("utilization", 0.95, 1)]
    assert [r["severity"] for r in outbox.rows] == ["warning", "critical", "emergency"]


def test_an_alert_clears_only_below_the_threshold_less_the_hysteresis_and_comes_back_as_a_new_episode():
    outbox = Outbox()
    for utilization, standing in [(0.85, 1), (0.79, 1), (0.78, 1), (0.7799, 0), (0.79, 0), (0.80, 1)]:
        outbox.evaluate(figures(utilization))
        assert len(outbox.standing()) == standing
    assert outbox.standing() == [("utilization", 0.80, 2)]


def test_the_same_figures_again_change_nothing():
    outbox = Outbox()
    rows = [figures(0.93, "A"), figures(None, "B"), figures(1.2, "C"), figures(0.1, "D")]
    assert len(outbox.evaluate(*rows).raised) == 2 + 1 + 4
    again = outbox.evaluate(*rows)
    assert again.raised.empty
    assert again.cleared.empty


def test_an_undetermined_portfolio_raises_missing_data_and_leaves_the_rest_as_it_was():
    outbox = Outbox()
    outbox.evaluate(figures(0.85))
    changes = outbox.evaluate(figures(None))
    assert outbox.standing() == [("missing_data", 0.0, 1), ("utilization", 0.80, 1)]
    alert = changes.raised.iloc[0]
    assert (alert["severity"], alert["observed"]) == ("critical", None)
    assert "price of AAPL 2022-12-28" in alert["message"]
    assert "\n" not in alert["message"]
    outbox.evaluate(figures(0.5))
    assert outbox.standing() == []


def test_a_liquidatable_portfolio_raises_equity_with_the_excess_that_is_lacking():
    outbox = Outbox()
    changes = outbox.evaluate(figures(1.25))
    equity = changes.raised.set_index("kind").loc["equity"]
    assert (equity["severity"], equity["threshold"], equity["observed"]) == ("emergency", 0.0, -250.0)
    outbox.evaluate(figures(0.94))
    assert outbox.standing() == [("utilization", 0.80, 1), ("utilization", 0.90, 1), ("utilization", 0.95, 1)]
    outbox.evaluate(figures(0.92))
    assert outbox.standing() == [("utilization", 0.80, 1), ("utilization", 0.90, 1)]


def test_used_up_equity_has_infinite_utilization_and_raises_everything():
    outbox = Outbox()
    changes = outbox.evaluate(figures(np.inf))
    assert len(changes.raised) == 4
    assert "more than all" in changes.raised["message"].iloc[-1]


def test_methods_that_do_not_govern_raise_nothing():
    assert Outbox().evaluate(figures(0.1), figures(0.99, governing=False)).raised.empty


def test_alerts_of_other_kinds_and_of_unknown_portfolios_stay():
    outbox = Outbox()
    outbox.rows = [
        {"portfolio_id": "P", "kind": "stress", "threshold": 0.0, "episode": 3, "open": True},
        {"portfolio_id": "GONE", "kind": "utilization", "threshold": 0.8, "episode": 1, "open": True},
    ]
    assert outbox.evaluate(figures(0.1)).cleared.empty


def test_an_alert_of_a_threshold_that_is_no_longer_set_clears_by_its_own_threshold():
    outbox = Outbox()
    outbox.evaluate(figures(0.85))
    changed = {**THRESHOLDS, "warning": 0.70}
    outbox.evaluate(figures(0.79), thresholds=changed)
    assert outbox.standing() == [("utilization", 0.70, 1), ("utilization", 0.80, 1)]
    outbox.evaluate(figures(0.75), thresholds=changed)
    assert outbox.standing() == [("utilization", 0.70, 1)]


def test_a_message_is_one_line_with_the_figures_and_where_to_look():
    message = Outbox().evaluate(figures(0.85)).raised["message"].iloc[0]
    assert message.startswith("P: 85.0% of margin equity is used on 2022-12-28, at or above 80%")
    assert "maintenance margin 850, margin equity 1,000, excess 150" in message
    assert "margin.strategy_risk" in message


def test_nothing_to_do_gives_empty_frames_with_all_columns():
    changes = Outbox().evaluate(figures(0.1))
    assert list(changes.raised.columns) == RAISED_COLUMNS
    assert list(changes.cleared.columns) == CLEARED_COLUMNS


UTILIZATIONS = st.lists(st.one_of(st.none(), st.floats(0, 1.2), st.sampled_from([0.78, 0.8, 0.88, 0.9, 0.93, 0.95, 1.0])), max_size=15)


@settings(max_examples=80, deadline=None)
@given(UTILIZATIONS)
def test_over_any_sequence_alerts_follow_a_plain_hysteresis_loop(sequence):
    outbox = Outbox()  # asserts itself that no alert is ever doubled
    expected, raised = {0.80: False, 0.90: False, 0.95: False}, {0.80: 0, 0.90: 0, 0.95: 0}
    for utilization in sequence:
        outbox.evaluate(figures(utilization))
        for threshold in expected:
            if utilization is not None and utilization >= threshold and not expected[threshold]:
                expected[threshold], raised[threshold] = True, raised[threshold] + 1
            elif utilization is not None and utilization < threshold - 0.02:
                expected[threshold] = False
        standing = {threshold for kind, threshold, _ in outbox.standing() if kind == "utilization"}
        assert standing == {threshold for threshold, is_open in expected.items() if is_open}
        assert (("missing_data", 0.0) in {s[:2] for s in outbox.standing()}) == (utilization is None)
    for threshold, count in raised.items():
        assert sum(r["kind"] == "utilization" and r["threshold"] == threshold for r in outbox.rows) == count


@settings(max_examples=30, deadline=None)
@given(st.permutations(["A", "B", "C", "D"]))
def test_the_order_of_portfolios_changes_nothing(order):
    utilization = {"A": 0.85, "B": None, "C": 1.1, "D": 0.2}

    def raised(portfolios):
        rows = pd.DataFrame([figures(utilization[p], p) for p in portfolios])
        return evaluate(rows, pd.DataFrame(), pd.DataFrame(), THRESHOLDS, DAY, 1).raised

    found, first = raised(order), raised(utilization)
    pd.testing.assert_frame_equal(found, first)


@pytest.mark.parametrize("missing", [None, [], "[]", ["x" * 5000]])
def test_whatever_is_said_to_be_missing_makes_a_short_line(missing):
    row = {**figures(None), "missing": missing}
    message = evaluate(pd.DataFrame([row]), pd.DataFrame(), pd.DataFrame(), THRESHOLDS, DAY, 1).raised["message"].iloc[0]
    assert len(message) < 600
