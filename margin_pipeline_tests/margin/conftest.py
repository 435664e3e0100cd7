"""Books of stock and options on one underlying, as the frames that grouping takes."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

AS_OF = dt.date(2024, 1, 5)
EXPIRIES = ("2024-03-15", "2024-06-21", "2025-07-18")
TEXTS = ("symbol", "asset_class", "underlying", "option_type", "exercise", "settlement", "breadth", "currency")


def _instrument(symbol, asset_class, **terms):
    blank = dict.fromkeys(("underlying", "option_type", "exercise", "settlement", "breadth"))
    numbers = {
        "strike": np.nan,
        "expiry": pd.NaT,
        "multiplier": 1.0,
        "deliverable_units": np.nan,
        "leverage_factor": 1.0,
        "conversion_ratio": np.nan,
        "index_ratio": np.nan,
    }
    return {"symbol": symbol, "asset_class": asset_class, **blank, **numbers, "currency": "USD", **terms}


def _symbol(underlying, leg):
    if leg["type"] == "stock":
        return underlying
    if leg["type"] != "option":
        return f"{underlying} {leg['type']}"
    return f"{underlying} {leg.get('expiry_index', 0)} {leg['right']} {leg['strike']:g}"


def build_book(
    legs,
    underlying_price,
    underlying_class="equity",
    leverage_factor=1.0,
    account="reg_t",
    *,
    underlying="U",
    fx_rate=1.0,
    terms=None,
    currency="USD",
    usd_rate=None,
):
    """Frames for ``group_positions``; legs as in the published cases, with an optional ``strategy``."""
    index = underlying_class in ("narrow", "broad_based_index_or_etf")
    breadth = {"narrow": "narrow", "broad_based_index_or_etf": "broad"}.get(underlying_class)
    instruments = [_instrument(underlying, "index" if index else "equity", breadth=breadth, leverage_factor=leverage_factor)]
    rows = []
    for leg in legs:
        symbol, asset_class = _symbol(underlying, leg), leg["type"]
        if leg["type"] == "stock":
            asset_class = "equity"
        elif leg["type"] == "option":
            asset_class = "index_option" if index else "equity_option"
            instruments.append(
                _instrument(
                    symbol,
                    asset_class,
                    underlying=underlying,
                    option_type=leg["right"],
                    strike=float(leg["strike"]),
                    multiplier=100.0,
                    expiry=pd.Timestamp(EXPIRIES[leg.get("expiry_index", 0)]),
                    **(terms or {}),
                )
            )
        else:
            ratio, exercise = leg.get("conversion_ratio", 1.0), float(leg.get("exercise", np.nan))
            instruments.append(_instrument(symbol, asset_class, underlying=underlying, conversion_ratio=ratio, strike=exercise))
        price = leg.get("price")
        rows.append(
            {
                "portfolio_id": "P",
                "strategy": leg.get("strategy", "s"),
                "symbol": symbol,
                "quantity": float(leg["quantity"]),
                "price": np.nan if price is None else float(price),
                "asset_class": asset_class,
                "currency": currency,
                "fx_rate": fx_rate,
                "underlying": underlying,
            }
        )
    columns = ["portfolio_id", "strategy", "symbol", "quantity", "price", "asset_class", "currency", "fx_rate", "underlying"]
    frame = pd.DataFrame(instruments).drop_duplicates("symbol").assign(currency=currency)
    frame = frame.astype(dict.fromkeys(TEXTS, "str")).assign(expiry=pd.to_datetime(frame["expiry"]))
    portfolios = pd.DataFrame({"portfolio_id": ["P"], "account_type": [account], "equity": [1e6], "base_currency": ["USD"]})
    closes = [] if underlying_price is None else [float(underlying_price)]
    prices = pd.DataFrame({"date": pd.to_datetime([AS_OF] * len(closes)), "symbol": [underlying] * len(closes), "close": closes})
    quoted = [] if usd_rate is None else [usd_rate]
    fx_rates = pd.DataFrame({"date": pd.to_datetime([AS_OF] * len(quoted)), "currency": [currency] * len(quoted), "usd_rate": quoted})
    return pd.DataFrame(rows, columns=columns), frame, portfolios, prices, fx_rates, AS_OF


@pytest.fixture(scope="session")
def option_book():
    """The builder of books."""
    return build_book
