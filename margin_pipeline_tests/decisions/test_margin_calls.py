"""What is lacking, when it is due, and the life of calls. Not here: SQL (storage), the asset."""

import datetime as dt
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.decisions.margin_calls import CallChanges, call_changes, margin_deficiencies
from margin_pipeline_tests.decisions.day_book import AS_OF, exchange_rows, tables

SESSIONS = tuple(pd.bdate_range("2022-12-29", periods=21).date)
NO_LINES = pd.DataFrame({name: pd.Series(dtype=object) for name in ("portfolio_id", "regime", "line_item", "applicable", "value")})
CALL_COLUMNS = ("portfolio_id", "counterparty", "regime", "netting_set_id", "kind", "side", "delivery_amount", "missing")
NO_CALLS = pd.DataFrame({name: pd.Series(dtype=object) for name in (*CALL_COLUMNS, "requirement_after_threshold", "held")})


def lacking(today, excess=math.nan, before=math.nan, taken=math.nan, lines=NO_LINES, uncleared=NO_CALLS, sessions=SESSIONS):
    margin = today["portfolio_margins"].query("is_governing").iloc[0]
    power = pd.DataFrame(
        {
            "portfolio_id": ["P"], "excess": excess, "previous_special_memorandum_account": before, "traded_requirement": taken,
            "standing_requirement": margin["initial_margin"], "margin_equity": margin["margin_equity"], "missing": "not known",
        }
    )  # fmt: skip
    given = {**today, "buying_power": power, "regulatory_lines": lines, "uncleared_margin_calls": uncleared}
    return margin_deficiencies(given, AS_OF, sessions).set_index("kind")


def test_maintenance_beyond_equity_is_called_within_the_days_of_the_house():
    """FINRA 4210(c)(1) and (f)(6): 25 % of 10,000 less 1,000; five sessions by the house, fifteen by the rule."""
    found = lacking(tables({("a", "S"): 100}, equity=1_000.0)).loc["maintenance"]
    assert (found["amount"], found["due_date"].date()) == (1_500.0, SESSIONS[4])


def test_purchases_beyond_the_memorandum_account_are_called_within_one_payment_period():
    """Settlement on the second day and two days more (12 CFR 220.2): four sessions. 5,000 taken, 3,000 there."""
    found = lacking(tables({("a", "S"): 100}, equity=2_600.0), excess=-2_400.0, before=3_000.0, taken=5_000.0).loc["reg_t"]
    assert (found["amount"], found["due_date"].date()) == (2_000.0, SESSIONS[3])


@pytest.mark.parametrize(("excess", "taken", "amount"), [(-2_400.0, 0.0, 0.0), (-500.0, 5_000.0, 500.0), (10.0, 5_000.0, 0.0)])
def test_falling_prices_bring_no_regulation_t_call_and_none_exceeds_the_deficiency(excess, taken, amount):
    found = lacking(tables({("a", "S"): 100}, equity=2_600.0), excess=excess, before=0.0, taken=taken)
    assert found.loc["reg_t", "amount"] == amount


@pytest.mark.parametrize("unknown", [{"before": math.nan, "taken": 1.0}, {"before": 1.0, "taken": math.nan}, {"excess": math.nan}])
def test_a_regulation_t_call_without_its_inputs_is_undetermined(unknown):
    found = lacking(tables({("a", "S"): 100}), **{"excess": -1.0, "before": 0.0, "taken": 0.0, **unknown}).loc["reg_t"]
    assert math.isnan(found["amount"])
    assert found["missing"]


@pytest.mark.parametrize(("equity", "amount"), [(19_999.0, 2_001.0), (20_000.0, 0.0), (21_000.0, 0.0)])
def test_futures_are_called_up_to_the_initial_margin_once_below_maintenance(equity, amount):
    """CME Rule 930.K: 10,000 maintenance and 11,000 initial a contract."""
    today = tables({("a", "FUT"): 2}, account="futures", equity=equity, futures_margins=exchange_rows("2022-01-01"))
    found = lacking(today).loc["exchange"]
    assert (found["amount"], found["due_date"].date()) == (amount, SESSIONS[0])


def test_an_undetermined_margin_lacks_nobody_knows_what():
    found = lacking(tables({("a", "UNPRICED"): 1})).loc["maintenance"]
    assert math.isnan(found["amount"])
    assert "price of UNPRICED" in found["missing"]


def test_what_is_due_after_the_known_sessions_is_undetermined():
    found = lacking(tables({("a", "S"): 100}, equity=1_000.0), sessions=SESSIONS[:2]).loc["maintenance"]
    assert math.isnan(found["amount"])
    assert "session 5" in found["missing"]


def test_a_breach_of_least_equity_is_called():
    line = {"portfolio_id": "P", "regime": "finra", "line_item": "minimum_equity", "applicable": True, "value": 1_200.0}
    lines = pd.DataFrame([{**line, "limit_value": 2_000.0, "status": "breach", "reason": None}])
    assert lacking(tables({("a", "S"): 100}), lines=lines).loc["minimum_equity", "amount"] == 800.0


def test_what_is_to_be_delivered_for_uncleared_derivatives_is_called_once():
    shared = {"portfolio_id": "P", "counterparty": "C", "regime": "us_prudential", "kind": "variation", "missing": None, "held": 0.0}
    rows = [
        {**shared, "netting_set_id": "N", "side": "post", "delivery_amount": 7.0, "requirement_after_threshold": 7.0},
        {**shared, "netting_set_id": "", "side": "post", "delivery_amount": 7.0, "requirement_after_threshold": 7.0},
        {**shared, "netting_set_id": "N", "side": "call", "delivery_amount": 5.0, "requirement_after_threshold": 5.0},
    ]
    found = lacking(tables({("a", "S"): 100}), uncleared=pd.DataFrame(rows)).loc["variation"]
    assert (found["amount"], found["due_date"].date(), found["subject"]) == (7.0, SESSIONS[0], "C / us_prudential / N")


def test_day_trades_are_undetermined_where_the_rule_is_in_force():
    today = tables({("a", "S"): 100})
    today["position_margins"] = today["position_margins"].assign(model="pattern_day_trading")
    found = lacking(today).loc["day_trade"]
    assert math.isnan(found["amount"])
    assert "day trades" in found["missing"]


def deficiency(amount, kind="maintenance", due="2023-01-05"):
    columns = {"portfolio_id": ["P"], "kind": [kind], "subject": [""], "amount": [amount], "currency": ["USD"], "reference": ["rule"]}
    return pd.DataFrame(columns).assign(due_date=pd.Timestamp(due))


POWER = pd.DataFrame({"portfolio_id": ["P"], "special_memorandum_account": [math.nan], "buying_power": [0.0], "excess": [-100.0]})


def call(as_of, amount=100.0, kind="maintenance", due=dt.date(2023, 1, 5)):
    return {"portfolio_id": "P", "kind": kind, "subject": "", "due_date": due, "as_of": as_of, "amount": amount}


def test_what_lacks_first_is_issued():
    found = call_changes(deficiency(100.0), POWER, [], AS_OF)
    assert [(row["amount"], row["as_of"], row["due_date"]) for row in found.issued] == [(100.0, AS_OF, dt.date(2023, 1, 5))]


def test_a_call_that_is_open_takes_what_lacks_the_next_day():
    found = call_changes(deficiency(150.0), POWER, [call(dt.date(2022, 12, 27))], AS_OF)
    assert found.issued == []
    assert [row["outstanding"] for row in found.seen] == [150.0]


def test_a_call_is_met_when_nothing_lacks_and_stays_when_nobody_knows():
    opened = [call(dt.date(2022, 12, 27))]
    assert [row["outstanding"] for row in call_changes(deficiency(0.0), POWER, opened, AS_OF).met] == [0.0]
    assert call_changes(deficiency(math.nan), POWER, opened, AS_OF) == CallChanges([], [], [], [])


def test_a_date_that_is_calculated_anew_withdraws_what_it_no_longer_bears_out():
    assert len(call_changes(deficiency(0.0), POWER, [call(AS_OF)], AS_OF).withdrawn) == 1
    again = call_changes(deficiency(100.0), POWER, [call(AS_OF)], AS_OF)
    assert (len(again.issued), again.withdrawn) == (1, [])


def test_each_day_of_trades_has_a_regulation_t_call_of_its_own():
    found = call_changes(deficiency(40.0, "reg_t"), POWER, [call(dt.date(2022, 12, 27), 60.0, "reg_t")], AS_OF)
    assert [row["amount"] for row in found.issued] == [40.0]
    assert [row["outstanding"] for row in found.seen] == [60.0]


@given(st.floats(0, 1e6), st.booleans())
def test_one_call_at_a_time_whatever_lacks(amount, is_open):
    found = call_changes(deficiency(amount), POWER, [call(dt.date(2022, 12, 27))] if is_open else [], AS_OF)
    assert len(found.issued) + len(found.seen) == int(amount > 0)
    assert len(found.met) == int(is_open and amount == 0)
