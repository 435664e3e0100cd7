"""Utilization and status: boundaries, and what is fail-open elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.status import FROM_BETTER_TO_WORSE, LEVELS, levels, status, utilization

THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}


@pytest.mark.parametrize(
    ("maintenance", "equity", "used", "state"),
    [
        (225, 5_000, 0.045, "safe"),
        (79.9, 100, 0.799, "safe"),
        (80, 100, 0.80, "warning"),
        (90, 100, 0.90, "critical"),
        (95, 100, 0.95, "emergency"),
        (99.9, 100, 0.999, "emergency"),
        (100, 100, 1.0, "liquidatable"),
        (150, 100, 1.5, "liquidatable"),
        (0, 0, 0.0, "safe"),
        (0, 100, 0.0, "safe"),
        (1, 0, np.inf, "liquidatable"),
        (1, -1, np.inf, "liquidatable"),
        (0, -1, np.inf, "liquidatable"),
        (np.nan, 100, np.nan, "undetermined"),
        (10, np.nan, np.nan, "undetermined"),
    ],
)
def test_status_follows_utilization_and_used_up_equity_never_looks_safe(maintenance, equity, used, state):
    arrays = np.array([float(maintenance)]), np.array([float(equity)])
    assert utilization(*arrays)[0] == pytest.approx(used, nan_ok=True)
    assert status(*arrays, THRESHOLDS)[0] == state


@settings(max_examples=80)
@given(st.floats(0, 1e9), st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_more_margin_equity_never_makes_the_status_worse(maintenance, equity, more):
    states = status(np.array([maintenance] * 2), np.array([equity, equity + more]), THRESHOLDS)
    before, after = (FROM_BETTER_TO_WORSE.index(s) for s in states)
    assert after <= before


@pytest.mark.parametrize(
    ("initial", "maintenance", "equity", "level"),
    [
        (4_500, 225, 5_000, "is_safe"),
        (4_500, 225, 4_500, "is_safe"),
        (4_500, 225, 4_499, "is_warning"),
        (4_500, 225, 226, "is_warning"),
        (4_500, 225, 225, "is_liquidatable"),
        (4_500, 225, -1, "is_liquidatable"),
        (300, 300, 300, "is_liquidatable"),
        (300, 0, 0, "is_warning"),
        (0, 0, 0, "is_safe"),
    ],
)
def test_exactly_one_margin_level_holds(initial, maintenance, equity, level):
    amounts = [np.array([float(x)]) for x in (initial, maintenance, equity)]
    found = levels(amounts[0], amounts[2], status(*amounts[1:], THRESHOLDS))
    assert found.loc[0].to_dict() == {name: name == level for name in LEVELS}


def test_margin_level_is_unknown_where_the_margins_are():
    unknown, known = np.array([np.nan]), np.array([100.0])
    assert levels(known, unknown, status(known, unknown, THRESHOLDS)).isna().all(axis=None)
    without_initial = levels(unknown, known, status(known / 2, known, THRESHOLDS)).loc[0]
    assert without_initial.isna().tolist() == [True, True, False]
    assert levels(unknown, known, status(2 * known, known, THRESHOLDS)).loc[0].tolist() == [False, False, True]


@settings(max_examples=80)
@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_one_margin_level_holds_of_any_account(initial, maintenance, equity):
    amounts = [np.array([x]) for x in (max(initial, maintenance), maintenance, equity)]
    assert levels(amounts[0], amounts[2], status(*amounts[1:], THRESHOLDS)).loc[0].sum() == 1
