"""Small books of futures and options on them, with arrays and parameters.

Belongs here: frames of the tests of scenario margin. Not here: tests.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

AS_OF = dt.date(2022, 12, 28)
MARCH, JUNE, SEPTEMBER = (pd.Timestamp(day) for day in ("2023-03-17", "2023-06-16", "2023-09-15"))
INSTRUMENT_COLUMNS = [
    "symbol", "asset_class", "underlying", "option_type", "strike", "expiry", "exercise", "multiplier", "deliverable_units",
    "conversion_ratio", "currency", "root", "class_group", "margin_model", "contract_type",
]  # fmt: skip
TEXTS = (
    "symbol",
    "asset_class",
    "underlying",
    "option_type",
    "exercise",
    "currency",
    "root",
    "class_group",
    "margin_model",
    "contract_type",
)
DEFAULTS = {
    "tier_1": 0.0, "tier_2": 0.0, "delta_1": 1.0, "delta_2": 1.0, "side_1": "a", "side_2": "b", "class_group_2": "", "priority": 0.0,
    "expiry_from": "1900-01-01", "expiry_to": None, "contract_multiplier": None, "value": None, "currency": "USD",
    "effective_date": "2020-01-01",
}  # fmt: skip


def instruments(*rows):
    frame = pd.DataFrame([{"currency": "USD", **row} for row in rows]).reindex(columns=INSTRUMENT_COLUMNS)
    frame["multiplier"] = frame["multiplier"].astype(float).fillna(1.0)
    frame["expiry"] = pd.to_datetime(frame["expiry"])
    for column in TEXTS:
        frame[column] = frame[column].astype("str")
    return frame.astype({"strike": float, "deliverable_units": float, "conversion_ratio": float})


def future(symbol, expiry=MARCH, root="SP", **more):
    return {"symbol": symbol, "asset_class": "future", "expiry": expiry, "root": root, "underlying": "SPX", "multiplier": 500.0, **more}


def option(symbol, underlying, right, strike, **more):
    terms = {"underlying": underlying, "option_type": right, "strike": strike, "expiry": MARCH, "multiplier": 500.0}
    return {"symbol": symbol, "asset_class": "future_option", **terms, **more}


def positions(*rows):
    """Positions from (portfolio, symbol, quantity) and, where given, price and exchange rate."""
    filled = [(*row, *(100.0, 1.0)[len(row) - 3 :]) for row in rows]
    frame = pd.DataFrame(filled, columns=["portfolio_id", "symbol", "quantity", "price", "fx_rate"])
    return frame.assign(strategy="core").astype({"quantity": float, "price": float, "fx_rate": float})


def portfolios(held):
    names = sorted(held["portfolio_id"].unique())
    return pd.DataFrame({"portfolio_id": names, "base_currency": ["USD"] * len(names)})


def closes(**by_symbol):
    return pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": list(by_symbol), "close": [float(v) for v in by_symbol.values()]})


def arrays(by_symbol, deltas=None):
    rows = [(s, i, float(v), (deltas or {}).get(s)) for s, values in by_symbol.items() for i, v in enumerate(values, 1)]
    return pd.DataFrame(rows, columns=["symbol", "scenario", "value", "composite_delta"]).astype({"composite_delta": float})


def parameters(*rows):
    frame = pd.DataFrame([{**DEFAULTS, **row} for row in rows], columns=["class_group", "term", *DEFAULTS])
    dates = {name: pd.to_datetime(frame[name]) for name in ("effective_date", "expiry_from", "expiry_to")}
    return frame.assign(**dates).astype({"value": float, "contract_multiplier": float})


RATES = pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["USD"], "rate": [0.04]})
NO_ARRAYS = arrays({})
NO_PARAMETERS = parameters()
NO_CLOSES = closes()
