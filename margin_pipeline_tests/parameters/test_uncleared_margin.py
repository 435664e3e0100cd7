"""Dated rules of uncleared margin: phases, amounts and regimes by date."""

import datetime as dt

import pytest

from margin_pipeline.parameters.uncleared_margin import uncleared_margin_rules

# Phases of initial margin as published: BCBS 317 and 499, requirement 8; 12 CFR 45.1(e); 17 CFR 23.161; Delegated Regulation (EU)
# 2016/2251, article 36; MAS Guidelines SFA 15-G03: first day, then amounts in dollars, euros and Singapore dollars (billions).
PHASES = [
    (2, "2017-09-01", 2250, 2250, 3600),
    (3, "2018-09-01", 1500, 1500, 2400),
    (4, "2019-09-01", 750, 750, 1200),
    (5, "2021-09-01", 50, 50, 80),
    (6, "2022-09-01", 8, 8, 13),
]


@pytest.mark.parametrize(("phase", "first_day", "dollars", "euros", "singapore_dollars"), PHASES)
def test_each_phase_starts_on_its_first_day_and_not_the_day_before(phase, first_day, dollars, euros, singapore_dollars):
    first = dt.date.fromisoformat(first_day)
    amounts = {"us_prudential": dollars, "cftc": dollars, "emir": euros, "uk": euros, "mas": singapore_dollars}
    today, before = uncleared_margin_rules(first).regimes, uncleared_margin_rules(first - dt.timedelta(days=1)).regimes
    for name, billions in amounts.items():
        assert (today[name].phase, today[name].initial_average_notional) == (phase, billions * 1e9)
        assert before[name].phase == phase - 1


@pytest.mark.parametrize(
    ("regime", "day", "initial", "variation"),
    [
        ("us_prudential", "2016-08-31", None, None), ("us_prudential", "2016-09-01", 3e12, 3e12),
        ("us_prudential", "2017-02-28", 3e12, 3e12), ("us_prudential", "2017-03-01", 3e12, 0), ("cftc", "2016-09-01", 3e12, 3e12),
        ("emir", "2017-02-03", None, None), ("emir", "2017-02-04", 3e12, 3e12), ("emir", "2017-03-01", 3e12, 0),
        ("uk", "2017-02-04", 3e12, 3e12), ("mas", "2017-02-28", None, None), ("mas", "2017-03-01", 4.8e12, 0),
        ("emir", "1990-01-02", None, None), ("emir", "2020-09-01", 7.5e11, 0),
    ],
)  # fmt: skip
def test_the_first_phase_and_variation_margin_start_where_each_regime_says(regime, day, initial, variation):
    found = uncleared_margin_rules(dt.date.fromisoformat(day)).regimes[regime]
    assert (found.initial_average_notional, found.variation_average_notional) == (initial, variation)


@pytest.mark.parametrize(
    ("regime", "currency", "threshold", "transfer"),
    [("us_prudential", "USD", 50e6, 500e3), ("cftc", "USD", 50e6, 500e3), ("emir", "EUR", 50e6, 500e3), ("uk", "EUR", 50e6, 500e3),
     ("mas", "SGD", 80e6, 800e3)],
)  # fmt: skip
def test_greatest_amounts_are_those_of_the_rule_text(regime, currency, threshold, transfer):
    found = uncleared_margin_rules(dt.date(2022, 12, 28)).regimes[regime]
    assert (found.currency, found.initial_margin_threshold, found.minimum_transfer_amount) == (currency, threshold, transfer)


def test_after_the_phases_only_the_end_user_counts_in_the_united_states():
    before, after = (uncleared_margin_rules(dt.date(2022, month, 1)).regimes for month in (8, 9))
    assert {before[name].tested for name in before} == {"both"}
    assert {name: after[name].tested for name in after} == {
        "us_prudential": "end_user", "cftc": "end_user", "emir": "both", "uk": "both", "mas": "both",
    }  # fmt: skip
    assert "June, July and August" in after["us_prudential"].averaging
    assert "March, April and May" in after["cftc"].averaging


def test_the_united_kingdom_names_its_own_rule_from_the_end_of_the_transition():
    old, new = (uncleared_margin_rules(day).regimes["uk"].threshold_reference for day in (dt.date(2020, 12, 31), dt.date(2021, 1, 1)))
    assert old == "Delegated Regulation (EU) 2016/2251, article 29"
    assert new == "UK Technical Standards (BTS) 2016/2251, article 29"


@pytest.mark.parametrize(
    ("jurisdiction", "entity_type", "regime"),
    [("US", "bank", "us_prudential"), ("", "bank", "us_prudential"), ("US", "broker_dealer", "cftc"), ("", "hedge_fund", "cftc"),
     ("EU", "bank", "emir"), ("UK", "bank", "uk"), ("SG", "bank", "mas"), ("JP", "bank", None)],
)  # fmt: skip
def test_the_regime_follows_from_jurisdiction_and_entity_type(jurisdiction, entity_type, regime):
    assert uncleared_margin_rules(dt.date(2022, 12, 28)).own_regime(jurisdiction, entity_type) == regime
