"""Liquidation prices: published figures, then equity against margin at the price itself, by brute force over prices."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.liquidation import COLUMNS, liquidation_prices
from margin_pipeline.margin.liquidation_solver import TieredMargin, inverse_liquidation_price, linear_liquidation_price
from margin_pipeline.margin.tiers import build_schedule

AS_OF = dt.date(2022, 12, 28)
THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
FLAT = ((0.0,), (0.005,))
CROSSED = ((0.0, 50_000.0), (0.025, 0.05))
INITIAL_TIMES = 20.0
"""The published account: 10 % initial, 0.5 % maintenance."""
SCHEDULE_COLUMNS = ["schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"]


def liquidation(rows, *, account="crypto_isolated", equity=0.0, tiers=FLAT, mode="bracket", house=None):
    """Table for positions (symbol, quantity, price, entry, wallet, and terms of the instrument); margins of the schedule at the mark."""
    blank = {
        "entry": np.nan,
        "wallet": np.nan,
        "multiplier": 1.0,
        "contract_type": "linear",
        "model": "tiered",
        "asset_class": "crypto",
        "margin": None,
        "missing": None,
    }
    held = pd.DataFrame([{**blank, **row} for row in rows])
    schedule = build_schedule("S", mode, "USD", AS_OF, *(np.array(column) for column in (*tiers, tiers[1])))
    unit = held["multiplier"] * np.where(held["contract_type"] == "inverse", 1.0, held["price"])
    own = schedule.margin((held["quantity"].abs() * unit).to_numpy(float))[1]
    margin = np.where(held["margin"].isna(), own, held["margin"].astype(float))
    asked = np.zeros(len(held)) if house is None else house * held["quantity"].abs() * unit
    bound, ruled = asked > margin, margin
    margin = np.maximum(margin, asked)
    text = '{{"house_binds": true, "rule_initial": {0}, "rule_maintenance": {0}}}'
    explanation = [text.format(rule) if binds else "{}" for binds, rule in zip(bound, ruled, strict=True)]
    rates = (
        None
        if house is None
        else pd.DataFrame({"symbol": held["symbol"], "asset_class": "", "initial_rate": house, "maintenance_rate": house})
    )
    key = {"portfolio_id": "P", "strategy": "s", "symbol": held["symbol"]}
    positions = pd.DataFrame(
        {
            **key,
            "quantity": held["quantity"].astype(float),
            "price": held["price"].astype(float),
            "entry_price": held["entry"],
            "isolated_wallet": held["wallet"],
            "currency": "USD",
            "fx_rate": 1.0,
            "asset_class": held["asset_class"],
            "market_value": 0.0,
        }
    )
    instruments = pd.DataFrame(
        {
            "symbol": held["symbol"],
            "multiplier": held["multiplier"],
            "contract_type": held["contract_type"],
            "margin_schedule": "S",
            "margin_leverage": np.nan,
            "expiry": pd.NaT,
        }
    ).astype({"contract_type": "str"})
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "account_type": [account], "equity": [equity], "base_currency": ["USD"]})
    margins = pd.DataFrame(
        {
            **key,
            "model": held["model"],
            "initial_margin": np.where(held["missing"].isna(), margin * INITIAL_TIMES, np.nan),
            "maintenance_margin": np.where(held["missing"].isna(), margin, np.nan),
            "missing": held["missing"].astype("str"),
            "explanation": explanation,
        }
    )
    schedules = pd.DataFrame(
        [("S", mode, t, r, r, "USD", pd.Timestamp("2020-01-02")) for t, r in zip(*tiers, strict=True)], columns=SCHEDULE_COLUMNS
    )
    fx_rates = pd.DataFrame({"date": pd.to_datetime([]), "currency": [], "usd_rate": []})
    found = liquidation_prices(positions, instruments, portfolios, margins, schedules, pd.DataFrame(), fx_rates, THRESHOLDS, AS_OF, rates)
    assert list(found.columns) == COLUMNS
    return found.set_index("symbol")


def single(quantity, price, entry, wallet, **more):
    market = {k: more.pop(k) for k in ("tiers", "mode", "house") if k in more}
    return liquidation([{"symbol": "B", "quantity": quantity, "price": price, "entry": entry, "wallet": wallet, **more}], **market).loc["B"]


@pytest.mark.parametrize(
    ("side", "wallet", "tiers", "price"),
    [(1, 4_500, FLAT, 40_703.52), (-1, 4_500, FLAT, 49_253.73), (-1, 9_000, CROSSED, 51_428.57)],
)
def test_published_isolated_prices_with_the_tier_that_applies_there(side, wallet, tiers, price):
    row = single(side, 45_000.0, 45_000.0, wallet, tiers=tiers)
    assert row["liquidation_price"] == pytest.approx(price, abs=0.005)
    assert (row["margin_mode"], row["wallet"]) == ("isolated", wallet)
    assert row["distance"] == pytest.approx(price / 45_000 - 1, abs=1e-6)


def test_published_account_has_a_margin_ratio_of_four_and_a_half_percent():
    row = liquidation([{"symbol": "B", "quantity": 1.0, "price": 45_000.0}], account="crypto_cross", equity=5_000.0).loc["B"]
    assert (row["maintenance_margin"], row["margin_ratio"], row["status"]) == (225, 0.045, "safe")
    assert (row["initial_margin"], row["available_to_open"], row["excess"], row["is_safe"]) == (4_500, 500, 4_775, True)


def test_published_free_margins_stand_apart():
    row = liquidation([{"symbol": "B", "quantity": 1.0, "price": 45_000.0}], account="crypto_cross", equity=10_000.0).loc["B"]
    assert (row["available_to_open"], row["excess"]) == (5_500, 9_775)
    assert row["initial_margin"] / 5_000 == 0.90


def test_tier_that_is_not_covered_when_it_begins_liquidates_at_its_threshold():
    row = single(-1, 45_000.0, 45_000.0, 7_000.0, tiers=CROSSED)  # at 50,000: equity 2,000; margin 1,250 below and 2,500 from there
    assert row["liquidation_price"] == 50_000.0


def test_long_position_with_a_wallet_above_its_value_is_never_liquidated():
    row = single(1, 45_000.0, 45_000.0, 45_001.0)
    assert np.isnan(row["liquidation_price"])
    assert row["status"] == "safe"


def test_position_past_its_price_is_liquidatable_and_shows_where_it_would_be_covered():
    row = single(1, 40_000.0, 45_000.0, 4_500.0)
    assert (row["status"], row["liquidation_price"]) == ("liquidatable", pytest.approx(40_703.52, abs=0.005))
    assert row["distance"] > 0


def test_cross_margin_gives_up_the_maintenance_of_the_other_positions_first():
    pair = [{"symbol": "B", "quantity": 1.0, "price": 45_000.0}, {"symbol": "E", "quantity": -10.0, "price": 1_200.0}]
    rows = liquidation(pair, account="crypto_cross", equity=5_000.0)
    assert rows.loc["B", "wallet"] == pytest.approx(5_000 - 60)
    assert rows.loc["B", "liquidation_price"] == pytest.approx((45_000 - 4_940) / 0.995)
    assert rows.loc["E", "liquidation_price"] == pytest.approx((1_200 + 4_775 / 10) / 1.005)


def test_isolated_position_in_a_cross_account_keeps_its_wallet_and_its_result_to_itself():
    pair = [
        {"symbol": "B", "quantity": 1.0, "price": 45_000.0},
        {"symbol": "E", "quantity": -10.0, "price": 1_200.0, "entry": 1_250.0, "wallet": 1_000.0},
    ]
    rows = liquidation(pair, account="crypto_cross", equity=6_000.0)
    assert rows.loc["B", "wallet"] == pytest.approx(6_000 - 1_500)
    assert rows.loc["E", "margin_ratio"] == pytest.approx(60 / 1_500)
    assert rows["margin_mode"].to_dict() == {"B": "cross", "E": "isolated"}


def test_future_is_liquidated_when_equity_meets_the_money_a_contract():
    future = {
        "symbol": "ES",
        "quantity": -2.0,
        "price": 3_800.0,
        "multiplier": 50.0,
        "contract_type": None,
        "model": "future",
        "asset_class": "future",
        "margin": 24_400.0,
    }
    row = liquidation([future], account="futures", equity=34_400.0).loc["ES"]
    assert row["liquidation_price"] == pytest.approx(3_800 + 10_000 / 100)


def test_inverse_contract_ten_times_levered_has_the_price_of_exchanges():
    row = single(450, 45_000.0, 45_000.0, 4_500.0, multiplier=100.0, contract_type="inverse")
    assert row["liquidation_price"] == pytest.approx(45_000 * 1.005 / 1.1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"wallet": np.nan}, "isolated wallet of B"),
        ({"entry": np.nan}, "entry price of B"),
        ({"missing": "margin schedule of B"}, "margin schedule of B"),
    ],
)
def test_what_is_missing_is_named_and_leaves_no_price(row, reason):
    found = single(1, 45_000.0, **{"entry": 45_000.0, "wallet": 4_500.0, **row})
    assert found["missing"].startswith(reason)
    assert (np.isnan(found["liquidation_price"]), np.isnan(found["margin_ratio"]), found["status"]) == (True, True, "undetermined")


def test_missing_margin_of_another_position_leaves_no_cross_price():
    pair = [{"symbol": "B", "quantity": 1.0, "price": 45_000.0}, {"symbol": "E", "quantity": -1.0, "price": 1.0, "missing": "price of E"}]
    row = liquidation(pair, account="crypto_cross", equity=5_000.0).loc["B"]
    assert (row["missing"], row["status"]) == ("other positions: price of E", "undetermined")


def test_stock_paid_options_and_flat_positions_have_no_row():
    rows = [
        {"symbol": "A", "quantity": 1.0, "price": 5.0, "model": "reg_t"},
        {"symbol": "B", "quantity": 0.0, "price": 5.0},
        {"symbol": "C", "quantity": 1.0, "price": 5.0, "model": "future_option_fixed", "asset_class": "future_option"},
    ]
    assert liquidation(rows, account="futures", equity=10.0).empty


def some_tiers(rates, mode):
    threshold = np.arange(len(rates)) * 30_000.0
    return build_schedule("S", mode, "USD", AS_OF, threshold, np.array(rates), np.array(rates))


@settings(max_examples=120)
@given(
    st.sampled_from([1.0, -1.0]),
    st.floats(0.05, 5),
    st.floats(5_000, 60_000),
    st.floats(10, 90_000),
    st.lists(st.floats(0.001, 0.6), min_size=1, max_size=5),
    st.sampled_from(["bracket", "marginal"]),
)
def test_price_is_the_first_at_which_equity_no_longer_exceeds_the_margin_there(side, quantity, mark, wallet, rates, mode):
    schedule = some_tiers(sorted(rates), mode)
    margin = TieredMargin(
        np.array([quantity]), schedule.threshold[None] / quantity, schedule.maintenance_rate[None], schedule.maintenance_amount[None]
    )

    def surplus(price):
        return wallet + side * quantity * (price - mark) - schedule.margin(quantity * price)[1]

    found = linear_liquidation_price(*(np.array([x]) for x in (wallet, side, mark, mark)), margin)[0]
    noise = 1e-7 * (wallet + quantity * mark)
    if surplus(np.array([mark]))[0] <= noise:
        return  # beyond it already: another test
    end = found if np.isfinite(found) else (1e-6 if side > 0 else 50 * mark)
    path = np.linspace(mark, end, 2_001)[:-1]
    assert (surplus(path) > -noise).all()
    if np.isfinite(found):
        at_or_just_beyond = np.array([found, found * (1 - side * 1e-9)])
        assert surplus(at_or_just_beyond).min() <= noise
        if not np.isclose(found * quantity, schedule.threshold, rtol=1e-9).any():
            assert surplus(np.array([found]))[0] == pytest.approx(0.0, abs=noise)


@settings(max_examples=60)
@given(st.sampled_from([1.0, -1.0]), st.floats(0.01, 3), st.floats(1_000, 60_000), st.floats(0.001, 0.3))
def test_inverse_equity_meets_margin_in_coins_at_the_price(side, wallet, entry, rate):
    value = side * entry
    price = inverse_liquidation_price(*(np.array([x]) for x in (wallet, value, entry, rate * entry)))[0]
    if np.isfinite(price):
        assert wallet + value * (1 / entry - 1 / price) == pytest.approx(rate * entry / price, rel=1e-9)
    else:
        assert side < 0
        assert wallet >= 1


rates_of_tiers = st.lists(st.floats(0.001, 0.4), min_size=1, max_size=4).map(sorted)
cross_books = st.lists(
    st.tuples(st.sampled_from([-1.0, 1.0]), st.floats(0.2, 4), st.floats(8_000, 60_000)), min_size=1, max_size=3
)  # side, quantity, mark


@settings(max_examples=40, deadline=None)
@given(cross_books, rates_of_tiers, st.sampled_from(["bracket", "marginal"]), st.floats(0.02, 1.5), st.sampled_from([0.0, 0.1]))
def test_cross_account_is_liquidated_where_its_equity_meets_all_maintenance_by_a_scan_of_prices(held, rates, mode, funded, house):
    """Independent of the solver: the whole account at every price of one position, others at their marks, tiers looked up one by one."""
    thresholds = [30_000.0 * n for n in range(len(rates))]

    def maintenance(notional):
        return max(house * notional, of_schedule(notional))

    def of_schedule(notional):
        if mode == "bracket":
            return notional * rates[max(n for n, t in enumerate(thresholds) if t <= notional)]
        ends = [*thresholds[1:], np.inf]
        return sum(r * max(min(notional, end) - t, 0.0) for t, end, r in zip(thresholds, ends, rates, strict=True))

    equity = funded * sum(quantity * mark for _, quantity, mark in held)
    rows = [{"symbol": f"X{n}", "quantity": side * quantity, "price": mark} for n, (side, quantity, mark) in enumerate(held)]
    found = liquidation(rows, account="crypto_cross", equity=equity, tiers=(tuple(thresholds), tuple(rates)), mode=mode, house=house)
    total = sum(maintenance(quantity * mark) for _, quantity, mark in held)
    if equity - total <= 1e-6 * equity:
        return  # beyond it already
    for n, (side, quantity, mark) in enumerate(held):
        others = total - maintenance(quantity * mark)

        def surplus(price, side=side, quantity=quantity, mark=mark, others=others):
            return equity + side * quantity * (price - mark) - others - maintenance(quantity * price)

        liquidated = found.loc[f"X{n}", "liquidation_price"]
        end = liquidated if np.isfinite(liquidated) else (1e-6 if side > 0 else 40 * mark)
        noise = 1e-7 * (equity + quantity * mark)
        assert all(surplus(price) > -noise for price in np.linspace(mark, end, 400)[:-1])
        if np.isfinite(liquidated):
            assert min(surplus(liquidated), surplus(liquidated * (1 - side * 1e-9))) <= noise
            assert found.loc[f"X{n}", "wallet"] == pytest.approx(equity - others)


def test_house_rate_above_the_schedule_liquidates_earlier():
    row = single(1, 45_000.0, 45_000.0, 4_500.0, house=0.02)
    assert (row["maintenance_margin"], row["liquidation_price"]) == (900, pytest.approx(40_500 / 0.98))


def test_house_rate_of_a_future_grows_with_its_price():
    future = {"symbol": "ES", "price": 3_800.0, "multiplier": 50.0, "contract_type": None, "model": "future", "asset_class": "future"}
    short = liquidation([{**future, "quantity": -1.0, "margin": 12_000.0}], account="futures", equity=25_000.0, house=0.08).loc["ES"]
    assert short["maintenance_margin"] == pytest.approx(15_200)
    assert short["liquidation_price"] == pytest.approx((25_000 / 50 + 3_800) / 1.08)
    long = liquidation([{**future, "quantity": 1.0, "margin": 12_000.0}], account="futures", equity=100_000.0, house=0.08).loc["ES"]
    assert long["liquidation_price"] == pytest.approx(3_800 - (100_000 - 12_000) / 50)


@settings(max_examples=80)
@given(
    st.floats(0.05, 5),
    st.lists(st.floats(0.001, 0.6), min_size=1, max_size=5),
    st.sampled_from(["bracket", "marginal"]),
    st.floats(0, 0.7),
    st.lists(st.floats(1, 300_000), min_size=1, max_size=8),
)
def test_margin_with_a_house_rate_is_the_greater_of_the_two_at_any_price(quantity, rates, mode, house, prices):
    schedule = some_tiers(rates, mode)
    amounts = (schedule.threshold[None] / quantity, schedule.maintenance_rate[None], schedule.maintenance_amount[None])
    both = TieredMargin(np.array([quantity]), *amounts).at_least(np.array([house]))
    for price in prices:
        rule = schedule.margin(np.array([quantity * price]))[1][0]
        assert both.at(np.array([price]))[0] == pytest.approx(max(rule, house * quantity * price), rel=1e-9, abs=1e-6)
