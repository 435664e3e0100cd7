"""Universal spreads: worked combinations, dated settings, exhaustive search, and books too wide to enumerate."""

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.strategy_based import group_positions


def option(right, strike, quantity, price=1.0, expiry_index=0):
    return {"type": "option", "right": right, "strike": strike, "quantity": quantity, "price": price, "expiry_index": expiry_index}


SHORT_BUTTERFLY = [option("call", 90, -1, 12), option("call", 100, 2, 5), option("call", 110, -1, 2)]
LONG_PUT_BUTTERFLY = [option("put", 90, 1, 2), option("put", 100, -2, 5), option("put", 110, 1, 12)]


def margin(book, **setting):
    return group_positions(*book, **setting).groups["maintenance_margin"].sum()


def test_butterflies_that_cancel_at_every_price_need_nothing_together(option_book):
    """Worth nothing at every price by put-call parity; apart, the short one may lose 10 a share."""
    book = option_book([*SHORT_BUTTERFLY, *LONG_PUT_BUTTERFLY], 100)
    assert margin(book, universal_spread="none") == 1000.0
    assert margin(book) == margin(book, universal_spread="balanced") == 0.0
    groups = group_positions(*book).groups
    assert groups["structure"].tolist() == ["universal_spread"]
    assert groups["gross_requirement"].tolist() == [pytest.approx(100 * (2 * 5 + 2 + 12))]
    assert groups["applied_proceeds"].tolist() == [pytest.approx(100 * (12 + 2 + 2 * 5))]


def test_a_long_without_a_short_of_its_type_counts_unless_longs_must_equal_shorts(option_book):
    """At 100 the butterfly loses 10 and the put is worth 10; at 105 it loses 5 and the put is worth 5."""
    book = option_book([*SHORT_BUTTERFLY, option("put", 110, 1, 12)], 100)
    assert margin(book) == 0.0
    assert margin(book, universal_spread="balanced") == margin(book, universal_spread="none") == 1000.0


def test_before_the_rule_of_2012_only_structures_with_a_name_are_admitted(option_book):
    *book, _ = option_book([*SHORT_BUTTERFLY, *LONG_PUT_BUTTERFLY], 100)
    assert [margin((*book, dt.date(2012, 10, day))) for day in (25, 26)] == [1000.0, 0.0]


def test_what_a_universal_spread_need_not_hold_together_is_named(option_book):
    """Beside the six legs above a credit spread far away: its loss and theirs are greatest together, so it comes off under its name."""
    legs = [*SHORT_BUTTERFLY, *LONG_PUT_BUTTERFLY, option("call", 150, -1, 0.5), option("call", 155, 1, 0.25)]
    groups = group_positions(*option_book(legs, 100)).groups.set_index("structure")
    assert sorted(groups.index) == ["bear_call_spread", "universal_spread"]
    assert groups.loc["bear_call_spread", ["units", "maintenance_margin"]].tolist() == [1.0, 500.0]


def test_a_long_that_expires_first_is_no_part_of_the_spread(option_book):
    legs = [option("call", 90, -1, 12, 1), option("call", 100, 2, 5, 0), option("call", 110, -1, 2, 0)]
    groups = group_positions(*option_book(legs, 100)).groups
    assert groups["structure"].str.startswith("naked").any()


def test_no_more_long_options_with_loan_value_than_shorts_join_a_spread(option_book):
    """75 % of a long-dated option's price is needed on its own; of three one may stand beside the short that another long covers."""
    legs = [option("call", 100, -1, 5, 0), option("call", 105, 1, 2, 0), option("call", 200, 3, 4, 2)]
    book = option_book(legs, 100)
    assert margin(book) == pytest.approx(500.0 + 2 * 0.75 * 400.0)
    assert margin(book, universal_spread="balanced") == pytest.approx(500.0 + 3 * 0.75 * 400.0)


def exhaustive(book):
    """Least maintenance of options that expire together: every choice of what is spread, every pairing of the shorts that are left."""
    positions, instruments, *_ = book
    rows = positions.merge(instruments[["symbol", "option_type", "strike"]], on="symbol")
    call = (rows["option_type"] == "call").to_numpy()
    held, strike, price = (rows[c].to_numpy(float) for c in ("quantity", "strike", "price"))
    out = np.maximum(np.where(call, strike - 100.0, 100.0 - strike), 0.0)
    beyond = np.maximum(20.0 - out, np.where(call, 10.0, 0.1 * strike))
    prices = np.unique([0.0, *strike])
    value = np.maximum(np.where(call, 1, -1) * (prices[:, None] - strike), 0.0)
    best = np.inf
    for taken in itertools.product(*(range(int(abs(q)) + 1) for q in held)):
        signed = np.array(taken) * np.sign(held)
        if signed[call].sum() < 0 or signed[~call].sum() < 0:
            continue
        loss = max(0.0, -(value @ signed).min())
        left = np.abs(held) - taken
        puts, calls = ([k for k in np.flatnonzero((held < 0) & side) for _ in range(int(left[k]))] for side in (~call, call))
        best = min(best, loss + paired(puts, calls, price, beyond))
    return 100.0 * best


def paired(puts, calls, price, beyond):
    """Least requirement of naked shorts, each put paired with one call or none."""
    puts, calls = (shorts + [None] * max(0, len(other) - len(shorts)) for shorts, other in ((puts, calls), (calls, puts)))

    def both(put, call):
        premium = [0.0 if k is None else price[k] for k in (put, call)]
        alone = [0.0 if k is None else price[k] + beyond[k] for k in (put, call)]
        return alone[0] + premium[1] if alone[0] >= alone[1] else alone[1] + premium[0]

    return min(sum(both(p, c) for p, c in zip(puts, order, strict=True)) for order in itertools.permutations(calls))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["call", "put"]), st.sampled_from([90, 95, 100, 110]), st.sampled_from([-2, -1, 1, 2])),
        min_size=2,
        max_size=5,
        unique_by=lambda leg: leg[:2],
    )
)
def test_the_optimum_is_that_of_exhaustive_search(option_book, series):
    legs = [
        option(right, strike, quantity, max(100 - strike if right == "call" else strike - 100, 0) + 0.5 + 0.01 * strike)
        for right, strike, quantity in series
    ]
    book = option_book(legs, 100)
    assert margin(book) == pytest.approx(exhaustive(book))


def wide_book(option_book, legs, seed):
    random = np.random.default_rng(seed)
    found = {}
    while len(found) < legs:
        right, strike, expiry = random.choice(["call", "put"]), int(random.integers(60, 141)), int(random.integers(0, 2))
        intrinsic = max(100 - strike if right == "call" else strike - 100, 0)
        quantity = int(random.integers(1, 21)) * int(random.choice([-1, 1]))
        found[right, strike, expiry] = option(right, strike, quantity, intrinsic + round(float(random.uniform(0.05, 5)), 2), expiry)
    return option_book(list(found.values()), 100)


@pytest.mark.parametrize("legs", [13, 30, 90])
def test_wide_books_are_solved_within_half_a_percent_and_hold_what_is_held(option_book, legs):
    book = wide_book(option_book, legs, legs)
    result = group_positions(*book)
    proof = result.proofs.iloc[0]
    assert proof["lower_bound"] <= proof["optimum"] <= proof["greedy_margin"]
    assert proof["gap"] <= (0.005 if legs >= 62 else 0.0)
    assert proof["optimum"] == pytest.approx(result.groups["maintenance_margin"].sum())
    held = result.legs.groupby("symbol")["quantity"].sum()
    assert held.to_dict() == pytest.approx(book[0].groupby("symbol")["quantity"].sum().to_dict())


def test_what_is_left_out_of_the_widest_books_of_named_structures_shows_as_a_gap(option_book):
    proof = group_positions(*wide_book(option_book, 90, 1), universal_spread="none").proofs.iloc[0]
    assert proof["lower_bound"] < proof["optimum"] <= proof["greedy_margin"]
    assert proof["gap"] > 0


def test_threads_change_nothing(option_book):
    books = [wide_book(option_book, 16, seed) for seed in range(4)]
    parts = [[frame.replace({"portfolio_id": {"P": f"P{n}"}}) for frame in (book[0], book[2])] for n, book in enumerate(books)]
    positions, portfolios = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    instruments = pd.concat([book[1] for book in books]).drop_duplicates("symbol")
    one, two = (group_positions(positions, instruments, portfolios, *books[0][3:], threads=n).groups for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)
