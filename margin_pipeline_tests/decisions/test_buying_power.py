"""Special memorandum account and buying power, on hand-computed accounts. Not here: the table and the asset."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.decisions.buying_power import buying_power, memorandum_account
from margin_pipeline.decisions.margin_changes import COLUMNS as CHANGES
from margin_pipeline.decisions.paid_premiums import paid_premiums
from margin_pipeline.decisions.previous_date import PreviousDate
from margin_pipeline_tests.decisions.day_book import AS_OF, BEFORE, tables

MONEY = st.floats(-1e6, 1e6)


def power(today, taken=math.nan, before=math.nan):
    changes = pd.DataFrame({"portfolio_id": ["P"], "method": ["strategy_based"], "cause": ["trades"], "excess_taken": [taken]})
    old = pd.DataFrame({"portfolio_id": ["P"], "special_memorandum_account": [before]})
    found = buying_power(today, changes.reindex(columns=CHANGES), PreviousDate(BEFORE, {"buying_power": old}), AS_OF)
    assert len(found) == 1
    return found.iloc[0]


def test_an_excess_buys_twice_its_amount_of_stock():
    """Regulation T: 10,000 of stock need 5,000; 20,000 of equity leave 15,000, which buy 30,000."""
    row = power(tables({("a", "S"): 100}, equity=20_000.0))
    assert (row["excess"], row["special_memorandum_account"], row["buying_power"]) == (15_000.0, 15_000.0, 30_000.0)


def test_a_fall_of_prices_leaves_the_memorandum_account_as_it_was():
    row = power(tables({("a", "S"): 100}, equity=12_000.0), taken=0.0, before=15_000.0)
    assert (row["excess"], row["special_memorandum_account"]) == (7_000.0, 15_000.0)


def test_purchases_draw_on_the_memorandum_account():
    row = power(tables({("a", "S"): 100}, equity=6_000.0), taken=5_000.0, before=8_000.0)
    assert row["special_memorandum_account"] == 3_000.0


def test_a_premium_that_is_paid_is_not_asked_for_again():
    """100 shares need 5,000; the put of 150 was paid, and left margin equity: 20,000 - 150 - 5,000."""
    for book in ({("a", "S"): 100, ("a", "P95"): 1}, {("a", "S"): 100, ("b", "P95"): 1}):
        today = tables(book, equity=20_000.0)
        assert power(today)["excess"] == pytest.approx(14_850.0)
    spread = tables({("a", "C105"): 1, ("a", "C115"): -1}, equity=20_000.0)
    names = ("positions", "instruments", "portfolios", "strategy_groups")
    assert power(spread)["excess"] == pytest.approx(20_000 - 200 + 50)
    assert sum(paid_premiums(*(spread[name] for name in names), AS_OF).values()) in (0.0, 200.0)


def test_a_cash_account_buys_for_its_cash():
    """12,000 of equity, of which 10,000 are stock that is paid for."""
    row = power(tables({("a", "S"): 100}, account="cash", equity=12_000.0))
    assert (row["rate"], row["buying_power"]) == (1.0, 2_000.0)
    assert math.isnan(row["special_memorandum_account"])


def test_a_portfolio_margin_account_buys_by_the_move_of_a_stock():
    """FINRA 4210(g): 15 % of 10,000 are needed; what is left of 20,000 is divided by 15 %."""
    row = power(tables({("a", "S"): 100}, account="portfolio_margin", equity=20_000.0))
    assert row["buying_power"] == pytest.approx(18_500 / 0.15)


@pytest.mark.parametrize(("equity", "expected"), [(30_000.0, 4 * 27_500.0), (20_000.0, 0.0)])
def test_day_traders_have_four_times_their_excess_over_maintenance_from_25_000_on(equity, expected):
    """FINRA 4210(f)(8)(B)(iii)-(iv)."""
    today = tables({("a", "S"): 100}, equity=equity)
    today["position_margins"] = today["position_margins"].assign(model="pattern_day_trading")
    assert power(today)["day_trading_buying_power"] == pytest.approx(expected)


def test_without_a_margin_there_is_no_buying_power_but_a_reason():
    row = power(tables({("a", "UNPRICED"): 1}))
    assert math.isnan(row["buying_power"])
    assert "price of UNPRICED" in row["missing"]


@given(MONEY, MONEY, MONEY)
def test_the_account_is_never_below_the_excess_nor_below_what_trades_leave(before, taken, excess):
    assert memorandum_account(before, taken, excess) == max(before - taken, excess)


@given(MONEY)
def test_without_a_date_before_it_starts_from_the_excess(excess):
    assert memorandum_account(math.nan, 1.0, excess) == excess == memorandum_account(1.0, math.nan, excess)
