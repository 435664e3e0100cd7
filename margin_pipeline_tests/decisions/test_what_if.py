"""What trades do to margin, on small books. Not here: that it is what the chain publishes (cli/test_published_book)."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.what_if import Setting, TradeError, what_if
from margin_pipeline_tests.decisions.trade_book import AS_OF, CLOSES, THRESHOLDS, tables


def thought(book, trades, account="reg_t", **options):
    return what_if(tables(book, account), "P", list(trades), Setting(AS_OF, THRESHOLDS), **options)


def figures(found, side):
    """Margins of one side by method."""
    names = [f"{name}_{side}" for name in ("initial_margin", "maintenance_margin", "margin_equity", "excess", "utilization")]
    return found.margins.set_index("method")[names].set_axis([name.removesuffix(f"_{side}") for name in names], axis=1).sort_index()


CONDOR = {("a", "C105"): -2, ("a", "C115"): 2, ("a", "P95"): -2, ("a", "P80"): 2}


def test_a_narrower_put_wing_leaves_the_call_wing_to_count():
    """Puts 95 / 80: 15 x 100 a unit; calls 105 / 115: 10 x 100. Without the puts 2 x 500 less is needed."""
    row = thought(CONDOR, [("P95", 2), ("P80", -2)]).margins.set_index("method").loc["strategy_based"]
    assert (row["maintenance_margin_before"], row["maintenance_margin_after"]) == (3_000.0, 2_000.0)


def test_selling_a_wing_leaves_the_short_naked():
    """Cboe margin manual, short call: premium + max(20 % S - out-of-the-money amount, 10 % S), a contract 200 + 1,500."""
    found = thought({("a", "C105"): -2, ("a", "C115"): 2}, [("C115", -2)])
    assert figures(found, "after").loc["strategy_based", "maintenance_margin"] == pytest.approx(2 * (200 + 1_500))
    groups = found.groups.set_index("structure")
    assert dict(groups["units_change"]) == {"bear_call_spread": -2.0, "naked_call": 2.0}


BOOKS = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(CLOSES))), st.integers(-5, 5).filter(bool), max_size=5)
QUANTITIES = st.integers(-6, 6).filter(bool)
SYMBOLS = st.sampled_from(sorted(CLOSES))


# A book costs half a second of small frames, whatever is in it.
FEW = settings(max_examples=4)


@pytest.mark.slow
@FEW
@given(BOOKS, SYMBOLS, QUANTITIES, QUANTITIES)
def test_a_trade_in_two_parts_is_one_trade_and_moves_no_equity(book, symbol, first, second):
    whole = first + second or first
    one = thought(book, [(symbol, whole)], fee=7.0)
    two = thought(book, [(symbol, first), (symbol, whole - first)], fee=7.0)
    pd.testing.assert_frame_equal(figures(one, "after"), figures(two, "after"), check_exact=True)
    assert set(one.margins["equity_change"]) == {-7.0}
    for side in ("before", "after"):
        rest = one.margins[f"margin_equity_{side}"] - one.margins[f"maintenance_margin_{side}"]
        pd.testing.assert_series_equal(one.margins[f"excess_{side}"], rest, check_names=False)


@pytest.mark.slow
@FEW
@given(BOOKS, SYMBOLS, QUANTITIES)
def test_after_is_before_of_the_book_that_the_trade_leaves_whoever_trades(book, symbol, quantity):
    """Series are net over strategies under `strategy_based`, so that it does not matter there which of them trades."""
    after = figures(thought(book, [(symbol, quantity)], strategy="a"), "after")
    left = {**book, ("a", symbol): book.get(("a", symbol), 0) + quantity}
    again = figures(thought({key: value for key, value in left.items() if value}, [("F", 1)]), "before")
    pd.testing.assert_frame_equal(after, again, check_exact=True)
    closed_first = figures(thought(book, [(symbol, quantity)]), "after")
    pd.testing.assert_series_equal(closed_first.loc["strategy_based"], after.loc["strategy_based"], rtol=1e-12)


def test_closing_a_stock_frees_its_margin_under_methods_without_netting_too():
    margins = thought({("a", "S"): 300}, [("S", -300)]).margins.set_index("method")
    assert dict(margins["maintenance_margin_after"]) == dict.fromkeys(("strategy_based", "reg_t", "portfolio_margin", "cross_margin"), 0.0)


def test_a_hedge_is_worth_something_where_correlation_counts():
    """Long 75 of margin, short 1,000 x 50 x 30 %: opposite signs at a correlation of 0.9 share their matched exposure."""
    margins = thought({("a", "S"): 500}, [("F", -1_000)]).margins.set_index("method")
    assert margins.loc["cross_margin", "maintenance_margin_after"] < margins.loc["reg_t", "maintenance_margin_after"]
    assert margins.loc["reg_t", "maintenance_margin_change"] == pytest.approx(0.30 * 50_000)


def test_a_cash_account_becomes_undetermined_by_what_it_does_not_admit_and_says_so():
    (row,) = thought({("a", "S"): 100}, [("C105", -2)], account="cash").margins.to_dict("records")
    assert (row["status_before"], row["status_after"]) == ("safe", "undetermined")
    assert any("C105" in reason for reason in row["missing_after"])
    assert math.isnan(row["maintenance_margin_change"])


def test_scenario_margin_of_stock_follows_the_trade():
    """FINRA 4210(g): 15 % of stock; a protective put leaves the $37.50 of its contract, or what stock and put lose together."""
    margins = thought({("a", "S"): 100}, [("S", 100)], account="portfolio_margin").margins
    row = margins[margins["is_governing"]].iloc[0]
    assert (row["method"], row["status_before"], row["status_after"]) == ("portfolio_margin", "safe", "safe")
    assert (row["maintenance_margin_before"], row["maintenance_margin_after"]) == pytest.approx((1_500.0, 3_000.0))
    protected = thought({("a", "S"): 100}, [("P95", 1)], account="portfolio_margin").margins.set_index("method").loc["portfolio_margin"]
    assert 37.5 <= protected["maintenance_margin_after"] < 700.0
    assert margins.set_index("method").loc["reg_t", "maintenance_margin_change"] == pytest.approx(0.25 * 10_000)


def test_a_missing_price_of_the_book_undetermines_both_sides_and_selling_it_cannot_be_thought_through():
    row = thought({("a", "UNPRICED"): 1}, [("S", 1)]).margins.iloc[0]
    assert row["missing_before"] == row["missing_after"] == ["price of UNPRICED 2022-12-28"]
    with pytest.raises(TradeError, match="no mark"):
        thought({("a", "UNPRICED"): 1}, [("UNPRICED", -1)])


@pytest.mark.parametrize(
    ("portfolio_id", "account", "fee", "said"),
    [("Q", "reg_t", 0.0, "known are P"), ("P", "otc", 0.0, "otc"), ("P", "reg_t", math.nan, "fee")],
)
def test_what_cannot_be_thought_through_is_told(portfolio_id, account, fee, said):
    with pytest.raises(TradeError, match=said):
        what_if(tables({}, account), portfolio_id, [("S", 1.0)], Setting(AS_OF, THRESHOLDS), fee=fee)
