"""Net capital of broker-dealers: both standards at their limits, notice before, withdrawals, dates, and no ratio out of nothing."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.regulation.equity_haircut import equity_haircut
from margin_pipeline.regulation.net_capital import lines
from margin_pipeline_tests.regulation.entity_book import AS_OF, by_item, entity

STOCKS = [("AAA", "equity", 1_000_000.0), ("BBB", "equity", -400_000.0)]


def dealer(jurisdiction="US", entity_type="broker_dealer", as_of=AS_OF, positions=(), base_currency="USD", **figures):
    given = {"jurisdiction": jurisdiction, "entity_type": entity_type, "positions": positions, "base_currency": base_currency}
    return by_item(lines(entity(given | {"figures": figures}, as_of=as_of)), "sec_15c3_1")


@pytest.mark.parametrize(("debts", "status"), [(15e6, "pass"), (15.01e6, "breach")])
def test_indebtedness_is_at_most_fifteen_times_net_capital(debts, status):
    found = dealer(net_capital=1e6, aggregate_indebtedness=debts)
    assert (found["aggregate_indebtedness_ratio"].status, found["aggregate_indebtedness_ratio"].limit_value) == (status, 15)
    assert found["net_capital"].status == status
    assert found["net_capital"].limit_value == pytest.approx(debts / 15)
    assert found["excess_net_capital"].value == pytest.approx(1e6 - debts / 15)


def test_in_the_first_year_the_multiple_is_eight():
    found = dealer(net_capital=1e6, aggregate_indebtedness=8.1e6, first_year=1)
    assert found["aggregate_indebtedness_ratio"].status == "breach"


@pytest.mark.parametrize(("capital", "status"), [(2e6, "pass"), (1.99e6, "breach")])
def test_under_the_alternative_standard_net_capital_is_two_percent_of_debits(capital, status):
    found = dealer(net_capital=capital, aggregate_debits=100e6, alternative_standard=1)
    assert found["net_capital_to_debits"].status == found["net_capital"].status == status
    assert "aggregate_indebtedness_ratio" not in found


def test_the_dollar_minimum_counts_where_it_is_more():
    assert dealer(net_capital=249_999, aggregate_indebtedness=1e5)["net_capital"].status == "breach"
    assert dealer(net_capital=249_999, aggregate_indebtedness=1e5, minimum_net_capital=50_000)["net_capital"].status == "pass"


def test_notice_is_due_before_the_limit():
    found = dealer(net_capital=1e6, aggregate_indebtedness=12.5e6)
    assert (found["net_capital"].status, found["early_warning"].status) == ("pass", "breach")
    assert found["early_warning"].limit_value == pytest.approx(12.5e6 / 12)
    thin = dealer(net_capital=290_000, aggregate_indebtedness=1e5)
    assert thin["early_warning"].limit_value == pytest.approx(300_000)
    debits = dealer(net_capital=4.9e6, aggregate_debits=100e6, alternative_standard=1)
    assert (debits["net_capital"].status, debits["early_warning"].status) == ("pass", "breach")


@pytest.mark.parametrize("capital", [0.0, -1.0])
def test_without_net_capital_every_debt_is_too_much(capital):
    found = dealer(net_capital=capital, aggregate_indebtedness=0.0)
    line = found["aggregate_indebtedness_ratio"]
    assert (line.status, line.value, line.reason) == ("breach", None, "there is no net capital")
    assert found["net_capital"].status == "breach"


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"net_capital": 1e6}, "entity figure aggregate_indebtedness"),
        ({"aggregate_indebtedness": 1e6}, "entity figure net_capital"),
        ({"net_capital": 1e6, "alternative_standard": 1}, "entity figure aggregate_debits"),
        ({"net_capital": (1e6, "JPY"), "aggregate_indebtedness": 1e6}, "exchange rate of entity figure net_capital to USD"),
        ({"net_capital": 1e6, "aggregate_indebtedness": -1.0}, "entity figure aggregate_indebtedness that is not negative"),
    ],
)
def test_a_missing_figure_is_never_a_pass(figures, reason):
    found = dealer(**figures)
    del found["equity_haircut"]
    assert {line.status for line in found.values()} == {"undetermined"}
    assert {line.reason for line in found.values()} == {reason}


def test_without_debits_the_dollar_minimum_alone_counts():
    found = dealer(net_capital=3e5, aggregate_debits=0.0, alternative_standard=1)
    assert (found["net_capital_to_debits"].status, found["net_capital"].status) == ("not_applicable", "pass")


def test_others_have_one_line_that_says_why_not():
    assert dealer(entity_type="bank")["net_capital"].reason == "entity type bank is not a broker-dealer"
    assert dealer(entity_type=None)["net_capital"].status == "not_applicable"
    assert "jurisdiction UK" in dealer(jurisdiction="UK")["net_capital"].reason


def test_under_the_alternative_standard_the_minimum_is_never_less_than_its_dollars():
    found = dealer(net_capital=249_999, aggregate_debits=1e6, alternative_standard=1, minimum_net_capital=50_000)
    assert (found["net_capital"].status, found["net_capital"].limit_value) == ("breach", 250_000)


@pytest.mark.parametrize(
    ("date", "basic", "alternative"),
    [
        (dt.date(1993, 6, 30), 25_000, 100_000),
        (dt.date(1993, 7, 1), 100_000, 150_000),
        (dt.date(1993, 12, 31), 100_000, 150_000),
        (dt.date(1994, 1, 1), 175_000, 200_000),
        (dt.date(1994, 6, 30), 175_000, 200_000),
        (dt.date(1994, 7, 1), 250_000, 250_000),
    ],
)
def test_the_minimum_rose_in_three_steps(date, basic, alternative):
    assert dealer(net_capital=1e6, aggregate_indebtedness=0.0, as_of=date)["net_capital"].limit_value == basic
    elected = dealer(net_capital=1e6, aggregate_debits=0.0, alternative_standard=1, as_of=date)
    assert elected["net_capital"].limit_value == alternative


@pytest.mark.parametrize(
    ("date", "paragraph"),
    [(dt.date(1993, 8, 11), "b"), (dt.date(1993, 8, 12), "c"), (dt.date(2020, 2, 13), "c"), (dt.date(2020, 2, 14), "b")],
)
def test_notice_names_the_paragraph_of_its_day(date, paragraph):
    found = dealer(net_capital=1e6, aggregate_indebtedness=1e6, as_of=date)
    assert found["early_warning"].reference == f"17 CFR 240.17a-11({paragraph})"


def test_what_is_withdrawn_leaves_a_tenth_of_indebtedness_or_five_percent_of_debits_or_six_fifths_of_the_minimum():
    assert dealer(net_capital=1e6, aggregate_indebtedness=6e6)["withdrawable_net_capital"].value == pytest.approx(400_000)
    assert dealer(net_capital=1e6, aggregate_indebtedness=11e6)["withdrawable_net_capital"].value == 0
    assert dealer(net_capital=1e6, aggregate_indebtedness=0.0)["withdrawable_net_capital"].value == pytest.approx(700_000)
    debits = dealer(net_capital=6e6, aggregate_debits=100e6, alternative_standard=1)
    assert debits["withdrawable_net_capital"].value == pytest.approx(1e6)


@pytest.mark.parametrize(
    ("date", "margin", "limit"),
    [
        (dt.date(2004, 9, 30), 1e6, 250_000),
        (dt.date(2010, 3, 30), 50e6, 4e6),
        (dt.date(2010, 3, 31), 12.5e6, 1e6),
        (dt.date(2022, 12, 28), 50e6, 4e6),
    ],
)
def test_a_futures_commission_merchant_needs_eight_percent_of_risk_margin(date, margin, limit):
    for capital, status in [(limit, "pass"), (limit - 1, "breach")]:
        line = dealer(net_capital=capital, aggregate_indebtedness=0.0, customer_risk_margin=margin, as_of=date)["futures_net_capital"]
        assert (line.status, line.limit_value) == (status, pytest.approx(limit))


def test_the_risk_margin_requirement_starts_on_its_day_and_fails_closed():
    early = dealer(net_capital=1e6, aggregate_indebtedness=0.0, customer_risk_margin=1e6, as_of=dt.date(2004, 9, 29))
    assert early["futures_net_capital"].status == "not_applicable"
    unknown = dealer(net_capital=1e6, aggregate_indebtedness=0.0, customer_risk_margin=(1e6, "JPY"))["futures_net_capital"]
    assert (unknown.status, unknown.reason) == ("undetermined", "exchange rate of entity figure customer_risk_margin to USD")
    assert dealer(aggregate_indebtedness=0.0, customer_risk_margin=1e6)["futures_net_capital"].reason == "entity figure net_capital"
    assert "futures_net_capital" not in dealer(net_capital=1e6, aggregate_indebtedness=0.0)


def test_stocks_are_cut_by_fifteen_percent_of_the_greater_side_and_of_what_the_other_exceeds_a_quarter_of_it_by():
    line = dealer(net_capital=1e6, aggregate_indebtedness=0.0, positions=STOCKS)["equity_haircut"]
    assert (line.status, line.value) == ("information", pytest.approx(0.15 * 1_000_000 + 0.15 * (400_000 - 250_000)))


def test_one_stock_in_two_strategies_is_netted_and_other_positions_are_counted():
    positions = [("AAA", "equity", 1_000_000.0), ("AAA", "equity", -400_000.0), ("OPT", "equity_option", 5.0)]
    line = dealer(net_capital=1e6, aggregate_indebtedness=0.0, positions=positions, base_currency="EUR")["equity_haircut"]
    assert line.value == pytest.approx(0.15 * 600_000 * 1.25)
    assert line.inputs["positions_not_covered"] == 1


def test_a_stock_without_a_value_leaves_no_haircut_and_before_1993_there_is_none():
    missing = dealer(net_capital=1e6, aggregate_indebtedness=0.0, positions=[*STOCKS, ("CCC", "etf", math.nan)])["equity_haircut"]
    assert (missing.status, missing.value, missing.reason) == ("undetermined", None, "market value of CCC")
    early = dealer(net_capital=1e6, aggregate_indebtedness=0.0, as_of=dt.date(1992, 12, 31))["equity_haircut"]
    assert (early.status, early.reason) == ("not_applicable", "the haircut of 15 % starts on 1993-01-01")


SIDES = st.floats(0, 1e9)


@given(SIDES, SIDES, st.floats(0.1, 10))
def test_haircuts_scale_do_not_know_sides_and_lie_between_that_of_the_greater_and_of_both(long, short, factor):
    found = equity_haircut(long, short, 0.15, 0.25)
    assert found == equity_haircut(short, long, 0.15, 0.25)
    assert equity_haircut(factor * long, factor * short, 0.15, 0.25) == pytest.approx(factor * found)
    assert 0.15 * max(long, short) <= found <= 0.15 * (long + short) * (1 + 1e-12)


@given(st.floats(-1e7, 1e7), st.floats(0, 1e9), st.booleans())
def test_more_debt_never_helps_and_notice_comes_first(capital, debts, is_first_year):
    found = dealer(net_capital=capital, aggregate_indebtedness=debts, first_year=float(is_first_year))
    more = dealer(net_capital=capital, aggregate_indebtedness=2 * debts + 1, first_year=float(is_first_year))
    assert found["net_capital"].status == "pass" or more["net_capital"].status == "breach"
    assert found["net_capital"].limit_value <= found["early_warning"].limit_value
    assert (found["withdrawable_net_capital"].value or 0) <= max(capital, 0)
    if found["net_capital"].status == "pass":
        assert found["aggregate_indebtedness_ratio"].value <= found["aggregate_indebtedness_ratio"].limit_value * (1 + 1e-12)
