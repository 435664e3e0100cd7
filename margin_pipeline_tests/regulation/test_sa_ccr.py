"""SA-CCR rule by rule: formulas written out, missing inputs, and properties."""

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.parameters.sa_ccr import sa_ccr_rules
from margin_pipeline.regulation.sa_ccr.netting_sets import multiplier
from margin_pipeline.regulation.sa_ccr.years import years_until
from margin_pipeline_tests.regulation.sa_ccr_book import AS_OF, CDS, EXAMPLE_1, FORWARD, IN, SWAP, one_set, one_trade, tables, trades_frame

RULES = sa_ccr_rules(AS_OF)
FX = {"asset_class": "fx", "instrument_type": "forward", "notional": 1_000, "direction": "long", "maturity": IN["2y"]}
EQUITY = {
    "asset_class": "equity",
    "instrument_type": "swap",
    "notional": 1_000,
    "direction": "long",
    "maturity": IN["2y"],
    "reference": "X",
}
OPTION = {
    **EQUITY, "instrument_type": "option", "option_type": "call", "option_position": "bought", "strike": 100.0, "underlying_price": 90.0,
    "exercise_date": IN["2y"],
}  # fmt: skip
NAME = {**CDS, "reference": "X", "direction": "long", "maturity": IN["5y"]}
RATE = {**SWAP, "notional": 10_000, "direction": "long", "maturity": IN["5y"]}
TERMS = {"margined": True, "threshold": 0, "minimum_transfer_amount": 0, "net_independent_collateral": 0, "variation_margin": 0}


def normal(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def call_delta(price, strike, years, volatility):
    return normal((math.log(price / strike) + 0.5 * volatility**2 * years) / (volatility * math.sqrt(years)))


# Time


@pytest.mark.parametrize(
    ("start", "day", "years"),
    [
        ("2022-03-15", "2032-03-15", 10), ("2022-03-15", "2022-12-15", 0.75), ("2022-03-15", "2022-03-15", 0),
        ("2022-03-15", "2020-01-01", 0), ("2022-01-31", "2022-02-28", 1 / 12), ("2024-02-29", "2025-02-28", 1),
        ("2022-03-15", "2022-04-30", (1 + 15 / 30) / 12),
    ],
)  # fmt: skip
def test_years_count_whole_months_and_part_of_one(start, day, years):
    assert years_until(np.array([day], dtype="datetime64[D]"), dt.date.fromisoformat(start))[0] == pytest.approx(years, abs=1e-15)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2050, 12, 31)), st.lists(st.integers(0, 20_000), min_size=2, max_size=6))
@settings(max_examples=60, deadline=None)
def test_later_days_are_more_years_away_and_close_to_their_share_of_a_year(start, days):
    ahead = np.sort(np.array(days))
    found = years_until(np.datetime64(start, "D") + ahead, start)
    assert (np.diff(found)[np.diff(ahead) > 0] > 0).all()
    assert np.abs(found - ahead / 365.25).max() < 0.012


def test_maturity_is_never_below_ten_business_days_and_counts_up_to_a_year():
    assert one_trade({**EQUITY, "maturity": "2022-03-18"})["maturity_factor"] == pytest.approx(math.sqrt(10 / 250))
    assert one_trade({**EQUITY, "maturity": IN["9m"]})["maturity_factor"] == pytest.approx(math.sqrt(0.75))
    assert one_trade({**EQUITY, "maturity": IN["10y"]})["maturity_factor"] == 1


def test_a_trade_that_is_settled_to_zero_matures_on_its_next_reset():
    row = one_trade({**RATE, "next_reset_date": "2022-09-15"})
    assert row["maturity_years"] == 0.5
    assert row["end_years"] == 5
    assert one_trade({**RATE, "next_reset_date": "2022-03-16"})["maturity_years"] == 10 / 250


@pytest.mark.parametrize(
    ("settlement", "maturity", "years"),
    [("physical", "11y", 11), (None, "1y", 11), (None, "11y", 11), ("cash", "11y", 1), ("cash", "1y", 1)],
)
def test_an_option_on_a_swap_matures_with_the_swap_unless_it_is_settled_in_cash(settlement, maturity, years):
    assert one_trade({**EXAMPLE_1[2], "settlement": settlement, "maturity": IN[maturity]})["maturity_years"] == years


def test_a_forward_starting_swap_has_the_duration_of_its_own_period():
    row = one_trade({**RATE, "start_date": IN["5y"], "maturity": IN["10y"]})
    assert (row["start_years"], row["end_years"], row["maturity_years"]) == (5, 10, 10)
    assert row["supervisory_duration"] == pytest.approx((math.exp(-0.25) - math.exp(-0.5)) / 0.05)


def test_supervisory_duration_is_at_least_ten_business_days():
    assert one_trade({**RATE, "maturity": "2022-03-16"})["supervisory_duration"] == 0.04


# Deltas


@pytest.mark.parametrize(
    ("option_type", "position", "sign"),
    [("call", "bought", 1), ("call", "sold", -1), ("put", "bought", -1), ("put", "sold", 1)],
)
def test_option_deltas_of_all_four_sides(option_type, position, sign):
    delta = call_delta(90, 100, 2, 1.2)
    expected = sign * (delta if option_type == "call" else 1 - delta)
    assert one_trade({**OPTION, "option_type": option_type, "option_position": position})["supervisory_delta"] == pytest.approx(expected)


def test_without_a_position_the_direction_says_whether_an_option_is_bought():
    bought, sold = (one_trade({**OPTION, "option_position": None, "direction": side}) for side in ("long", "short"))
    assert bought["supervisory_delta"] == -sold["supervisory_delta"] == one_trade(OPTION)["supervisory_delta"]


@pytest.mark.parametrize(
    ("trade", "volatility"),
    [
        ({**OPTION, "sub_class": "index"}, 0.75), ({**OPTION, "asset_class": "commodity", "sub_class": "wheat"}, 0.7),
        ({**OPTION, "asset_class": "commodity", "sub_class": "power"}, 1.5),
        ({**OPTION, "asset_class": "credit", "sub_class": "BBB-", "underlying_end": IN["5y"]}, 1.0),
        ({**OPTION, "asset_class": "credit", "sub_class": "sg", "underlying_end": IN["5y"]}, 0.8),
        ({**OPTION, "asset_class": "fx", "second_currency": "ZAR"}, 0.15),
        ({**OPTION, "asset_class": "interest_rate", "underlying_end": IN["5y"]}, 0.5),
    ],
)  # fmt: skip
def test_each_class_has_its_supervisory_volatility(trade, volatility):
    assert one_trade(trade)["supervisory_delta"] == pytest.approx(call_delta(90, 100, 2, volatility))


def test_an_option_on_its_last_day_has_nearly_the_delta_of_exercise():
    assert one_trade({**OPTION, "exercise_date": AS_OF, "strike": 10})["supervisory_delta"] == pytest.approx(1)
    assert one_trade({**OPTION, "exercise_date": AS_OF, "strike": 900})["supervisory_delta"] == pytest.approx(0)
    assert one_trade({**OPTION, "exercise_date": AS_OF, "strike": 90})["supervisory_delta"] == pytest.approx(0.5, abs=0.02)


def test_negative_rates_shift_all_rate_options_of_the_currency_by_one_amount():
    swaption = {**EXAMPLE_1[2], "option_type": "call", "exercise_date": IN["2y"]}
    low = {**swaption, "underlying_price": -0.004, "strike": 0.01}
    high = {**swaption, "underlying_price": 0.02, "strike": 0.03}
    trades = tables([low, high, {**high, "currency": "USD"}])[0]
    shift = 0.001 + 0.004
    expected = [call_delta(p + s, k + s, 2, 0.5) for p, k, s in ((-0.004, 0.01, shift), (0.02, 0.03, shift), (0.02, 0.03, 0))]
    assert trades["supervisory_delta"].tolist() == pytest.approx(expected)


def test_tranches_take_the_delta_of_their_attachment_and_detachment():
    tranche = {**CDS, "instrument_type": "cdo_tranche", "reference": "iTraxx", "sub_class": "ig", "maturity": IN["5y"], "direction": "long"}
    bought = one_trade({**tranche, "attachment": 0.03, "detachment": 0.06})
    assert bought["supervisory_delta"] == pytest.approx(15 / (1.42 * 1.84))
    assert one_trade({**tranche, "attachment": 0.0, "detachment": 1.0, "direction": "short"})["supervisory_delta"] == pytest.approx(-1)
    assert one_trade({**tranche, "attachment": 0.06, "detachment": 0.03})["missing"] == "attachment below detachment"
    assert one_trade({**tranche, "attachment": 0.06})["missing"] == "detachment"


@pytest.mark.parametrize(("option_type", "sign"), [("call", 1), ("put", -1)])
def test_a_digital_option_is_the_collar_that_reproduces_it_and_capped(option_type, sign):
    digital = {**OPTION, "instrument_type": "digital_option", "option_type": option_type, "underlying_price": 100.0, "notional": 50}
    difference = call_delta(100, 95, 2, 1.2) - call_delta(100, 105, 2, 1.2)
    row = one_trade(digital)
    assert row["adjusted_notional"] == pytest.approx(50 / (0.1 * 100) * 100)
    assert row["supervisory_delta"] == pytest.approx(sign * difference)
    assert row["effective_notional"] == pytest.approx(sign * 500 * difference)
    near = one_trade({**digital, "sub_class": "index", "exercise_date": "2022-03-16", "maturity": "2027-03-15"})
    assert near["effective_notional"] == pytest.approx(sign * 50 / 0.2)


# Hedging sets


def add_on(*trades, **rest):
    return one_set(list(trades), **rest)["add_on"]


def test_buckets_of_one_currency_offset_in_part_and_currencies_not_at_all():
    short, middle, long = ({**RATE, "maturity": IN[m], "notional": n} for m, n in (("9m", 9_000), ("1y", 7_000), ("10y", 1_000)))
    rows = tables([short, {**middle, "direction": "short"}, long])[0]["effective_notional"].tolist()
    d1, d2, d3 = rows
    expected = 0.005 * math.sqrt(d1**2 + d2**2 + d3**2 + 1.4 * d1 * d2 + 1.4 * d2 * d3 + 0.6 * d1 * d3)
    assert add_on(short, {**middle, "direction": "short"}, long) == pytest.approx(expected)
    assert add_on(short, {**long, "currency": "EUR", "direction": "short"}) == pytest.approx(add_on(short) + add_on(long))


@pytest.mark.parametrize(("maturity", "bucket"), [("2023-03-14", 0), ("2023-03-15", 1), ("2027-03-15", 1), ("2027-03-16", 2)])
def test_one_and_five_years_are_in_the_middle_bucket(maturity, bucket):
    details = json.loads(tables([{**RATE, "maturity": maturity}])[1]["details"].iloc[0])
    assert details["parts"][0]["part"] == ("less than one year", "one to five years", "more than five years")[bucket]


def test_a_basis_swap_is_in_a_set_of_its_own_at_half_the_factor():
    basis = {**RATE, "instrument_type": "basis_swap", "reference": "3M against 6M", "direction": "short"}
    assert add_on(basis) == pytest.approx(add_on(RATE) / 2)
    assert add_on(RATE, basis) == pytest.approx(1.5 * add_on(RATE))
    assert add_on(basis, {**basis, "reference": "1M against 3M", "direction": "long"}) == pytest.approx(add_on(RATE))
    assert one_trade({**basis, "reference": None})["missing"] == "reference"


def test_volatility_trades_are_in_a_set_of_their_own_at_five_times_the_factor():
    swap = {**EQUITY, "instrument_type": "variance_swap", "notional": 100, "underlying_price": 10, "direction": "short"}
    assert add_on(swap) == pytest.approx(5 * add_on(EQUITY))
    assert add_on(swap, EQUITY) == pytest.approx(6 * add_on(EQUITY))
    assert one_trade({**swap, "underlying_price": None})["missing"] == "underlying_price above 0"


def test_inflation_does_not_offset_rates():
    assert add_on(RATE, {**RATE, "instrument_type": "inflation_swap", "direction": "short"}) == pytest.approx(2 * add_on(RATE))


def test_a_pair_of_currencies_nets_whichever_is_named_first():
    fx = (("EUR", 1.25), ("GBP", 1.5))
    long_euro = {**FX, "currency": "EUR", "second_currency": "USD", "second_notional": 1_250}
    same = {**FX, "currency": "USD", "second_currency": "EUR", "notional": 1_250, "second_notional": 1_000, "direction": "short"}
    assert add_on(long_euro, fx=fx) == pytest.approx(0.04 * 1_250)
    assert add_on(same, fx=fx) == pytest.approx(0.04 * 1_250)
    assert add_on(long_euro, same, fx=fx) == pytest.approx(0.04 * 2_500)
    assert add_on(long_euro, {**same, "direction": "long"}, fx=fx) == pytest.approx(0)
    other = {**long_euro, "second_currency": "GBP", "second_notional": 900, "direction": "short"}
    assert add_on(long_euro, other, fx=fx) == pytest.approx(0.04 * (1_250 + 1_350))


def test_the_foreign_leg_is_the_notional_and_of_two_foreign_legs_the_larger():
    fx = (("EUR", 1.25), ("GBP", 1.5))
    trade = {**FX, "currency": "USD", "second_currency": "EUR", "notional": 1_300, "second_notional": 1_000}
    assert one_trade(trade, fx=fx)["adjusted_notional"] == pytest.approx(1_250)
    assert one_trade({**trade, "second_notional": None}, fx=fx)["adjusted_notional"] == 1_300
    foreign = {**FX, "currency": "EUR", "second_currency": "GBP", "second_notional": 900}
    assert one_trade(foreign, fx=fx)["adjusted_notional"] == pytest.approx(1_350)
    assert one_trade({**foreign, "second_notional": 700}, fx=fx)["adjusted_notional"] == pytest.approx(1_250)
    assert one_trade({**foreign, "second_notional": None}, fx=fx)["adjusted_notional"] == pytest.approx(1_250)
    assert one_trade(foreign, fx=fx[:1])["missing"] == "exchange rate of GBP to USD"
    assert one_trade({**foreign, "second_currency": "EUR"}, fx=fx)["missing"] == "second_currency"


def test_a_rate_swap_in_two_currencies_is_an_exchange_rate_trade_and_no_basis_trade():
    row = one_trade({**RATE, "instrument_type": "basis_swap", "second_currency": "EUR", "second_notional": 9_000, "reference": "x"})
    assert (row["asset_class"], row["hedging_set"], row["kind"]) == ("fx", "EUR/USD", "ordinary")
    assert row["adjusted_notional"] == 9_000


@pytest.mark.parametrize(
    ("sub_class", "factor", "correlation"),
    [
        ("AAA", 0.0038, 0.5), ("AA-", 0.0038, 0.5), ("A1", 0.0042, 0.5), ("Baa3", 0.0054, 0.5), ("bb+", 0.0106, 0.5), ("B", 0.016, 0.5),
        ("CCC-", 0.06, 0.5), ("D", 0.06, 0.5), ("IG", 0.0038, 0.8), ("high_yield", 0.0106, 0.8),
    ],
)  # fmt: skip
def test_credit_takes_the_factor_of_its_rating_or_the_grade_of_its_index(sub_class, factor, correlation):
    row = one_trade({**NAME, "sub_class": sub_class})
    assert (row["supervisory_factor"], row["correlation"]) == (factor, correlation)


@pytest.mark.parametrize(("sub_class", "factor", "correlation"), [("index", 0.2, 0.8), ("single", 0.32, 0.5), ("utilities", 0.32, 0.5)])
def test_equity_that_is_no_index_is_a_single_name(sub_class, factor, correlation):
    row = one_trade({**EQUITY, "sub_class": sub_class})
    assert (row["supervisory_factor"], row["correlation"]) == (factor, correlation)


def test_entities_offset_in_the_systematic_part_only():
    first, second = {**EQUITY, "notional": 1_000}, {**EQUITY, "reference": "Y", "notional": 700, "direction": "short"}
    a, b = 320, -224
    assert add_on(first, second) == pytest.approx(math.sqrt((0.5 * (a + b)) ** 2 + 0.75 * (a**2 + b**2)))


@pytest.mark.parametrize(
    ("sub_class", "reference", "hedging_set", "entity", "factor"),
    [
        ("crude oil", "WTI", "energy", "crude oil", 0.18), ("energy", "Brent", "energy", "crude oil", 0.18),
        (None, "Henry Hub", "energy", "natural gas", 0.18), ("Power", "German baseload", "energy", "electricity", 0.4),
        ("energy", "power", "energy", "electricity", 0.4), ("metals", "rhodium", "metals", "rhodium", 0.18),
        ("other", "bandwidth", "other", "bandwidth", 0.18), ("agriculture", "Corn", "agricultural", "corn", 0.18),
    ],
)  # fmt: skip
def test_commodities_are_recognised_by_type_or_hedging_set(sub_class, reference, hedging_set, entity, factor):
    row = one_trade({**FORWARD, "notional": 1, "direction": "long", "maturity": IN["1y"], "sub_class": sub_class, "reference": reference})
    assert (row["hedging_set"], row["entity"], row["supervisory_factor"]) == (hedging_set, entity, factor)


@pytest.mark.parametrize(
    ("sub_class", "reference"), [("unobtainium", "WTI"), ("energy", "German baseload"), ("other", None), ("metals", "corn")]
)
def test_an_unknown_commodity_has_no_add_on(sub_class, reference):
    trade = {**FORWARD, "notional": 1, "direction": "long", "maturity": IN["1y"], "sub_class": sub_class, "reference": reference}
    row = one_set([trade])
    assert np.isnan(row["exposure_at_default"])
    assert "sub_class" in row["missing"]


# Netting sets


def test_margined_replacement_cost_is_at_least_what_triggers_no_call():
    terms = {**TERMS, "threshold": 40, "minimum_transfer_amount": 5, "net_independent_collateral": 15, "variation_margin": 80}
    swap = {**RATE, "market_value": 100}
    assert one_set([swap], terms)["replacement_cost"] == 30
    assert one_set([swap], {**terms, "variation_margin": 20})["replacement_cost"] == 65
    assert one_set([swap], {**terms, "margined": False, "variation_margin": 80})["replacement_cost"] == 5


def test_margined_exposure_is_at_most_the_unmargined_one():
    row = one_set([{**RATE, "market_value": 100}], {**TERMS, "threshold": 1e9})
    assert row["replacement_cost"] == 1e9
    assert row["exposure_at_default"] == row["unmargined_exposure_at_default"]
    plain = one_set([{**RATE, "market_value": 100}])
    assert row["exposure_at_default"] == plain["exposure_at_default"]
    assert json.loads(row["explanation"])["is_capped_at_unmargined"]


@pytest.mark.parametrize(
    ("terms", "days"),
    [
        ({}, 10), ({"margin_period_of_risk_days": 4}, 10), ({"margin_period_of_risk_days": 14}, 14), ({"is_cleared": True}, 5),
        ({"is_cleared": True, "counterparty_type": "central_counterparty"}, 10), ({"margined": False}, None), ({"margined": None}, None),
    ],
)  # fmt: skip
def test_the_margin_period_of_risk_has_its_floors(terms, days):
    row = one_set([RATE], {**TERMS, **terms})
    if days is None:
        assert not row["is_margined"]
        assert np.isnan(row["margin_period_of_risk_days"])
    else:
        assert row["margin_period_of_risk_days"] == days
        assert tables([RATE], ({**TERMS, **terms},))[0]["maturity_factor"].iloc[0] == pytest.approx(1.5 * math.sqrt(days / 250))


def test_more_than_five_thousand_trades_have_twenty_days_unless_cleared():
    many = trades_frame([RATE]).loc[[0] * 5_001].assign(trade_id=[f"T{i}" for i in range(5_001)])
    assert tables(many, (TERMS,))[2]["margin_period_of_risk_days"].iloc[0] == 20
    assert tables(many.iloc[1:], (TERMS,))[2]["margin_period_of_risk_days"].iloc[0] == 10
    assert tables(many, ({**TERMS, "is_cleared": True},))[2]["margin_period_of_risk_days"].iloc[0] == 5


@pytest.mark.parametrize(("value", "uncovered"), [(100, 85), (-100, -15)])
def test_margin_that_is_not_given_reduces_nothing(value, uncovered):
    row = one_set([{**RATE, "market_value": value}], {**TERMS, "variation_margin": None, "net_independent_collateral": 15})
    assert row["value"] - row["collateral"] == uncovered
    assert json.loads(row["explanation"])["variation_margin_is_assumed"]


def test_excess_collateral_reduces_the_add_on_down_to_the_floor():
    found = [one_set([RATE], {"net_independent_collateral": c}) for c in (0, 100, 1e3, 1e6)]
    assert found[0]["multiplier"] == 1
    assert found[1]["multiplier"] == pytest.approx(0.05 + 0.95 * math.exp(-100 / (1.9 * found[1]["add_on"])))
    assert found[1]["multiplier"] > found[2]["multiplier"] > found[3]["multiplier"] == pytest.approx(0.05)


def test_the_multiplier_without_add_on_is_one_or_the_floor():
    assert multiplier(np.array([0.0, 5.0, -5.0]), np.zeros(3), RULES).tolist() == [1, 1, 0.05]
    assert np.isnan(multiplier(np.array([np.nan, 1.0]), np.array([1.0, np.nan]), RULES)).all()


def test_an_empty_netting_set_owes_what_was_posted():
    row = one_set([], {"net_independent_collateral": -7})
    assert (row["value"], row["add_on"], row["replacement_cost"]) == (0, 0, 7)
    assert row["exposure_at_default"] == pytest.approx(9.8)
    assert one_set([])["exposure_at_default"] == 0


def test_amounts_are_in_the_base_currency_of_the_portfolio():
    fx = (("EUR", 1.25), ("GBP", 1.5))
    trade = {**RATE, "currency": "GBP", "market_value": 100}
    row, plain = one_set([trade], base="EUR", fx=fx), one_set([{**RATE, "market_value": 100}])
    assert row["value"] == pytest.approx(120)
    assert row["exposure_at_default"] == pytest.approx(1.2 * plain["exposure_at_default"])


# What is missing


@pytest.mark.parametrize(
    ("trade", "missing"),
    [
        ({**RATE, "direction": None}, "direction"), ({**RATE, "market_value": None}, "market value"),
        ({**RATE, "currency": "JPY"}, "exchange rate of JPY to USD"), ({**OPTION, "strike": None}, "strike"),
        ({**OPTION, "underlying_price": None}, "underlying_price"), ({**OPTION, "underlying_price": 0.0}, "underlying_price above 0"),
        ({**OPTION, "option_type": None}, "option_type"), ({**OPTION, "exercise_date": None}, "exercise_date"),
        ({**OPTION, "option_position": "held"}, "option_position (bought or sold)"),
        ({**EXAMPLE_1[2], "underlying_end": None}, "underlying_end"), ({**EQUITY, "reference": None}, "reference"),
        (NAME, "sub_class: rating of the reference entity"),
        ({**NAME, "sub_class": "NR"}, "sub_class: rating of the reference entity"),
        ({**NAME, "sub_class": "index"}, "sub_class: grade of the index (ig or sg)"),
    ],
)  # fmt: skip
def test_what_is_missing_leaves_no_exposure_and_is_named(trade, missing):
    trades, hedging_sets, netting_sets = tables([trade, {**RATE, "trade_id": "FINE"}])
    assert trades["missing"].tolist()[1:] == [missing]  # FINE sorts before T000
    row = netting_sets.iloc[0]
    assert row["missing"] == f"trade T000: {missing}"
    assert np.isnan(row["exposure_at_default"])
    assert np.isnan(row["add_on"]) == (missing != "market value")
    assert (hedging_sets["add_on"].isna() == hedging_sets["missing"].notna()).all()


@pytest.mark.parametrize("term", ["threshold", "minimum_transfer_amount"])
def test_a_margined_set_must_say_its_threshold_and_minimum_transfer_amount(term):
    row = one_set([RATE], {**TERMS, term: None})
    assert row["missing"] == f"{term} of a margined netting set"
    assert np.isnan(row["exposure_at_default"])
    assert one_set([RATE], {**TERMS, "margined": False, term: None})["exposure_at_default"] > 0


def test_trades_on_one_entity_must_agree_on_its_rating():
    trade = {**NAME, "sub_class": "BBB"}
    row = one_set([trade, {**trade, "sub_class": "B"}])
    assert np.isnan(row["exposure_at_default"])
    assert row["missing"] == "one supervisory factor of X: sub_class differs between its trades"


def test_before_the_approach_there_are_no_rows_and_then_its_text_changes():
    assert [len(table) for table in tables([RATE], as_of=dt.date(2016, 12, 30))] == [0, 0, 0]
    rules = {year: sa_ccr_rules(dt.date(year, 1, 3)) for year in (1990, 2017, 2023)}
    assert [r.applies for r in rules.values()] == [False, True, True]
    assert rules[2017].subclasses == rules[2023].subclasses
    assert rules[2023].exposure_reference == "Basel Framework CRE52.1 and CRE52.2"
    assert rules[2023].version.effective_date == dt.date(2023, 1, 1)


# Properties

TRADES = st.lists(
    st.builds(
        lambda base, notional, direction, maturity, value: {
            **base, "notional": notional, "direction": direction, "maturity": IN[maturity], "market_value": value,
        },
        st.sampled_from(
            [
                SWAP, {**SWAP, "currency": "EUR"}, {**SWAP, "instrument_type": "basis_swap", "reference": "b"},
                {"asset_class": "fx", "currency": "EUR", "second_currency": "USD"},
                {"asset_class": "fx", "currency": "GBP", "second_currency": "EUR"},
                {**CDS, "reference": "F", "sub_class": "A"}, {**CDS, "reference": "G", "sub_class": "B"},
                {**CDS, "reference": "I", "sub_class": "ig"},
                {"asset_class": "equity", "reference": "X"}, {"asset_class": "equity", "reference": "Y", "sub_class": "index"},
                {**FORWARD, "sub_class": "gold"}, {**FORWARD, "sub_class": "power"}, {**FORWARD, "sub_class": "gas"},
            ]
        ),
        st.integers(1, 1_000_000),
        st.sampled_from(["long", "short"]),
        st.sampled_from(["9m", "1y", "4y", "10y"]),
        st.integers(-50_000, 50_000),
    ),
    min_size=1,
    max_size=7,
)  # fmt: skip
SETS = st.sampled_from([{}, TERMS, {"net_independent_collateral": 30_000}, {**TERMS, "threshold": 1_000, "variation_margin": -20_000}])
RATES = (("EUR", 1.1), ("GBP", 1.3))
FIGURES = ["value", "replacement_cost", "add_on", "potential_future_exposure", "exposure_at_default"]
PROPERTY = settings(max_examples=15, deadline=None)


def figures(trades, terms):
    return one_set(trades, terms, fx=RATES)[[*FIGURES, "multiplier"]].astype(float)


def close(first, second, scale=1.0):
    size = max(scale, 1.0) * 1e-6
    return first.to_numpy() == pytest.approx(second.to_numpy(), rel=1e-9, abs=size)


@PROPERTY
@given(TRADES, SETS, st.randoms())
def test_row_order_changes_nothing(trades, terms, random):
    given_ids = [{**trade, "trade_id": f"T{i}"} for i, trade in enumerate(trades)]
    shuffled = random.sample(given_ids, len(given_ids))
    for first, second in zip(tables(given_ids, (terms,), fx=RATES), tables(shuffled, (terms,), fx=RATES), strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


@PROPERTY
@given(TRADES, SETS)
def test_exposure_is_never_negative_and_the_multiplier_between_floor_and_one(trades, terms):
    row = figures(trades, terms)
    assert (row[["replacement_cost", "add_on", "potential_future_exposure", "exposure_at_default"]] >= 0).all()
    assert 0.05 <= row["multiplier"] <= 1


@PROPERTY
@given(TRADES)
def test_the_add_on_of_all_sides_turned_round_is_the_same(trades):
    turned = [{**trade, "direction": "short" if trade["direction"] == "long" else "long"} for trade in trades]
    assert figures(turned, {})["add_on"] == pytest.approx(figures(trades, {})["add_on"])


@PROPERTY
@given(TRADES, TRADES)
def test_a_trade_and_its_opposite_leave_no_add_on_and_change_no_other(trades, others):
    opposite = [{**t, "direction": "short" if t["direction"] == "long" else "long", "market_value": -t["market_value"]} for t in trades]
    assert figures(trades + opposite, {})["add_on"] == pytest.approx(0, abs=1e-6)
    assert close(figures(others + trades + opposite, {})[FIGURES], figures(others, {})[FIGURES])


@PROPERTY
@given(TRADES, SETS)
def test_splitting_every_trade_into_halves_changes_nothing(trades, terms):
    halves = [{**t, "notional": t["notional"] / 2, "market_value": t["market_value"] / 2} for t in trades for _ in range(2)]
    assert close(figures(halves, terms), figures(trades, terms))


@PROPERTY
@given(TRADES, st.integers(2, 50))
def test_figures_scale_with_the_size_of_trades(trades, factor):
    scaled = [{**t, "notional": t["notional"] * factor, "market_value": t["market_value"] * factor} for t in trades]
    first, second = figures(trades, {}), figures(scaled, {})
    assert close(second[FIGURES], first[FIGURES] * factor, factor)
    assert second["multiplier"] == pytest.approx(first["multiplier"])


@PROPERTY
@given(TRADES, TRADES)
def test_netting_sets_together_have_no_more_add_on_than_apart(first, second):
    together = figures(first + second, {})["add_on"]
    assert together <= (figures(first, {})["add_on"] + figures(second, {})["add_on"]) * (1 + 1e-9) + 1e-6


@PROPERTY
@given(TRADES, SETS, st.integers(0, 100_000))
def test_more_collateral_is_never_more_exposure(trades, terms, more):
    held = {**terms, "net_independent_collateral": terms.get("net_independent_collateral", 0) + more}
    assert figures(trades, held)["exposure_at_default"] <= figures(trades, terms)["exposure_at_default"] * (1 + 1e-9) + 1e-6


@PROPERTY
@given(st.lists(st.tuples(st.integers(1, 120), st.integers(-1_000, 1_000)), min_size=1, max_size=6))
def test_rates_follow_the_formula_written_out(swaps):
    buckets = [0.0, 0.0, 0.0]
    for months, notional in swaps:
        years = months / 12
        duration = max((1 - math.exp(-0.05 * years)) / 0.05, 0.04)
        buckets[0 if years < 1 else 1 if years <= 5 else 2] += notional * duration * math.sqrt(min(max(years, 0.04), 1))
    expected = 0.005 * math.sqrt(sum(a * b * rho for a, row in zip(buckets, RHO, strict=True) for b, rho in zip(buckets, row, strict=True)))
    days = [np.datetime64("2022-03", "M") + months for months, _ in swaps]
    trades = [
        {**SWAP, "notional": abs(n), "direction": "long" if n >= 0 else "short", "maturity": str(day.astype("datetime64[D]") + 14)}
        for day, (_, n) in zip(days, swaps, strict=True)
    ]
    assert add_on(*trades) == pytest.approx(expected, abs=1e-6)


RHO = ((1, 0.7, 0.3), (0.7, 1, 0.7), (0.3, 0.7, 1))
