"""Profits in scenarios against a revaluation written out position by position, on every backend."""

import numpy as np
import pytest

from margin_pipeline.compute import NUMPY, available_backends, backend_named
from margin_pipeline.market.option_pricing import black_scholes_merton, option_value
from margin_pipeline.risk import risk_positions
from margin_pipeline.risk.book import build_book
from margin_pipeline.risk.revaluation import profits

FACTORS = ["AAA", "BBB", "fx:EUR", "fx:GBP"]
MOVES = np.array([[0.05, -0.02, 0.03, -0.04], [-0.30, 0.10, -0.02, 0.01], [0.0, 0.0, 0.1, 0.1]])


@pytest.fixture(scope="module")
def closes(build):
    return build.walk(["AAA", "BBB"])


@pytest.fixture
def profit(build, closes):
    def of(held, base="USD", moves=MOVES, backend=NUMPY):
        option = {"underlying": "AAA", "strike": 100, "expiry": "2023-06-28", "multiplier": 100, "asset_class": "equity_option"}
        frame = build.instruments(
            {"symbol": "AAA"},
            {"symbol": "BBB", "currency": "EUR"},
            {"symbol": "FUT", "asset_class": "future", "underlying": "AAA", "multiplier": 50, "currency": "EUR"},
            option | {"symbol": "CALL", "option_type": "call", "exercise": "european"},
            option | {"symbol": "PUT", "option_type": "put"},
        )
        books = build.portfolios(("P", base))
        exposed = risk_positions(held, frame, books, build.prices(closes), build.rates(USD=0.03), build.dividends(), build.as_of)
        assert exposed["missing"].isna().all()
        book = build_book(exposed, held, books)
        return profits(book, moves[:, [FACTORS.index(f) for f in book.factors]], backend)

    return of


def test_a_stock_earns_its_return(build, profit):
    assert profit(build.positions(("P", "s", "AAA", 10, 120.0)))[0] == pytest.approx(1200 * MOVES[:, 0])


def test_a_stock_in_another_currency_earns_its_value_afterwards_at_the_rate_afterwards(build, profit):
    held = build.positions(("P", "s", "BBB", 10, 120.0), fx={"EUR": 1.1 / 1.3}, currency={"BBB": "EUR"})
    value = 1200 * 1.1 / 1.3
    rate = (1 + MOVES[:, 2]) / (1 + MOVES[:, 3])
    assert profit(held, base="GBP")[0] == pytest.approx(value * ((1 + MOVES[:, 1]) * rate - 1))


def test_a_stock_in_dollars_loses_what_the_base_currency_gains(build, profit):
    held = build.positions(("P", "s", "AAA", 10, 120.0), fx={"USD": 0.9})
    assert profit(held, base="EUR")[0] == pytest.approx(1080 * ((1 + MOVES[:, 0]) / (1 + MOVES[:, 2]) - 1))


def test_a_future_earns_its_move_at_the_rate_afterwards_and_nothing_on_its_notional(build, profit):
    held = build.positions(("P", "s", "FUT", 2, 120.0), fx={"EUR": 1.1}, currency={"FUT": "EUR"}, market_value=0.0)
    assert profit(held)[0] == pytest.approx(2 * 50 * 120 * 1.1 * MOVES[:, 0] * (1 + MOVES[:, 2]))


def test_an_option_is_revalued_in_full_at_its_own_volatility(build, profit, closes):
    spot, years = closes["AAA"].iloc[-1], 182 / 365
    price = float(black_scholes_merton(spot, 100, years, 0.03, 0, 0.3, True))
    expected = -3 * 100 * (black_scholes_merton(spot * (1 + MOVES[:, 0]), 100, years, 0.03, 0, 0.3, True) - price)
    assert profit(build.positions(("P", "s", "CALL", -3, price)))[0] == pytest.approx(expected)


def test_an_american_option_never_falls_below_its_intrinsic_value_in_a_scenario(build, profit, closes):
    spot, years = closes["AAA"].iloc[-1], 182 / 365
    price = float(option_value(spot, 100, years, 0.03, 0, 0.3, False, True))
    crash = np.array([[-0.9, 0, 0, 0]])
    assert profit(build.positions(("P", "s", "PUT", 1, price)), moves=crash)[0] == pytest.approx(100 * (100 - 0.1 * spot - price))


def test_strategies_are_kept_apart_and_add_up(build, profit):
    rows = [("P", "a", "AAA", 10, 100.0), ("P", "b", "CALL", 2, 9.0), ("P", "b", "AAA", -5, 100.0), ("P", "c", "CALL", -2, 9.0)]
    together = profit(build.positions(*rows))
    assert together.shape == (3, 3)
    assert together.sum(axis=0) == pytest.approx(profit(build.positions(("P", "z", "AAA", 5, 100.0)))[0])


@pytest.mark.parametrize("name", [n for n in available_backends() if n != NUMPY.name])
def test_every_backend_revalues_alike(build, profit, name):
    held = build.positions(("P", "a", "CALL", 10, 9.0), ("P", "b", "PUT", -7, 14.0), ("P", "c", "CALL", -3, 11.0))
    moves = np.random.default_rng(2).normal(0, 0.03, (300, 4))
    expected = profit(held, moves=moves)
    found = profit(held, moves=moves, backend=backend_named(name))
    assert found == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())
