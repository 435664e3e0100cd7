"""Settings of backtests: the shipped ones on their dates, and what is refused."""

import datetime as dt
from dataclasses import replace

import pytest

from margin_pipeline.parameters import ParameterError
from margin_pipeline.parameters.backtest import backtest_settings


def test_additions_are_those_of_basel_until_2022_and_those_of_mar32_since():
    before, since = backtest_settings(dt.date(2022, 12, 31)), backtest_settings(dt.date(2023, 1, 1))
    assert before.multiplier_additions[4:] == (0.0, 0.40, 0.50, 0.65, 0.75, 0.85, 1.00)  # BCBS 1996, table 2
    multipliers = [round(1.5 + addition, 2) for addition in since.multiplier_additions]
    assert multipliers == [1.5] * 5 + [1.70, 1.76, 1.83, 1.88, 1.92, 2.00]  # MAR32.9, table 1
    assert replace(since, label=before.label, multiplier_additions=before.multiplier_additions) == before


@pytest.mark.parametrize(
    "change",
    [
        {"min_days": 0},
        {"min_days": 251},
        {"min_window": 1},
        {"significance": 0.0},
        {"yellow_from": 0.99999},
        {"red_from": 1.0},
        {"multiplier_additions": ()},
        {"multiplier_additions": (0.4, 0.0)},
        {"margin_period_days": 0},
        {"otc_coverage_target": 1.1},
    ],
)
def test_settings_without_a_meaning_are_refused(change):
    with pytest.raises(ParameterError, match="backtest:1"):
        replace(backtest_settings(dt.date(2022, 1, 3)), **change)
