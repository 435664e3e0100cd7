"""First passage against simulated paths, and rows of forecasts: closed forms, edges, order, calibration of what is normal."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import multivariate_normal

from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.forecast import forecast_settings
from margin_pipeline.parameters.reader import ParameterError
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk.first_passage import median_days, passage_probability, watched_probability
from margin_pipeline.risk.forecast import COLUMNS, SLOPES, estimated_covariance, factor_exposures, forecast_rows, moments
from margin_pipeline.risk.forecast_calibration import calibration_table

AS_OF = dt.date(2022, 12, 28)
CLOSE = dt.datetime(2022, 12, 28, 21, tzinfo=dt.UTC)
SETTINGS = forecast_settings(AS_OF)
THRESHOLDS = (0.8, 0.9, 0.95, 1.0)
COVARIANCE = np.array([[4.0, 1.0], [1.0, 2.25]]) * 1e-4


def sensitivities(*rows):
    """Frame from (portfolio, factor, equity slope, maintenance slope[, equity curvature, maintenance curvature])."""
    full = [(p, f, e, (*more, 0.0)[0], m, (*more, 0.0, 0.0)[1], abs(e) + abs(m)) for p, f, e, m, *more in rows]
    return pd.DataFrame(full, columns=["portfolio_id", "risk_factor", *SLOPES])


def margins(**amounts):
    """Governing margins from (margin equity, maintenance margin) by portfolio."""
    rows = [
        (p, "reg_t", True, e, m, 0.0 if m == 0 and e >= 0 else m / e if e > 0 else np.inf, "safe", None) for p, (e, m) in amounts.items()
    ]
    named = ["portfolio_id", "method", "is_governing", "margin_equity", "maintenance_margin", "utilization", "status", "missing"]
    return pd.DataFrame(rows, columns=named)


def forecast(rows, given, reasons=None):
    exposures = factor_exposures(rows, sorted(given["portfolio_id"]))
    used = COVARIANCE[: len(exposures.factors), : len(exposures.factors)]
    return forecast_rows(exposures, moments(exposures, used), given, reasons or {}, THRESHOLDS, SETTINGS, CLOSE)


def at(frame, portfolio="P", threshold=1.0, horizon=60):
    rows = frame[(frame["portfolio_id"] == portfolio) & (frame["threshold"] == threshold) & (frame["horizon_minutes"] == horizon)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_probability_is_that_of_first_passage_of_a_brownian_motion():
    random = np.random.default_rng(5)
    steps = random.normal(0, 1 / np.sqrt(400), (20_000, 400))
    lowest = np.cumsum(steps, axis=1).min(axis=1)
    for distance in (0.3, 1.0, 2.0):
        watched = float((lowest <= -distance).mean())
        assert watched == pytest.approx(float(watched_probability(distance, 1.0, 400)), abs=0.01)
        # Paths watched at instants miss touches between them: the probability at every instant is a little greater.
        assert 0 < float(passage_probability(distance, 1.0)) - watched < 0.035


def test_instants_that_are_few_are_counted_exactly():
    distances = np.array([0.01, 0.5, 1.0, 1.5, 2.0, 4.0])
    assert watched_probability(distances, 1.0, 1) == pytest.approx(ndtr(-distances), abs=1e-6)
    # Two instants: 1 - P(both above), the bivariate normal of correlation √½.
    both = [multivariate_normal([0, 0], [[0.5, 0.5], [0.5, 1.0]]).cdf([d, d]) for d in distances]
    assert watched_probability(distances, 1.0, 2) == pytest.approx(1 - np.array(both), abs=2e-6)
    path = np.cumsum(np.random.default_rng(6).normal(0, 1 / np.sqrt(5), (200_000, 5)), axis=1).min(axis=1)
    observed = np.array([(path <= -distance).mean() for distance in distances])
    assert watched_probability(distances, 1.0, 5) == pytest.approx(observed, abs=0.004)
    # Many: first passage of a barrier that lies 0.5826 steps farther away (Broadie, Glasserman and Kou 1997), some steps from the start.
    far = distances[distances > 0.1]
    assert watched_probability(far, 1.0, 400) == pytest.approx(passage_probability(far + 0.5826 / 20, 1.0), abs=1e-3)


def test_edges_of_the_probability():
    assert passage_probability([-1.0, 0.0, 1.0, np.nan], [1.0, 1.0, 0.0, 1.0]).tolist() == pytest.approx([1, 1, 0, np.nan], nan_ok=True)
    assert passage_probability(0.0, 0.0) == 1.0


@given(st.floats(1e-3, 1e6), st.floats(0, 1e8), st.floats(0, 1e8))
def test_within_the_median_time_a_breach_is_as_likely_as_not(distance, linear, curved):
    days = float(median_days(distance, linear, curved))
    if linear + curved == 0:
        assert np.isinf(days)
    elif 1e-100 < days < 1e100:
        assert float(passage_probability(distance, np.sqrt(days * linear + days**2 * curved))) == pytest.approx(0.5, rel=1e-6)


def test_linear_book_has_the_closed_form():
    rows = sensitivities(("P", "A", 10_000.0, 2_500.0), ("P", "B", -4_000.0, 1_200.0))
    found = forecast(rows, margins(P=(5_000.0, 3_700.0)))
    slope = np.array([10_000 - 2_500, -4_000 - 1_200.0])
    sigma = np.sqrt(slope @ COVARIANCE @ slope)
    row = at(found, horizon=60)
    assert row["distance"] == pytest.approx(1_300.0)
    assert row["standard_deviation"] == pytest.approx(sigma)
    assert row["breach_probability"] == pytest.approx(2 * float(ndtr(-1_300 / (sigma * np.sqrt(60 / 390)))))
    assert row["median_minutes_to_breach"] == pytest.approx(390 * (1_300 / (0.674489750196 * sigma)) ** 2)
    assert row["calculated_at"] == pd.Timestamp(CLOSE)


def test_curvature_adds_its_variance_which_grows_with_the_square_of_time():
    rows = sensitivities(("P", "A", 1_000.0, 0.0, -50_000.0, 0.0), ("P", "B", 0.0, 0.0, -20_000.0, 0.0))
    bends = np.diag([-50_000.0, -20_000.0])
    linear, curved = 1_000.0**2 * COVARIANCE[0, 0], np.trace(np.linalg.matrix_power(bends @ COVARIANCE, 2)) / 2
    found = forecast(rows, margins(P=(1_000.0, 900.0)))
    assert at(found, horizon=390)["standard_deviation"] == pytest.approx(np.sqrt(linear + curved))
    assert at(found, horizon=1950)["standard_deviation"] == pytest.approx(np.sqrt(linear + 5 * curved))
    draws = np.random.default_rng(3).multivariate_normal([0, 0], 5 * COVARIANCE, 200_000)
    changes = 1_000 * draws[:, 0] + (draws**2) @ np.array([-25_000.0, -10_000.0])
    assert at(found, horizon=1950)["standard_deviation"] * np.sqrt(5) == pytest.approx(changes.std(), rel=0.01)


def test_expected_utilization_is_the_mean_over_simulated_returns():
    rows = sensitivities(("P", "A", 10_000.0, 2_500.0), ("P", "B", -6_000.0, 1_200.0))
    found = at(forecast(rows, margins(P=(4_000.0, 2_000.0))), horizon=1950)
    draws = np.random.default_rng(4).multivariate_normal([0, 0], 5 * COVARIANCE, 400_000)
    used = (2_000 + draws @ [2_500.0, 1_200.0]) / (4_000 + draws @ [10_000.0, -6_000.0])
    assert found["expected_utilization"] - 0.5 == pytest.approx(used.mean() - 0.5, rel=0.1)
    assert found["expected_utilization"] > 0.503


def test_used_up_is_certain_still_is_impossible_and_paid_in_full_is_neither():
    rows = sensitivities(("GONE", "A", 100.0, 0.0), ("STILL", "A", 0.0, 0.0), ("PAID", "A", 0.0, 0.0), ("SHORT", "A", 0.0, 0.0))
    found = forecast(rows, margins(GONE=(50.0, 60.0), STILL=(100.0, 50.0), PAID=(0.0, 0.0), SHORT=(-1.0, 0.0)))
    assert at(found, "GONE")["breach_probability"] == 1.0
    assert at(found, "GONE")["median_minutes_to_breach"] == 0.0
    assert at(found, "STILL")["breach_probability"] == 0.0
    assert at(found, "PAID")["breach_probability"] == 0.0
    assert at(found, "SHORT")["breach_probability"] == 1.0
    assert found[found["portfolio_id"].isin(["STILL", "PAID"])]["median_minutes_to_breach"].isna().all()


def test_what_lacks_something_has_rows_with_reasons_and_no_figures():
    rows = sensitivities(("P", "A", 100.0, 0.0), ("Q", "A", 100.0, 0.0))
    found = forecast(rows, margins(P=(100.0, 50.0), Q=(100.0, 50.0)), {"P": ["A: no price"]})
    lost = found[found["portfolio_id"] == "P"]
    assert len(lost) == len(THRESHOLDS) * len(SETTINGS.horizons_minutes)
    assert set(lost["missing"]) == {'["A: no price"]'}
    assert lost[COLUMNS[5:11]].isna().all().all()
    assert found.loc[found["portfolio_id"] == "Q", "breach_probability"].notna().all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1e5, 1e5)] * 4), min_size=2, max_size=2), st.floats(-1e4, 1e5), st.floats(0, 1e5))
def test_more_time_and_lower_thresholds_are_never_less_likely(slopes, equity, maintenance):
    rows = sensitivities(*(("P", name, e, m, c, d) for name, (e, m, c, d) in zip("AB", slopes, strict=True)))
    wide = forecast(rows, margins(P=(equity, maintenance))).pivot(index="threshold", columns="horizon_minutes", values="breach_probability")
    values = wide.to_numpy()
    assert ((values >= 0) & (values <= 1)).all()
    assert (np.diff(values, axis=1) >= -1e-12).all()
    assert (np.diff(values, axis=0) <= 1e-12).all()


def test_rows_come_in_one_order_whatever_the_order_of_the_input():
    random = np.random.default_rng(9)
    rows = sensitivities(*(("PQ"[n % 2], "AB"[n // 2 % 2], *random.normal(0, 1e4, 4)) for n in range(40)))
    given_margins = margins(P=(5e4, 2e4), Q=(4e4, 3e4))
    mixed = forecast(rows.sample(frac=1, random_state=1), given_margins.iloc[::-1])
    pd.testing.assert_frame_equal(mixed, forecast(rows, given_margins), check_exact=True)


def test_factor_without_an_estimate_is_named():
    risk = pd.DataFrame({"symbol": ["A", "B"], "volatility": [0.2, np.nan]})
    found, lacking = estimated_covariance(pd.Index(["A", "B", "C"], dtype=object), ("A", "B"), np.eye(2), risk, 252)
    assert found[0, 0] == pytest.approx(0.04 / 252)
    assert set(lacking) == {"B", "C"}
    assert not found[1:].any()


@pytest.fixture(scope="module")
def normal_market():
    """Closes of 30 independent names over 700 sessions, normal log returns of 1 % a day."""
    random = np.random.default_rng(11)
    days = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=700)
    names = [f"S{n:02d}" for n in range(30)]
    closes = pd.DataFrame(100 * np.exp(np.cumsum(random.normal(0, 0.01, (700, 30)), axis=0)), index=days, columns=names)
    return closes.rename_axis("date").reset_index().melt("date", var_name="symbol", value_name="close").assign(adjusted_close=np.nan)


def calibration(prices, rows, methods, **changes):
    exposures = factor_exposures(rows, sorted(methods))
    fx = pd.DataFrame({"date": pd.Series(dtype="datetime64[ns]"), "currency": pd.Series(dtype="str"), "usd_rate": pd.Series(dtype=float)})
    given_settings = (risk_settings(AS_OF), estimation_settings(AS_OF), replace(SETTINGS, **changes))
    return calibration_table(exposures, methods, prices, fx, (), *given_settings, AS_OF)


def test_forecasts_of_normal_returns_are_on_the_diagonal(normal_market):
    names = sorted(normal_market["symbol"].unique())
    rows = sensitivities(*((f"P{n}", n, 10_000.0, 2_500.0) for n in names))
    found = calibration(normal_market, rows, {f"P{n}": "reg_t" for n in names}, calibration_days=400)
    assert set(found["method"]) == {"reg_t", "all"}
    for (horizon, watched), own in found[found["method"] == "all"].groupby(["horizon_days", "watched"]):
        bins = own[own["bin"] > 0]
        assert (bins["observed"] - bins["predicted"]).abs().max() < (0.02 if horizon == 1 else 0.05), (horizon, watched)
        whole = own[own["bin"] == 0].iloc[0]
        assert whole["reliability"] < 2e-3
        assert whole["observations"] == bins["observations"].sum()
        # Better than to say the base rate always, which has the Brier score of a coin of that bias.
        assert whole["brier_score"] < whole["base_rate"] * (1 - whole["base_rate"])
    assert len(found[(found["method"] == "all") & (found["watched"] == "at_closes") & (found["bin"] > 0)]) >= 8


def test_forecast_of_a_day_knows_nothing_of_that_day(normal_market):
    rows = sensitivities(("P", "S00", 10_000.0, 0.0))
    before = calibration(normal_market, rows, {"P": "reg_t"}, calibration_days=1, calibration_horizons_days=(1,))
    last = normal_market["date"] == normal_market["date"].max()
    crash = normal_market.assign(close=normal_market["close"].where(~(last & (normal_market["symbol"] == "S00")), 1.0))
    after = calibration(crash, rows, {"P": "reg_t"}, calibration_days=1, calibration_horizons_days=(1,))
    assert after.loc[after["bin"] > 0, "observed"].eq(1.0).all()
    pd.testing.assert_series_equal(after["predicted"], before["predicted"])


def test_short_history_is_said(normal_market):
    recent = normal_market[normal_market["date"] > normal_market["date"].max() - pd.Timedelta(days=60)]
    found = calibration(recent, sensitivities(("P", "S00", 1.0, 0.0)), {"P": "reg_t"})
    assert (found["bin"] == 0).all()
    assert found["predicted"].isna().all()
    assert found["missing"].str.contains("history").all()


def test_settings_that_nothing_can_be_forecast_with_are_refused():
    with pytest.raises(ParameterError, match="ascend"):
        replace(SETTINGS, horizons_minutes=(60, 10))
    with pytest.raises(ParameterError, match="below 1"):
        replace(SETTINGS, starting_probabilities=(0.5, 1.0))
    with pytest.raises(ParameterError, match="bump"):
        replace(SETTINGS, bump=0.0)
