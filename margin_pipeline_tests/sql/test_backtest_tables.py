"""Tables of backtests take what the backtest makes, gaps included; strategies are ranked by what they earn on margin and risk."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.parameters.backtest import backtest_settings
from margin_pipeline.risk.backtest_results import Series, day_rows, result_rows
from margin_pipeline.risk.margin_coverage import coverage_rows

AS_OF = dt.date(2022, 12, 28)
TESTED, UNTESTED = "TESTED", "UNTESTED"
STRATEGIES = pd.DataFrame(
    # strategy, margin_share, var_share, return_on_margin, sharpe_ratio
    [("steady", 0.5, 0.25, 0.2, 3.0), ("wild", 0.4, 0.8, 0.4, 0.5), ("loser", 0.1, 0.1, -0.3, -2.0), ("hedge", 0.0, -0.15, np.nan, 1.0)],
    columns=["strategy", "margin_share", "var_share", "return_on_margin", "sharpe_ratio"],
)


def backtest_tables() -> dict[str, pd.DataFrame]:
    names, reasons = pd.Index([TESTED, UNTESTED], dtype=object), ((), ("KO: no price",))
    profit = np.tile(np.where(np.arange(250) % 50 == 3, -900.0, 50.0), (2, 1))
    sessions = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=250).to_numpy()
    tested = [
        Series(m, c, sessions, profit, np.full((2, 250), 500.0), np.ones(2)) for m in ("gaussian", "historical") for c in (0.95, 0.99)
    ]
    margins = pd.DataFrame(
        {"portfolio_id": names.astype("str"), "method": "reg_t", "is_governing": True, "missing": [None, '["price of KO"]']}
    )
    margins = margins.assign(maintenance_margin=[800.0, np.nan], equity=2000.0, margin_equity=[2000.0, np.nan])
    settings = backtest_settings(AS_OF)
    return {
        "backtest_results": result_rows(names, tested, reasons, settings),
        "backtest_days": day_rows(names, tested, reasons),
        "margin_coverage": coverage_rows(names, margins, profit, np.ones(2), reasons, (), settings),
    }


def strategy_risk(urls: storage.DatabaseUrls) -> pd.DataFrame:
    rows = [
        STRATEGIES.assign(method=m, confidence=c, horizon_days=h) for m in ("gaussian", "historical") for c in (0.95, 0.99) for h in (1, 10)
    ]
    frame = pd.concat(rows, ignore_index=True).assign(portfolio_id=TESTED)
    frame["component_var"] = frame["var_share"] * frame["horizon_days"] * 1000 * frame["confidence"]
    lacking = [c.name for c in storage.columns(urls, "strategy_risk").columns if c.name not in ("as_of", "calculation_id", *frame.columns)]
    return frame.assign(**dict.fromkeys(lacking, np.nan))


@pytest.fixture(scope="module")
def published(database: storage.DatabaseUrls) -> storage.DatabaseUrls:
    calculation_id = storage.begin(database, AS_OF, "run", "test", {})
    tables = backtest_tables() | {"strategy_risk": strategy_risk(database)}
    for name, frame in tables.items():
        storage.write_table(database, calculation_id, AS_OF, name, frame)
    storage.publish(database, calculation_id, input_hash="run", scope="chain", expected_tables=list(tables), content_hash="run")
    return database


def test_results_and_gaps_are_read_back_as_they_were_made(published):
    found = storage.read_query(published, "select * from margin.backtest_results order by portfolio_id, method, confidence")
    tested = found[found["portfolio_id"] == TESTED]
    assert tested["exceptions"].tolist() == [5] * 4
    assert tested["multiplier_addition"].tolist() == pytest.approx([np.nan, 0.4] * 2, nan_ok=True)
    assert tested["traffic_light"].tolist() == ["green", "yellow"] * 2
    assert found[found["portfolio_id"] == UNTESTED]["missing"].tolist() == ['["KO: no price"]'] * 4
    days = storage.read_query(published, "select * from margin.backtest_days where is_exception")
    assert len(days) == 20
    assert days["profit"].unique().tolist() == [-900.0]


def test_coverage_is_read_back_with_its_reasons(published):
    found = storage.read_query(published, "select * from margin.margin_coverage order by portfolio_id")
    assert found["coverage"].tolist() == pytest.approx([0.98, np.nan], nan_ok=True)
    assert found["largest_shortfall"].tolist() == pytest.approx([100.0, np.nan], nan_ok=True)
    assert found["missing"].tolist()[1] == '["KO: no price", "reg_t: price of KO"]'


def test_every_column_says_what_it_means(published):
    text = (
        "select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "where c.relnamespace in ('margin'::regnamespace, 'margin_data'::regnamespace) and a.attnum > 0 and c.relkind in ('v', 'p') "
        "and c.relname in ('backtest_results', 'backtest_days', 'margin_coverage', 'strategy_efficiency') "
        "and col_description(c.oid, a.attnum) is null"
    )
    assert storage.read_query(published, text)["name"].tolist() == []


def test_strategies_are_ranked_by_return_on_margin_and_by_what_is_left_of_it_after_risk(published):
    found = storage.read_query(published, "select * from margin.strategy_efficiency").set_index("strategy").loc[STRATEGIES["strategy"]]
    assert found["component_var"].tolist() == pytest.approx([247.5, 792.0, 99.0, -148.5])  # historical, 99 %, one day
    assert found["risk_per_margin"].tolist() == pytest.approx([0.5, 2.0, 1.0, np.nan], nan_ok=True)
    assert found["risk_adjusted_return"].tolist() == pytest.approx([0.6, 0.2, -0.6, np.nan], nan_ok=True)
    assert found["return_on_margin_rank"].tolist()[:3] == [2, 1, 3]
    assert found["efficiency_rank"].tolist()[:3] == found["efficiency_rank_in_portfolio"].tolist()[:3] == [1, 2, 3]
    assert found.loc["hedge", ["return_on_margin_rank", "efficiency_rank", "efficiency_rank_in_portfolio"]].isna().all()
