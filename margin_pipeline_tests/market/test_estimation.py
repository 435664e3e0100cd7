"""All estimates of a date: on real closes, with gaps, newcomers and currencies, and the tables made of them.

Belongs here: market.estimation. Not here: single estimators.
"""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.compute import NUMPY
from margin_pipeline.market.estimation import correlation_rows, estimate, pack_triangle, symbol_risk_table, unpack_triangle
from margin_pipeline.market.positive_semidefinite import minimum_eigenvalue
from margin_pipeline.parameters.estimation import EstimationSettings

CLOSES = Path(__file__).parents[2] / "margin_pipeline/sample/data/prices_2014_2022.csv.gz"
SETTINGS = EstimationSettings()
LAST = dt.date(2022, 12, 28)
NO_RATES = pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series([], dtype="str"), "usd_rate": pd.Series([], dtype=float)})


def closes_of(matrix, names, first="2022-01-03"):
    """History frame from (t, n) closes; NaN = no row."""
    dates = pd.bdate_range(first, periods=len(matrix))
    frame = pd.DataFrame(matrix, index=dates, columns=list(names)).rename_axis(index="date", columns="symbol").stack()
    frame = frame.rename("close").reset_index().dropna(ignore_index=True)
    return frame.assign(adjusted_close=np.nan).astype({"symbol": "str"})


def walk(rows, columns, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal((rows, 1)) * 0.008 + rng.standard_normal((rows, columns)) * 0.012
    return 100.0 * np.exp(np.cumsum(steps, axis=0))


@pytest.fixture(scope="module")
def real_closes():
    return pd.read_csv(CLOSES, parse_dates=["date"]).assign(adjusted_close=np.nan).astype({"symbol": "str"})


@pytest.fixture(scope="module")
def real_estimates(real_closes):
    return estimate(real_closes, NO_RATES, SETTINGS, LAST)


def test_real_closes_give_what_pandas_gives(real_closes, real_estimates):
    wide = real_closes.pivot(index="date", columns="symbol", values="close").sort_index()
    returns = np.log(wide).diff().iloc[-SETTINGS.window :]
    assert list(real_estimates.symbols) == list(returns.columns)
    deviation = returns.ewm(halflife=63).std().iloc[-1] * np.sqrt(252)
    np.testing.assert_allclose(real_estimates.volatility, deviation, rtol=1e-9)
    np.testing.assert_allclose(real_estimates.correlation, returns.ewm(halflife=63).corr().loc[returns.index[-1]], atol=1e-9)


def test_real_closes_have_plausible_betas(real_estimates):
    table = symbol_risk_table(real_estimates).set_index("symbol")
    assert table.loc["SP500", "beta"] == pytest.approx(1.0, rel=1e-12)
    assert table.loc["SP500", "r_squared"] == 1.0
    assert table.loc["AMD", "beta"] > 1.5
    assert 0.3 < table.loc["JNJ", "beta"] < 0.7
    assert table["observations"].eq(756).all()
    assert table["beta_std_error"].drop("SP500").between(0.01, 0.3).all()


def test_real_correlations_are_positive_semidefinite_without_repair(real_estimates):
    assert not real_estimates.repaired
    assert real_estimates.minimum_eigenvalue == pytest.approx(minimum_eigenvalue(real_estimates.correlation))
    assert real_estimates.minimum_eigenvalue > 0


@pytest.mark.parametrize("estimator", ["exponentially_weighted", "sample", "ledoit_wolf"])
def test_real_closes_with_gaps_are_repaired_where_needed_with_any_estimator(real_closes, estimator):
    thinned = real_closes[np.random.default_rng(4).random(len(real_closes)) > 0.15]
    found = estimate(thinned, NO_RATES, replace(SETTINGS, estimator=estimator, half_life=10.0, window=120), LAST)
    assert len(found.symbols) == 26
    assert minimum_eigenvalue(found.correlation) >= -1e-8
    assert minimum_eigenvalue(unpack_triangle(pack_triangle(found.correlation), 26)) >= -1e-8
    if estimator == "exponentially_weighted":
        assert found.repaired


def test_estimates_of_an_earlier_date_do_not_see_later_closes(real_closes):
    earlier = dt.date(2020, 3, 31)
    cut = real_closes[real_closes["date"] <= "2020-03-31"]
    whole, part = estimate(real_closes, NO_RATES, SETTINGS, earlier), estimate(cut, NO_RATES, SETTINGS, earlier)
    np.testing.assert_array_equal(whole.correlation, part.correlation)
    np.testing.assert_array_equal(whole.volatility, part.volatility)


def test_a_newcomer_has_no_estimate_and_says_how_many_observations_it_has():
    closes = walk(60, 3)
    closes[:40, 2] = np.nan
    found = estimate(closes_of(closes, ["SP500", "OLD", "NEW"]), NO_RATES, SETTINGS, LAST)
    assert found.symbols == ("OLD", "SP500")
    row = symbol_risk_table(found).set_index("symbol").loc["NEW"]
    assert row["observations"] == 19
    assert row[["volatility", "beta", "beta_std_error", "r_squared"]].isna().all()


def test_symbols_that_never_traded_together_are_not_both_in_the_matrix():
    closes = walk(100, 4)
    closes[50:, 1] = np.nan
    closes[:45, 2] = np.nan
    closes[:45, 3] = np.nan
    found = estimate(closes_of(closes, ["SP500", "GONE", "NEW", "NEWER"]), NO_RATES, SETTINGS, LAST)
    assert found.symbols == ("NEW", "NEWER", "SP500")
    assert np.isfinite(found.volatility).all()


def test_a_missing_benchmark_leaves_beta_empty_and_nothing_else():
    closes = closes_of(walk(60, 3), "ABC")
    found = estimate(closes, NO_RATES, SETTINGS, LAST)
    assert np.isnan(found.beta).all()
    assert np.isfinite(found.volatility).all()
    assert found.correlation.shape == (3, 3)


def test_a_symbol_that_does_not_move_has_no_volatility_and_no_correlation():
    closes = walk(60, 3)
    closes[:, 1] = 100.0
    found = estimate(closes_of(closes, ["SP500", "CASH", "X"]), NO_RATES, SETTINGS, LAST)
    cash = found.symbols.index("CASH")
    assert found.volatility[cash] == 0.0
    assert found.correlation[cash].tolist() == [1.0, 0.0, 0.0]


def test_currency_factors_stand_among_the_symbols():
    closes = walk(60, 3)
    frame = closes_of(closes, ["SP500", "A", "EUR"])
    rates = frame[frame["symbol"] == "EUR"].rename(columns={"symbol": "currency", "close": "usd_rate"})
    found = estimate(frame[frame["symbol"] != "EUR"], rates, SETTINGS, LAST)
    assert found.symbols == ("A", "SP500", "fx:EUR")
    whole = estimate(frame, NO_RATES, SETTINGS, LAST)
    order = [whole.symbols.index(s) for s in ("A", "SP500", "EUR")]
    np.testing.assert_allclose(found.correlation, whole.correlation[np.ix_(order, order)], atol=1e-12)


def test_more_symbols_than_days_give_a_matrix_that_is_sound_also_when_stored():
    found = estimate(closes_of(walk(40, 90), [f"S{k:02d}" for k in range(90)]), NO_RATES, SETTINGS, LAST)
    assert len(found.symbols) == 90
    assert minimum_eigenvalue(found.correlation) == pytest.approx(found.minimum_eigenvalue, abs=1e-9)
    assert minimum_eigenvalue(unpack_triangle(pack_triangle(found.correlation), 90)) >= -1e-8


def test_an_empty_history_has_no_estimates():
    nothing = closes_of(np.zeros((0, 1)), ["A"])
    for estimator in ("exponentially_weighted", "sample", "ledoit_wolf"):
        found = estimate(nothing, NO_RATES, replace(SETTINGS, estimator=estimator), LAST)
        assert (found.symbols, found.correlation.shape, found.minimum_eigenvalue) == ((), (0, 0), 1.0)
        assert len(symbol_risk_table(found)) == 0
        assert len(correlation_rows(found, {"A"})) == 0


def test_wanted_and_excluded_symbols_are_honoured_and_the_benchmark_need_not_be_wanted():
    frame = closes_of(walk(60, 4), ["SP500", "A", "B", "OPTION"])
    found = estimate(frame, NO_RATES, SETTINGS, LAST, symbols=["A", "B", "OPTION"], exclude={"OPTION"})
    assert found.estimated_symbols == ("A", "B")
    assert np.isfinite(found.beta).all()


def test_shrunk_betas_lie_between_the_regression_and_one():
    frame = closes_of(walk(60, 5), ["SP500", *"ABCD"])
    plain = estimate(frame, NO_RATES, SETTINGS, LAST)
    shrunk = estimate(frame, NO_RATES, replace(SETTINGS, vasicek_shrinkage=True), LAST)
    assert (np.abs(shrunk.beta - 1) <= np.abs(plain.beta - 1) + 1e-12).all()
    assert shrunk.beta[plain.estimated_symbols.index("SP500")] == pytest.approx(1.0)


def test_a_device_that_fails_changes_no_number_and_is_reported():
    def fails(*_arguments):
        raise RuntimeError("device lost")

    frame = closes_of(walk(60, 4), ["SP500", "A", "B", "C"])
    device = replace(NUMPY, name="mlx-gpu", matmul=fails)
    found, plain = estimate(frame, NO_RATES, SETTINGS, LAST, backend=device), estimate(frame, NO_RATES, SETTINGS, LAST)
    np.testing.assert_array_equal(found.correlation, plain.correlation)
    assert found.report.fell_back
    assert "device lost" in found.report.why


def test_the_tables_fit_their_columns(real_estimates):
    table = symbol_risk_table(real_estimates)
    assert list(table.columns) == ["symbol", "volatility", "beta", "beta_std_error", "r_squared", "observations"]
    assert table["observations"].dtype == np.int64
    held = {"AAPL", "MSFT", "SP500", "UNKNOWN"}
    rows = correlation_rows(real_estimates, held)
    assert list(zip(rows["symbol_a"], rows["symbol_b"], strict=True)) == [("AAPL", "MSFT"), ("AAPL", "SP500"), ("MSFT", "SP500")]
    position = [real_estimates.symbols.index(s) for s in ("AAPL", "MSFT")]
    assert rows["correlation"].iloc[0] == real_estimates.correlation[tuple(position)]
    assert (rows["symbol_a"] < rows["symbol_b"]).all()


def test_pairs_below_the_threshold_have_no_row(real_estimates):
    everything = set(real_estimates.symbols)
    rows = correlation_rows(real_estimates, everything, threshold=0.7)
    above = np.triu(np.abs(real_estimates.correlation) >= 0.7, 1).sum()
    assert len(rows) == above > 0
    assert (rows["correlation"].abs() >= 0.7).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 0.5), st.integers(2, 9), st.randoms(use_true_random=False))
def test_whatever_is_missing_the_matrix_is_sound_and_independent_of_row_order(seed, gaps, columns, random):
    rng = np.random.default_rng(seed)
    closes = walk(70, columns, seed)
    closes[rng.random(closes.shape) < gaps] = np.nan
    frame = closes_of(closes, [f"S{k}" for k in range(columns)])
    order = list(range(len(frame)))
    random.shuffle(order)
    found = estimate(frame, NO_RATES, replace(SETTINGS, half_life=8.0), LAST)
    again = estimate(frame.iloc[order], NO_RATES, replace(SETTINGS, half_life=8.0), LAST)
    np.testing.assert_array_equal(found.correlation, again.correlation)
    np.testing.assert_array_equal(found.volatility, again.volatility)
    assert (np.abs(found.correlation) <= 1.0).all()
    if found.symbols:
        assert minimum_eigenvalue(found.correlation) >= -1e-8
