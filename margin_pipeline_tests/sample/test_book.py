"""The sample book is complete, the same every time, and wrong only where it means to be."""

from __future__ import annotations

import datetime as dt
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.landing.folder import read_date
from margin_pipeline.sample import SAMPLE_DATES, write_sample
from margin_pipeline.sample.closes import real_closes
from margin_pipeline.sample.invented_market import all_closes, derivative_closes, invented_closes
from margin_pipeline.sample.mistakes import FIRST_DATE
from margin_pipeline.sample.positions import HOLDINGS, PORTFOLIOS, equity_on, holdings_on, strategy_returns


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    write_sample(folder)
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_last_closes_are_those_that_the_notice_quotes():
    closes = real_closes()
    assert closes.loc["2022-12-28", "AAPL"] == 125.674
    assert closes.shape == (2264, 26)
    assert closes.notna().all().all()


def test_five_consecutive_sessions_are_written(zone: Path):
    sessions = [day.date() for day in real_closes().index[-5:]]
    assert list(SAMPLE_DATES) == sessions
    assert sorted(path.name for path in zone.iterdir() if path.is_dir()) == [day.isoformat() for day in sessions]


def test_the_first_folder_brings_the_history_and_the_others_one_day_each(zone: Path):
    lines = {day: len((zone / day.isoformat() / "prices.csv").read_text().splitlines()) for day in SAMPLE_DATES}
    assert lines[SAMPLE_DATES[0]] > 26 * 2260
    assert all(lines[day] < 80 for day in SAMPLE_DATES[1:])


def test_another_process_writes_the_same_bytes(zone: Path, tmp_path: Path):
    script = f"from pathlib import Path; from margin_pipeline.sample import write_sample; write_sample(Path({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", script], check=True, env={"PYTHONHASHSEED": "7", "PATH": ""}, cwd=Path(__file__).parents[2])
    assert _contents(tmp_path) == _contents(zone)


def test_writing_again_touches_no_file(zone: Path):
    before = {path: path.stat().st_mtime_ns for path in zone.rglob("*.csv")}
    write_sample(zone)
    assert {path: path.stat().st_mtime_ns for path in zone.rglob("*.csv")} == before


@pytest.mark.parametrize("date", SAMPLE_DATES)
def test_every_row_is_accepted_except_the_deliberate_mistakes(zone: Path, date: dt.date):
    landed = read_date(zone / date.isoformat(), date)
    rejected = landed.tables["rejected_rows"]
    files = landed.tables["landed_files"]
    assert (files["rows_read"] == files["rows_accepted"] + files["rows_rejected"]).all()
    if date < FIRST_DATE:
        assert rejected.empty
    else:
        counts = rejected.groupby("source")["row_number"].nunique().to_dict()
        assert counts == {"instruments.csv": 1, "portfolios.csv": 1, "positions.csv": 11, "prices.csv": 4}
        named = rejected["portfolio_id"].dropna()
        assert set(named) == {"DESK_ERRORS"}


def test_every_account_type_is_there():
    assert {p.account_type for p in PORTFOLIOS} == {
        "cash",
        "reg_t",
        "portfolio_margin",
        "futures",
        "crypto_cross",
        "crypto_isolated",
        "otc",
    }
    assert {h.portfolio_id for h in HOLDINGS} == {p.portfolio_id for p in PORTFOLIOS} - {"BANK", "MACRO"}


def test_every_position_has_a_close_on_every_date():
    for date in SAMPLE_DATES:
        held = holdings_on(date)["symbol"].unique()
        assert all_closes().loc[pd.Timestamp(date), held].gt(0).all()


def test_equity_moves_by_exactly_what_the_strategies_report():
    for before, after in itertools.pairwise(SAMPLE_DATES):
        earned = strategy_returns(after).groupby("portfolio_id")["pnl"].sum()
        moved = equity_on(after) - equity_on(before)
        np.testing.assert_allclose(moved, earned.reindex(moved.index).fillna(0.0), atol=0.02)


def test_results_of_a_stock_strategy_follow_from_the_closes():
    closes = real_closes()[["AAPL", "AMD", "MSFT"]].loc["2022-12-27":"2022-12-28"]
    expected = closes.diff().iloc[-1] @ np.array([5500.0, 6500.0, 1400.0])
    results = strategy_returns(dt.date(2022, 12, 28)).set_index(["portfolio_id", "strategy"])
    assert results.loc[("MOMENTUM", "leaders"), "pnl"] == pytest.approx(expected, abs=1e-6)


def test_option_marks_keep_put_call_order_and_intrinsic_value():
    closes = derivative_closes()
    spot = real_closes().loc[closes.index]
    assert (closes["AAPL230120P120"] > closes["AAPL230120P115"]).all()
    assert (closes["SP500230120C4000"] > closes["SP500230120C4150"]).all()
    assert (closes["AAPL240119C130"] >= np.maximum(spot["AAPL"] - 130, 0) - 0.005).all()


def test_invented_paths_are_plausible_and_start_two_years_back():
    paths = invented_closes()
    assert paths.index[0] <= pd.Timestamp("2020-12-28")
    assert paths["fx:EUR"].between(0.8, 1.3).all()
    annual_volatility = np.log(paths).diff().std() * np.sqrt(252)
    assert annual_volatility["BTCPERP"] == pytest.approx(0.55, abs=0.15)
    assert annual_volatility["fx:EUR"] == pytest.approx(0.08, abs=0.03)
