"""Clearing and dealing thresholds: at, above and below, by date, entity and group; what is missing is never below."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(("date", "limit"), [(dt.date(2022, 11, 28), 3e9), (dt.date(2022, 11, 29), 4e9)])
def test_the_commodity_threshold_rose_on_its_day(date, limit):
    found = by_item(lines(entity(fund(), as_of=date, fx=fund_rates(date))), "emir")
    assert found["clearing_threshold_commodity"].limit_value == limit


def test_the_commodity_threshold_of_the_united_kingdom_did_not_rise():
    found = by_item(lines(entity(fund(jurisdiction="UK"))), "uk")
    assert found["clearing_threshold_commodity"].limit_value == 3e9
    assert found["clearing_threshold_commodity"].reference.startswith("UK EMIR")


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


def test_singapore_asks_banks_only_and_the_cftc_whoever_deals():
    bank = {"jurisdiction": "SG", "entity_type": "bank", "figures": {"least_quarterly_notional": (20e9, "SGD")}}
    assert by_item(lines(entity(bank)), "mas")["clearing_threshold"].status == "pass"
    assert "entity type fund" in by_item(lines(entity(bank | {"entity_type": "fund"})), "mas")["clearing_threshold"].reason
    dealer = {"jurisdiction": "US", "entity_type": "bank", "sets": True}
    assert by_item(lines(entity(dealer)), "cftc")["swap_dealer_de_minimis"].status == "undetermined"
    assert by_item(lines(entity(dealer | {"figures": {"swap_dealing_notional": 8e9}})), "cftc")["swap_dealer_de_minimis"].status == "pass"
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


@pytest.mark.parametrize(("amount", "status"), [(25e6, "pass"), (25e6 + 1, "breach")])
def test_dealing_with_special_entities_has_a_threshold_of_its_own(amount, status):
    figures = {"swap_dealing_notional": 1e9, "swap_dealing_notional_special_entities": amount}
    found = by_item(lines(entity({"jurisdiction": "US", "entity_type": "bank", "figures": figures})), "cftc")
    assert found["swap_dealer_de_minimis_special_entities"].status == status
    assert found["swap_dealer_de_minimis"].status == "pass"


@pytest.mark.parametrize(
    ("date", "reference"),
    [(dt.date(2012, 10, 12), "17 CFR 1.3(ggg)(4)"), (dt.date(2018, 2, 23), "17 CFR 1.3, swap dealer, paragraph (4)")],
)
def test_the_dealing_threshold_names_the_paragraph_of_its_day(date, reference):
    dealer = {"jurisdiction": "US", "entity_type": "bank", "figures": {"swap_dealing_notional": 1e9}}
    assert by_item(lines(entity(dealer, as_of=date)), "cftc")["swap_dealer_de_minimis"].reference == reference
    before = by_item(lines(entity(dealer, as_of=dt.date(2012, 10, 11))), "cftc")
    assert before["swap_dealer_de_minimis"].reason == "not in force yet on this date"


def test_before_refit_financial_counterparties_had_no_threshold_and_one_class_was_all_for_the_others():
    above = BELOW | {"average_notional_credit": (2e9, "EUR")}
    before, after = dt.date(2019, 6, 14), dt.date(2019, 6, 17)
    financial = by_item(lines(entity(fund(above), as_of=before, fx=fund_rates(before))), "emir")
    assert set(financial) == {"clearing_threshold"}
    assert "clear whatever their amounts" in financial["clearing_threshold"].reason
    corporate = fund(above, entity_type="corporate")
    for date, classes in [(before, 5), (after, 1)]:
        found = by_item(lines(entity(corporate, as_of=date, fx=fund_rates(date))), "emir")["clearing_obligation_classes"]
        assert (found.value, found.inputs["category"]) == (classes, "NFC+")


def test_counterparties_have_a_category_once_it_can_be_told():
    above = BELOW | {"average_notional_credit": (2e9, "EUR")}
    partly = {k: v for k, v in BELOW.items() if k != "average_notional_fx"}

    def category(figures, **rest):
        return by_item(lines(entity(fund(figures, **rest))), "emir")["clearing_obligation_classes"].inputs["category"]

    assert [category(above), category(BELOW), category(partly)] == ["FC+", "FC-", None]
    assert [category(above, entity_type="corporate"), category(BELOW, entity_type="corporate")] == ["NFC+", "NFC-"]


TRADES = [
    ("credit", 300e6, "EUR", None, 0.0),
    ("credit", 125e6, "USD", True, 0.0),
    ("credit", 50e6, "EUR", False, 0.0),
    ("fx", 10e6, "EUR", None, 0.0),
]


def test_the_notional_of_the_day_is_told_but_never_taken_for_the_average():
    for entity_type, amount in [("hedge_fund", 450e6), ("corporate", 350e6)]:
        line = by_item(lines(entity(fund({}, entity_type=entity_type, trades=TRADES))), "emir")["clearing_threshold_credit"]
        assert (line.status, line.value) == ("undetermined", None)
        assert line.inputs["notional_of_the_day"] == pytest.approx(amount)
    unknown = by_item(lines(entity(fund(trades=[*TRADES, ("credit", 1.0, "JPY", None, 0.0)]))), "emir")
    assert unknown["clearing_threshold_credit"].inputs["notional_of_the_day"] is None
    assert unknown["clearing_threshold_fx"].inputs["notional_of_the_day"] == 10e6


def test_a_negative_average_is_no_average():
    line = by_item(lines(entity(fund(BELOW | {"average_notional_credit": (-1.0, "EUR")}))), "emir")["clearing_threshold_credit"]
    assert (line.status, line.reason) == ("undetermined", "entity figure average_notional_credit that is not negative")


AMOUNTS = st.fixed_dictionaries({name: st.floats(0, 1e10) for name in BELOW})


@given(AMOUNTS, st.sampled_from(["hedge_fund", "corporate"]), st.floats(1, 3))
def test_more_derivatives_never_free_from_clearing_and_the_order_of_rows_does_not_matter(amounts, entity_type, factor):
    def classes(given, order=1):
        figures = dict([(name, (value, "EUR")) for name, value in given.items()][::order])
        return by_item(lines(entity(fund(figures, entity_type=entity_type))), "emir")["clearing_obligation_classes"].value

    assert classes(amounts) == classes(amounts, order=-1) <= classes({name: factor * value for name, value in amounts.items()})
