"""Net capital of broker-dealers: both standards at their limits, notice before, and no ratio out of nothing."""

import pytest

from margin_pipeline.regulation.net_capital import lines
from margin_pipeline_tests.regulation.entity_book import by_item, entity


def dealer(jurisdiction="US", entity_type="broker_dealer", **figures):
    return by_item(lines(entity({"jurisdiction": jurisdiction, "entity_type": entity_type, "figures": figures})), "sec_15c3_1")


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
    ],
)
def test_a_missing_figure_is_never_a_pass(figures, reason):
    found = dealer(**figures)
    assert {line.status for line in found.values()} == {"undetermined"}
    assert {line.reason for line in found.values()} == {reason}


def test_without_debits_the_dollar_minimum_alone_counts():
    found = dealer(net_capital=3e5, aggregate_debits=0.0, alternative_standard=1)
    assert (found["net_capital_to_debits"].status, found["net_capital"].status) == ("not_applicable", "pass")


def test_others_have_one_line_that_says_why_not():
    assert dealer(entity_type="bank")["net_capital"].reason == "entity type bank is not a broker-dealer"
    assert dealer(entity_type=None)["net_capital"].status == "not_applicable"
    assert "jurisdiction UK" in dealer(jurisdiction="UK")["net_capital"].reason
