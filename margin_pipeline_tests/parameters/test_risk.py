"""Risk settings: the shipped ones, and what is refused."""

import datetime as dt
from dataclasses import replace

import pytest

from margin_pipeline.parameters import ParameterError
from margin_pipeline.parameters.risk import risk_settings


def test_the_shipped_settings_are_in_force_from_1990():
    settings = risk_settings(dt.date(1990, 1, 1))
    assert (settings.confidences, settings.horizons_days, settings.historical_window) == ((0.95, 0.99), (1, 10), 500)
    assert settings.label == "risk:1"


@pytest.mark.parametrize(
    "change",
    [
        {"confidences": ()},
        {"confidences": (1.0,)},
        {"horizons_days": (0,)},
        {"historical_window": 10},
        {"min_observations": 1},
        {"calendar_share": 0.0},
        {"methods": ()},
        {"methods": ("gaussian", "gaussian")},
        {"methods": ("parametric",)},
        {"delta_gamma_variables": 0},
    ],
)
def test_settings_without_a_meaning_are_refused(change):
    with pytest.raises(ParameterError, match="risk:1"):
        replace(risk_settings(dt.date(2022, 1, 3)), **change)


@pytest.mark.parametrize(
    "change",
    [
        {"distribution": "cauchy"},
        {"sequence": "halton"},
        {"degrees_of_freedom": 2.0},
        {"scenarios": 10_001},
        {"scenarios": 10_000, "sequence": "sobol"},
        {"replications": 1},
        {"grid_knots": 256},
        {"seed": -1},
    ],
)
def test_draws_without_a_meaning_are_refused(change):
    with pytest.raises(ParameterError, match="monte_carlo"):
        replace(risk_settings(dt.date(2022, 1, 3)).monte_carlo, **change)
