"""Pictures of backtests are drawn for any table, empty ones too, and the same way every time."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.reports import figures_backtest

PNG = b"\x89PNG\r\n\x1a\n"


def _tables(portfolios: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(3)
    names = [f"P{i:02d}" for i in range(portfolios)]
    keys = pd.MultiIndex.from_product([names, ["gaussian", "historical"], [0.95, 0.99]], names=["portfolio_id", "method", "confidence"])
    days = keys.to_frame(index=False).merge(pd.DataFrame({"session": pd.bdate_range("2022-01-03", periods=30)}), how="cross")
    days = days.assign(profit=random.normal(size=len(days)), var=1.5)
    days["is_exception"] = -days["profit"] > days["var"]
    results = days.groupby(["portfolio_id", "method", "confidence"])["is_exception"].sum().rename("exceptions").reset_index()
    return results.assign(exceptions=results["exceptions"].astype("Int64"), missing=None), days


@pytest.mark.parametrize(("portfolios", "rows"), [(0, 0), (1, 1), (3, 2), (9, 2)])
def test_a_picture_has_as_many_rows_as_its_worst_portfolios_need(portfolios: int, rows: int):
    picture = figures_backtest.value_at_risk_backtest(*_tables(portfolios))
    assert picture.startswith(PNG)
    height = int.from_bytes(picture[20:24], "big")
    assert height == (int((0.7 + 2.7 * rows) * 110) if rows else int(2.6 * 110))
    assert picture == figures_backtest.value_at_risk_backtest(*_tables(portfolios))


def test_the_portfolios_with_the_most_exceptions_are_drawn_first_and_those_without_figures_never():
    results, _ = _tables(9)
    results["exceptions"] = 0
    results.loc[(results["portfolio_id"] == "P07") & (results["method"] == "gaussian"), "exceptions"] = 9
    results["missing"] = results["missing"].where(results["portfolio_id"] != "P00", "no price")
    assert figures_backtest._worst(results) == ["P07", "P01", "P02", "P03"]
