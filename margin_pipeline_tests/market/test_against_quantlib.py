"""Our values, sensitivities and implied volatilities against those of QuantLib, an independent library."""

import itertools

import numpy as np
import pytest

from margin_pipeline.market.american_implied_volatility import american_implied_volatility
from margin_pipeline.market.american_options import american_value, american_values
from margin_pipeline.market.greeks import american_greeks, european_greeks
from margin_pipeline.market.implied_volatility import implied_volatility
from margin_pipeline.market.option_pricing import black_76, black_scholes_merton

ql = pytest.importorskip("QuantLib")

from margin_pipeline_tests.market.quantlib_prices import QuantLibOption  # noqa: E402, after the skip

GRID = list(
    itertools.product(
        [100.0], [70.0, 90.0, 100.0, 115.0, 150.0], [30, 365, 1095], [(0.0, 0.0), (0.03, 0.0), (0.05, 0.05), (0.02, 0.07), (-0.01, 0.03)],
        [0.1, 0.25, 0.8], [True, False],
    )
)  # fmt: skip
STRIKE, DAYS, VOLATILITY, IS_CALL = (np.array(x) for x in list(zip(*GRID, strict=True))[1:3] + list(zip(*GRID, strict=True))[4:6])
RATE, YIELD = np.array([case[3] for case in GRID]).T
OURS = (100.0, STRIKE, DAYS / 365, RATE, YIELD, VOLATILITY, IS_CALL)


def theirs(is_american):
    return [QuantLibOption(s, k, d, r, q, v, c, is_american) for s, k, d, (r, q), v, c in GRID]


@pytest.fixture(scope="module")
def exact():
    """American values by the method with many nodes."""
    return np.array([o.american_value() for o in theirs(True)])


def test_european_values_and_sensitivities_are_the_same():
    priced = [o.priced_by(ql.AnalyticEuropeanEngine) for o in theirs(False)]
    assert black_scholes_merton(*OURS) == pytest.approx([o.NPV() for o in priced], abs=1e-10)
    found = european_greeks(*OURS)
    for name, figure in (
        ("delta", lambda o: o.delta()),
        ("gamma", lambda o: o.gamma()),
        ("vega", lambda o: o.vega()),
        ("theta", lambda o: o.theta() / 365),
        ("rho", lambda o: o.rho()),
    ):
        assert getattr(found, name) == pytest.approx([figure(o) for o in priced], abs=1e-9), name


def test_options_on_futures_are_the_same():
    for volatility, is_call in itertools.product([0.1, 0.5], [True, False]):
        kind = ql.Option.Call if is_call else ql.Option.Put
        expected = ql.blackFormula(kind, 95.0, 100.0, volatility * np.sqrt(0.75), np.exp(-0.04 * 0.75))
        assert black_76(100.0, 95.0, 0.75, 0.04, volatility, is_call) == pytest.approx(expected, abs=1e-12)


def test_american_values_are_within_six_thousandths_of_a_percent_of_the_spot(exact):
    error = american_value(*OURS) - exact
    assert np.abs(error).max() < 0.006
    assert np.sqrt((error**2).mean()) < 0.0005


def test_the_usual_approximations_are_further_from_the_exact_value(exact):
    options = theirs(True)
    worst = np.abs(american_value(*OURS) - exact).max()
    for engine in (ql.BjerksundStenslandApproximationEngine, ql.BaroneAdesiWhaleyApproximationEngine):
        # Neither says anything under negative rates.
        known = np.flatnonzero((RATE >= 0) & (YIELD >= 0))
        error = np.array([options[i].priced_by(engine).NPV() for i in known]) - exact[known]
        assert 20 * worst < np.abs(error).max() < 3.0


def test_american_values_and_sensitivities_are_those_of_finite_differences_and_a_fine_tree():
    for i in range(7, len(GRID), 23):
        spot, strike, days, (rate, dividend_yield), volatility, is_call = GRID[i]
        given = (spot, strike, days / 365, rate, dividend_yield, volatility, is_call)
        option = QuantLibOption(spot, strike, days, rate, dividend_yield, volatility, is_call, True)
        found = american_greeks(*given)
        tree = option.priced_by(ql.BinomialLRVanillaEngine, 1001).NPV()
        assert found.value == pytest.approx([tree], abs=0.015), given
        grid = option.priced_by(ql.FdBlackScholesVanillaEngine, 400, 400)
        assert found.value == pytest.approx([grid.NPV()], abs=0.03), given
        assert found.delta == pytest.approx([grid.delta()], abs=2e-3), given
        assert found.gamma == pytest.approx([grid.gamma()], abs=1e-3), given


def test_american_delta_is_the_slope_of_the_exact_value():
    for i in range(5, len(GRID), 31):
        spot, strike, days, (rate, dividend_yield), volatility, is_call = GRID[i]
        up, down = (
            QuantLibOption(spot + move, strike, days, rate, dividend_yield, volatility, is_call, True).american_value()
            for move in (0.1, -0.1)
        )
        found = american_values(spot, strike, days / 365, rate, dividend_yield, volatility, is_call)
        assert found.delta == pytest.approx([(up - down) / 0.2], abs=1e-3)


def test_implied_volatilities_are_the_same():
    for is_american in (False, True):
        for i in range(3, len(GRID), 17):
            spot, strike, days, (rate, dividend_yield), volatility, is_call = GRID[i]
            option = QuantLibOption(spot, strike, days, rate, dividend_yield, volatility, is_call, is_american)
            price = option.american_value() if is_american else option.priced_by(ql.AnalyticEuropeanEngine).NPV()
            solver = american_implied_volatility if is_american else implied_volatility
            vega = european_greeks(spot, strike, days / 365, rate, dividend_yield, volatility, is_call).vega[0]
            if vega < 1 or price - max((1 if is_call else -1) * (spot - strike), 0) < 0.05:
                continue  # such a price says nothing about the volatility
            found = solver(price, spot, strike, days / 365, rate, dividend_yield, is_call)
            # The volatility that QuantLib priced with; an American one as near as the values are.
            assert found.volatility == pytest.approx([volatility], abs=1e-3 if is_american else 1e-9), GRID[i]
            if not is_american:
                again = option.option.impliedVolatility(price, option.process, 1e-10, 200, 1e-4, 8.0)
                assert found.volatility == pytest.approx([again], abs=1e-6)
