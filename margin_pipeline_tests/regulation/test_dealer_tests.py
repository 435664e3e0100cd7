"""Tests of major swap participants: at and below their amounts, by date, and no pass where an average is missing."""

import datetime as dt
import itertools
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.regulation.dealer_tests import lines, outward_exposures
from margin_pipeline_tests.regulation.entity_book import AS_OF, by_item, entity

NAMES = ["", "_rate", "_credit", "_equity", "_other_commodity"]
NONE = {f"{kind}{name}": 0.0 for kind in ("average_outward_exposure", "average_potential_outward_exposure") for name in NAMES}


def participant(figures=NONE, as_of=AS_OF, **rest):
    firm = {"jurisdiction": "US", "entity_type": "hedge_fund", "sets": True, "figures": figures, **rest}
    return by_item(lines(entity(firm, as_of=as_of)), "cftc")


@pytest.mark.parametrize(
    ("item", "figure", "amount"),
    [
        ("substantial_position_rate", "average_outward_exposure_rate", 3e9),
        ("substantial_position_credit", "average_outward_exposure_credit", 1e9),
        ("substantial_position_equity", "average_outward_exposure_equity", 1e9),
        ("substantial_position_other_commodity", "average_outward_exposure_other_commodity", 1e9),
        ("substantial_counterparty_exposure", "average_outward_exposure", 5e9),
        ("substantial_position_rate_with_potential", "average_potential_outward_exposure_rate", 6e9),
        ("substantial_position_credit_with_potential", "average_potential_outward_exposure_credit", 2e9),
        ("substantial_counterparty_exposure_with_potential", "average_potential_outward_exposure", 8e9),
    ],
)
def test_a_position_is_substantial_from_its_amount_on(item, figure, amount):
    below, at = participant(NONE | {figure: amount - 1})[item], participant(NONE | {figure: amount})[item]
    assert (below.status, below.limit_value) == ("pass", amount)
    assert (at.status, at.reason) == ("breach", "at or above the threshold: registration as a major swap participant, unless a swap dealer")


def test_potential_exposure_is_added_to_the_current_one():
    figures = {"average_outward_exposure_credit": 0.9e9, "average_potential_outward_exposure_credit": 1.2e9}
    found = participant(NONE | figures)
    assert (found["substantial_position_credit"].status, found["substantial_position_credit_with_potential"].status) == ("pass", "breach")
    assert found["substantial_position_credit_with_potential"].value == pytest.approx(2.1e9)


def test_a_missing_average_is_never_a_pass():
    found = participant({"average_outward_exposure_credit": 1.0, "average_outward_exposure_rate": (1.0, "JPY")})
    assert found["substantial_position_credit"].status == "pass"
    line = found["substantial_position_credit_with_potential"]
    assert (line.status, line.reason) == ("undetermined", "entity figure average_potential_outward_exposure_credit")
    rate = found["substantial_position_rate"]
    assert rate.reason == "exchange rate of entity figure average_outward_exposure_rate to USD"
    others = set(found) - {"substantial_position_credit"}
    assert {found[item].status for item in others} == {"undetermined"}
    negative = participant(NONE | {"average_outward_exposure": -1.0})["substantial_counterparty_exposure"]
    assert (negative.status, negative.reason) == ("undetermined", "entity figure average_outward_exposure that is not negative")


TRADES = [("credit", 1e9, "USD", None, -70e6), ("fx", 1e9, "EUR", None, -8e6), ("equity", 1e9, "USD", None, 20e6)]


@pytest.mark.parametrize(
    ("collateral", "exposure"),
    [
        ({}, 60e6),
        ({"variation_margin": -40e6, "initial_margin_posted": 5e6}, 15e6),
        ({"variation_margin": 40e6}, 60e6),
        ({"initial_margin_posted": 90e6}, 0.0),
        ({"is_cleared": True}, 0.0),
    ],
)
def test_without_averages_one_line_tells_what_the_day_owes_beyond_collateral(collateral, exposure):
    found = participant({}, trades=TRADES, collateral=collateral)
    assert set(found) == {"major_swap_participant"}
    line = found["major_swap_participant"]
    assert (line.status, line.value) == ("undetermined", None)
    assert line.inputs["outward_exposure_of_the_day"] == pytest.approx(exposure)


def test_a_trade_without_value_leaves_the_exposure_of_the_day_unknown():
    for trade in (("credit", 1e9, "USD", None, math.nan), ("credit", 1e9, "JPY", None, -1.0)):
        line = participant({}, trades=[*TRADES, trade])["major_swap_participant"]
        assert line.inputs["outward_exposure_of_the_day"] is None


def test_others_are_told_why_it_does_not_apply():
    assert participant(jurisdiction="EU")["major_swap_participant"].reason == "jurisdiction EU"
    assert participant(as_of=dt.date(2012, 10, 11))["major_swap_participant"].reason == "not in force yet on this date"
    assert "no over-the-counter derivatives" in participant({}, sets=False)["major_swap_participant"].reason


@pytest.mark.parametrize(
    ("date", "position", "exposure"),
    [
        (dt.date(2012, 10, 12), "17 CFR 1.3(jjj)(1)", "17 CFR 1.3(lll)(1)"),
        (dt.date(2018, 2, 22), "17 CFR 1.3(jjj)(1)", "17 CFR 1.3(lll)(1)"),
        (
            dt.date(2018, 2, 23),
            "17 CFR 1.3, substantial position, paragraph (1)",
            "17 CFR 1.3, substantial counterparty exposure, paragraph (1)",
        ),
    ],
)
def test_lines_name_the_paragraph_of_their_day(date, position, exposure):
    found = participant(as_of=date)
    assert found["substantial_position_rate"].reference == position
    assert found["substantial_counterparty_exposure"].reference == exposure


VALUES = st.lists(st.tuples(st.sampled_from("AB"), st.floats(-1e9, 1e9)), min_size=1, max_size=6)


@given(VALUES)
def test_netting_never_owes_more_than_the_trades_apart_in_any_order(values):
    sets = pd.DataFrame({"netting_set_id": ["A", "B"], "is_cleared": [None, None]})

    def owed(rows):
        frame = pd.DataFrame(rows, columns=["netting_set_id", "market_value"]).assign(currency="USD")
        return outward_exposures(sets, frame, {})

    found = owed(values)
    assert all(owed(list(order)) == found for order in itertools.islice(itertools.permutations(values), 4))
    for name in "AB":
        apart = math.fsum(max(-value, 0.0) for of, value in values if of == name)
        assert 0 <= found[name] <= apart * (1 + 1e-9) + 1e-6
