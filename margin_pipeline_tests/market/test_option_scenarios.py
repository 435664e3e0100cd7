"""Values of options on grids of moves, against the values of single options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.compute import BackendError, backend_named
from margin_pipeline.market import option_scenarios
from margin_pipeline.market.option_pricing import option_value
from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values

MOVES = np.array([-1.0, -0.15, -0.03, 0.0, 0.06, 0.5])
SHIFTS = np.array([0.0, 0.1, -0.1, -5.0, 0.05, 0.0])


def terms(n: int, seed: int = 3) -> OptionTerms:
    random = np.random.default_rng(seed)
    return OptionTerms(
        spot=random.uniform(50, 150, n),
        strike=random.uniform(50, 150, n),
        years=np.where(random.random(n) < 0.1, 0.0, random.uniform(0.01, 2, n)),
        rate=random.uniform(-0.01, 0.05, n),
        dividend_yield=random.uniform(0, 0.03, n),
        volatility=np.where(random.random(n) < 0.1, 0.0, random.uniform(0.05, 0.8, n)),
        is_call=random.random(n) < 0.5,
        is_american=random.random(n) < 0.5,
    )


def single(given: OptionTerms, move: float, shift: float) -> np.ndarray:
    volatility = np.maximum(given.volatility + shift, 0.0)
    return option_value(
        given.spot * (1 + move), given.strike, given.years, given.rate, given.dividend_yield, volatility, given.is_call, given.is_american
    )


def test_values_are_those_of_single_options():
    given = terms(500)
    values = scenario_values(given, MOVES, SHIFTS)
    for k, (move, shift) in enumerate(zip(MOVES, SHIFTS, strict=True)):
        assert values[:, k] == pytest.approx(single(given, move, shift), rel=1e-12, abs=1e-11)


def test_moves_of_their_own_for_each_option():
    given = terms(50)
    own = np.linspace(-0.2, 0.2, 50)[:, None] * np.array([1.0, -1.0])
    values = scenario_values(given, own)
    for row in (0, 20, 49):
        one = scenario_values(given.rows(slice(row, row + 1)), own[row])
        assert values[row] == pytest.approx(one[0], rel=1e-14)


def test_chunks_and_threads_change_nothing(monkeypatch):
    given = terms(1000)
    whole = scenario_values(given, MOVES, SHIFTS)
    monkeypatch.setattr(option_scenarios, "CELLS_A_CHUNK", 61)
    assert np.array_equal(scenario_values(given, MOVES, SHIFTS), whole)
    assert np.array_equal(scenario_values(given, MOVES, SHIFTS, threads=3), whole)


def test_what_is_missing_stays_missing():
    given = terms(3)
    given.volatility[1] = np.nan
    values = scenario_values(given, MOVES)
    assert np.isnan(values[1]).all()
    assert np.isfinite(values[[0, 2]]).all()


def test_no_options_no_values():
    assert scenario_values(terms(0), MOVES).shape == (0, len(MOVES))


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.9, 2.0), st.floats(-0.9, 2.0), st.integers(0, 1000))
def test_calls_rise_and_puts_fall_with_the_price(first, second, seed):
    given = terms(40, seed)
    low, high = sorted((first, second))
    values = scenario_values(given, [low, high])
    rise = np.where(given.is_call, 1.0, -1.0) * (values[:, 1] - values[:, 0])
    assert (rise >= -1e-9).all()


@pytest.mark.parametrize("name", ["mlx-cpu", "mlx-gpu"])
def test_other_backends_agree(name):
    try:
        backend = backend_named(name)
    except BackendError as error:
        pytest.skip(str(error))
    given = terms(2000)
    ours = scenario_values(given, MOVES[1:], SHIFTS[1:], backend=backend)
    assert ours == pytest.approx(scenario_values(given, MOVES[1:], SHIFTS[1:]), abs=2e-3)
