"""Sharpe ratio and return on margin by hand, and the joined table."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.risk.performance import strategy_performance, strategy_table

RETURNS = pd.DataFrame(
    {
        "date": pd.to_datetime(["2022-12-21", "2022-12-22", "2022-12-23"] * 3),
        "portfolio_id": ["P"] * 9,
        "strategy": ["a"] * 3 + ["flat"] * 3 + ["profit_only"] * 3,
        "daily_return": [0.01, -0.005, 0.007, 0.001, 0.001, 0.001, np.nan, np.nan, np.nan],
        "pnl": [1000.0, -500, 700, 100, 100, 100, 50, np.nan, 70],
    }
)
STRATEGIES = ["a", "flat", "new", "profit_only"]
COMPONENTS = pd.DataFrame({"portfolio_id": "P", "strategy": STRATEGIES, "method": "gaussian", "component_var": 1.0})
MARGIN = pd.DataFrame(
    {
        "portfolio_id": "P",
        "strategy": STRATEGIES,
        "margin_contribution": [10_000.0, 0.0, 500.0, np.nan],
        "margin_share": [0.9, 0, 0.1, np.nan],
    }
)


def test_the_sharpe_ratio_is_annualised_by_the_root_of_252():
    found = strategy_performance(RETURNS).set_index("strategy")
    returns = [0.01, -0.005, 0.007]
    assert found.loc["a", "sharpe_ratio"] == pytest.approx(np.sqrt(252) * 0.004 / np.std(returns, ddof=1))
    assert np.isnan(found.loc["flat", "sharpe_ratio"])
    assert np.isnan(found.loc["profit_only", "sharpe_ratio"])
    assert found.loc["profit_only", "mean_daily_profit"] == pytest.approx(60)


def test_return_on_margin_is_a_year_of_mean_profits_over_the_margin_contribution():
    table = strategy_table(COMPONENTS, MARGIN, RETURNS).set_index("strategy")
    assert table.loc["a", "return_on_margin"] == pytest.approx(252 * 400 / 10_000)
    assert np.isnan(table.loc["flat", "return_on_margin"])  # nothing contributed
    assert np.isnan(table.loc["new", "return_on_margin"])  # no data
    assert np.isnan(table.loc["profit_only", "return_on_margin"])  # no margin
    assert list(table["component_var"]) == [1.0] * 4


def test_without_any_returns_or_margin_the_figures_are_missing():
    table = strategy_table(COMPONENTS, MARGIN.iloc[:0], RETURNS.iloc[:0])
    assert len(table) == 4
    assert table[["sharpe_ratio", "return_on_margin", "margin_contribution", "margin_share"]].isna().all(axis=None)


def test_the_order_of_returns_does_not_matter():
    shuffled = RETURNS.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(strategy_performance(shuffled), strategy_performance(RETURNS))
