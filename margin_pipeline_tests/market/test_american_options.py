"""American values: published figures, the tree, bounds and symmetry."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.market.american_options import american_value, american_values, certain_values
from margin_pipeline.market.binomial_tree import binomial_tree, binomial_value
from margin_pipeline.market.option_pricing import black_scholes_merton, intrinsic_value

prices = st.floats(1, 1000)
terms = st.tuples(prices, prices, st.floats(1 / 365, 5), st.floats(-0.05, 0.15), st.floats(-0.05, 0.15), st.floats(0.01, 2), st.booleans())


@pytest.mark.parametrize(
    ("strike", "volatility", "values"),
    [
        (35, 0.2, [0.0062, 0.2004, 0.4328]),
        (40, 0.2, [0.8522, 1.5798, 1.9904]),
        (45, 0.2, [5.0000, 5.0883, 5.2670]),
        (35, 0.3, [0.0774, 0.6975, 1.2198]),
        (40, 0.3, [1.3099, 2.4825, 3.1696]),
        (45, 0.3, [5.0597, 5.7056, 6.2436]),
        (35, 0.4, [0.2466, 1.3460, 2.1549]),
        (40, 0.4, [1.7681, 3.3874, 4.3526]),
        (45, 0.4, [5.2868, 6.5099, 7.3830]),
    ],
)
def test_puts_are_worth_what_huang_subrahmanyam_and_yu_print(strike, volatility, values):
    # "Pricing and hedging American options" (Review of Financial Studies 9, 1996), table 1: spot 40, 4.88 %, a tree of 10,000 steps.
    found = american_value(40, strike, [0.0833, 0.3333, 0.5833], 0.0488, 0, volatility, False)
    assert found == pytest.approx(values, abs=4e-4)


def test_a_put_is_worth_what_hull_prints():
    # Hull, Options, Futures, and Other Derivatives, section 21.1: 4.283 with 500 steps; by then the tree has settled.
    assert american_value(50, 50, 5 / 12, 0.1, 0, 0.4, False) == pytest.approx([4.283], abs=0.002)


def test_the_premium_is_what_andersen_lake_and_offengenden_print():
    # Their benchmark (2016): 0.106952702747 for spot and strike 100, rate and yield 5 %, volatility 25 %, one year.
    same = (100, 100, 1, 0.05, 0.05, 0.25, False)
    assert american_value(*same) - black_scholes_merton(*same) == pytest.approx([0.106952702747], abs=2e-4)


def test_values_are_within_three_hundredths_of_a_percent_of_the_spot_of_the_tree():
    grid = itertools.product([80, 100, 125], [30 / 365, 1, 3], [-0.02, 0.0, 0.04, 0.1], [-0.01, 0.0, 0.04, 0.08], [0.1, 0.4], [True, False])
    strike, years, rate, dividend_yield, volatility, is_call = (np.array(x) for x in zip(*grid, strict=True))
    same = (strike, years, rate, dividend_yield, volatility, is_call)
    error = np.abs(american_value(100, *same) - binomial_value(100, *same, True, steps=301))
    # The tree itself is wrong by as much: with more steps the worst difference falls to the 0.006 % that the module states.
    assert error.max() < 0.03
    assert np.sqrt((error**2).mean()) < 0.004


@settings(max_examples=60, deadline=None)
@given(terms)
def test_a_value_is_never_below_the_european_nor_the_intrinsic_one(given_):
    spot, strike, *_, is_call = given_
    value = american_value(*given_)[0]
    assert value >= black_scholes_merton(*given_) - 1e-9 * max(spot, strike)
    assert value >= intrinsic_value(spot, strike, is_call)
    assert np.isfinite(value)


@settings(max_examples=40, deadline=None)
@given(terms)
def test_a_call_is_the_put_with_both_legs_exchanged(given_):
    spot, strike, years, rate, dividend_yield, volatility, is_call = given_
    mirrored = american_value(strike, spot, years, dividend_yield, rate, volatility, not is_call)
    assert american_value(*given_) == pytest.approx(mirrored, rel=1e-12, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(terms)
def test_delta_has_the_sign_of_the_option_and_gamma_is_not_negative(given_):
    result = american_values(*given_)
    assert (1 if given_[-1] else -1) * result.delta[0] >= -1e-9
    assert result.gamma[0] >= 0 or given_[3] < 0  # a tree serves some options under negative rates


def test_delta_and_gamma_are_slopes_of_the_value():
    random = np.random.default_rng(3)
    n = 300
    spot, years, volatility = random.uniform(70, 140, n), random.uniform(0.05, 4, n), random.uniform(0.1, 0.8, n)
    rest = (100, years, random.uniform(0, 0.1, n), random.uniform(-0.01, 0.1, n), volatility, random.random(n) < 0.5)
    now, above, below = (american_values(spot + move, *rest) for move in (0.0, 0.05, -0.05))
    smooth = ~(above.exercised | below.exercised)
    assert smooth.sum() > 200
    assert now.delta[smooth] == pytest.approx(((above.value - below.value) / 0.1)[smooth], abs=2e-4)
    assert now.gamma[smooth] == pytest.approx(((above.delta - below.delta) / 0.1)[smooth], abs=2e-4)
    tree = binomial_tree(spot[:60], *(np.broadcast_to(x, n)[:60] for x in rest), True, steps=401)
    assert now.delta[:60] == pytest.approx(tree.delta, abs=2e-3)


def test_calls_on_assets_without_a_yield_are_european():
    same = ([80, 100, 130], 100, 2, 0.05, [0, 0, -0.02], 0.3, True)
    assert american_value(*same) == pytest.approx(black_scholes_merton(*same), rel=1e-12)
    # And puts where the strike earns nothing.
    same = ([80, 100, 130], 100, 2, [-0.01, 0, -0.02], 0.03, 0.3, False)
    assert american_value(*same) == pytest.approx(black_scholes_merton(*same), rel=1e-12)


def test_options_with_two_boundaries_come_from_the_tree():
    same = (100, [90, 110], 2, -0.03, -0.06, 0.15, False)
    value = american_value(*same)
    assert value == pytest.approx(binomial_value(*same, True, steps=1501), abs=0.01)
    assert (value > black_scholes_merton(*same) + 0.01).all()


def test_an_option_on_a_future_has_a_premium_on_both_sides():
    for is_call in (True, False):
        same = (100, 100, 1, 0.08, 0.08, 0.3, is_call)
        assert american_value(*same)[0] > black_scholes_merton(*same) + 0.05


def test_without_volatility_the_best_time_is_chosen():
    # A call with a yield: 100·e^(−0.04t) − 60·e^(−0.10t) is greatest at t = ln(0.1·60/(0.04·100))/0.06 = 6.76 years.
    time = np.log(1.5) / 0.06
    best = 100 * np.exp(-0.04 * time) - 60 * np.exp(-0.1 * time)
    assert american_value(100, 60, [10, 10, 1], 0.1, 0.04, 0, True) == pytest.approx([best, best, 100 * np.exp(-0.04) - 60 * np.exp(-0.1)])
    assert american_value(100, 60, 10, 0.1, 0.04, 0.001, True) == pytest.approx([best], abs=2e-4)
    arrays = [np.array([float(x)]) for x in (100, 60, 10, 0.1, 0.04)]
    assert certain_values(*arrays, np.array([True])).exercise_time == pytest.approx([time])


def test_at_expiry_the_intrinsic_value_remains_and_a_missing_input_gives_none():
    assert american_value(100, [90, 110], [0, -1], 0.05, 0.02, 0.3, True) == pytest.approx([10, 0])
    assert np.isnan(american_value([100, np.nan, 0], 100, 1, 0.05, 0, [np.nan, 0.2, 0.2], True)).all()
    assert american_values([], [], [], [], [], [], []).value.shape == (0,)


def test_values_do_not_depend_on_their_company_nor_on_threads():
    random = np.random.default_rng(4)
    spot, call = random.uniform(50, 150, 600), random.random(600) < 0.5
    whole = american_value(spot, 100, 1, 0.05, 0.02, 0.3, call, threads=2)
    assert whole[::7] == pytest.approx(american_value(spot[::7], 100, 1, 0.05, 0.02, 0.3, call[::7]), rel=1e-13)


def test_the_tree_converges_to_the_closed_formula():
    same = (100, [60, 95, 105, 180], [0.1, 1, 1, 2], 0.03, 0.01, [0.1, 0.3, 0.3, 0.05], [True, False, True, False])
    assert binomial_value(*same, False, steps=201) == pytest.approx(black_scholes_merton(*same), abs=2e-3)
    assert np.isnan(binomial_value([np.nan, 100, 100], 100, [1, 0, 1], 0, 0, [0.2, 0.2, 0], True, True)).all()
