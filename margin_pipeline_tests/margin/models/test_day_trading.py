"""Pattern day trading: leverage by the hour of the day, from 2001 to the day on which its rule was deleted."""

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters import ParameterError
from margin_pipeline.parameters.stock_rates import DayTradingRules, day_trading_rules

SHARE = {"symbol": "A", "margin_model": "pattern_day_trading", "price": 100.0}
LAST_DAY = dt.date(2026, 6, 3)


@pytest.mark.parametrize("quantity", [100, -100])
@pytest.mark.parametrize(("open_now", "needed"), [(True, 2_500), (False, 5_000), (None, 5_000)])
def test_four_times_while_the_market_is_open_and_twice_otherwise(margin_of, quantity, open_now, needed):
    row = margin_of({**SHARE, "quantity": quantity}, calendar_open=open_now)
    assert (row["model"], row["initial_margin"], row["maintenance_margin"]) == ("pattern_day_trading", needed, needed)
    assert json.loads(row["explanation"])["reference"] == "FINRA 4210(f)(8)(B)"


@pytest.mark.parametrize(
    ("day", "needed"),
    [
        (dt.date(2001, 9, 27), 2_500),  # Regulation T: no rule of pattern day traders yet; maintenance 25 %
        (dt.date(2001, 9, 28), 5_000),
        (LAST_DAY, 5_000),
        (LAST_DAY + dt.timedelta(days=1), 2_500),  # Regulatory Notice 26-10
    ],
)
def test_rule_is_dated_and_equals_regulation_t_outside_its_time(margin_of, day, needed):
    row = margin_of({**SHARE, "quantity": 100}, as_of=day)
    assert row["maintenance_margin"] == needed
    if not day_trading_rules(day).in_force:
        ordinary = margin_of({**SHARE, "quantity": 100, "margin_model": None}, as_of=day)
        assert (row["initial_margin"], row["maintenance_margin"]) == (ordinary["initial_margin"], ordinary["maintenance_margin"])
        assert json.loads(row["explanation"])["rule_of_model"] == "pattern day trading is not in force: Regulation T applies"


def test_after_the_rule_the_hour_of_the_day_changes_nothing(margin_of):
    rows = [margin_of({**SHARE, "quantity": -100}, as_of=dt.date(2026, 6, 4), calendar_open=now) for now in (True, False)]
    assert [row["maintenance_margin"] for row in rows] == [3_000, 3_000]


def test_what_stays_overnight_never_needs_less_than_regulation_t(margin_of):
    cheap = {**SHARE, "price": 2.0, "quantity": -100}
    assert margin_of(cheap)["maintenance_margin"] == 250  # $2.50 a share, not half of $2
    assert margin_of(cheap, calendar_open=True)["maintenance_margin"] == 50
    fund = {**SHARE, "asset_class": "etf", "leverage_factor": 3.0, "quantity": 100}
    assert margin_of(fund)["maintenance_margin"] == 10_000  # 3 x 50 %, at most the whole value
    assert margin_of(fund, calendar_open=True)["maintenance_margin"] == 7_500  # 3 x 25 %


def test_missing_inputs_fail_closed(margin_of):
    assert margin_of({**SHARE, "quantity": 1, "price": np.nan})["missing"] == "price of A 2022-12-28"
    short = {**SHARE, "quantity": -1, "currency": "EUR"}
    assert margin_of(short, base="EUR")["missing"] == "exchange rate of EUR into USD 2022-12-28"
    assert margin_of(short, base="EUR", calendar_open=True)["maintenance_margin"] == 25  # no dollar amounts in that rule


@settings(max_examples=8)
@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(0.5, 1e4), st.sampled_from([1.0, 2.0, 3.0])), min_size=8, max_size=8))
def test_overnight_is_never_below_the_day_nor_below_regulation_t(book_of, drawn):
    def needed(model, **timing):
        funds = [
            {"symbol": f"F{n}", "asset_class": "etf", "leverage_factor": f, "price": p, "quantity": q, "margin_model": model}
            for n, (q, p, f) in enumerate(drawn)
        ]
        return book_of(funds, **timing)["position_margins"]["maintenance_margin"].to_numpy()

    night, day, ordinary = needed("pattern_day_trading"), needed("pattern_day_trading", calendar_open=True), needed(None)
    assert (night >= np.maximum(day, ordinary) * (1 - 1e-12)).all()


def test_leverages_that_no_rule_can_mean_are_refused():
    for leverages in ((0.5, 0.5), (2.0, 4.0)):
        with pytest.raises(ParameterError):
            DayTradingRules("p:1", "", True, *leverages)
