"""Clearing and dealing thresholds: at, above and below, by date, entity and group; what is missing is never below."""

import datetime as dt

import pandas as pd
import pytest

from margin_pipeline.regulation.clearing_thresholds import lines
from margin_pipeline_tests.regulation.entity_book import by_item, entity

BELOW = {f"average_notional_{kind}": (5e8, "EUR") for kind in ("interest_rate", "fx", "credit", "equity", "commodity")}


def fund(figures=BELOW, **rest):
    return {"jurisdiction": "EU", "entity_type": "hedge_fund", "sets": True, "figures": figures, **rest}


@pytest.mark.parametrize(("kind", "limit"), [("interest_rate", 3e9), ("fx", 3e9), ("credit", 1e9), ("equity", 1e9), ("commodity", 4e9)])
def test_a_class_is_above_its_threshold_only_beyond_it(kind, limit):
    figure = f"average_notional_{kind}"
    for value, status in [(limit, "pass"), (limit + 1, "breach")]:
        line = by_item(lines(entity(fund(BELOW | {figure: (value, "EUR")}))), "emir")[f"clearing_threshold_{kind}"]
        assert (line.value, line.limit_value, line.status) == (value, limit, status)
    assert line.reason == "above the threshold: the clearing obligation applies"


@pytest.mark.parametrize(("date", "limit"), [(dt.date(2022, 11, 25), 3e9), (dt.date(2022, 11, 28), 4e9)])
def test_the_commodity_threshold_rose_on_its_day(date, limit):
    found = by_item(lines(entity(fund(), as_of=date, fx=fund_rates(date))), "emir")
    assert found["clearing_threshold_commodity"].limit_value == limit


def fund_rates(date):
    return pd.DataFrame({"date": [pd.Timestamp(date)], "currency": ["EUR"], "usd_rate": [1.25]})


def test_amounts_convert_to_the_currency_of_the_threshold():
    line = by_item(lines(entity(fund(BELOW | {"average_notional_credit": (1.26e9, "USD")}))), "emir")["clearing_threshold_credit"]
    assert line.value == pytest.approx(1.26e9 / 1.25)
    assert line.status == "breach"


def test_a_missing_average_is_undetermined_and_says_which():
    figures = {k: v for k, v in BELOW.items() if k != "average_notional_fx"}
    found = by_item(lines(entity(fund(figures))), "emir")
    assert (found["clearing_threshold_fx"].status, found["clearing_threshold_fx"].reason) == (
        "undetermined",
        "entity figure average_notional_fx",
    )
    assert found["clearing_obligation_classes"].status == "undetermined"
    unknown = by_item(lines(entity(fund(BELOW | {"average_notional_fx": (1.0, "JPY")}))), "emir")["clearing_threshold_fx"]
    assert (unknown.status, unknown.reason) == ("undetermined", "exchange rate of entity figure average_notional_fx to EUR")


def test_one_class_above_is_all_for_a_financial_counterparty_and_itself_for_another():
    above = BELOW | {"average_notional_credit": (2e9, "EUR")}
    assert by_item(lines(entity(fund(above))), "emir")["clearing_obligation_classes"].value == 5
    assert by_item(lines(entity(fund(above, entity_type="corporate"))), "emir")["clearing_obligation_classes"].value == 1
    assert by_item(lines(entity(fund())), "emir")["clearing_obligation_classes"].value == 0
    partly = {k: v for k, v in above.items() if k != "average_notional_fx"}
    assert by_item(lines(entity(fund(partly))), "emir")["clearing_obligation_classes"].value == 5
    assert by_item(lines(entity(fund(partly, entity_type="corporate"))), "emir")["clearing_obligation_classes"].status == "undetermined"


def test_other_jurisdictions_dates_and_books_are_told_why_it_does_not_apply():
    found = lines(entity(fund(), {"entity_type": "hedge_fund"}))
    assert by_item(found, "uk")["clearing_threshold"].reason == "jurisdiction EU"
    assert by_item(found, "emir", "P1")["clearing_threshold"].reason == "jurisdiction is not given: taken for US"
    assert "no over-the-counter derivatives" in by_item(found, "cftc", "P1")["swap_dealer_de_minimis"].reason
    early = lines(entity(fund(), as_of=dt.date(2013, 3, 14)))
    assert by_item(early, "emir")["clearing_threshold"].reason == "not in force yet on this date"


def test_singapore_asks_banks_only_and_the_cftc_whoever_trades():
    bank = {"jurisdiction": "SG", "entity_type": "bank", "figures": {"least_quarterly_notional": (20e9, "SGD")}}
    assert by_item(lines(entity(bank)), "mas")["clearing_threshold"].status == "pass"
    assert "entity type fund" in by_item(lines(entity(bank | {"entity_type": "fund"})), "mas")["clearing_threshold"].reason
    dealer = {"jurisdiction": "US", "entity_type": "bank", "sets": True}
    assert by_item(lines(entity(dealer)), "cftc")["swap_dealer_de_minimis"].status == "undetermined"
    registered = by_item(lines(entity(dealer | {"figures": {"swap_dealing_notional": 8.1e9}})), "cftc")["swap_dealer_de_minimis"]
    assert (registered.status, registered.reason) == ("breach", "above the threshold: registration as a swap dealer")


def test_the_group_adds_up_and_lacks_what_one_of_it_lacks():
    above = BELOW | {"average_notional_equity": (6e8, "EUR")}
    firm = by_item(lines(entity(fund(above), fund(above))), "emir", "")
    assert (firm["clearing_threshold_equity"].value, firm["clearing_threshold_equity"].status) == (1.2e9, "breach")
    assert firm["clearing_threshold_fx"].status == "pass"
    lacking = by_item(lines(entity(fund(), fund({}))), "emir", "")
    assert all(line.status == "undetermined" for line in lacking.values())
    assert by_item(lines(entity({"entity_type": "hedge_fund"})), "emir", "") == {}
