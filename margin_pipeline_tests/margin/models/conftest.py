"""Positions of one portfolio, margined one by one."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.margin.registry import stand_alone_margins
from margin_pipeline.margin.valuation import value_positions

AS_OF = dt.date(2022, 12, 28)
TEXTS = (
    "underlying",
    "option_type",
    "exercise",
    "settlement",
    "exchange",
    "sector",
    "rating",
    "breadth",
    "root",
    "class_group",
    "product_group",
    "margin_schedule",
    "margin_model",
    "contract_type",
)
NUMBERS = ("strike", "deliverable_units", "conversion_ratio", "modified_duration", "index_ratio", "margin_leverage", "margin_per_unit")
FUTURES = ["root", "effective_date", "initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday"]
SCHEDULES = ["schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"]
HELD = ("strategy", "quantity", "price", "entry_price", "isolated_wallet")


def instrument_frame(rows):
    """Frame of instruments; a row names what differs from a share in dollars."""
    blank = {
        **dict.fromkeys(TEXTS),
        **dict.fromkeys(NUMBERS, np.nan),
        "expiry": pd.NaT,
        "asset_class": "equity",
        "multiplier": 1.0,
        "currency": "USD",
        "leverage_factor": 1.0,
    }
    frame = pd.DataFrame([{**blank, **row} for row in rows]).drop_duplicates("symbol", ignore_index=True)
    frame = frame.astype({**dict.fromkeys((*TEXTS, "symbol", "asset_class", "currency"), "str"), **dict.fromkeys(NUMBERS, float)})
    return frame.assign(expiry=pd.to_datetime(frame["expiry"]))


def dated(rows, columns, dates):
    """Frame with date columns, empty or not."""
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(**{name: pd.to_datetime(frame[name]) for name in dates})


def margin_book(
    positions,
    *,
    account="reg_t",
    base="USD",
    closes=None,
    usd=None,
    futures=(),
    schedules=(),
    rates=(),
    volatility=0.2,
    instruments=(),
    as_of=AS_OF,
    equity=1e6,
    models=None,
    **timing,
):
    """Tables of a portfolio `P`: positions valued, and their stand-alone margins.

    Each position is one dict of what it holds (quantity, price, ...) and of its instrument (symbol, asset_class, ...).
    """
    terms = instrument_frame([*instruments, *({k: v for k, v in p.items() if k not in HELD} for p in positions)])
    records = pd.DataFrame(
        [
            {
                "portfolio_id": "P",
                "strategy": p.get("strategy", "s"),
                "symbol": p["symbol"],
                "quantity": float(p["quantity"]),
                **{name: float(p.get(name, np.nan)) for name in HELD[2:]},
            }
            for p in positions
        ]
    ).astype({"portfolio_id": "str", "strategy": "str", "symbol": "str"})
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "account_type": [account], "equity": [float(equity)], "base_currency": [base]})
    prices = dated([(as_of, s, float(c)) for s, c in (closes or {}).items()], ["date", "symbol", "close"], ["date"])
    fx_rates = dated([(as_of, c, float(r)) for c, r in (usd or {}).items()], ["date", "currency", "usd_rate"], ["date"])
    risk = pd.DataFrame({"symbol": terms["symbol"], "volatility": volatility, "beta": 1.0})
    tables = {
        "instruments": terms,
        "portfolios": portfolios,
        "prices": prices,
        "fx_rates": fx_rates,
        "futures_margins": dated(futures, FUTURES, ["effective_date"]),
        "margin_schedules": dated(schedules, SCHEDULES, ["effective_date"]),
        "margin_rates": dated(rates, ["asset_class", "initial_rate", "maintenance_rate", "effective_date"], ["effective_date"]),
        "symbol_risk": risk,
        "as_of": as_of,
    }
    tables["positions"] = value_positions(records, terms, portfolios, prices, fx_rates, as_of)
    names = (
        "positions",
        "instruments",
        "portfolios",
        "prices",
        "fx_rates",
        "futures_margins",
        "margin_schedules",
        "margin_rates",
        "symbol_risk",
    )
    tables["position_margins"] = stand_alone_margins(*(tables[n] for n in names), as_of, models=models or {}, **timing)
    return tables


@pytest.fixture(scope="session")
def book_of():
    """The builder of tables."""
    return margin_book


@pytest.fixture(scope="session")
def margin_of():
    """Margin row of a single position."""

    def row(position, **market):
        return margin_book([position], **market)["position_margins"].iloc[0]

    return row
