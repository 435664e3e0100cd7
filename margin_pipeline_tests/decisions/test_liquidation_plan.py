"""Least-cost plans against arithmetic by hand, every other plan there is, and margin computed again. Not here: their text (reports)."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.decisions.liquidation_plan import liquidation_plans
from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline.decisions.what_if import what_if
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline_tests.decisions.trade_book import AS_OF, CLOSES, THRESHOLDS, tables

pytestmark = pytest.mark.slow

SETTING = Setting(AS_OF, THRESHOLDS, models={})
TARGET = 0.8
DEEP = 1e9
"""A volume of which no trade here is more than the first slice of impact."""
FIRST_SLICE = {"equity": 0.02 * math.sqrt(0.01), "equity_option": 0.20 * math.sqrt(0.01)}
"""Chord of impact x sqrt(q / v) up to 1 % of the volume, fraction of value (liquidation.yaml)."""


def liquidity(lots=None, **spread_bps):
    rows = [(symbol, DEEP, float(spread_bps.get(symbol, 10.0)), float((lots or {}).get(symbol, 1.0))) for symbol in CLOSES]
    return pd.DataFrame(rows, columns=["symbol", "average_daily_volume", "spread_bps", "lot_size"])


def published(given):
    """Tables that a plan takes, from those that a date lands with."""
    ask = (given, given["position_records"], given["portfolios"], SETTING)
    governing, all_methods = recalculate(*ask, governing_only=True), recalculate(*ask)
    names = ("instruments", "portfolios", "prices", "fx_rates", "rates", "dividends")
    return given | {
        "positions": governing.positions,
        "position_margins": governing.position_margins,
        "strategy_groups": all_methods.strategy_groups,
        "portfolio_margins": governing.portfolio_margins,
        "portfolio_margin_positions": portfolio_margin(governing.positions, *(given[name] for name in names), AS_OF).positions,
        "span_positions": pd.DataFrame(columns=["portfolio_id", "strategy", "symbol"]),
    }


def at_utilization(book, utilization, account, trading):
    """Tables of a book with so much equity that its margin is this part of it."""
    given = tables(book, account, 1e7)
    rich = recalculate(given, given["position_records"], given["portfolios"], SETTING, governing_only=True).portfolio_margins.iloc[0]
    equity = rich["maintenance_margin"] / utilization - (rich["margin_equity"] - rich["equity"])
    return tables(book, account, equity) | {"liquidity": trading}


def planned(given):
    """The plan's trades, and its summary."""
    found = liquidation_plans(published(given), SETTING)
    return found.plans, found.summaries.iloc[0]


def cost_of(trades, spread_bps):
    """Half the spread and the first slice of impact, by formula."""

    def of(symbol, quantity):
        option = symbol[1:].isdigit()
        value = abs(quantity) * CLOSES[symbol] * (100.0 if option else 1.0)
        return value * (spread_bps.get(symbol, 10.0) / 2e4 + FIRST_SLICE["equity_option" if option else "equity"])

    return sum(of(symbol, quantity) for symbol, quantity in trades)


def after(given, trades, cost):
    """Utilization of the governing method after trades `(strategy, symbol, quantity)` that cost so much, by another way: what_if."""
    landed = {name: frame for name, frame in given.items() if name != "liquidity"}
    paid = landed | {"portfolios": landed["portfolios"].assign(equity=landed["portfolios"]["equity"] - cost)}
    governing = recalculate(landed, landed["position_records"], landed["portfolios"], SETTING, governing_only=True).portfolio_margins
    for strategy in sorted({strategy for strategy, _, _ in trades}):
        own = [(symbol, quantity) for name, symbol, quantity in trades if name == strategy]
        margins = what_if(paid, "P", own, Setting(AS_OF, THRESHOLDS), strategy=strategy).margins.set_index("method")
        key = ["strategy", "symbol"]
        change = pd.Series({(strategy, symbol): quantity for symbol, quantity in own})
        records = paid["position_records"].set_index(key)
        records["quantity"] = records["quantity"].add(change.rename_axis(key), fill_value=0.0)
        paid = paid | {"position_records": records[records["quantity"] != 0].reset_index()[paid["position_records"].columns]}
    return margins.loc[governing["method"].iloc[0], "utilization_after"]


def test_shares_that_are_sold_by_hand():
    """25 % of 100 a share (FINRA 4210(c)): 25 (1,000 - n) <= 0.8 (28,000 - 0.25 n) from 104.84 shares on; 0.25 = 100 x (5 bps + 0.2 %)."""
    trades, summary = planned(tables({("a", "S"): 1_000}, "reg_t", 28_000.0) | {"liquidity": liquidity()})
    assert trades[["strategy", "symbol", "trade_quantity"]].values.tolist() == [["a", "S", -105.0]]
    assert summary["plan_status"] == "verified"
    assert summary["cost"] == pytest.approx(105 * 0.25)
    assert summary["maintenance_after"] == pytest.approx(25.0 * 895)
    assert summary["margin_equity_after"] == pytest.approx(28_000 - 26.25)
    # Of plans that cost the same the one that trades least is taken; that much it adds.
    assert summary["equity_dual"] == pytest.approx(0.25 * 0.8 / (25.0 - 0.8 * 0.25), rel=1e-4)


def test_what_is_cheaper_to_trade_for_the_same_margin_goes_first():
    book = {("a", "S"): 300, ("a", "F"): 600}
    for dear, cheap in (("S", "F"), ("F", "S")):
        trades, _ = planned(at_utilization(book, 0.9, "reg_t", liquidity(**{dear: 80.0})))
        assert set(trades["symbol"]) == {cheap}


def test_groups_of_options_close_by_whole_units():
    """Legs of an iron condor go together, and no short is left without its wing."""
    book = {("a", "C105"): -20, ("a", "C115"): 20, ("a", "P95"): -20, ("a", "P80"): 20}
    trades, summary = planned(at_utilization(book, 0.9, "reg_t", liquidity()))
    assert summary["plan_status"] == "verified"
    left = {symbol: book["a", symbol] + quantity for symbol, quantity in zip(trades["symbol"], trades["trade_quantity"], strict=True)}
    held = {symbol: left.get(symbol, quantity) for (_, symbol), quantity in book.items()}
    assert held["C105"] == -held["C115"]
    assert held["P95"] == -held["P80"]
    assert len(trades) >= 2


@pytest.mark.parametrize("account", ["reg_t", "portfolio_margin"])
@pytest.mark.parametrize(
    "book", [{("a", "S"): 300, ("a", "F"): -400}, {("a", "S"): 200, ("a", "P95"): 2, ("a", "F"): 400}], ids=["stocks", "put"]
)
def test_no_other_plan_in_lots_is_cheaper(account, book):
    """Against every combination of lots of 100 shares and single options that brings utilization down."""
    spreads = {"S": 15.0, "F": 12.0, "P95": 50.0}
    given = at_utilization(book, 0.95, account, liquidity({"S": 100.0, "F": 100.0}, **spreads))
    trades, summary = planned(given)
    steps = {symbol: 1 if symbol == "P95" else 100 for _, symbol in book}
    cheapest = math.inf
    choices = [[(symbol, -math.copysign(n, held)) for n in range(0, abs(held) + 1, steps[symbol])] for (_, symbol), held in book.items()]
    for choice in itertools.product(*choices):
        cost = cost_of(choice, spreads)
        if 0 < cost < cheapest and after(given, [("a", *trade) for trade in choice if trade[1]], cost) <= TARGET + 1e-9:
            cheapest = cost
    assert summary["plan_status"] == "verified"
    assert summary["cost"] == pytest.approx(cost_of(zip(trades["symbol"], trades["trade_quantity"], strict=True), spreads))
    assert summary["cost"] == pytest.approx(cheapest, rel=5e-4)


BOOKS = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from(sorted(CLOSES))), st.integers(-8, 8).filter(bool), min_size=1, max_size=5
).map(lambda book: {key: quantity if key[1][1:].isdigit() else quantity * 100 for key, quantity in book.items()})


@settings(max_examples=6)
@given(BOOKS, st.sampled_from(["reg_t", "portfolio_margin"]), st.floats(0.82, 1.4), st.randoms(use_true_random=False))
def test_a_plan_holds_when_margin_is_computed_another_way_only_reduces_and_knows_no_order_of_rows(book, account, utilization, random):
    given = at_utilization(book, utilization, account, liquidity())
    trades, summary = planned(given)
    held = np.array([book[key] for key in zip(trades["strategy"], trades["symbol"], strict=True)], dtype=float)
    traded = trades["trade_quantity"].to_numpy(float)
    assert (np.sign(traded) == -np.sign(held)).all()
    assert (np.abs(traded) <= np.abs(held)).all()
    assert summary["cost"] == pytest.approx(trades["cost"].sum())
    rows = list(zip(trades["strategy"], trades["symbol"], trades["trade_quantity"], strict=True))
    again = after(given, rows, summary["cost"])
    assert summary["utilization_after"] == pytest.approx(again, nan_ok=True)
    if summary["plan_status"] == "verified":
        assert again <= TARGET + 1e-9
        assert summary["cost_bound"] <= summary["cost"]
    else:
        assert summary["plan_status"] == "infeasible"
        assert json.loads(summary["explanation"])["remains"]["equity_needed"] > 0
    mixed = given | {
        name: given[name].sample(frac=1.0, random_state=random.randrange(1000)) for name in ("position_records", "instruments")
    }
    pd.testing.assert_frame_equal(planned(mixed)[0], trades)


def test_a_portfolio_below_the_target_needs_no_plan_and_an_unknown_margin_has_none():
    for book, status in (({("a", "S"): 100}, "not_needed"), ({("a", "UNPRICED"): 100}, "undetermined")):
        trades, summary = planned(tables(book, "reg_t") | {"liquidity": liquidity()})
        assert (len(trades), summary["plan_status"]) == (0, status)


def test_what_does_not_trade_is_kept_and_the_plan_says_so():
    quiet = liquidity().assign(average_daily_volume=lambda frame: frame["average_daily_volume"].where(frame["symbol"] != "F", 0.0))
    trades, summary = planned(at_utilization({("a", "S"): 100, ("a", "F"): 400}, 0.9, "reg_t", quiet))
    assert set(trades["symbol"]) == {"S"}
    assert "volume 0" in summary["explanation"]


def test_a_shortfall_that_no_trade_mends_closes_everything_and_says_what_equity_is_needed():
    """Short 100 shares with equity of -50: closing costs 25 more, and leaves a debt of 75."""
    trades, summary = planned(tables({("a", "S"): -100}, "reg_t", -50.0) | {"liquidity": liquidity()})
    assert trades[["trade_quantity", "plan_status"]].values.tolist() == [[100.0, "infeasible"]]
    assert trades["marginal_value"].isna().all()
    assert (summary["maintenance_after"], summary["utilization_after"]) == (0.0, math.inf)
    assert json.loads(summary["explanation"])["remains"]["equity_needed"] == pytest.approx(75.0)
