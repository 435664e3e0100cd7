"""Settings of estimation: what is shipped, and what is refused.

Belongs here: parameters.estimation. Not here: what is estimated with them.
"""

import datetime as dt

import pytest

from margin_pipeline.parameters import ParameterError
from margin_pipeline.parameters.estimation import EstimationSettings, estimation_settings


def test_the_shipped_settings_are_those_of_the_methodology():
    found = estimation_settings(dt.date(1990, 1, 1))
    assert (found.estimator, found.half_life, found.min_observations, found.annualisation_days) == ("exponentially_weighted", 63, 20, 252)
    assert (found.volatility_floor, found.stressed_weight, found.vasicek_shrinkage) == ("none", 0.25, False)
    assert found == EstimationSettings()


def test_more_history_is_needed_only_for_a_floor():
    assert EstimationSettings().history == 756
    assert EstimationSettings(volatility_floor="long_look_back").history == 2520


@pytest.mark.parametrize(
    "wrong",
    [
        {"estimator": "guess"},
        {"volatility_floor": "high"},
        {"half_life": 0.0},
        {"calendar_share": 0.0},
        {"min_observations": 2},
        {"min_observations": 800},
        {"stressed_weight": 1.5},
        {"long_look_back": 100},
    ],
    ids=lambda w: next(iter(w)),
)
def test_settings_that_nothing_can_be_estimated_with_are_refused(wrong):
    with pytest.raises(ParameterError):
        EstimationSettings(**wrong)
