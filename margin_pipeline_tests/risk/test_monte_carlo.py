"""Monte Carlo risk: linear books against closed forms, option books against full revaluation, honest errors, seeds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from margin_pipeline.compute import NUMPY, BackendError, backend_named, mapped_by
from margin_pipeline.parameters.risk import MonteCarloSettings
from margin_pipeline.risk import assess, option_grids
from margin_pipeline.risk.book import build_book
from margin_pipeline.risk.draws import chunks, group_means, standard_returns
from margin_pipeline.risk.estimates import factor_estimates
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.monte_carlo import drawn_profits, grid_spacing
from margin_pipeline.risk.monte_carlo_method import simulation_error
from margin_pipeline.risk.revaluation import profits
from margin_pipeline.risk.roots import root_of

NORMAL = MonteCarloSettings(
    scenarios=20_000, distribution="normal", degrees_of_freedom=5, sequence="antithetic", replications=16, grid_knots=257, seed=7
)
SOBOL = replace(NORMAL, sequence="sobol", scenarios=16 * 1024)
T = replace(NORMAL, distribution="student_t")
KEY = ["portfolio_id", "method", "confidence", "horizon_days"]


def joined(held, portfolios, market):
    frames = [market[name] for name in ("instruments", "prices", "rates", "dividends")]
    found = risk_positions(held, frames[0], portfolios, *frames[1:], market["as_of"])
    book = build_book(found, held, portfolios)
    return book, factor_estimates(book, market["symbols"], market["correlation"], market["symbol_risk"], 252)


def simulated(book, market, draws, methods=("gaussian", "monte_carlo")):
    chosen = replace(market["settings"], monte_carlo=draws, methods=methods)
    return assess(book[0], portfolios=book[1], **market | {"settings": chosen})


@pytest.fixture
def linear(build):
    held = build.positions(
        ("P", "a", "AAA", 100, 100.0), ("P", "a", "CCC", 20, 100.0), ("P", "b", "BBB", -80, 110.0), ("P", "c", "FUT", 1, 111.0)
    )
    return held, build.portfolios(("P", "USD"))


@pytest.mark.parametrize("draws", [NORMAL, SOBOL], ids=["antithetic", "sobol"])
def test_a_linear_book_has_the_gaussian_risk_within_its_errors(linear, market, draws):
    result = simulated(linear, market, draws)
    table = result.portfolio_risk.set_index(["method", "confidence", "horizon_days"])
    drawn, exact = table.loc["monte_carlo"], table.loc["gaussian"]
    assert (np.abs(drawn["var"] - exact["var"]) <= 3 * drawn["standard_error"]).all()
    assert drawn["expected_shortfall"].to_numpy() == pytest.approx(exact["expected_shortfall"].to_numpy(), rel=0.03)
    assert (drawn["standard_error"] < 0.02 * drawn["var"]).all()
    parts = result.strategy_risk_components.set_index(["method", "confidence", "horizon_days", "strategy"])["component_expected_shortfall"]
    scale = exact["expected_shortfall"].max()
    assert parts.loc["monte_carlo"].to_numpy() == pytest.approx(parts.loc["gaussian"].to_numpy(), abs=0.03 * scale)


def test_a_linear_book_under_students_t_has_its_closed_form(linear, market):
    table = simulated(linear, market, T).portfolio_risk.set_index(["method", "confidence", "horizon_days"])
    freedom = T.degrees_of_freedom
    for confidence in (0.95, 0.99):
        q = student.ppf(confidence, freedom)
        scale = table.loc[("gaussian", confidence, 1), "var"] / norm.ppf(confidence) * np.sqrt((freedom - 2) / freedom)
        drawn = table.loc[("monte_carlo", confidence, 1)]
        assert drawn["var"] == pytest.approx(q * scale, abs=3 * drawn["standard_error"])
        # McNeil, Frey and Embrechts, example 2.15.
        shortfall = scale * student.pdf(q, freedom) / (1 - confidence) * (freedom + q**2) / (freedom - 1)
        assert drawn["expected_shortfall"] == pytest.approx(shortfall, rel=0.08)


@pytest.mark.parametrize("draws", [NORMAL, T, SOBOL], ids=["normal", "student_t", "sobol"])
def test_draws_have_mean_zero_and_the_estimated_correlation(market, draws):
    root = np.linalg.cholesky(market["correlation"])
    drawn = np.hstack([standard_returns(c, draws, np.float32(root), len(root), NUMPY) for c in chunks(draws)])
    assert drawn.shape == (len(root), draws.scenarios // (2 if draws.sequence == "antithetic" else 1))
    assert drawn.mean(axis=1) == pytest.approx(0, abs=0.05)
    assert np.cov(drawn) == pytest.approx(market["correlation"], abs=0.1)


@pytest.mark.parametrize("draws", [NORMAL, T], ids=["normal", "student_t"])
def test_interpolated_profits_are_those_of_full_revaluation(book, market, draws):
    joint, estimates = joined(*book, market)
    few = replace(draws, scenarios=2000)
    interpolated = drawn_profits(joint, estimates, (1, 10), few)
    root = np.float32(root_of(estimates.correlation)[0])
    half = np.hstack([standard_returns(c, few, root, root.shape[1], NUMPY) for c in chunks(few)]).astype(float)
    for horizon, found in zip((1, 10), interpolated, strict=True):
        returns = np.zeros((2000, len(joint.factors)))
        drawn = np.hstack([half, -half]) * estimates.daily_volatility[:, None] * np.sqrt(horizon)
        returns[:, estimates.columns] = np.maximum(drawn, -0.9).T
        exact = profits(joint, returns)
        usable = (drawn > -0.9).all(axis=0)
        scale = exact.std(axis=1, keepdims=True)
        assert np.abs(found - exact)[:, usable].max(axis=1) == pytest.approx(0, abs=5e-3 * scale.max())
        assert np.sort(found, axis=1)[:, 20] == pytest.approx(np.sort(exact, axis=1)[:, 20], rel=1e-3)


def test_the_same_series_in_many_strategies_and_many_series_in_one_give_the_same_profits(build, market, monkeypatch):
    # Functions are series in the one way, books of a strategy in the other: both tabulate the same values.
    held = build.positions(*(("P", f"s{n}", symbol, n + 1, 8.0) for n in range(4) for symbol in ("CALL", "PUT")))
    joint, estimates = joined(held, build.portfolios(("P", "USD")), market)
    few, found = replace(NORMAL, scenarios=500), []
    for look_up in (0.0, 1e9):
        monkeypatch.setattr(option_grids, "_LOOK_UP", look_up)
        found.append(drawn_profits(joint, estimates, (1, 10), few))
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, abs=1e-6 * np.abs(one).max())


def test_more_knots_come_nearer_by_the_square(build, market):
    held = build.positions(("P", "s", "CALL", 10, 8.0))
    joint, estimates = joined(held, build.portfolios(("P", "USD")), market)
    coarse, fine, finest = (
        drawn_profits(joint, estimates, (10,), replace(NORMAL, scenarios=2000, grid_knots=knots))[0] for knots in (33, 65, 1025)
    )
    assert np.abs(coarse - finest).mean() / np.abs(fine - finest).mean() == pytest.approx(4, rel=0.15)
    assert (coarse - finest).min() > -1e-6  # a chord of a long option lies above it


def test_components_add_up_and_one_strategy_is_the_whole(book, market):
    result = simulated(book, market, NORMAL, ("monte_carlo",))
    totals = result.portfolio_risk.set_index(KEY)
    sums = result.strategy_risk_components.groupby(KEY)[["component_var", "component_expected_shortfall"]].sum()
    for part, whole in (("component_var", "var"), ("component_expected_shortfall", "expected_shortfall")):
        assert sums[part].to_numpy() == pytest.approx(totals[whole].reindex(sums.index).to_numpy(), rel=1e-6)
    of_one = book[0][(book[0]["portfolio_id"] == "MIXED") & (book[0]["strategy"] == "income")]
    alone = simulated((of_one, book[1]), market, NORMAL, ("monte_carlo",))
    whole = alone.portfolio_risk.query("portfolio_id == 'MIXED'")["var"].to_numpy()
    assert alone.strategy_risk_components["component_var"].to_numpy() == pytest.approx(whole, rel=1e-9)
    assert alone.strategy_risk_components["incremental_var"].to_numpy() == pytest.approx(whole, rel=1e-9)


def test_the_same_seed_gives_the_same_bits_whatever_the_threads(book, market):
    joint, estimates = joined(*book, market)
    for draws in (replace(NORMAL, scenarios=5000), replace(SOBOL, scenarios=16 * 256)):
        once, again, in_parallel = (drawn_profits(joint, estimates, (1,), draws, threads=n)[0] for n in (1, 1, 3))
        assert np.array_equal(once, again)
        assert np.array_equal(once, in_parallel)
        assert not np.array_equal(once, drawn_profits(joint, estimates, (1,), replace(draws, seed=8))[0])


def test_chunks_that_are_sent_away_and_back_give_the_same_bits(book, market):
    pickled = pytest.importorskip("ray.cloudpickle")
    joint, estimates = joined(*book, market)
    few = replace(NORMAL, scenarios=5000)

    def elsewhere(function, chunks, threads):
        assert threads == 1
        for chunk in chunks:
            function_there, chunk_there = pickled.loads(pickled.dumps((function, chunk)))
            yield pickled.loads(pickled.dumps(function_there(chunk_there)))

    here = drawn_profits(joint, estimates, (1, 10), few)
    with mapped_by(elsewhere):
        there = drawn_profits(joint, estimates, (1, 10), few)
    assert [one.tobytes() for one in here] == [other.tobytes() for other in there]


@pytest.mark.parametrize(
    "draws", [replace(NORMAL, scenarios=4000), replace(SOBOL, scenarios=8 * 512, replications=8)], ids=["antithetic", "sobol"]
)
def test_the_standard_error_is_the_spread_over_seeds(linear, market, draws):
    joint, estimates = joined(*linear, market)
    totals = [drawn_profits(joint, estimates, (1,), replace(draws, seed=seed))[0].sum(axis=0) for seed in range(40)]
    spread = np.std([-np.quantile(total, 0.05) for total in totals], ddof=1)
    assert np.mean([simulation_error(total, 0.95, draws) for total in totals]) == pytest.approx(spread, rel=0.35)


def test_groups_are_pairs_of_mirror_images_or_replications():
    indicator = np.array([True, False, False, True, True, False])
    pairs = replace(NORMAL, scenarios=6, replications=2)
    assert list(group_means(indicator, pairs)) == [1.0, 0.5, 0.0]
    assert group_means(indicator[:4], replace(SOBOL, scenarios=4, replications=2)) == pytest.approx([0.5, 0.5])


def test_knots_of_students_t_reach_as_far_as_its_draws():
    spacing = grid_spacing(T)
    assert spacing.reach > 20
    assert spacing.positions(spacing.at_knots()) == pytest.approx(np.arange(257), abs=1e-9)
    assert spacing.at_knots()[128] == 0


def test_a_factor_without_estimates_leaves_no_figure(build, market):
    held = build.positions(("P", "s", "YOUNG", 1, 100.0), ("P", "t", "AAA", 1, 100.0))
    chosen = replace(market["settings"], methods=("delta_gamma", "monte_carlo"))
    result = assess(held, portfolios=build.portfolios(("P", "USD")), **market | {"settings": chosen})
    assert result.portfolio_risk["var"].isna().all()
    assert all(reasons == ["YOUNG: no estimate of its volatility and correlation"] for reasons in result.portfolio_risk["missing"])
    alone = result.strategy_risk_components.set_index("strategy")["var"]
    assert alone["s"].isna().all()
    assert alone["t"].notna().all()


def test_the_kind_of_device_changes_no_more_than_single_precision(book, market):
    try:
        device = backend_named("mlx-cpu")
    except BackendError:
        pytest.skip("MLX is not there")
    joint, estimates = joined(*book, market)
    few = replace(NORMAL, scenarios=2000)
    one, other = drawn_profits(joint, estimates, (10,), few)[0], drawn_profits(joint, estimates, (10,), few, device)[0]
    assert other == pytest.approx(one, abs=1e-4 * np.abs(one).max())


def test_row_order_changes_no_bit(book, market):
    held, portfolios = book
    chosen = replace(
        market["settings"], monte_carlo=replace(NORMAL, scenarios=1000), methods=("delta_gamma", "cornish_fisher", "monte_carlo")
    )
    straight, turned = (
        assess(h, portfolios=portfolios, **market | {"settings": chosen}) for h in (held, held.sample(frac=1, random_state=3))
    )
    for name in ("portfolio_risk", "strategy_risk_components", "portfolio_risk_factors", "risk_summaries"):
        pd.testing.assert_frame_equal(getattr(straight, name), getattr(turned, name), check_exact=True)
