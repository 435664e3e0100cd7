"""Who exchanges uncleared margin: boundaries of the average notional amount, covered parties, and what cannot be told."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.parameters.uncleared_margin import uncleared_margin_rules
from margin_pipeline.regulation.uncleared.scope import Party, all_of, margin_scope

RULES = uncleared_margin_rules(dt.date(2022, 12, 28))
BILLION = 1e9


def scope(regime, kind="initial", own=100.0, other=100.0, own_type="bank", other_type="financial", rules=RULES):
    """Scope of a pair whose averages are given in billions of the regime's currency."""
    parties = Party("portfolio P", own_type, own * BILLION), Party("counterparty C", other_type, other * BILLION)
    return margin_scope(kind, rules.regimes[regime], rules, *parties)


@pytest.mark.parametrize(("regime", "amount"), [("emir", 8.0), ("uk", 8.0), ("mas", 13.0)])
def test_both_averages_must_exceed_the_amount_of_the_phase(regime, amount):
    above = amount * 1.000001
    assert scope(regime, own=above, other=above).in_scope is True
    assert scope(regime, own=amount, other=above).in_scope is False
    assert scope(regime, own=above, other=amount).in_scope is False


@pytest.mark.parametrize("regime", ["us_prudential", "cftc"])
def test_a_us_dealer_collects_from_an_end_user_with_material_swaps_exposure_whatever_its_own_average(regime):
    assert scope(regime, own=1.0, other=8.1).in_scope is True
    assert scope(regime, own=100.0, other=8.0).in_scope is False
    assert scope(regime, own=np.nan, other=8.1).in_scope is True


def test_a_us_fund_is_the_end_user_itself():
    assert scope("cftc", own=8.1, other=np.nan, own_type="hedge_fund").in_scope is True
    assert scope("cftc", own=8.0, other=500.0, own_type="hedge_fund").in_scope is False


def test_in_the_phases_both_averages_counted_in_the_united_states_too():
    rules = uncleared_margin_rules(dt.date(2021, 9, 1))
    assert scope("us_prudential", own=49.0, other=900.0, rules=rules).in_scope is False
    assert scope("us_prudential", own=51.0, other=900.0, rules=rules).in_scope is True


def test_variation_margin_needs_no_average_once_everybody_exchanges_it():
    assert scope("emir", "variation", own=np.nan, other=np.nan).in_scope is True
    rules = uncleared_margin_rules(dt.date(2017, 2, 28))
    assert scope("emir", "variation", own=3001.0, other=2999.0, rules=rules).in_scope is False


def test_before_its_start_nobody_is_in_scope_and_the_reason_names_the_day():
    found = scope("mas", rules=uncleared_margin_rules(dt.date(2017, 2, 28)))
    assert (found.in_scope, found.reason) == (False, "initial margin under mas starts on 2017-03-01")


@pytest.mark.parametrize("other_type", ["sovereign", "central_bank", "multilateral_development_bank", "non_financial", "exempt"])
@pytest.mark.parametrize("kind", ["initial", "variation"])
def test_sovereigns_banks_of_states_and_non_financials_are_not_covered(other_type, kind):
    for regime in RULES.regimes:
        assert scope(regime, kind, other_type=other_type).in_scope is False


def test_a_non_financial_above_the_clearing_threshold_is_covered_in_europe_only():
    found = {name: scope(name, other_type="non_financial_above_clearing_threshold").in_scope for name in RULES.regimes}
    assert found == {"us_prudential": False, "cftc": False, "emir": True, "uk": True, "mas": False}


def test_singapore_covers_banks_and_merchant_banks_alone():
    found = {own: scope("mas", own_type=own).in_scope for own in ("bank", "merchant_bank", "hedge_fund", "insurer")}
    assert found == {"bank": True, "merchant_bank": True, "hedge_fund": False, "insurer": False}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [({"own": np.nan}, "average aggregate notional amount of portfolio P"), ({"other_type": ""}, "counterparty type of counterparty C"),
     ({"own_type": "cooperative"}, "entity type cooperative of portfolio P is not known to uncleared margin")],
)  # fmt: skip
def test_what_is_missing_leaves_the_scope_undetermined_and_is_named(arguments, reason):
    found = scope("emir", **arguments)
    assert (found.in_scope, found.reason) == (None, reason)


def test_one_failed_condition_decides_whatever_else_is_unknown():
    assert scope("emir", own=np.nan, other=1.0).in_scope is False
    assert scope("emir", own=np.nan, other_type="sovereign").in_scope is False


@given(st.lists(st.sampled_from([True, False, None]), max_size=5))
def test_conditions_join_like_three_valued_logic(tests):
    expected = False if False in tests else None if None in tests else True
    assert all_of([(test, "reason") for test in tests]).in_scope is expected


@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 1e4), st.sampled_from(sorted(RULES.regimes)))
def test_a_greater_average_never_takes_anybody_out_of_scope(own, other, more, regime):
    if scope(regime, own=own, other=other).in_scope:
        assert scope(regime, own=own + more, other=other + more).in_scope
