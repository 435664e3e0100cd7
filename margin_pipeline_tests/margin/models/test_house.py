"""House requirements over the rule: the greater of the two, what it is of, and what fails closed for its sake."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.house import house_rates

SHARE = {"symbol": "A", "price": 100.0}
OPTION = {
    "symbol": "O",
    "asset_class": "equity_option",
    "underlying": "U",
    "option_type": "call",
    "strike": 100.0,
    "expiry": "2023-03-17",
    "multiplier": 100.0,
    "price": 3.0,
}
FUTURES = {"asset_class": "future_option", "margin_model": "null"}


def house(*rows):
    frame = pd.DataFrame(rows, columns=["symbol", "asset_class", "initial_rate", "maintenance_rate"])
    return frame.astype({"symbol": "str", "asset_class": "str", "initial_rate": float, "maintenance_rate": float})


def amounts(row):
    return row["initial_margin"], row["maintenance_margin"]


def test_greatest_of_all_rows_that_name_the_symbol_or_its_class_counts():
    rows = house(("A", None, 0.3, 0.4), ("A", None, 0.6, 0.1), (None, "equity", 0.5, 0.5), (None, "etf", 0.9, 0.9))
    texts = [pd.Series(words, dtype="str") for words in (["A", "B", "C"], ["equity", "equity", "bond"])]
    initial, maintenance = house_rates(rows, *texts)
    assert (initial.tolist(), maintenance.tolist()) == ([0.6, 0.5, 0.0], [0.5, 0.5, 0.0])
    for nothing in (None, rows.iloc[:0]):
        assert [rate.tolist() for rate in house_rates(nothing, *texts)] == [[0.0] * 3] * 2


@pytest.mark.parametrize(
    ("position", "rates", "expected"),
    [
        ({**SHARE, "quantity": 10}, (0.6, 0.4), (600, 400)),  # the house binds
        ({**SHARE, "quantity": 10}, (0.4, 0.2), (500, 250)),  # the rule binds
        ({**SHARE, "quantity": 10}, (0.4, 0.4), (500, 400)),  # one of each
        ({**SHARE, "quantity": -10}, (0.6, 0.4), (600, 400)),  # short: of the size
        ({**OPTION, "quantity": -2}, (0.5, 0.5), (10_000, 10_000)),  # of 2 x 100 x the underlying's 100
        ({**OPTION, "quantity": 2}, (0.5, 0.5), (600, 0)),  # long: its price is required already, and has left margin equity
        ({**OPTION, "quantity": 2, "expiry": "2024-06-21"}, (0.5, 0.5), (450, 450)),
        ({**OPTION, **FUTURES, "quantity": 2}, (0.5, 0.5), (600, 600)),  # long futures option: no more than its value
        ({**OPTION, **FUTURES, "quantity": 2}, (0.0, 0.02), (0, 400)),
        ({**OPTION, **FUTURES, "quantity": -2}, (0.5, 0.5), (10_000, 10_000)),
        ({**SHARE, "margin_model": "null", "quantity": 10}, (0.6, 0.4), (600, 400)),
    ],
)
def test_position_needs_the_greater_of_rule_and_house(margin_of, position, rates, expected):
    row = margin_of(position, closes={"U": 100.0}, house_margins=house((position["symbol"], None, *rates)))
    assert amounts(row) == pytest.approx(expected)


def test_explanation_says_what_the_rule_and_the_house_asked_when_the_house_binds(margin_of):
    row = margin_of({**SHARE, "quantity": 10, "currency": "EUR"}, usd={"EUR": 1.25}, house_margins=house((None, "equity", 0.6, 0.2)))
    text = json.loads(row["explanation"])
    assert text["reference"] == "FINRA 4210(c)(1)"
    assert text["house_binds"] is True
    assert (text["rule_initial"], text["rule_maintenance"]) == (625, 312.5)
    assert (text["house_notional"], text["house_initial_rate"], text["house_initial"], text["house_maintenance"]) == (1250, 0.6, 750, 250)
    quiet = margin_of({**SHARE, "quantity": 10}, house_margins=house((None, "equity", 0.1, 0.1)))
    assert "house" not in quiet["explanation"]


def test_cash_accounts_are_exempt_and_what_is_not_named_is_left_alone(book_of):
    rows = house(("A", None, 1.0, 1.0))
    held = [{**SHARE, "quantity": 10}, {"symbol": "B", "price": 100.0, "quantity": 10}]
    assert book_of(held, account="cash", house_margins=rows)["position_margins"]["maintenance_margin"].tolist() == [0, 0]
    assert book_of(held, house_margins=rows)["position_margins"]["maintenance_margin"].tolist() == [1000, 250]


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        ({"symbol": "A", "margin_model": "per_unit", "margin_per_unit": 1.0}, "price of A 2022-12-28"),
        ({**OPTION, **FUTURES, "symbol": "A"}, "price of U 2022-12-28"),
        ({**SHARE, "margin_model": "null", "currency": "EUR"}, "exchange rate of EUR into USD 2022-12-28"),
        ({"symbol": "A", "asset_class": "bond"}, "price of A 2022-12-28; modified duration of A"),
    ],
)
def test_input_that_only_the_house_needs_fails_closed_where_it_asks_for_something(margin_of, position, reason):
    position = {**position, "quantity": 1}
    row = margin_of(position, house_margins=house(("A", None, 0.0, 0.1)))
    assert set(row["missing"].split("; ")) == set(reason.split("; "))
    assert np.isnan(row["maintenance_margin"])
    without = margin_of(position, house_margins=house(("A", None, 0.0, 0.0)))
    if ";" not in reason:
        assert not np.isnan(without["maintenance_margin"])


fractions = st.floats(0, 1)


@settings(max_examples=8)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0.1, 1e3), fractions, fractions), min_size=6, max_size=6))
def test_house_never_lowers_a_requirement_and_is_never_undercut(book_of, drawn):
    held = [{"symbol": f"A{n}", "quantity": quantity, "price": price} for n, (quantity, price, *_) in enumerate(drawn)]
    rates = house(*((f"A{n}", None, *found) for n, (_, _, *found) in enumerate(drawn)))
    plain, asked = book_of(held)["position_margins"], book_of(held, house_margins=rates)["position_margins"]
    notional = np.array([abs(quantity) * price for quantity, price, *_ in drawn])
    for column, rate in (("initial_margin", rates["initial_rate"]), ("maintenance_margin", rates["maintenance_rate"])):
        assert asked[column].to_numpy() == pytest.approx(np.maximum(plain[column], rate * notional))
