"""What expiring options and announced rates do, on hand-computed books. Not here: the tables and the assets."""

import math

import pandas as pd
import pytest

from margin_pipeline.decisions.announced_margins import announced_margins
from margin_pipeline.decisions.expiries import expiry_tables
from margin_pipeline.decisions.recalculation import Setting
from margin_pipeline_tests.decisions.day_book import AS_OF, THRESHOLDS, exchange_rows, tables

EXPIRY = pd.Timestamp("2022-12-30")
SESSIONS = tuple(pd.bdate_range("2022-12-29", periods=21).date)


def expired(book, closes=None, account="reg_t", terms=None, sessions=SESSIONS, expiry=EXPIRY):
    today = tables(book, closes=closes, account=account, equity=50_000.0)
    options = today["instruments"]["option_type"].notna()
    changed = {"expiry": today["instruments"]["expiry"].where(~options, expiry), **(terms or {})}
    today["instruments"] = today["instruments"].assign(**changed)
    exposures, outcomes = expiry_tables(today, sessions, Setting(AS_OF, THRESHOLDS))
    return exposures.set_index("symbol"), outcomes


def test_a_short_put_in_the_money_brings_the_shares_and_takes_the_exercise_price():
    """S at 90, put 95 assigned: 100 shares for 9,500; they need 25 % of 9,000. The mark of 6 was 1 above intrinsic: equity gains 100."""
    exposures, outcomes = expired({("a", "P95"): -1}, {"S": 90.0, "P95": 6.0})
    row, after = exposures.loc["P95"], outcomes.iloc[0]
    assert (row["moneyness"], row["assigned_quantity"], row["resulting_shares"], row["cash"]) == (5.0, -1.0, 100.0, -9_500.0)
    assert (after["cash"], after["maintenance_after"]) == (-9_500.0, 2_250.0)
    assert (after["margin_equity_after"], after["excess_after"]) == (50_100.0, 47_850.0)


def test_a_covered_call_that_is_assigned_leaves_neither_stock_nor_margin():
    exposures, outcomes = expired({("a", "S"): 100, ("a", "C105"): -1}, {"S": 110.0, "C105": 5.5})
    assert (exposures.loc["C105", "resulting_shares"], exposures.loc["C105", "cash"]) == (-100.0, 10_500.0)
    assert outcomes.iloc[0]["maintenance_after"] == 0.0


@pytest.mark.parametrize(("close", "exercised"), [(105.0, False), (105.009, False), (105.01, True), (105.02, True)])
def test_one_cent_in_the_money_is_exercised_by_exception(close, exercised):
    """OCC Rule 805(d)."""
    assert expired({("a", "C105"): 2}, {"S": close})[0].loc["C105", "exercised"] == exercised


def test_options_settled_in_cash_pay_what_they_are_in_the_money_by():
    exposures, _ = expired({("a", "C105"): -2}, {"S": 108.0}, terms={"settlement": "cash"})
    assert (exposures.loc["C105", "resulting_shares"], exposures.loc["C105", "cash"]) == (0.0, -600.0)


def test_what_expires_after_five_sessions_is_not_looked_at():
    assert len(expired({("a", "C105"): 1}, expiry=pd.Timestamp(SESSIONS[4]))[0]) == 1
    assert len(expired({("a", "C105"): 1}, expiry=pd.Timestamp(SESSIONS[5]))[0]) == 0


def test_without_a_close_of_the_underlying_nobody_knows_what_is_assigned():
    exposures, outcomes = expired({("a", "C105"): -1}, {"S": None})
    assert pd.isna(exposures.loc["C105", "exercised"])
    assert "price of S" in exposures.loc["C105", "missing"]
    assert math.isnan(outcomes.iloc[0]["maintenance_after"])
    assert "price of S" in outcomes.iloc[0]["missing"]


def test_short_stock_that_a_cash_account_would_have_leaves_its_margin_undetermined():
    _, outcomes = expired({("a", "P95"): 1}, {"S": 90.0}, account="cash")
    assert math.isnan(outcomes.iloc[0]["maintenance_after"])
    assert outcomes.iloc[0]["missing"]


def test_announced_exchange_rates_add_up_from_date_to_date():
    """Three contracts: 10,000 today, 12,000 from 2 January, 13,000 from 9 January; another root and a far date change nothing."""
    rows = [
        exchange_rows("2022-01-01"),
        exchange_rows("2023-01-02", maintenance_overnight=12_000.0),
        exchange_rows("2023-01-09", maintenance_overnight=13_000.0),
        exchange_rows("2023-01-10", maintenance_overnight=9.0).assign(root="OTHER"),
        exchange_rows("2023-02-10", maintenance_overnight=99_000.0),
    ]
    today = tables({("a", "FUT"): 3}, account="futures", futures_margins=pd.concat(rows, ignore_index=True))
    found = announced_margins(today, AS_OF)
    first = found[found["effective_date"] < "2023-01-10"]
    assert list(first["maintenance_after"]) == [36_000.0, 39_000.0]
    assert set(first["maintenance_before"]) == {30_000.0}
    assert list(first["cause"]) == ["futures_margins R"] * 2
    assert list(first["excess_after"]) == [64_000.0, 61_000.0]
    assert found["effective_date"].max() == pd.Timestamp("2023-01-10")


def test_where_nothing_is_announced_nothing_is_said():
    assert announced_margins(tables({("a", "S"): 10}), AS_OF).empty
