"""Scenario histories: gaps, late starts, weekends, overlapping horizons."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk.scenarios import factor_history, horizon_returns


@pytest.fixture(scope="module")
def settings(build):
    return replace(risk_settings(build.as_of), historical_window=25, min_observations=2, horizons_days=(1, 3))


@pytest.fixture
def history(build, settings):
    def of(closes, held=None, adjusted=None, fx=None, exclude=()):
        rates = build.fx_rates(fx) if fx is not None else build.fx_rates(closes).iloc[:0]
        wanted = held or [*closes.columns, *(f"fx:{c}" for c in (fx.columns if fx is not None else ()))]
        found = factor_history(build.prices(closes, adjusted), rates, wanted, exclude, settings, build.as_of)
        return found, pd.DataFrame(found.log_returns, columns=found.factors)

    return of


def test_a_scenario_is_the_simple_return_over_the_horizon_and_they_overlap(build, history):
    closes = build.walk(["A", "B"], days=20)
    found, _ = history(closes)
    assert horizon_returns(found, 1, 500) == pytest.approx(closes.pct_change().to_numpy()[1:], abs=1e-14)
    assert horizon_returns(found, 3, 500) == pytest.approx((closes / closes.shift(3) - 1).to_numpy()[3:], abs=1e-14)
    assert horizon_returns(found, 3, 5) == pytest.approx((closes / closes.shift(3) - 1).to_numpy()[-5:], abs=1e-14)
    assert horizon_returns(found, 40, 5).shape == (0, 2)


def test_the_window_is_filled_at_the_longest_horizon(build, history):
    found, _ = history(build.walk(["A"], days=100))
    assert len(found.log_returns) == 25 + 3 - 1
    assert len(horizon_returns(found, 1, 25)) == len(horizon_returns(found, 3, 25)) == 25


def test_a_move_over_a_gap_counts_on_the_day_that_ends_it(build, history):
    closes = build.walk(["A", "B", "C"], days=12)
    complete = closes["B"].copy()
    closes.loc[closes.index[5:7], "B"] = np.nan
    found, returns = history(closes)
    assert list(returns["B"][4:6]) == [0, 0]
    assert returns["B"][6] == pytest.approx(np.log(complete.iloc[7] / complete.iloc[4]))
    assert list(found.observations) == [11, 9, 11]


def test_over_a_gap_too_the_adjusted_close_decides(build, history):
    closes = build.walk(["A", "B", "C"], days=12)
    adjusted = closes[["B"]] * np.where(np.arange(12) < 6, 0.5, 1.0)[:, None]  # two for one on the seventh day
    closes.loc[closes.index[5], "B"] = np.nan
    adjusted.loc[adjusted.index[5], "B"] = np.nan
    _, returns = history(closes, adjusted=adjusted)
    assert returns["B"][5] == pytest.approx(np.log(adjusted["B"].iloc[6] / adjusted["B"].iloc[4]))


def test_nothing_is_known_before_the_first_close(build, history):
    closes = build.walk(["A", "B", "C"], days=15)
    closes.loc[closes.index[:9], "C"] = np.nan
    found, returns = history(closes)
    assert returns["C"].isna().tolist() == [True] * 9 + [False] * 5
    assert np.isnan(horizon_returns(found, 3, 500)[:, 2]).sum() == 9  # 12 scenarios, the last 3 of known returns only


def test_a_coin_that_trades_at_weekends_moves_from_friday_to_monday(build, history):
    closes = build.walk(["A", "B", "C"], days=15)
    daily = pd.date_range(closes.index[0], closes.index[-1])
    coin = pd.Series(np.linspace(100, 200, len(daily)), index=daily, name="COIN")
    found, returns = history(closes.reindex(daily).join(coin))
    assert len(found.log_returns) == 14
    on_sessions = coin.reindex(closes.index)
    assert returns["COIN"].to_numpy() == pytest.approx(np.log(on_sessions / on_sessions.shift()).to_numpy()[1:])


def test_currencies_are_factors_and_their_holidays_gaps(build, history):
    fx = build.walk(["EUR", "GBP"], days=12, level=1.1, seed=5)
    fx.loc[fx.index[3], "EUR"] = np.nan
    _, returns = history(build.walk(["A", "B"], days=12), fx=fx)
    assert returns["fx:EUR"][2] == 0
    assert returns["fx:EUR"][3] == pytest.approx(np.log(fx["EUR"].iloc[4] / fx["EUR"].iloc[2]))
    assert returns["fx:GBP"].to_numpy() == pytest.approx(np.diff(np.log(fx["GBP"])))


def test_only_held_factors_with_a_return_are_kept(build, history):
    found, _ = history(build.walk(["A", "B", "OPTION"], days=12), held=["B", "NOBODY", "OPTION"], exclude={"OPTION"})
    assert list(found.factors) == ["B"]


def test_without_any_price_there_is_no_history(build, history):
    found, _ = history(build.walk(["A"], days=5).iloc[:0])
    assert found.log_returns.shape == (0, 0)
    assert horizon_returns(found, 1, 500).shape == (0, 0)
