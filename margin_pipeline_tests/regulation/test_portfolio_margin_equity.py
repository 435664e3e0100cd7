"""Minimum equity of portfolio margin accounts: at its limits, by plan and holdings, and who would be eligible."""

import datetime as dt

import pytest

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
