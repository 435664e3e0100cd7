"""A book of any size with positions of every margin model, valued.

Belongs here: invented instruments and positions, the same for the same seed. Not here: timing, rules.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

AS_OF = dt.date(2022, 12, 28)
INSTRUMENTS_A_KIND = 40
TEXTS = (
    "underlying", "option_type", "breadth", "root", "margin_schedule", "margin_model", "contract_type",
)  # fmt: skip
NUMBERS = ("strike", "modified_duration", "margin_leverage", "margin_per_unit")
OPTION = {"multiplier": 100.0, "expiry": "2023-03-17"}
ACCOUNTS = ("reg_t", "futures", "crypto_cross", "cash")

KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "stock": ("reg_t", {"asset_class": "equity"}),
    "low_price": ("reg_t", {"asset_class": "equity"}),
    "leveraged_fund": ("reg_t", {"asset_class": "etf", "leverage_factor": 3.0}),
    "day_traded": ("reg_t", {"asset_class": "equity", "margin_model": "pattern_day_trading"}),
    "call": ("reg_t", {"asset_class": "equity_option", "option_type": "call", **OPTION}),
    "put": ("reg_t", {"asset_class": "equity_option", "option_type": "put", **OPTION}),
    "index_call": ("reg_t", {"asset_class": "index_option", "option_type": "call", **OPTION}),
    "index_put": ("reg_t", {"asset_class": "index_option", "option_type": "put", **OPTION}),
    "long_dated": ("reg_t", {"asset_class": "equity_option", "option_type": "call", **OPTION, "expiry": "2024-06-21"}),
    "future": ("futures", {"asset_class": "future", "multiplier": 50.0, "root": "ES"}),
    "fixed_call": ("futures", {"asset_class": "future_option", "option_type": "call", **OPTION, "multiplier": 50.0}),
    "curve_call": ("futures", {"asset_class": "future_option", "option_type": "call", **OPTION, "margin_model": "future_option_curve"}),
    "curve_put": ("futures", {"asset_class": "future_option", "option_type": "put", **OPTION, "margin_model": "future_option_curve"}),
    "bracket": ("crypto_cross", {"asset_class": "crypto", "contract_type": "linear", "margin_schedule": "bracket"}),
    "marginal": ("crypto_cross", {"asset_class": "crypto", "contract_type": "inverse", "margin_schedule": "marginal", "multiplier": 100.0}),
    "leverage": ("crypto_cross", {"asset_class": "crypto", "margin_model": "leverage", "margin_leverage": 10.0}),
    "per_unit": ("reg_t", {"asset_class": "commodity", "margin_model": "per_unit", "margin_per_unit": 7.5}),
    "null": ("reg_t", {"asset_class": "fx", "margin_model": "null"}),
    "bond": ("reg_t", {"asset_class": "bond", "modified_duration": 6.5}),
    "commodity": ("reg_t", {"asset_class": "commodity"}),
    "cash_stock": ("cash", {"asset_class": "equity"}),
    "cash_put": ("cash", {"asset_class": "equity_option", "option_type": "put", **OPTION}),
}
"""Account type and terms of each kind of position."""

BENEATH = {
    "call": "stock", "put": "stock", "long_dated": "stock", "cash_put": "stock", "index_call": "index", "index_put": "index",
    "fixed_call": "future", "curve_call": "future", "curve_put": "future",
}  # fmt: skip


@dataclass(frozen=True)
class MixedBook:
    """Frames as `registry.stand_alone_margins` takes them."""

    positions: pd.DataFrame
    instruments: pd.DataFrame
    portfolios: pd.DataFrame
    prices: pd.DataFrame
    fx_rates: pd.DataFrame
    futures_margins: pd.DataFrame
    margin_schedules: pd.DataFrame
    margin_rates: pd.DataFrame
    symbol_risk: pd.DataFrame
    house_margins: pd.DataFrame


def build(positions: int, seed: int = 7) -> MixedBook:
    """A book of so many positions."""
    random = np.random.default_rng(seed)
    instruments, price = _instruments(random)
    day = pd.Timestamp(AS_OF)
    tiers = [(s, s, t, i, m) for s in ("bracket", "marginal") for t, i, m in ((0, 0.01, 0.005), (1e5, 0.02, 0.01), (1e6, 0.1, 0.05))]
    schedules = pd.DataFrame(tiers, columns=["schedule", "mode", "threshold", "initial_rate", "maintenance_rate"])
    rates = {"initial_overnight": 12_320.0, "maintenance_overnight": 11_200.0, "initial_intraday": 6_160.0, "maintenance_intraday": 5_600.0}
    return MixedBook(
        positions=_positions(random, instruments, price, positions),
        instruments=instruments.drop(columns=["kind"]),
        portfolios=pd.DataFrame({"portfolio_id": ACCOUNTS, "account_type": ACCOUNTS, "base_currency": "USD"}).astype("str"),
        prices=pd.DataFrame({"date": day, "symbol": instruments["symbol"], "close": price}),
        fx_rates=pd.DataFrame({"date": [day], "currency": ["EUR"], "usd_rate": [1.06]}),
        futures_margins=pd.DataFrame({"root": ["ES"], "effective_date": [day], **rates}),
        margin_schedules=schedules.assign(currency="USD", effective_date=day),
        margin_rates=pd.DataFrame({"asset_class": [], "initial_rate": [], "maintenance_rate": [], "effective_date": []}),
        symbol_risk=pd.DataFrame({"symbol": instruments["symbol"], "volatility": random.uniform(0.1, 0.6, len(instruments))}),
        house_margins=pd.DataFrame(
            {"symbol": ["stock-0", None], "asset_class": [None, "etf"], "initial_rate": [0.6, 0.8], "maintenance_rate": [0.4, 0.8]}
        ).astype({"symbol": "str", "asset_class": "str"}),
    )


def _instruments(random: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Instruments of every kind, indices among them, and the price of each."""
    blank = {**dict.fromkeys(TEXTS), **dict.fromkeys(NUMBERS, np.nan), "expiry": None, "multiplier": 1.0, "leverage_factor": 1.0}
    kinds = {"index": {"asset_class": "index", "breadth": "broad"}, **{kind: terms for kind, (_, terms) in KINDS.items()}}
    rows = []
    for kind, terms in kinds.items():
        for number in range(INSTRUMENTS_A_KIND):
            beneath = f"{BENEATH[kind]}-{number}" if kind in BENEATH else None
            rows.append({**blank, "kind": kind, "symbol": f"{kind}-{number}", "currency": "USD", "underlying": beneath, **terms})
    frame = pd.DataFrame(rows)
    frame["currency"] = np.where(frame["kind"].isin(["bond", "day_traded"]), "EUR", "USD")
    price = random.uniform(5, 400, len(frame))
    price[frame["kind"] == "low_price"] = random.uniform(1, 5, INSTRUMENTS_A_KIND)
    price[frame["kind"].isin(["index", "future"])] = 4000.0
    of_symbol = dict(zip(frame["symbol"], price.tolist(), strict=True))
    spot = frame["underlying"].map(of_symbol).to_numpy(dtype=np.float64)
    frame["strike"] = (spot * random.uniform(0.7, 1.3, len(frame))).round(0)
    price = np.where(np.isnan(spot), price, spot * random.uniform(0.01, 0.1, len(frame)))
    texts = dict.fromkeys(("kind", "symbol", "asset_class", "currency", *TEXTS), "str")
    return frame.astype(texts).assign(expiry=pd.to_datetime(frame["expiry"])), price


def _positions(random: np.random.Generator, instruments: pd.DataFrame, price: np.ndarray, count: int) -> pd.DataFrame:
    """Positions in order of portfolio, strategy and symbol; cash accounts hold no short stock, long-dated options are long."""
    held = np.flatnonzero(instruments["kind"] != "index")
    at = held[random.integers(0, len(held), count)]
    kind = instruments["kind"].to_numpy(dtype=object)[at]
    quantity = random.integers(1, 100, count) * np.where(random.random(count) < 0.5, -1.0, 1.0)
    quantity = np.where(np.isin(kind, ["cash_stock", "long_dated"]), np.abs(quantity), quantity)
    frame = pd.DataFrame(
        {
            "portfolio_id": pd.Categorical([KINDS[k][0] for k in kind]),
            "strategy": np.arange(count),
            "symbol": instruments["symbol"].to_numpy(dtype=object)[at],
            "quantity": quantity,
            "price": price[at],
            "fx_rate": np.where(instruments["currency"].to_numpy(dtype=object)[at] == "EUR", 1.06, 1.0),
        }
    )
    frame["strategy"] = frame["strategy"].map("strategy_{:07d}".format)
    return frame.astype({"portfolio_id": "str", "strategy": "str", "symbol": "str"}).sort_values(
        ["portfolio_id", "strategy", "symbol"], ignore_index=True
    )
