"""Exposures of each kind of instrument, and what is said where one lacks something."""

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.market.option_pricing import black_76, black_scholes_merton, option_delta
from margin_pipeline.risk import risk_positions


def option(symbol, underlying, option_type, asset_class="equity_option", strike=100, expiry="2023-03-28"):
    terms = {"underlying": underlying, "option_type": option_type, "strike": strike, "expiry": expiry, "multiplier": 100}
    return {"symbol": symbol, "asset_class": asset_class} | terms


@pytest.fixture(scope="module")
def market(build):
    closes = build.walk(["STOCK", "INDEX", "FUT", "COIN", "DAX"])
    closes["FRESH"] = closes["STOCK"].iloc[-3:]
    closes["FRESHFUT"] = closes["FUT"]
    rows = [
        {"symbol": "STOCK"},
        {"symbol": "DAX", "currency": "EUR"},
        {"symbol": "INDEX", "asset_class": "index"},
        {"symbol": "FUT", "asset_class": "future", "underlying": "INDEX", "multiplier": 50},
        {"symbol": "FRESHFUT", "asset_class": "future", "underlying": "FRESH", "multiplier": 10},
        option("CALL", "STOCK", "call"),
        option("FOP", "FUT", "put", asset_class="future_option", strike=70),
        option("OLD", "STOCK", "call", expiry="2022-12-27"),
        option("BLIND", "GONE", "put"),
        option("QUANTO", "DAX", "put"),
        {"symbol": "PERP", "asset_class": "crypto", "contract_type": "linear"},
        {"symbol": "INVERSE", "asset_class": "crypto", "contract_type": "inverse", "multiplier": 100},
        {"symbol": "WARRANT", "asset_class": "warrant", "underlying": "STOCK", "option_type": "call", "strike": 100, "expiry": "2023-12-28",
         "conversion_ratio": 0.1},
    ]  # fmt: skip
    return build.instruments(*rows), build.prices(closes), closes.iloc[-1]


@pytest.fixture
def exposures(build, market):
    def of(held, base="USD"):
        frame, prices, _ = market
        return risk_positions(
            held, frame, build.portfolios(("P", base)), prices, build.rates(USD=0.04), build.dividends(STOCK=0.01), build.as_of
        ).set_index("symbol")

    return of


def test_a_stock_is_exposed_by_its_value_to_itself(build, exposures):
    found = exposures(build.positions(("P", "s", "STOCK", -30, 101.0))).loc["STOCK"]
    assert (found["risk_factor"], found["delta_exposure"], found["currency_exposure"]) == ("STOCK", -3030.0, 0.0)
    assert not found["is_option"]


def test_a_future_is_exposed_to_its_underlying_by_its_notional_and_to_its_currency_by_its_value(build, exposures):
    held = build.positions(("P", "s", "FUT", 2, 110.0), fx={"USD": 0.9}, currency={"FUT": "USD"}, market_value=25.0)
    found = exposures(held, base="EUR").loc["FUT"]
    assert found["risk_factor"] == "INDEX"
    assert found["delta_exposure"] == pytest.approx(2 * 50 * 110 * 0.9)
    assert found["currency_exposure"] == 25.0


def test_a_future_on_something_with_a_short_history_is_its_own_factor(build, exposures):
    assert exposures(build.positions(("P", "s", "FRESHFUT", 1, 110.0))).loc["FRESHFUT", "risk_factor"] == "FRESHFUT"


def test_an_option_is_exposed_by_its_delta_at_its_own_volatility(build, exposures, market):
    spot = market[2]["STOCK"]
    price = float(black_scholes_merton(spot, 100, 90 / 365, 0.04, 0.01, 0.33, True))
    found = exposures(build.positions(("P", "s", "CALL", -3, price))).loc["CALL"]
    assert found["implied_volatility"] == pytest.approx(0.33)
    delta = float(option_delta(spot, 100, 90 / 365, 0.04, 0.01, 0.33, True, True))
    assert found["delta_exposure"] == pytest.approx(-3 * 100 * spot * delta)
    assert found["risk_factor"] == "STOCK"


def test_an_option_on_a_future_maps_on_to_the_index_and_is_priced_on_the_future(build, exposures, market):
    price = float(black_76(market[2]["FUT"], 70, 90 / 365, 0.04, 0.2, False))
    found = exposures(build.positions(("P", "s", "FOP", 1, price))).loc["FOP"]
    assert found["risk_factor"] == "INDEX"
    assert found["implied_volatility"] == pytest.approx(0.2)
    assert found["delta_exposure"] < 0


def test_a_warrant_is_priced_on_its_share_of_the_underlying(build, exposures, market):
    price = 0.1 * float(black_scholes_merton(market[2]["STOCK"], 100, 1, 0.04, 0.01, 0.4, True))
    assert exposures(build.positions(("P", "s", "WARRANT", 50, price))).loc["WARRANT", "implied_volatility"] == pytest.approx(0.4)


def test_an_inverse_contract_is_exposed_by_its_face_value_at_the_entry_price(build, exposures):
    held = build.positions(("P", "s", "INVERSE", 5, 120.0), entry_price=100.0)
    assert exposures(held).loc["INVERSE", "delta_exposure"] == pytest.approx(5 * 100 * 1.2)
    assert exposures(held.assign(entry_price=np.nan)).loc["INVERSE", "delta_exposure"] == pytest.approx(5 * 100)


def test_one_series_at_two_marks_has_two_volatilities(build, exposures):
    held = build.positions(("P", "a", "CALL", 1, 4.0), ("P", "b", "CALL", 1, 6.0), ("P", "c", "CALL", 7, 4.0))
    found = exposures(held).set_index("strategy")
    assert found["option_series"].nunique() == 2
    assert found.loc["a", "implied_volatility"] == found.loc["c", "implied_volatility"] < found.loc["b", "implied_volatility"]


def test_a_position_of_nothing_needs_nothing(build, exposures):
    assert exposures(build.positions(("P", "s", "STOCK", 0, np.nan))).empty


@pytest.mark.parametrize(
    ("row", "change", "reason"),
    [
        (("P", "s", "STOCK", 1, np.nan), {}, "STOCK: no price"),
        (("P", "s", "DAX", 1, 100.0), {"currency": "EUR", "fx_rate": np.nan}, "DAX: no exchange rate from EUR to USD"),
        (("P", "s", "DAX", 1, 100.0), {"currency": "EUR", "market_value": np.nan}, "DAX: no market value to convert from EUR"),
        (("P", "s", "OLD", 1, 1.0), {}, "OLD: expired"),
        (("P", "s", "BLIND", 1, 1.0), {}, "BLIND: no close of its underlying GONE"),
        (("P", "s", "QUANTO", 1, 1.0), {}, "QUANTO: is quoted in USD, its underlying DAX in EUR"),
        (("P", "s", "CALL", 1, 500.0), {}, "CALL: no implied volatility (at or above upper bound)"),
        (("P", "s", "CALL", 1, np.nan), {}, "CALL: no price"),
        (("P", "s", "NOBODY", 1, 1.0), {}, "NOBODY: unknown instrument"),
        (("Q", "s", "STOCK", 1, 1.0), {}, "STOCK: unknown portfolio Q"),
    ],
)
def test_what_lacks_an_input_says_which(build, exposures, row, change, reason):
    found = exposures(build.positions(row).assign(**change))
    assert list(found["missing"]) == [reason]


def test_the_order_of_rows_does_not_matter(build, market):
    frame, prices, _ = market
    rows = [("a", "CALL", 1, 4.0), ("a", "STOCK", 2, 100.0), ("b", "FUT", 3, 100.0), ("b", "CALL", 4, 5.0)]
    held = build.positions(*(("P", *row) for row in rows))
    arguments = (build.portfolios(("P", "USD")), prices, build.rates(), build.dividends(), build.as_of)
    straight = risk_positions(held, frame, *arguments)
    turned = risk_positions(held[::-1], frame[::-1], arguments[0], prices[::-1], *arguments[2:])
    pd.testing.assert_frame_equal(straight, turned)
