"""Groups explained in text: figures of the table, unknown fields shown, arithmetic only where it adds up. Not here: whole portfolios."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.reports.group_text import group_lines, named
from margin_pipeline.reports.layout import WIDTH, columns, figure, money, wrapped


def leg(symbol, kind, strike, quantity, price=1.0):
    return {
        "symbol": symbol,
        "type": kind,
        "strike": strike,
        "expiry": "2023-01-20",
        "quantity": quantity,
        "price": price,
        "multiplier": 100.0,
    }


def group(inputs, units=2.0, **told):
    amounts = dict.fromkeys(["gross_requirement", "applied_proceeds", "net_call", "maintenance_gross"], 0.0)
    needed = told.get("maintenance_a_unit")
    return {
        "group_id": "X-001",
        "underlying": "X",
        "structure": "iron_condor",
        "units": units,
        "legs": [{"symbol": leg["symbol"], "quantity": leg["quantity"] * units} for leg in inputs],
        "missing": None,
        "initial_margin": needed and needed * units * told.get("fx_rate", 1.0),
        "maintenance_margin": needed and needed * units * told.get("fx_rate", 1.0),
        "strategies": [{"strategy": "s", "symbol": leg["symbol"], "quantity": leg["quantity"], "requirement_share": 1.0} for leg in inputs],
        "explanation": {"rule": "a rule", "reference": "a paragraph", "inputs": inputs, "initial_a_unit": needed, **told},
        **amounts,
    }


def condor(call_wing, put_wing=10.0):
    return [
        leg("P1", "put", 100.0 - put_wing, 1.0),
        leg("P2", "put", 100.0, -1.0),
        leg("C1", "call", 120.0, -1.0),
        leg("C2", "call", 120.0 + call_wing, 1.0),
    ]


def losses(legs):
    def pay(row, price):
        return row["quantity"] * 100.0 * max(price - row["strike"] if row["type"] == "call" else row["strike"] - price, 0.0)

    return [[price, -sum(pay(row, price) for row in legs)] for price in sorted({0.0, *(row["strike"] for row in legs)})]


def shown(told, base="USD", in_full=True):
    return " ".join(" ".join(group_lines(told, base, in_full)).split())


def test_the_wider_wing_counts_and_equal_wings_are_said_to_be_equal():
    wide, same = condor(15.0), condor(10.0)
    text = shown(group(wide, loss_by_price=losses(wide), maintenance_a_unit=1500.0))
    assert "the wider one counts, the call wing" in text
    assert "135 0 0 -1,500 0 1,500" in text
    assert "they are equally wide" in shown(group(same, loss_by_price=losses(same), maintenance_a_unit=1000.0))


def test_legs_are_shown_only_where_they_add_up_to_the_loss_of_the_table():
    legs = condor(15.0)
    text = shown(group(legs, loss_by_price=[[price, loss + 7.0] for price, loss in losses(legs)], maintenance_a_unit=1500.0))
    assert "135 1,507" in text
    assert "-1 call 120" not in text


def test_a_debit_spread_has_no_wing_that_could_be_lost():
    legs = [leg("C1", "call", 100.0, 1.0), leg("C2", "call", 110.0, -1.0)]
    assert "wing" not in shown(group(legs, loss_by_price=losses(legs), maintenance_a_unit=0.0))


def test_a_loss_that_stock_takes_part_in_is_shown_without_its_legs():
    legs = [{"symbol": "X", "quantity": 100.0, "price": 99.0}, leg("P1", "put", 95.0, 1.0)]
    text = shown(group(legs, loss_by_price=[[0.0, 400.0], [95.0, 400.0]], maintenance_a_unit=400.0))
    assert "400 at 0; 400 at 95; the greatest counts" in text


def test_a_group_that_needs_nothing_shows_no_amount_a_unit():
    netted = group([], units=5.0) | {"legs": [{"symbol": "X", "quantity": 0}], "maintenance_margin": 0.0, "initial_margin": 0.0}
    text = shown(netted)
    assert "maintenance 0.00" in text
    assert "a unit" not in text


def test_fields_that_nobody_has_heard_of_are_shown_by_name():
    text = shown(group([leg("P1", "put", 90.0, -1.0)], maintenance_a_unit=5.0, house_rate=0.25, terms={"part_a": 1, "part_b": [2, 3]}))
    assert "house rate 0.25; terms (part a 1; part b 2, 3)" in text


def test_a_short_option_is_premium_and_the_greater_of_two():
    told = {"premium": 39.0, "percentage_less_out_of_the_money": 969.84, "minimum": 950.0, "rate": 0.2, "out_of_the_money": 1162.70}
    text = shown(group([leg("P1", "put", 95.0, -1.0)], maintenance_a_unit=1008.84, **told))
    assert "premium 39 + the greater of 969.84 (0.2 x the underlying's value 2,132.54 less 1,162.7 out of the money) and 950" in text
    assert "= 1,008.84" in text


def test_another_currency_is_converted_in_the_open():
    text = shown(group([leg("P1", "put", 95.0, -1.0)], maintenance_a_unit=100.0, currency="USD", fx_rate=0.9), base="EUR")
    assert "maintenance 100 USD x 2 x 0.9 EUR for one USD = 180.00" in text


def test_what_is_missing_is_said_and_nothing_is_computed():
    told = group([leg("P1", "put", 95.0, -1.0, math.nan)], maintenance_a_unit=None) | {"missing": ["price of P1 2022-12-28"]}
    text = shown(told)
    assert "missing price of P1 2022-12-28" in text
    assert "a unit" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1,234.5"),
        (1 / 3, "0.333333"),
        (-0.0, "0"),
        (5, "5"),
        (None, "-"),
        (math.nan, "-"),
        (True, "True"),
        ("x", "x"),
        (1.25e-9, "1.25e-09"),
    ],
)
def test_figures_have_the_digits_that_they_have(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1234.567, "1,234.57"), (-0.001, "0.00"), (-0.0, "0.00"), (-2.5, "-2.50"), (None, "-"), (math.nan, "-")]
)
def test_money_is_shown_to_the_cent(value, text):
    assert money(value) == text


WORDS = st.lists(st.text("xyz", min_size=1, max_size=40), max_size=20).map(" ".join)


@given(st.lists(st.tuples(st.text("abc", max_size=9), st.integers(-9, 9).map(str), WORDS), min_size=1, max_size=5))
def test_columns_keep_every_word_and_the_width(rows):
    lines = columns(rows, right=[1])
    assert " ".join(lines).split() == " ".join(" ".join(row) for row in rows).split()
    assert all(len(line) <= WIDTH for line in lines)


@given(WORDS)
def test_wrapping_keeps_every_word(text):
    assert " ".join(wrapped(text, "    label  ")).split() == ["label", *text.split()]


def test_names_become_words():
    assert named({"short_call_in_the_money": 0.0, "rate": 0.15}) == "short call in the money 0; rate 0.15"
