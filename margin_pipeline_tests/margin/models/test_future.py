"""Futures and their options: exchange margin by effective date and time of day."""

import datetime as dt
import json

import numpy as np
import pytest

ES = [("ES", "2021-12-20", 12_320, 11_200, 6_160, 5_600), ("ES", "2022-12-27", 13_420, 12_200, 6_710, 6_100)]
FUTURE = {"symbol": "ESH3", "asset_class": "future", "multiplier": 50.0, "root": "ES", "underlying": "SP500"}
OPTION = {
    "symbol": "ESO",
    "asset_class": "future_option",
    "multiplier": 50.0,
    "underlying": "ESH3",
    "option_type": "call",
    "strike": 4100.0,
    "expiry": "2023-02-17",
}


@pytest.mark.parametrize(("day", "initial", "maintenance"), [(23, 24_640, 22_400), (27, 26_840, 24_400)])
def test_exchange_rate_is_the_newest_in_force_on_the_date(margin_of, day, initial, maintenance):
    row = margin_of({**FUTURE, "quantity": -2}, account="futures", futures=ES, as_of=dt.date(2022, 12, day))
    assert (row["initial_margin"], row["maintenance_margin"], row["model"]) == (initial, maintenance, "future")


@pytest.mark.parametrize(("open_now", "maintenance"), [(True, 6_100), (False, 12_200), (None, 12_200)])
def test_intraday_rates_apply_only_while_the_market_is_open(margin_of, open_now, maintenance):
    at = dt.datetime(2022, 12, 28, 18, tzinfo=dt.UTC)
    row = margin_of({**FUTURE, "quantity": 1}, account="futures", futures=ES, at=at, calendar_open=open_now)
    assert row["maintenance_margin"] == maintenance
    assert json.loads(row["explanation"])["rates"] == ("intraday" if open_now else "overnight")


def test_root_without_intraday_rates_keeps_its_overnight_rates(margin_of):
    rows = [("ES", "2021-12-20", 12_320, 11_200, np.nan, np.nan)]
    assert margin_of({**FUTURE, "quantity": 1}, futures=rows, calendar_open=True)["maintenance_margin"] == 11_200


def test_missing_rate_fails_closed_and_is_named(margin_of):
    row = margin_of({**FUTURE, "quantity": 1}, futures=[("ES", "2023-01-02", 1, 1, 1, 1)])
    assert np.isnan(row["maintenance_margin"])
    assert row["missing"] == "futures margin of root ES in force on 2022-12-28"
    assert margin_of({**FUTURE, "root": None, "quantity": 1}, futures=ES)["missing"] == "root of ESH3"


def test_margin_of_a_future_needs_no_mark(margin_of):
    assert margin_of({**FUTURE, "quantity": 1}, futures=ES)["maintenance_margin"] == 12_200


def test_short_futures_option_needs_one_and_a_half_times_its_future(margin_of):
    row = margin_of({**OPTION, "quantity": -2, "price": 40.0}, account="futures", futures=ES, instruments=[FUTURE])
    assert (row["model"], row["initial_margin"], row["maintenance_margin"]) == ("future_option_fixed", 3 * 13_420, 3 * 12_200)
    own_root = margin_of({**OPTION, "quantity": -2, "price": 40.0, "root": "ES", "underlying": None}, futures=ES)
    assert own_root["maintenance_margin"] == 3 * 12_200


def test_long_futures_option_needs_no_more_than_its_value(margin_of):
    cheap = margin_of({**OPTION, "quantity": 1, "price": 40.0}, futures=ES, instruments=[FUTURE])
    assert cheap["maintenance_margin"] == cheap["initial_margin"] == 2_000
    dear = margin_of({**OPTION, "quantity": 1, "price": 400.0}, futures=ES, instruments=[FUTURE])
    assert dear["maintenance_margin"] == 18_300
    unpriced = margin_of({**OPTION, "quantity": 1}, futures=ES, instruments=[FUTURE])
    assert unpriced["missing"] == "price of ESO 2022-12-28"


def test_exchange_money_converts_at_the_rate_of_the_day(margin_of):
    row = margin_of({**FUTURE, "currency": "EUR", "quantity": 2}, futures=ES, usd={"EUR": 1.1})
    assert row["maintenance_margin"] == pytest.approx(26_840)
