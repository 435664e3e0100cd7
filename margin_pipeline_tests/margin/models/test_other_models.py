"""Margin schedules, leverage, money a unit, rates by asset class, the choice among models."""

import numpy as np
import pytest

TIERS = [
    ("B", "marginal", threshold, rate, rate / 2, "USD", "2020-01-02")
    for threshold, rate in ((0, 0.01), (100_000, 0.02), (500_000, 0.05), (1_000_000, 0.10))
]
PERP = {"symbol": "BTC", "asset_class": "crypto", "contract_type": "linear", "margin_schedule": "B"}


def bracket(rows):
    return [(s, "bracket", *rest) for s, _, *rest in rows]


def test_published_schedule_asks_21500_by_slices_and_37500_by_bracket(margin_of):
    held = {**PERP, "quantity": -15, "price": 50_000.0}
    assert margin_of(held, account="crypto_cross", schedules=TIERS)["initial_margin"] == pytest.approx(21_500)
    assert margin_of(held, account="crypto_cross", schedules=bracket(TIERS))["initial_margin"] == pytest.approx(37_500)


def test_published_leverage_of_ten_asks_4500_for_45000(margin_of):
    row = margin_of({"symbol": "B", "quantity": 1, "price": 45_000.0, "margin_model": "leverage", "margin_leverage": 10.0})
    assert (row["model"], row["initial_margin"], row["maintenance_margin"]) == ("leverage", 4_500, 4_500)


def test_money_a_unit_and_null_need_no_price(margin_of):
    assert margin_of({"symbol": "B", "quantity": -3, "margin_model": "per_unit", "margin_per_unit": 7.5})["maintenance_margin"] == 22.5
    assert margin_of({"symbol": "B", "quantity": -3, "margin_model": "null"})["maintenance_margin"] == 0
    assert margin_of({"symbol": "B", "quantity": -3, "margin_model": "per_unit"})["missing"] == "margin_per_unit of B"


def test_tier_is_found_in_the_currency_of_the_schedule(margin_of):
    euros = [(s, "bracket", t, i, m, "EUR", e) for s, _, t, i, m, _, e in TIERS]
    row = margin_of({**PERP, "quantity": 1, "price": 120_000.0}, account="crypto_cross", schedules=euros, usd={"EUR": 1.25})
    assert row["initial_margin"] == pytest.approx(1_200)  # 96,000 euros: the first tier
    unconverted = margin_of({**PERP, "quantity": 1, "price": 120_000.0}, account="crypto_cross", schedules=euros)
    assert unconverted["missing"] == "exchange rate of USD into EUR 2022-12-28"


@pytest.mark.parametrize(
    ("terms", "schedules", "reason"),
    [
        ({"margin_schedule": None}, TIERS, "margin schedule of BTC"),
        ({}, [], "margin schedule B in force on 2022-12-28"),
        ({}, TIERS[1:], "tier of margin schedule B for a notional of 20000"),
        ({}, bracket(TIERS[1:]), "tier of margin schedule B for a notional of 20000"),
    ],
)
def test_schedule_that_says_nothing_fails_closed(margin_of, terms, schedules, reason):
    row = margin_of({**PERP, **terms, "quantity": 1, "price": 20_000.0}, account="crypto_cross", schedules=schedules)
    assert np.isnan(row["maintenance_margin"])
    assert row["missing"] == reason


def test_notional_of_an_inverse_contract_does_not_depend_on_its_price(margin_of):
    contract = {**PERP, "contract_type": "inverse", "multiplier": 100.0, "quantity": 1_000}
    for price in (20_000.0, 40_000.0):
        row = margin_of({**contract, "price": price}, account="crypto_cross", schedules=bracket(TIERS))
        assert row["initial_margin"] == pytest.approx(2_000)  # 100,000 at 2 %


def test_rate_by_asset_class_has_duration_volatility_and_concentration_add_ons(margin_of):
    bond = {"symbol": "B", "asset_class": "bond", "modified_duration": 8.0, "quantity": 100, "price": 100.0}
    row = margin_of(bond)
    assert row["initial_margin"] == pytest.approx(10_000 * (0.05 + 0.08))
    assert row["maintenance_margin"] == pytest.approx(10_000 * (0.03 + 0.06))
    coin = {"symbol": "C", "asset_class": "crypto", "quantity": 1, "price": 10_000.0}
    assert margin_of(coin, volatility=0.40)["initial_margin"] == pytest.approx(5_000 * 1.3)
    assert margin_of(coin, volatility=2.0)["initial_margin"] == 10_000  # at most the whole notional
    oil = {"symbol": "O", "asset_class": "commodity", "quantity": 200_000, "price": 100.0}
    assert margin_of(oil)["initial_margin"] == pytest.approx(20e6 * 0.30 * 1.10)


def test_concentration_cannot_be_split_away(book_of):
    oil = {"symbol": "O", "asset_class": "commodity", "price": 100.0}
    halves = [{**oil, "quantity": 70_000, "strategy": "a"}, {**oil, "quantity": 70_000, "strategy": "b"}]
    assert book_of(halves)["position_margins"]["initial_margin"].sum() == pytest.approx(14e6 * 0.30 * 1.10)


def test_given_rates_replace_the_shipped_one_duration_included(margin_of):
    bond = {"symbol": "B", "asset_class": "bond", "quantity": 100, "price": 100.0}
    rates = [("bond", 0.20, 0.10, "2022-01-03"), ("bond", 0.30, 0.25, "2022-12-28"), ("bond", 0.9, 0.9, "2022-12-29")]
    row = margin_of(bond, rates=rates)
    assert (row["initial_margin"], row["maintenance_margin"]) == (3_000, 2_500)
    assert margin_of(bond)["missing"] == "modified duration of B"


def test_volatility_that_is_not_known_fails_closed(margin_of):
    row = margin_of({"symbol": "C", "asset_class": "crypto", "quantity": 1, "price": 10_000.0}, volatility=np.nan)
    assert row["missing"] == "volatility of C"


@pytest.mark.parametrize(
    ("account", "terms", "model"),
    [
        ("reg_t", {}, "reg_t"),
        ("cash", {}, "cash_secured"),
        ("otc", {}, "reg_t"),
        ("reg_t", {"asset_class": "crypto"}, "asset_class_rate"),
        ("reg_t", {"asset_class": "crypto", "margin_schedule": "B"}, "tiered"),
        ("crypto_cross", {"asset_class": "crypto", "contract_type": "linear"}, "tiered"),
        ("cash", {"asset_class": "crypto", "contract_type": "linear"}, "cash_secured"),
        ("reg_t", {"margin_schedule": "B"}, "reg_t"),
        ("crypto_cross", {"margin_schedule": "B"}, "tiered"),
        ("cash", {"margin_model": "leverage"}, "leverage"),
        ("reg_t", {"asset_class": "index"}, "none"),
        ("reg_t", {"margin_model": "unheard_of"}, "unheard_of"),
    ],
)
def test_model_follows_instrument_then_account_then_asset_class(margin_of, account, terms, model):
    assert margin_of({"symbol": "X", "quantity": 1, "price": 1.0, **terms}, account=account)["model"] == model


def test_position_without_a_model_fails_closed(margin_of):
    assert margin_of({"symbol": "X", "asset_class": "index", "quantity": 1, "price": 1.0})["missing"] == (
        "margin model for asset class index in a reg_t account"
    )
    unknown = margin_of({"symbol": "X", "margin_model": "unheard_of", "quantity": 1, "price": 1.0})
    assert unknown["missing"] == "margin model unheard_of is not registered"
