"""Stock: figures of Regulation T, FINRA 4210 and the Cboe margin manual, then properties."""

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.models.stock import initial_margin, maintenance_margin
from margin_pipeline.parameters.stock_rates import stock_rates

RATES = stock_rates(dt.date(2022, 12, 28))


@pytest.mark.parametrize(
    ("quantity", "price", "initial", "maintenance"),
    [
        (100, 40.0, 2000, 1000),  # long: 50 % and 25 % of value
        (-100, 10.0, 500, 500),  # short between $5 and $16.67: $5 a share, initial never below maintenance
        (-100, 100.0, 5000, 3000),  # short: 50 % and 30 % beyond the proceeds
        (-100, 4.0, 400, 400),  # short below $5: 100 % of value
        (-100, 2.0, 250, 250),  # short below $2.50: $2.50 a share
        (-100, 5.0, 500, 500),  # at $5 the higher band applies
    ],
)
def test_stock_needs_what_the_rules_say(margin_of, quantity, price, initial, maintenance):
    row = margin_of({"symbol": "A", "quantity": quantity, "price": price})
    assert (row["model"], row["initial_margin"], row["maintenance_margin"]) == ("reg_t", initial, maintenance)


@pytest.mark.parametrize(("factor", "long", "short"), [(1, 0.25, 0.30), (2, 0.50, 0.60), (3, 0.75, 0.90), (5, 1.0, 1.0)])
def test_leveraged_fund_needs_the_rate_times_its_factor_at_most_all_of_its_value(margin_of, factor, long, short):
    fund = {"symbol": "F", "asset_class": "etf", "leverage_factor": float(factor), "price": 100.0}
    assert margin_of({**fund, "quantity": 10})["maintenance_margin"] == pytest.approx(1000 * long)
    assert margin_of({**fund, "quantity": -10})["maintenance_margin"] == pytest.approx(1000 * short)
    assert margin_of({**fund, "quantity": 10})["initial_margin"] == pytest.approx(max(500, 1000 * long))


def test_dollar_floors_are_converted_into_the_currency_of_the_share(margin_of):
    share = {"symbol": "E", "quantity": -100, "price": 8.0, "currency": "EUR"}
    row = margin_of(share, usd={"EUR": 1.25})
    assert row["maintenance_margin"] == pytest.approx(500)  # 5 dollars = 4 euros a share, of 8; in dollars 5 a share
    in_euros = margin_of(share, usd={"EUR": 1.25}, base="EUR")
    assert in_euros["maintenance_margin"] == pytest.approx(400)
    below_five_dollars = margin_of({**share, "price": 3.9}, usd={"EUR": 1.25}, base="EUR")
    assert below_five_dollars["maintenance_margin"] == pytest.approx(390)


def test_short_share_without_a_dollar_rate_has_no_margin_but_a_long_one_has(margin_of):
    share = {"symbol": "E", "price": 8.0, "currency": "EUR"}
    short = margin_of({**share, "quantity": -100}, base="EUR")
    assert np.isnan(short["maintenance_margin"])
    assert short["missing"] == "exchange rate of EUR into USD 2022-12-28"
    assert margin_of({**share, "quantity": 100}, base="EUR")["maintenance_margin"] == 200


def test_missing_price_is_named_and_leaves_no_margin(margin_of):
    row = margin_of({"symbol": "A", "quantity": 1})
    assert np.isnan(row["initial_margin"])
    assert np.isnan(row["maintenance_margin"])
    assert row["missing"] == "price of A 2022-12-28"


def test_position_of_nothing_needs_nothing_even_without_a_price(margin_of):
    row = margin_of({"symbol": "A", "quantity": 0})
    assert (row["maintenance_margin"], row["missing"] is None or row["missing"] != row["missing"]) == (0.0, True)


def test_explanation_names_rule_parameters_and_the_requirement_of_a_share(margin_of):
    text = json.loads(margin_of({"symbol": "A", "quantity": -200, "price": 10.0})["explanation"])
    assert text["reference"] == "FINRA 4210(c)(2)-(3)"
    assert text["parameter_set"] == "reg_t:2"
    assert (text["maintenance_a_share"], text["initial_a_share"], text["quantity"]) == (5, 5, -200)


prices = st.floats(0.01, 1e4)


@settings(max_examples=60)
@given(st.floats(-1e6, 1e6), prices, st.sampled_from([1.0, 2.0, 3.0]))
def test_initial_margin_is_never_below_maintenance_and_long_stock_never_needs_more_than_its_value(quantity, price, factor):
    q, p = np.array([quantity]), np.array([price])
    maintenance = maintenance_margin(q, p, RATES, factor)
    assert initial_margin(q, p, maintenance, RATES) >= maintenance
    assert maintenance >= 0
    if quantity >= 0:
        assert maintenance <= quantity * price * (1 + 1e-12)


@settings(max_examples=60)
@given(prices, st.floats(1, 1e5), st.floats(1.0001, 5))
def test_short_stock_at_five_dollars_or_more_never_needs_less_when_its_price_rises(price, quantity, step):
    q = np.array([-quantity])
    low, high = (maintenance_margin(q, np.array([max(5.0, price) * f]), RATES) for f in (1.0, step))
    assert high >= low
