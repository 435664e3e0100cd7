"""A small book: a stock S with four options on it, a stock F, in one portfolio P.

Belongs here: the tables of it. Not here: tests.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline_tests.decisions.stress_book import empty_table

AS_OF = dt.date(2022, 12, 28)
THRESHOLDS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95}
CLOSES = {"S": 100.0, "C105": 2.0, "C115": 0.5, "P95": 1.5, "P80": 0.2, "F": 50.0}
TERMS = {
    "C105": {"option_type": "call", "strike": 105.0},
    "C115": {"option_type": "call", "strike": 115.0},
    "P95": {"option_type": "put", "strike": 95.0},
    "P80": {"option_type": "put", "strike": 80.0},
}
TEXTS = (
    "underlying",
    "option_type",
    "exercise",
    "settlement",
    "sector",
    "breadth",
    "root",
    "margin_schedule",
    "margin_model",
    "contract_type",
    "class_group",
    "product_group",
)
NUMBERS = ("strike", "deliverable_units", "conversion_ratio", "modified_duration", "index_ratio", "margin_leverage", "margin_per_unit")
RECORDS = ["portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet"]


def instruments():
    """A stock S with four options on it, a stock F, and a stock without a price."""
    blank = {**dict.fromkeys(TEXTS), **dict.fromkeys(NUMBERS, np.nan), "expiry": None, "currency": "USD"}
    blank |= {"leverage_factor": 1.0, "is_inverse": False}
    rows = [
        {
            **blank,
            "symbol": symbol,
            "asset_class": "equity_option" if symbol in TERMS else "equity",
            "multiplier": 100.0 if symbol in TERMS else 1.0,
            **({"underlying": "S", "expiry": "2023-03-17", **TERMS[symbol]} if symbol in TERMS else {}),
        }
        for symbol in (*CLOSES, "UNPRICED")
    ]
    frame = pd.DataFrame(rows).astype(
        {**dict.fromkeys((*TEXTS, "symbol", "asset_class", "currency"), "str"), **dict.fromkeys(NUMBERS, float)}
    )
    return frame.assign(expiry=pd.to_datetime(frame["expiry"]))


def tables(book, account="reg_t", equity=100_000.0):
    """Tables of portfolio P, which holds {(strategy, symbol): quantity}."""
    rows = [("P", *key, float(quantity), np.nan, np.nan, np.nan) for key, quantity in book.items()]
    texts = dict.fromkeys(RECORDS[:3], "str")
    numbers = dict.fromkeys(RECORDS[3:], "float64")

    def empty(*columns):
        return pd.DataFrame({name: pd.Series(dtype="datetime64[us]" if name in ("date", "effective_date") else "str") for name in columns})

    exchange = ("initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday")
    rates = ("initial_rate", "maintenance_rate")
    return {
        "portfolios": pd.DataFrame({"portfolio_id": ["P"], "account_type": [account], "equity": [equity], "base_currency": ["USD"]}),
        "position_records": pd.DataFrame(rows, columns=RECORDS).astype(texts | numbers),
        "rejected_rows": empty("source", "row_number", "reason", "portfolio_id", "raw"),
        "instruments": instruments(),
        "prices": pd.DataFrame({"date": pd.Timestamp(AS_OF), "symbol": list(CLOSES), "close": list(CLOSES.values())}),
        "fx_rates": empty("date", "currency").assign(usd_rate=pd.Series(dtype=float)),
        "rates": empty("date", "currency").assign(rate=pd.Series(dtype=float)),
        "dividends": empty("symbol").assign(dividend_yield=pd.Series(dtype=float)),
        "risk_arrays": empty_table("risk_arrays"),
        "span_parameters": empty_table("span_parameters"),
        "futures_margins": empty("root", "effective_date").assign(**{name: pd.Series(dtype=float) for name in exchange}),
        "margin_schedules": empty("schedule", "mode", "currency", "effective_date").assign(
            **{name: pd.Series(dtype=float) for name in ("threshold", *rates)}
        ),
        "margin_rates": empty("asset_class", "effective_date").assign(**{name: pd.Series(dtype=float) for name in rates}),
        "symbol_risk": pd.DataFrame({"symbol": ["S", "F"], "volatility": [0.3, 0.2], "beta": [1.0, 0.8]}),
        "correlation_matrices": pd.DataFrame(
            {
                "symbols": [["F", "S"]],
                "triangle": [np.array([0.9], dtype="<f4").tobytes()],
                "minimum_eigenvalue": [0.1],
                "repaired": [False],
            }
        ),
    }
