"""The curve of futures options: a broker's figures by strike, then what it does with inputs that are missing or mean nothing."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from margin_pipeline.margin.models.future_option import curve

CASES = list(csv.DictReader((Path(__file__).parents[1] / "cases" / "futures_options_curve.csv").open(encoding="utf-8")))
FUTURE = {"symbol": "F", "asset_class": "future", "multiplier": 1000.0, "root": "CL", "underlying": "OIL"}
OPTION = {
    "symbol": "O",
    "asset_class": "future_option",
    "multiplier": 1000.0,
    "underlying": "F",
    "option_type": "call",
    "strike": 66.0,
    "expiry": "2023-02-17",
    "margin_model": "future_option_curve",
    "quantity": 1,
}
RATES = [("CL", "2022-12-27", 59_375, 47_500, 30_000, 24_000)]


def error_of(margin_of, case):
    """Difference to the broker's figure, over the requirement of the future."""
    need = float(case["underlying_future_requirement_usd"])
    held = {**OPTION, "option_type": case["right"], "strike": float(case["strike"]), "quantity": 1 if case["side"] == "long" else -1}
    closes = {"F": float(case["underlying_price"])}
    row = margin_of(held, account="futures", closes=closes, futures=[("CL", "2022-12-27", need, need, need, need)], instruments=[FUTURE])
    found = row[f"{case['requirement_kind']}_margin"]
    assert abs(found - float(case["expected_margin_per_contract_usd"])) <= float(case["abs_tol_usd"])
    return (found - float(case["expected_margin_per_contract_usd"])) / need


def test_curve_comes_within_7_2_percent_of_the_future_on_average_and_30_at_most(margin_of):
    errors = np.abs([error_of(margin_of, case) for case in CASES])
    assert len(errors) == 40
    assert errors.mean() == pytest.approx(0.0720, abs=5e-5)
    assert errors.max() == pytest.approx(0.2719, abs=5e-5)


def test_fixed_multiple_is_ten_times_as_far_from_the_broker():
    need = np.array([float(case["underlying_future_requirement_usd"]) for case in CASES])
    expected = np.array([float(case["expected_margin_per_contract_usd"]) for case in CASES])
    assert np.abs(1.5 - expected / need).mean() > 0.70


def test_figure_by_hand(margin_of):
    row = margin_of(OPTION, account="futures", closes={"F": 60.0}, futures=RATES, instruments=[FUTURE])
    part = 1.2 / (1 + np.exp(7.8 * (66 - 60) / 60))
    assert row["initial_margin"] == pytest.approx(59_375 * part, rel=1e-12)
    assert row["maintenance_margin"] == pytest.approx(47_500 * part, rel=1e-12)
    text = json.loads(row["explanation"])
    assert (text["growth"], text["requirement_factor"], text["rates"], text["effective_date"]) == (-7.8, 1.2, "overnight", "2022-12-27")


def test_rates_of_the_day_and_of_the_hour_apply_as_to_the_future(margin_of):
    older = [("CL", "2022-01-03", 1, 1, 1, 1), *RATES]
    market = {"account": "futures", "closes": {"F": 60.0}, "instruments": [FUTURE], "futures": older}
    overnight, intraday = margin_of(OPTION, **market), margin_of(OPTION, calendar_open=True, **market)
    assert intraday["initial_margin"] == pytest.approx(overnight["initial_margin"] * 30_000 / 59_375)
    for model in ("future_option_curve", "future_option_fixed"):
        row = margin_of({**OPTION, "margin_model": model, "quantity": -1, "price": 1.0, "currency": "EUR"}, usd={"EUR": 1.1}, **market)
        dollars = margin_of({**OPTION, "margin_model": model, "quantity": -1, "price": 1.0}, **market)
        assert row["maintenance_margin"] == pytest.approx(1.1 * dollars["maintenance_margin"])


@pytest.mark.parametrize(
    ("change", "market", "reason"),
    [
        ({}, {"closes": {"F": 0.0}}, "price above 0 of F 2022-12-28, which model future_option_curve needs (it is 0)"),
        ({}, {"closes": {"F": -37.63}}, "price above 0 of F 2022-12-28, which model future_option_curve needs (it is -37.63)"),
        ({}, {"closes": {}}, "price of F 2022-12-28"),
        ({}, {"futures": ()}, "futures margin of root CL in force on 2022-12-28"),
        ({}, {"futures": [("CL", "2023-01-03", 1, 1, 1, 1)]}, "futures margin of root CL in force on 2022-12-28"),
        ({}, {"instruments": [{**FUTURE, "root": None}]}, "root of O"),
        ({"strike": np.nan}, {}, "contract terms of O"),
        ({"option_type": None}, {}, "contract terms of O"),
        ({"currency": "EUR"}, {}, "exchange rate of EUR into USD 2022-12-28"),
    ],
)
def test_whatever_is_missing_fails_closed_and_is_named(margin_of, change, market, reason):
    row = margin_of({**OPTION, **change}, **{"closes": {"F": 60.0}, "futures": RATES, "instruments": [FUTURE], **market})
    assert row["missing"] == reason
    assert np.isnan(row["initial_margin"])
    assert np.isnan(row["maintenance_margin"])


def test_fixed_multiple_stays_the_default(margin_of):
    row = margin_of({**OPTION, "margin_model": None, "quantity": -1}, futures=RATES, instruments=[FUTURE])
    assert (row["model"], row["maintenance_margin"]) == ("future_option_fixed", 1.5 * 47_500)


@settings(max_examples=60)
@given(st.floats(1, 1e5), st.floats(0.01, 5), st.floats(1.0001, 2), st.sampled_from([(-7.8, 1.0), (9.0, 1.0), (-4.0, 1.5), (2.4, 0.3)]))
def test_curve_is_a_part_that_falls_with_the_strike_of_calls_and_rises_with_that_of_puts(price, moneyness, step, shape):
    growth, factor = shape
    low, high = (curve(*(np.array([x]) for x in (price * moneyness * s, price, growth, factor)))[0] for s in (1.0, step))
    assert 0 <= low <= 1
    assert (high - low) * np.sign(growth) >= 0
