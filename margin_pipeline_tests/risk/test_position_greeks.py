"""Greeks of positions: figures per unit against the formulas, money, linear positions, and what is said where one lacks something."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.market.american_options import american_value
from margin_pipeline.market.greeks import american_greeks, european_greeks
from margin_pipeline.market.option_pricing import black_scholes_merton
from margin_pipeline.orchestration import checks_greeks
from margin_pipeline.risk import risk_positions
from margin_pipeline.risk.position_greeks import COLUMNS, position_greeks

YEARS = 90 / 365
MONEY = ["dollar_delta", "dollar_gamma", "dollar_vega", "dollar_theta"]


def option(symbol, underlying, option_type, exercise, strike=100.0, expiry="2023-03-28", **terms):
    usual = {"asset_class": "equity_option", "multiplier": 100.0}
    return (
        {"symbol": symbol, "underlying": underlying, "option_type": option_type, "exercise": exercise, "strike": strike, "expiry": expiry}
        | usual
        | terms
    )


@pytest.fixture(scope="module")
def market(build):
    closes = build.walk(["STOCK", "FUT"])
    closes.loc[closes.index[-1]] = [95.0, 100.0]
    rows = [
        {"symbol": "STOCK"},
        {"symbol": "FUT", "asset_class": "future", "multiplier": 50.0},
        {"symbol": "INVERSE", "asset_class": "crypto", "contract_type": "inverse", "multiplier": 100.0},
        option("PUT", "STOCK", "put", "american"),
        option("EURO", "STOCK", "put", "european"),
        option("CALL", "STOCK", "call", "european"),
        option("DEEP", "STOCK", "put", "american", strike=150.0),
        option("FOP", "FUT", "call", "american", asset_class="future_option", multiplier=50.0),
        option("BLIND", "GONE", "put", "american"),
        option("TODAY", "STOCK", "call", "american", strike=95.0, expiry="2022-12-28"),
    ]
    return build.instruments(*rows), build.prices(closes)


@pytest.fixture
def greeks(build, market):
    def of(*held, **columns):
        instruments, prices = market
        exposures = risk_positions(
            build.positions(*held, **columns), instruments, build.portfolios(("P", "USD")), prices, build.rates(USD=0.05),
            build.dividends(STOCK=0.01), build.as_of,
        )  # fmt: skip
        return position_greeks(exposures, instruments).set_index("symbol")

    return of


def test_an_american_put_has_the_volatility_and_the_greeks_of_its_american_value(greeks):
    terms = (95.0, 100.0, YEARS, 0.05, 0.01)
    price = american_value(*terms, 0.3, False)[0]
    row = greeks(("P", "s", "PUT", -4, price)).loc["PUT"]
    assert row["implied_volatility"] == pytest.approx(0.3, abs=1e-6)
    assert pd.isna(row["implied_volatility_reason"])
    assert row["american_value"] == pytest.approx(price)
    assert row["early_exercise_premium"] == pytest.approx(price - black_scholes_merton(*terms, 0.3, False), abs=1e-5)
    expected = american_greeks(*terms, 0.3, False)
    for name in ("delta", "gamma", "vega", "theta", "rho"):
        assert row[name] == pytest.approx(getattr(expected, name)[0], rel=1e-4), name
    assert row["dollar_delta"] == pytest.approx(-400 * 95 * row["delta"])
    assert row["dollar_gamma"] == pytest.approx(-400 * 95**2 * row["gamma"])
    assert row["dollar_vega"] == pytest.approx(-400 * row["vega"] / 100)
    assert row["dollar_theta"] == pytest.approx(-400 * row["theta"])
    assert row["dollar_theta"] > 0 > row["dollar_gamma"]


def test_money_is_what_a_move_brings(greeks):
    terms = (95.0, 100.0, YEARS, 0.05, 0.01)
    price = american_value(*terms, 0.3, False)[0]
    row = greeks(("P", "s", "PUT", 10, price), fx={"USD": 0.8}).loc["PUT"]
    move = 0.01
    up, down = (american_value(95 * (1 + way * move), *terms[1:], 0.3, False)[0] for way in (1, -1))
    assert row["dollar_delta"] * move == pytest.approx(0.8 * 1000 * (up - down) / 2, rel=1e-3)
    assert row["dollar_gamma"] * move**2 / 2 == pytest.approx(0.8 * 1000 * ((up + down) / 2 - price), rel=1e-2)
    assert row["dollar_vega"] == pytest.approx(0.8 * 1000 * (american_value(*terms, 0.31, False)[0] - price), rel=1e-2)
    tomorrow = american_value(95.0, 100.0, YEARS - 1 / 365, 0.05, 0.01, 0.3, False)[0]
    assert row["dollar_theta"] == pytest.approx(0.8 * 1000 * (tomorrow - price), rel=1e-2)


def test_european_options_have_no_american_value_and_obey_parity(greeks):
    call, put = (black_scholes_merton(95.0, 100.0, YEARS, 0.05, 0.01, 0.25, is_call) for is_call in (True, False))
    found = greeks(("P", "s", "CALL", 1, call), ("P", "s", "EURO", 1, put))
    assert found[["american_value", "early_exercise_premium"]].isna().all(axis=None)
    assert found["implied_volatility"].to_numpy() == pytest.approx([0.25, 0.25])
    assert found.loc["CALL", "delta"] - found.loc["EURO", "delta"] == pytest.approx(np.exp(-0.01 * YEARS))
    assert found.loc["CALL", "gamma"] == pytest.approx(found.loc["EURO", "gamma"])
    assert found.loc["CALL", "rho"] == pytest.approx(european_greeks(95.0, 100.0, YEARS, 0.05, 0.01, 0.25, True).rho[0])


def test_linear_positions_have_a_delta_alone(greeks):
    found = greeks(("P", "s", "STOCK", -30, 95.0), ("P", "s", "FUT", 2, 100.0), ("P", "s", "INVERSE", 5, 20_000.0), entry_price=10_000.0)
    assert found["delta"].to_dict() == {"STOCK": 1.0, "FUT": 1.0, "INVERSE": pytest.approx(1 / 10_000)}
    assert found["dollar_delta"].to_dict() == {"STOCK": -2850.0, "FUT": 10_000.0, "INVERSE": 1000.0}
    assert found[["gamma", "vega", "theta", "rho", *MONEY[1:], "implied_volatility"]].isna().all(axis=None)
    assert found["missing"].isna().all()


def test_an_option_at_its_intrinsic_value_has_no_volatility_and_moves_one_for_one(greeks):
    row = greeks(("P", "s", "DEEP", 1, 55.0)).loc["DEEP"]
    assert (row["implied_volatility"], row["implied_volatility_reason"]) == (0.0, "at_or_below_intrinsic")
    assert (row["american_value"], row["delta"], row["gamma"], row["vega"], row["theta"]) == (55.0, -1.0, 0.0, 0.0, 0.0)
    assert row["early_exercise_premium"] == pytest.approx(55 - black_scholes_merton(95, 150, YEARS, 0.05, 0.01, 0, False))


def test_an_option_on_a_future_is_discounted_by_its_rho(greeks):
    row = greeks(("P", "s", "FOP", 3, 6.0)).loc["FOP"]
    assert 0 < row["early_exercise_premium"] < 0.05
    assert -YEARS * 6.0 < row["rho"] < 0  # the right to exercise early makes less of discounting
    assert row["dollar_delta"] == pytest.approx(3 * 50 * 100.0 * row["delta"])


def test_what_is_missing_is_named_and_leaves_no_figures(greeks):
    found = greeks(("P", "s", "BLIND", 1, 2.0), ("P", "s", "PUT", 1, 200.0), ("P", "s", "EURO", 1, np.nan), ("P", "s", "NOBODY", 1, 5.0))
    assert found["missing"].notna().all()
    assert "no close of its underlying GONE" in found.loc["BLIND", "missing"]
    assert found.loc["PUT", "missing"] == "PUT: no implied volatility (at or above upper bound)"
    assert found[["delta", *MONEY]].isna().all(axis=None)


def test_at_the_strike_on_its_last_day_gamma_alone_is_missing(greeks):
    row = greeks(("P", "s", "TODAY", 1, 0.0)).loc["TODAY"]
    assert (row["delta"], row["vega"]) == (0.5, 0.0)
    assert np.isnan(row["gamma"])
    assert np.isnan(row["dollar_gamma"])
    assert "gamma has no bound" in row["missing"]


def test_rows_are_those_of_the_exposures_whatever_their_order(build, market):
    instruments, prices = market
    held = [("P", "s", "PUT", 1, 9.0), ("P", "t", "PUT", -2, 8.0), ("P", "u", "PUT", 3, 9.0), ("P", "s", "STOCK", 5, 95.0)]
    exposures = risk_positions(
        build.positions(*held), instruments, build.portfolios(("P", "USD")), prices, build.rates(USD=0.05), build.dividends(), build.as_of
    )
    found = position_greeks(exposures, instruments)
    assert tuple(found.columns) == COLUMNS
    again = position_greeks(exposures.sample(frac=1, random_state=2), instruments).sort_values(["portfolio_id", "strategy", "symbol"])
    pd.testing.assert_frame_equal(found, again.reset_index(drop=True))
    assert found["implied_volatility"].nunique() == 2  # two marks of one series
    none = position_greeks(exposures.iloc[:0], instruments)
    assert none.empty
    assert none.dtypes["missing"] == found.dtypes["missing"]


def test_the_checks_pass_for_good_rows_and_fail_for_lost_or_wrong_ones(build, market, greeks):
    held = [("P", "s", "PUT", -2, 9.0), ("P", "s", "STOCK", 5, 95.0), ("P", "s", "BLIND", 1, 2.0), ("P", "s", "TODAY", 1, 0.0)]
    positions, found = build.positions(*held), greeks(*held).reset_index()
    for check in (checks_greeks.every_position_has_greeks_or_a_reason, checks_greeks.owned_options_gain_by_volatility):
        assert check({"position_greeks": found, "positions": positions}).passed
    assert not checks_greeks.every_position_has_greeks_or_a_reason({"position_greeks": found.iloc[1:], "positions": positions}).passed
    blank = found.assign(missing=None)
    assert not checks_greeks.every_position_has_greeks_or_a_reason({"position_greeks": blank, "positions": positions}).passed
    turned = found.assign(dollar_vega=-found["dollar_vega"])
    assert not checks_greeks.owned_options_gain_by_volatility({"position_greeks": turned, "positions": positions}).passed
