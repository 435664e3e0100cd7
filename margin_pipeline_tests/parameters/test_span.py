"""Settings of scenario margin of futures.

Belongs here: the dated file and what it refuses. Not here: margin.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from margin_pipeline.parameters.reader import ParameterError
from margin_pipeline.parameters.span import span_settings

SETTINGS = span_settings(dt.date(2022, 12, 28))


def test_extreme_moves_are_those_of_the_published_array():
    assert (SETTINGS.extreme_multiple, SETTINGS.extreme_fraction) == (2.0, 0.35)
    assert SETTINGS.initial_to_maintenance == 1.0


def test_delta_weights_add_up_to_one():
    first, *others = SETTINGS.delta_weights
    assert first + 2 * sum(others) == pytest.approx(1)


@pytest.mark.parametrize(
    "change", [{"initial_to_maintenance": 0.9}, {"extreme_multiple": 0.0}, {"extreme_fraction": 1.1}, {"short_option_count": "all"}]
)
def test_values_that_cannot_be_meant_are_refused(change):
    with pytest.raises(ParameterError):
        dataclasses.replace(SETTINGS, **change)
