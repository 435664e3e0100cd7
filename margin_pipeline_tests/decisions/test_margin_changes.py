"""Why margin changed: hand-computed changes, and that causes add up. Not here: the table and the asset."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.margin_changes import CAUSES, margin_changes
from margin_pipeline_tests.decisions.day_book import AS_OF, BEFORE, CLOSES, exchange_rows, previous, tables

FEW = settings(max_examples=6)


def split(after, before):
    found = margin_changes(after, before, AS_OF)
    assert list(found["cause"]) == list(CAUSES)
    return found


def amounts(after, before, column="amount"):
    found = split(after, before)
    assert found["missing"].isna().all(), found["missing"].iloc[0]
    return found.set_index("cause")[column]


def test_shares_that_are_bought_count_at_the_old_price_and_all_shares_at_the_rise():
    """FINRA 4210(c)(1), 25 %: 50 shares at 100 are 1,250 by trades, 150 shares that rise by 10 are 375 by prices; initial twice as much."""
    after, before = tables({("a", "S"): 150}, closes={"S": 110.0}), previous({("a", "S"): 100})
    expected = {"trades": 1250.0, "prices": 375.0, "volatility": 0.0, "time": 0.0, "parameters": 0.0, "grouping": 0.0}
    assert amounts(after, before).to_dict() == pytest.approx(expected)
    assert amounts(after, before, "initial_amount").to_dict() == pytest.approx({name: 2 * value for name, value in expected.items()})


def test_what_trades_take_of_the_excess_is_half_of_what_they_cost():
    """Regulation T, 50 % of 5,000 dollars; a premium of 200 that is paid is taken in full."""
    after = tables({("a", "S"): 150, ("a", "C105"): 1}, closes={"S": 110.0})
    taken = split(after, previous({("a", "S"): 100})).set_index("cause")["excess_taken"]
    assert taken["trades"] == pytest.approx(2_500 + 200)
    assert taken.drop("trades").isna().all()


def test_rules_that_look_at_prices_know_no_volatility():
    """Short call, premium + 20 % S - out-of-the-money amount: 200 + 2,000 - 500 = 1,700; later 350 + 2,080 - 100 = 2,330."""
    after, before = tables({("a", "C105"): -1}, closes={"S": 104.0, "C105": 3.5}), previous({("a", "C105"): -1})
    found = amounts(after, before)
    assert found["prices"] == pytest.approx(630.0)
    assert (found.drop("prices") == 0).all()


def test_under_scenarios_a_mark_that_moves_alone_is_volatility_but_for_the_day_that_passed():
    after = tables({("a", "C105"): -10}, account="portfolio_margin", closes={"C105": 4.0})
    found = amounts(after, previous({("a", "C105"): -10}, account="portfolio_margin"))
    assert found["prices"] == pytest.approx(0.0, abs=0.01)
    assert abs(found["volatility"]) > 10 * abs(found["time"]) > 0
    assert found["grouping"] == 0
    assert found["parameters"] == pytest.approx(0.0, abs=1e-6)


def test_exchange_rates_that_take_effect_are_parameters():
    """Two contracts, 10,000 before and 12,500 from the date on."""
    rows = pd.concat([exchange_rows("2022-01-01"), exchange_rows(AS_OF, maintenance_overnight=12_500.0, initial_overnight=13_750.0)])
    after = tables({("a", "FUT"): 2}, account="futures", closes={"FUT": 4100.0}, futures_margins=rows.reset_index(drop=True))
    found = amounts(after, previous({("a", "FUT"): 2}, account="futures"))
    assert found["parameters"] == pytest.approx(5_000.0)
    assert (found.drop("parameters") == 0).all()


def test_a_symbol_without_a_mark_before_is_traded_at_its_mark_of_the_date():
    after = tables({("a", "S"): 100, ("a", "F"): 10}, closes={"F": 60.0})
    found = amounts(after, previous({("a", "S"): 100}, closes={"F": None}))
    assert found["trades"] == pytest.approx(0.25 * 600)
    assert found["prices"] == 0


def test_a_date_before_which_nothing_is_published_has_no_split():
    found = split(tables({("a", "S"): 100}), None)
    assert found["amount"].isna().all()
    assert set(found["missing"]) == {"no earlier date is published"}
    assert found["compared_with"].isna().all()


@pytest.mark.parametrize(
    ("after", "before", "reason"),
    [
        (("UNPRICED", "reg_t"), "S", "price of UNPRICED"),
        (("S", "reg_t"), "UNPRICED", f"margin of {BEFORE}"),
        (("S", "portfolio_margin"), "S", "another method governs"),
    ],
)
def test_what_is_not_determined_has_no_split_and_says_why(after, before, reason):
    symbol, account = after
    found = split(tables({("a", symbol): 1}, account=account), previous({("a", before): 1}))
    assert found["amount"].isna().all()
    assert found["missing"].str.contains(reason).all()


def test_a_portfolio_that_was_not_there_has_no_split():
    before = previous({("a", "S"): 1})
    margins = before.tables["portfolio_margins"]
    before.tables["portfolio_margins"] = margins.iloc[:0]
    assert split(tables({("a", "S"): 1}), before)["missing"].str.contains("had no margin on").all()


BOOKS = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(set(CLOSES) - {"FUT"}))), st.integers(-4, 4).filter(bool), max_size=5
)
MOVES = st.fixed_dictionaries({symbol: st.floats(0.8, 1.25) for symbol in ("S", "F", "C105", "C115", "P95", "P80")})


@pytest.mark.slow
@FEW
@given(BOOKS, BOOKS, MOVES, st.sampled_from(["reg_t", "portfolio_margin"]))
def test_causes_add_up_and_kept_groups_are_never_better_than_the_best(old, new, moves, account):
    closes = {symbol: CLOSES[symbol] * factor for symbol, factor in moves.items()}
    after, before = tables(new, account=account, closes=closes), previous(old, account=account)
    found = split(after, before)
    governing = [t["portfolio_margins"].query("is_governing")["maintenance_margin"].item() for t in (before.tables, after)]
    assert found["amount"].sum() == pytest.approx(governing[1] - governing[0], abs=1e-6)
    assert found.set_index("cause")["amount"]["grouping"] <= 1e-6


@pytest.mark.slow
@FEW
@given(BOOKS, st.randoms(use_true_random=False))
def test_changes_do_not_depend_on_the_order_of_rows(book, random):
    after, before = tables(book, closes={"S": 97.0}), previous({**book, ("a", "S"): 3})
    shuffled = {name: frame.sample(frac=1.0, random_state=random.randint(0, 9)) for name, frame in after.items()}
    pd.testing.assert_frame_equal(split(after, before), split(shuffled, before), rtol=1e-9)


def test_nothing_changes_when_nothing_changed():
    book = {("a", "S"): 100, ("a", "C105"): -1, ("b", "P95"): -2, ("b", "P80"): 2}
    assert np.array_equal(amounts(tables(book), previous(book)).to_numpy(), np.zeros(6))
