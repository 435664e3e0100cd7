"""Which of the shocks that a scenario names moves a symbol."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.parameters.stress import Criteria, Scenario
from margin_pipeline.risk.stress_moves import currency_moves, price_moves

AS_OF = dt.date(2022, 12, 28)
CRITERIA = Criteria(0.5, 1.0, True)


def scenario(**shocks):
    return Scenario("s", "", "", CRITERIA, **shocks)


def terms():
    rows = [
        ("A", "equity", None, None, "technology"),
        ("B", "equity", None, None, "energy"),
        ("M", "index", None, None, None),
        ("F", "future", "M", None, None),
        ("OF", "future_option", "F", "call", None),
        ("OA", "equity_option", "A", "put", None),
        ("X", "crypto", None, None, None),
    ]
    frame = pd.DataFrame(rows, columns=["symbol", "asset_class", "underlying", "option_type", "sector"])
    return frame.astype("str").assign(modified_duration=np.nan)


def closes(*more):
    days = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=30)
    rows = [(day, s, 100.0, np.nan) for s in ("A", "B", "M", "F", "X") for day in days]
    return pd.DataFrame([*rows, *more], columns=["date", "symbol", "close", "adjusted_close"])


RISK = pd.DataFrame({"symbol": ["A", "B", "X"], "beta": [1.5, 0.5, 2.0]})


def move(symbol, prices=None, **shocks):
    found = price_moves(terms(), RISK, closes() if prices is None else prices, [scenario(**shocks)], "M", 20, AS_OF)
    return found.of(pd.Series([symbol]))[0, 0]


def test_precedence_is_symbol_sector_asset_class_beta():
    shocks = {"market": -0.1, "asset_classes": {"equity": -0.2}, "sectors": {"technology": -0.3}, "symbols": {"A": -0.4}}
    expected = [-0.4, -0.3, -0.2, -0.15]
    for name, value in zip(("symbols", "sectors", "asset_classes", "market"), expected, strict=True):
        assert move("A", **shocks) == pytest.approx(value)
        del shocks[name]
    assert move("A", **shocks) == 0.0


def test_derivatives_move_with_what_they_are_on():
    assert move("F", market=-0.1) == pytest.approx(-0.1)
    assert move("OF", market=-0.1) == pytest.approx(-0.1)
    assert move("OA", sectors={"technology": -0.3}) == pytest.approx(-0.3)
    assert move("F", symbols={"F": -0.2, "M": -0.1}) == pytest.approx(-0.2)
    assert move("OF", symbols={"F": -0.2, "M": -0.1}) == pytest.approx(-0.2)


def test_an_episode_is_replayed_where_prices_reach_and_follows_beta_elsewhere():
    window = (dt.date(2020, 2, 19), dt.date(2020, 3, 23))
    then = [(pd.Timestamp(d), s, c, a) for d, s, c, a in (
        ("2020-02-18", "A", 200.0, np.nan), ("2020-03-23", "A", 150.0, np.nan), ("2020-02-19", "B", 50.0, np.nan),
        ("2020-02-19", "X", 50.0, 10.0), ("2020-03-23", "X", 100.0, 5.0),
    )]  # fmt: skip
    prices = closes(*then)
    shocks = {"market": -0.34, "replay": window, "sectors": {"technology": -0.9}}
    assert move("A", prices, **shocks) == pytest.approx(-0.25)
    assert move("B", prices, **shocks) == pytest.approx(-0.17)
    assert move("X", prices, **shocks) == pytest.approx(-0.5)


def test_currencies_that_are_not_named_stay():
    given = [scenario(currencies={"EUR": -0.2}), scenario()]
    assert currency_moves(pd.Series(["USD", "EUR", "JPY"]), given).tolist() == [[0, 0], [-0.2, 0], [0, 0]]
