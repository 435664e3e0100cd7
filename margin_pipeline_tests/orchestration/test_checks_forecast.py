"""Checks of forecasts fail for what must not be written."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.orchestration import checks_forecast


def frames():
    """Two portfolios, one of them undetermined, and a calibration of two bins."""
    rows = [("P", h, t, p, None) for h, t, p in ((10, 0.8, 0.2), (10, 1.0, 0.1), (60, 0.8, 0.4), (60, 1.0, 0.3))]
    rows += [("Q", h, t, np.nan, '["no price"]') for h in (10, 60) for t in (0.8, 1.0)]
    forecasts = pd.DataFrame(rows, columns=["portfolio_id", "horizon_minutes", "threshold", "breach_probability", "missing"])
    bins = pd.DataFrame({"bin": [0, 1, 2], "lower": [0.0, 0.0, 0.5], "upper": [1.0, 0.5, 1.0], "observations": [10, 4, 6]})
    return {
        "margin_forecasts": forecasts,
        "forecast_calibration": bins.assign(predicted=[0.5, 0.25, 0.75], method="all", horizon_days=1, watched="at_end", missing=None),
        "portfolios": pd.DataFrame({"portfolio_id": ["P", "Q"]}),
        "portfolio_margins": pd.DataFrame({"portfolio_id": ["P", "Q"], "is_governing": True, "status": ["safe", "undetermined"]}),
    }


CHECKS = {
    "probabilities_are_probabilities": [
        ("margin_forecasts", 0, "breach_probability", 1.2),
        ("margin_forecasts", 4, "breach_probability", 0.2),
    ],
    "more_time_and_lower_thresholds_are_more_likely": [
        ("margin_forecasts", 2, "breach_probability", 0.1),
        ("margin_forecasts", 1, "breach_probability", 0.25),
    ],
    "every_portfolio_is_forecast_or_named": [
        ("margin_forecasts", 4, "portfolio_id", "P"),
        ("portfolio_margins", 0, "status", "undetermined"),
    ],
    "bins_add_up": [("forecast_calibration", 1, "observations", 5), ("forecast_calibration", 1, "predicted", 0.6)],
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_passes_what_is_right_and_fails_each_fault(name):
    check = getattr(checks_forecast, name)
    assert check(frames()).passed
    for table, row, column, value in CHECKS[name]:
        wrong = frames()
        wrong[table].loc[row, column] = value
        assert not check(wrong).passed, (table, row, column)
