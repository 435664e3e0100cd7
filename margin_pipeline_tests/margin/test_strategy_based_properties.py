"""What must hold of every grouping, for any book of stock and options on one underlying."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.strategy_based import group_positions
from margin_pipeline.margin.structures import SINGLES, STRUCTURES

pytestmark = pytest.mark.slow

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
SPOT = 100.0


@st.composite
def books(draw):
    """Two to eight option series, perhaps stock: quantities up to 6 contracts, 450 shares."""
    legs = []
    for _ in range(draw(st.integers(2, 8))):
        right, strike = draw(st.sampled_from(["call", "put"])), draw(st.sampled_from([80, 90, 95, 100, 105, 110, 125]))
        quantity = draw(st.integers(-6, 6).filter(bool))
        price = max(SPOT - strike if right == "call" else strike - SPOT, 0) + draw(st.sampled_from([0.5, 1.25, 3.0, 4.0]))
        legs.append(
            {
                "type": "option",
                "right": right,
                "strike": strike,
                "expiry_index": draw(st.integers(0, 1)),
                "quantity": quantity,
                "price": price,
            }
        )
    shares = draw(st.sampled_from([0, 100, -100, 250, -300, 450]))
    return legs + ([{"type": "stock", "quantity": shares, "price": SPOT}] if shares else [])


MODES = st.sampled_from(["none", "balanced", "limited_risk"])
"""Which combinations without a name are admitted."""


def total(result):
    return result.groups["maintenance_margin"].sum()


def merged(legs):
    """One price a series, so that rows of the same series agree."""
    prices = {}
    series = [(leg.get("right"), leg.get("strike"), leg.get("expiry_index")) for leg in legs]
    return [{**leg, "price": prices.setdefault(key, leg["price"])} for leg, key in zip(legs, series, strict=True)]


@QUICK
@given(books(), MODES)
def test_never_above_greedy_or_above_the_legs_apart(option_book, legs, mode):
    book = option_book(merged(legs), SPOT)
    result = group_positions(*book, universal_spread=mode)
    one_portfolio_a_series = book[0].assign(portfolio_id=book[0]["symbol"])
    accounts = pd.DataFrame({"portfolio_id": book[0]["symbol"].unique()}).assign(account_type="reg_t", equity=1.0, base_currency="USD")
    apart = group_positions(one_portfolio_a_series, book[1], accounts, *book[3:], universal_spread=mode)
    assert total(result) <= total(apart) + 1e-6
    assert not apart.groups["structure"].isin([s.name for s in STRUCTURES]).any()
    if len(result.proofs):
        proof = result.proofs.iloc[0]
        assert proof["optimum"] == pytest.approx(total(result))
        assert proof["lower_bound"] <= proof["optimum"] <= proof["greedy_margin"] + 1e-6
        assert proof["gap"] == 0.0


@QUICK
@given(books(), st.randoms(use_true_random=False), MODES)
def test_neither_the_order_of_rows_nor_splitting_them_over_strategies_changes_anything(option_book, legs, random, mode):
    legs = merged(legs)
    shuffled = []
    for leg in legs:
        part = random.randint(1, 3)
        pieces = [{**leg, "quantity": part, "strategy": "z"}, {**leg, "quantity": leg["quantity"] - part, "strategy": "a"}]
        shuffled += [piece for piece in pieces if piece["quantity"]]
    random.shuffle(shuffled)
    one, other = (group_positions(*option_book(rows, SPOT), universal_spread=mode).groups for rows in (legs, shuffled))
    columns = ["structure", "units", "legs", "maintenance_margin", "initial_margin"]
    first, second = (f.loc[f["structure"] != "netted", columns].reset_index(drop=True) for f in (one, other))
    pd.testing.assert_frame_equal(first, second)


@QUICK
@given(books(), st.integers(2, 4), MODES)
def test_copies_of_a_book_need_no_more_than_copies_of_its_margin(option_book, legs, copies, mode):
    many = [{**leg, "quantity": copies * leg["quantity"]} for leg in merged(legs)]
    one, all_of_them = (total(group_positions(*option_book(b, SPOT), universal_spread=mode)) for b in (merged(legs), many))
    assert all_of_them <= copies * one + 1e-6


@QUICK
@given(books(), st.sampled_from(["call", "put"]), st.sampled_from([85, 97, 115]), MODES)
def test_a_further_long_option_up_to_nine_months_never_raises_maintenance(option_book, legs, right, strike, mode):
    more = [*merged(legs), {"type": "option", "right": right, "strike": strike, "expiry_index": 1, "quantity": 2, "price": 20.0}]
    with_it, without = (total(group_positions(*option_book(rows, SPOT), universal_spread=mode)) for rows in (more, merged(legs)))
    assert with_it <= without + 1e-6


@QUICK
@given(books())
def test_what_is_admitted_beyond_named_structures_never_raises_maintenance(option_book, legs):
    book = option_book(merged(legs), SPOT)
    named, balanced, any_limited = (total(group_positions(*book, universal_spread=m)) for m in ("none", "balanced", "limited_risk"))
    assert named + 1e-6 >= balanced >= any_limited - 1e-6


@QUICK
@given(books())
def test_groups_hold_exactly_the_net_positions_and_strategies_exactly_theirs(option_book, legs):
    book = option_book([{**leg, "strategy": f"s{k % 3}"} for k, leg in enumerate(merged(legs))], SPOT)
    result = group_positions(*book)
    held = result.legs.groupby(["strategy", "symbol"])["quantity"].sum()
    wanted = book[0].groupby(["strategy", "symbol"])["quantity"].sum()
    both = pd.concat([held, wanted], axis=1, keys=["held", "wanted"]).fillna(0.0)
    assert np.allclose(both["held"], both["wanted"], atol=1e-9)
    shares = result.legs.groupby("group_id")["requirement_share"].sum()
    margins = result.groups.set_index("group_id")["maintenance_margin"]
    assert np.allclose(shares.reindex(margins.index), margins)


@QUICK
@given(books(), books())
def test_other_portfolios_change_nothing(option_book, legs, others):
    one, two = option_book(merged(legs), SPOT), option_book(merged(others), SPOT)
    both = [pd.concat([a, b.replace({"portfolio_id": {"P": "Q"}})], ignore_index=True) for a, b in zip(one[:3], two[:3], strict=True)]
    both[1] = both[1].drop_duplicates("symbol")
    alone, together = group_positions(*one).groups, group_positions(*both, *one[3:]).groups
    pd.testing.assert_frame_equal(alone, together[together["portfolio_id"] == "P"].reset_index(drop=True))


def test_every_single_has_a_name():
    assert len(set(SINGLES)) == 12
