"""Utilization and status: boundaries, and what is fail-open elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.status import FROM_BETTER_TO_WORSE, status, utilization

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
