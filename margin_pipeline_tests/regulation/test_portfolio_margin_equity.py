"""Minimum equity of portfolio margin accounts and pattern day traders: at its limits, by plan and holdings, and who would be eligible."""

import datetime as dt

import pytest

from margin_pipeline.parameters.finra import finra_rules
from margin_pipeline.parameters.margin_calls import margin_call_rules
from margin_pipeline.regulation.portfolio_margin_equity import lines
from margin_pipeline_tests.regulation.entity_book import entity


def line(account="portfolio_margin", equity=100_000.0, as_of=dt.date(2022, 12, 28), **rest):
    (found,) = lines(entity({"account_type": account, "equity": equity, **rest}, as_of=as_of))
    return found


@pytest.mark.parametrize(("equity", "status"), [(100_000.0, "pass"), (99_999.99, "breach")])
def test_an_account_needs_a_hundred_thousand_dollars(equity, status):
    found = line(equity=equity)
    assert (found.line_item, found.status, found.limit_value) == ("portfolio_margin_minimum_equity", status, 100_000)


def test_the_plan_of_the_broker_may_ask_more_and_never_less():
    assert line(figures={"portfolio_margin_minimum_equity": 150_000}).status == "breach"
    assert line(figures={"portfolio_margin_minimum_equity": 50_000}).limit_value == 100_000


def test_unlisted_derivatives_need_five_million():
    assert line(equity=4_999_999.0, sets=True).status == "breach"
    assert line(equity=5_000_000.0, sets=True).status == "pass"


def test_the_minimum_converts_and_fails_closed():
    assert line(base_currency="EUR").limit_value == pytest.approx(80_000)
    assert line(base_currency="CHF").status == "undetermined"
    assert line(equity=float("nan")).status == "undetermined"


def test_a_margin_account_is_told_whether_it_would_be_eligible():
    found = line("reg_t", 2e6)
    assert (found.line_item, found.status, found.inputs["would_be_eligible"]) == ("portfolio_margin_eligibility", "information", True)
    assert line("reg_t", 5e4).inputs["would_be_eligible"] is False


def test_others_are_told_why_it_does_not_apply():
    assert "not a margin account" in line("cash").reason
    assert "jurisdiction EU" in line(jurisdiction="EU").reason
    assert "eligible without" in line(entity_type="broker_dealer").reason
    assert "starts on 2007-04-02" in line(as_of=dt.date(2007, 3, 30)).reason


def day_trader(equity=25_000.0, account="reg_t", as_of=dt.date(2022, 12, 28), flag=1, **rest):
    given = {"account_type": account, "equity": equity, "figures": {"pattern_day_trader": flag}, **rest}
    return [found for found in lines(entity(given, as_of=as_of)) if found.line_item == "pattern_day_trader_minimum_equity"]


@pytest.mark.parametrize(("equity", "status"), [(25_000.0, "pass"), (24_999.99, "breach")])
def test_a_pattern_day_trader_needs_twenty_five_thousand_dollars(equity, status):
    (found,) = day_trader(equity)
    assert (found.status, found.limit_value, found.reference) == (status, 25_000, "FINRA Rule 4210(f)(8)(B)")


def test_who_is_not_said_to_be_a_pattern_day_trader_has_no_such_line():
    assert day_trader(flag=0) == []
    assert len(lines(entity({"account_type": "reg_t"}))) == 1


@pytest.mark.parametrize("date", [dt.date(2001, 9, 27), dt.date(2026, 6, 4)])
def test_the_rule_of_pattern_day_traders_came_and_went(date):
    (found,) = day_trader(equity=1.0, as_of=date)
    assert (found.status, found.reason) == ("not_applicable", "no rule of pattern day traders is in force on this date")


@pytest.mark.parametrize("date", [dt.date(2001, 9, 28), dt.date(2010, 12, 1), dt.date(2010, 12, 2), dt.date(2026, 6, 3)])
def test_in_between_it_is_in_force(date):
    assert day_trader(equity=1.0, as_of=date)[0].status == "breach"


@pytest.mark.parametrize("date", [dt.date(1990, 1, 1), dt.date(2001, 9, 28), dt.date(2015, 1, 2), dt.date(2026, 6, 3), dt.date(2026, 6, 4)])
def test_the_amount_is_the_one_that_calls_are_made_for(date):
    assert finra_rules(date).day_trading_minimum_equity_usd == margin_call_rules(date).day_trading_minimum_equity_usd


def test_large_portfolio_margin_accounts_are_free_of_it_and_what_is_missing_is_no_pass():
    assert "at least 5,000,000 dollars" in day_trader(5e6, "portfolio_margin")[0].reason
    assert day_trader(5e6 - 1, "portfolio_margin")[0].status == "pass"
    assert day_trader(base_currency="EUR", equity=20_000.0)[0].status == "pass"
    assert day_trader(base_currency="CHF")[0].status == "undetermined"
    assert "not a margin account" in day_trader(account="cash")[0].reason
