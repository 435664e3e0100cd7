"""Single options: a broker library's cases at the mark, the Cboe margin manual, then properties."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.models.option import short_requirement

EXPIRY, FAR, NINE_MONTHS = "2023-03-17", "2024-06-21", "2023-09-28"


def option(right, strike, price, quantity, *, index=False, expiry=EXPIRY):
    return {
        "symbol": "O",
        "asset_class": "index_option" if index else "equity_option",
        "underlying": "U",
        "option_type": right,
        "strike": float(strike),
        "expiry": expiry,
        "multiplier": 100.0,
        "price": float(price),
        "quantity": quantity,
    }


def underlying(breadth=None, factor=1.0, asset_class="equity"):
    return [{"symbol": "U", "asset_class": asset_class, "breadth": breadth, "leverage_factor": float(factor)}]


LEAN = [  # right, strike, mark, spot, contracts, breadth, figure, relative tolerance
    ("call", 192, 14, 196, -2, None, 10640, 1e-12),
    ("put", 192, 14, 196, -2, None, 9840, 1e-12),
    ("put", 207, 0.18, 200, -2, None, 8036, 1e-12),  # at the mark; at the cost of 4.68 the library has 8936
    ("call", 408, 1.6, 410, -2, None, 16720, 1e-12),
    ("put", 3500, 1.4, 3480, -1, "broad", 52340, 1e-12),
    ("put", 300, 0.45, 415, -1, None, 3000, 0.05),
    ("call", 390, 27.5, 415, -10, None, 110000, 0.05),
    ("call", 430, 0.85, 415, -1, None, 6800, 0.05),
    ("put", 430, 16.8, 415, -10, None, 99000, 0.05),
    ("put", 3800, 0.05, 4550, -1, "broad", 38000, 0.05),
    ("call", 5000, 0.05, 4550, -10, "broad", 455000, 0.05),
]


@pytest.mark.parametrize(("right", "strike", "price", "spot", "quantity", "breadth", "figure", "tolerance"), LEAN)
def test_short_option_needs_what_a_broker_library_published(margin_of, right, strike, price, spot, quantity, breadth, figure, tolerance):
    held = option(right, strike, price, quantity, index=breadth is not None)
    row = margin_of(held, closes={"U": spot}, instruments=underlying(breadth, asset_class="index" if breadth else "equity"))
    assert row["maintenance_margin"] == pytest.approx(figure, rel=tolerance)
    assert row["initial_margin"] == row["maintenance_margin"]


MANUAL = [  # right, strike, mark, spot, breadth, factor, gross requirement of the Cboe margin manual
    ("put", 80, 2, 95, None, 1, 1000),
    ("put", 725, 3, 970, "narrow", 2, 14800),
    ("put", 410, 0.1, 445.35, "broad", 1, 4110),
    ("put", 45, 2.85, 43.34, "broad", 1, 935),
    ("call", 120, 8.4, 128.5, None, 1, 3410),
    ("call", 810, 10.1, 815.5, "narrow", 2, 33630),
    ("call", 430, 8.7, 433.35, "broad", 1, 7370.25),
]


@pytest.mark.parametrize(("right", "strike", "price", "spot", "breadth", "factor", "figure"), MANUAL)
def test_short_option_needs_what_the_margin_manual_prints(margin_of, right, strike, price, spot, breadth, factor, figure):
    row = margin_of(option(right, strike, price, -1), closes={"U": spot}, instruments=underlying(breadth, factor))
    assert row["maintenance_margin"] == pytest.approx(figure, abs=1.0)


@pytest.mark.parametrize(
    ("expiry", "initial", "maintenance"), [(EXPIRY, 500, 0), (NINE_MONTHS, 500, 0), ("2023-09-29", 375, 375), (FAR, 375, 375)]
)
def test_long_option_has_loan_value_only_beyond_nine_months(margin_of, expiry, initial, maintenance):
    row = margin_of(option("call", 125, 5, 1, expiry=expiry))
    assert (row["initial_margin"], row["maintenance_margin"]) == (initial, maintenance)


def test_long_option_needs_no_underlying_price_and_a_short_one_does(margin_of):
    assert margin_of(option("put", 90, 1, 3))["initial_margin"] == 300
    short = margin_of(option("put", 90, 1, -3))
    assert np.isnan(short["maintenance_margin"])
    assert short["missing"] == "price of U 2022-12-28"


def test_short_option_without_its_terms_has_no_margin(margin_of):
    row = margin_of({**option("put", 90, 1, -3), "strike": np.nan}, closes={"U": 100.0})
    assert row["missing"] == "contract terms of O"


def test_worthless_option_is_no_missing_option(margin_of):
    assert margin_of(option("put", 90, 0.0, 3))["initial_margin"] == 0.0


def test_cash_account_secures_short_puts_pays_for_longs_and_refuses_short_calls(margin_of):
    put = margin_of(option("put", 80, 2, -1), account="cash", closes={"U": 95.0})
    assert (put["model"], put["maintenance_margin"]) == ("cash_secured", 8000)
    assert margin_of(option("put", 80, 2, 1), account="cash")["initial_margin"] == 0
    call = margin_of(option("call", 80, 2, -1), account="cash", closes={"U": 95.0})
    assert call["missing"] == "O: a short call without cover is not admissible in a cash account"
    stock = margin_of({"symbol": "A", "quantity": -1, "price": 5.0}, account="cash")
    assert "not admissible in a cash account" in stock["missing"]
    future = margin_of({"symbol": "F", "asset_class": "future", "quantity": 1, "price": 5.0, "root": "ES"}, account="cash")
    assert future["missing"] == "F: a future is not admissible in a cash account"


figures = st.floats(0.01, 1e4)


@settings(max_examples=80)
@given(figures, figures, figures, st.booleans(), st.sampled_from([0.15, 0.20]))
def test_short_option_never_needs_less_than_its_price_and_the_minimum(price, spot, strike, call, rate):
    need = short_requirement(*(np.array([x]) for x in (price, spot, strike, call, rate)), 0.10)[0]
    assert need >= price + 0.10 * (spot if call else strike) * (1 - 1e-12)
    assert need <= price + max(rate * spot, 0.10 * strike) * (1 + 1e-12)


@settings(max_examples=40)
@given(figures, figures, figures, st.booleans(), st.floats(1.0, 3.0))
def test_leverage_of_the_underlying_never_lowers_the_requirement(price, spot, strike, call, factor):
    need = [short_requirement(*(np.array([x]) for x in (price, spot, strike, call, 0.2)), 0.10, f)[0] for f in (1.0, factor)]
    assert need[1] >= need[0]


def test_rates_are_those_of_the_date(margin_of):
    as_of = dt.date(1995, 6, 1)
    row = margin_of(option("put", 80, 2, -1, expiry="1995-09-15"), closes={"U": 95.0}, as_of=as_of)
    assert row["maintenance_margin"] == 1000
    assert "NYSE Rule 431" in row["explanation"]
