"""Risk-based margin: published examples to 1 %, then what must hold of every book."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.parameters.portfolio_margin import portfolio_margin_rules
from margin_pipeline_tests.margin.scenario_book import AS_OF, ScenarioBook

PUBLISHED = Path(__file__).parents[3] / "shared" / "cases" / "portfolio_margin.json"
RULES = portfolio_margin_rules(AS_OF)


def published_cases():
    if not PUBLISHED.exists():
        return []
    return json.loads(PUBLISHED.read_text())["cases"]


def book_of(case):
    book = ScenarioBook()
    underlying, index = case["underlying"], case["underlying"] == "SPX"
    book.yields = {"SPX": 0.018, "IBM": 0.0}
    book.instrument(underlying, "index" if index else "equity", case["underlying_price"], breadth="broad_high_cap" if index else None)
    for leg in case["legs"]:
        if leg["type"] == "stock":
            symbol = leg["symbol"]
            if symbol != underlying:
                book.instrument(symbol, "etf", leg["price"], underlying=underlying, index_ratio=10.0, breadth="broad_high_cap")
            book.hold(symbol, leg["quantity"], leg["price"])
        else:
            symbol = book.option(underlying, leg["right"], leg["strike"], index=index, american=leg["style"] == "american")
            book.hold(symbol, leg["quantity"], leg["price"])
    return book


@pytest.mark.parametrize("case", published_cases(), ids=lambda case: case["id"])
def test_published_example(case):
    found = portfolio_margin(**book_of(case).frames())
    assert len(found.classes) == 1
    assert found.groups["maintenance_margin"].sum() == pytest.approx(case["portfolio_margin_requirement"], rel=case["rel_tol"])


def test_fund_on_an_index_joins_its_class_group():
    book = ScenarioBook()
    book.instrument("SPX", "index", 1451.19, breadth="broad_high_cap")
    book.instrument("SPY", "etf", 145.0, underlying="SPX", index_ratio=10.0)
    book.instrument("ESH7", "future", 1455.0, underlying="SPX", multiplier=50.0)
    found = portfolio_margin(**book.hold("SPY", 5000, 145.119).hold("ESH7", -10, 1455.0).frames())
    (row,) = found.classes.to_dict("records")
    assert row["class_group"] == "SPX"
    # 8 % down: the fund loses 58,048, the future gains 58,200; 6 % up the other way round.
    assert row["greatest_loss"] == pytest.approx(0.06 * (727_500 - 725_595))


def test_leveraged_and_inverse_funds_move_by_their_factor():
    book = ScenarioBook()
    book.instrument("NDX", "index", 1800.0, breadth="broad_high_cap")
    book.instrument("TQQQ", "etf", 50.0, underlying="NDX", index_ratio=36.0, leverage_factor=3.0)
    book.instrument("SQQQ", "etf", 20.0, underlying="NDX", index_ratio=90.0, leverage_factor=3.0, is_inverse=True)
    long_both = portfolio_margin(**book.hold("TQQQ", 1000, 50.0).hold("SQQQ", 1000, 20.0).frames())
    assert long_both.classes["greatest_loss"].item() == pytest.approx(0.24 * 50_000 - 0.24 * 20_000)


def test_option_on_a_leveraged_fund_moves_by_the_factor_of_the_fund():
    book = ScenarioBook(rate=0.0)
    book.instrument("UPRO", "etf", 100.0, leverage_factor=3.0, breadth="broad_high_cap")
    symbol = book.option("UPRO", "call", 1.0)
    found = portfolio_margin(**book.hold(symbol, 1, 99.0).frames())
    assert found.classes["greatest_loss"].item() == pytest.approx(100 * 0.24 * 100.0)


def two_indices(**terms):
    book = ScenarioBook()
    for name, ratio in (("SPX", 10.0), ("DJX", 1.0)):
        book.instrument(name, "index", 1000.0, breadth="broad_high_cap", **terms)
        book.instrument(f"{name}F", "etf", 1000.0 / ratio, underlying=name, index_ratio=ratio)
    return book


def test_product_group_offsets_part_of_the_gains():
    found = portfolio_margin(**two_indices().hold("SPXF", 1000, 100.0).hold("DJXF", -100, 1000.0).frames())
    # At −8 % the first loses 8,000 and the second gains 8,000, of which 90 % count.
    assert found.groups[["product_group", "maintenance_margin"]].to_numpy().tolist() == [["broad_high_cap", pytest.approx(800.0)]]
    assert found.groups["class_margin"].item() == pytest.approx(14_000)
    assert found.positions["maintenance_margin"].tolist() == pytest.approx([-7200.0, 8000.0])


def test_other_product_groups_do_not_offset():
    book = ScenarioBook()
    for name in ("AAA", "BBB"):
        book.instrument(name, "equity", 100.0)
    found = portfolio_margin(**book.hold("AAA", 1000, 100.0).hold("BBB", -1000, 100.0).frames())
    assert found.groups["maintenance_margin"].tolist() == pytest.approx([15_000.0, 15_000.0])
    named = ScenarioBook()
    for name in ("AAA", "BBB"):
        named.instrument(name, "equity", 100.0, product_group="TECH")
    rules = dataclasses.replace(RULES, product_groups={"TECH": 0.5})
    found = portfolio_margin(**named.hold("AAA", 1000, 100.0).hold("BBB", -1000, 100.0).frames(), rules=rules)
    assert found.groups["maintenance_margin"].tolist() == pytest.approx([7_500.0])


def test_minimum_of_a_worthless_long_is_its_value_and_of_a_short_the_full_one():
    book = ScenarioBook()
    book.instrument("XYZ", "equity", 100.0)
    long = book.option("XYZ", "call", 300)
    found = portfolio_margin(**book.hold(long, 10, 0.01).frames())
    assert found.groups["maintenance_margin"].item() == pytest.approx(10.0)
    book = ScenarioBook()
    book.instrument("XYZ", "equity", 100.0)
    short = book.option("XYZ", "call", 300)
    found = portfolio_margin(**book.hold(short, -10, 0.01).frames())
    assert found.groups["maintenance_margin"].item() == pytest.approx(375.0)
    assert found.groups["minimum_binds"].item()
    assert found.positions["maintenance_margin"].item() == pytest.approx(375.0)


def test_minimum_is_of_contracts_net_over_strategies():
    book = ScenarioBook()
    book.instrument("XYZ", "equity", 100.0)
    short = book.option("XYZ", "call", 300)
    book.hold(short, -10, 0.01, strategy="a").hold(short, 8, 0.01, strategy="b")
    found = portfolio_margin(**book.frames())
    assert found.groups["maintenance_margin"].item() == pytest.approx(75.0)


def test_house_rate_widens_the_range():
    book = ScenarioBook()
    book.instrument("GME", "equity", 100.0)
    house = pd.DataFrame({"symbol": ["GME"], "asset_class": [""], "initial_rate": [1.0], "maintenance_rate": [0.6]})
    found = portfolio_margin(**book.hold("GME", -1000, 100.0).frames(), house_margins=house)
    assert found.groups[["rule_margin", "maintenance_margin"]].to_numpy().tolist() == [[pytest.approx(15_000), pytest.approx(60_000)]]
    assert found.classes[["move_down", "move_up"]].to_numpy().tolist() == [[-0.6, 0.6]]


def test_house_rate_below_the_range_changes_nothing():
    book = ScenarioBook()
    book.instrument("GME", "equity", 100.0)
    house = pd.DataFrame({"symbol": ["GME"], "asset_class": [""], "initial_rate": [0.1], "maintenance_rate": [0.1]})
    found = portfolio_margin(**book.hold("GME", -1000, 100.0).frames(), house_margins=house)
    assert found.groups["maintenance_margin"].tolist() == pytest.approx([15_000])


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: f["positions"].loc.__setitem__((1, "price"), np.nan), "price of XYZ call 110 2007-02-23"),
        (lambda f: f["prices"].loc.__setitem__((0, "close"), np.nan), "XYZ call 110: no close of its underlying XYZ"),
        (lambda f: f["positions"].loc.__setitem__((1, "fx_rate"), np.nan), "exchange rate of USD 2007-02-23"),
        (lambda f: f["instruments"].loc.__setitem__((1, "expiry"), pd.Timestamp("2007-01-19")), "XYZ call 110: expired"),
    ],
)
def test_missing_input_leaves_no_margin(spoil, reason):
    book = ScenarioBook()
    book.instrument("XYZ", "equity", 100.0)
    book.hold("XYZ", 100, 100.0).hold(book.option("XYZ", "call", 110), -1, 2.0)
    frames = book.frames()
    spoil(frames)
    found = portfolio_margin(**frames)
    assert found.classes["missing"].item() == reason
    assert found.groups["missing"].item() == reason
    assert found.classes[["greatest_loss", "maintenance_margin"]].isna().all(axis=None)
    assert found.groups["maintenance_margin"].isna().all()
    assert found.positions["maintenance_margin"].isna().all()


def test_what_is_not_covered_is_said():
    book = ScenarioBook(equity=50_000.0)
    book.instrument("XYZ", "equity", 100.0)
    book.instrument("BOND", "bond", 99.0)
    book.instrument("CLK7", "future", 60.0, underlying="OIL", multiplier=1000.0)
    found = portfolio_margin(**book.hold("XYZ", 100, 100.0).hold("BOND", 10, 99.0).hold("CLK7", 1, 60.0).frames())
    assert found.positions["symbol"].tolist() == ["XYZ"]
    assert found.notes["symbol"].tolist() == ["", "BOND", "CLK7"]
    assert "not eligible" in found.notes["note"][0]


def test_other_accounts_have_none():
    book = ScenarioBook(account_type="futures")
    book.instrument("XYZ", "equity", 100.0)
    assert portfolio_margin(**book.hold("XYZ", 100, 100.0).frames()).classes.empty


@st.composite
def books(draw):
    """Positions in stock, an index fund and options on both, of one portfolio."""
    legs = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["AAA", "BBB", "SPXF"]),
                st.sampled_from(["stock", "call", "put"]),
                st.integers(-20, 20),
                st.integers(80, 120),
            ),
            min_size=1,
            max_size=8,
        )
    )
    return [leg for leg in legs if leg[2]]


def built(legs, portfolio_id="P", book=None, scale=1.0):
    book = book or ScenarioBook()
    book.instrument("AAA", "equity", 100.0, product_group="TECH")
    book.instrument("BBB", "equity", 100.0, product_group="TECH")
    book.instrument("SPX", "index", 1000.0, breadth="broad_high_cap")
    book.instrument("SPXF", "etf", 100.0, underlying="SPX", index_ratio=10.0)
    for number, (name, kind, quantity, strike) in enumerate(legs):
        symbol = name if kind == "stock" else book.option(name, kind, strike)
        # Above intrinsic value, one price a symbol: two marks of one series would not net.
        price = 100.0 if kind == "stock" else max((100 - strike) * (1 if kind == "call" else -1), 0) + 3.0
        book.hold(symbol, scale * quantity * (100 if kind == "stock" else 1), price, strategy=f"s{number}", portfolio_id=portfolio_id)
    return book


WITH_TECH = dataclasses.replace(RULES, product_groups={**RULES.product_groups, "TECH": 0.5})


def total(book):
    return portfolio_margin(**book.frames(), rules=WITH_TECH).groups.groupby("portfolio_id")["maintenance_margin"].sum()


@settings(max_examples=40, deadline=None)
@given(books(), books())
def test_merging_two_books_never_needs_more_than_both(first, second):
    if not first or not second:
        return
    apart = total(built(second, "Q", built(first, "P")))
    merged = total(built(second, "P", built(first, "P")))
    assert merged["P"] <= apart.sum() * (1 + 1e-12) + 1e-9


@settings(max_examples=30, deadline=None)
@given(books(), st.sampled_from([0.5, 2.0, 7.0]))
def test_a_book_k_times_as_large_needs_k_times_as_much(legs, scale):
    if legs:
        one = portfolio_margin(**built(legs).frames(), rules=WITH_TECH)
        many = portfolio_margin(**built(legs, scale=scale).frames(), rules=WITH_TECH)
        assert many.groups["maintenance_margin"].tolist() == pytest.approx((scale * one.groups["maintenance_margin"]).tolist())
        assert np.stack(many.classes["losses"].tolist()) == pytest.approx(scale * np.stack(one.classes["losses"].tolist()))


@settings(max_examples=30, deadline=None)
@given(books(), st.randoms())
def test_parts_add_up_and_row_order_changes_nothing(legs, random):
    if not legs:
        return
    frames = built(legs).frames()
    found = portfolio_margin(**frames, rules=WITH_TECH)
    parts = found.positions.groupby("product_group")["maintenance_margin"].sum()
    wanted = found.groups.set_index("product_group")["maintenance_margin"]
    assert parts.reindex(wanted.index).tolist() == pytest.approx(wanted.tolist(), abs=1e-9)
    assert (found.groups["maintenance_margin"] <= found.groups["class_margin"] + 1e-9).all()
    shuffled = {
        name: f.sample(frac=1, random_state=random.randint(0, 99)) if isinstance(f, pd.DataFrame) and len(f) else f
        for name, f in frames.items()
    }
    again = portfolio_margin(**shuffled, rules=WITH_TECH)
    pd.testing.assert_frame_equal(again.groups, found.groups)
    pd.testing.assert_frame_equal(again.positions, found.positions)
