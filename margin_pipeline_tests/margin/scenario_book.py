"""Books for scenario margin: a class group of stock, funds and options, as the frames that the entry takes."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

AS_OF = dt.date(2007, 2, 23)
EXPIRY = pd.Timestamp(AS_OF) + pd.Timedelta(days=56)
BLANK = {
    "underlying": None, "option_type": None, "strike": np.nan, "expiry": pd.NaT, "exercise": None, "multiplier": 1.0,
    "deliverable_units": np.nan, "conversion_ratio": np.nan, "currency": "USD", "breadth": None, "index_ratio": np.nan,
    "leverage_factor": 1.0, "is_inverse": False, "class_group": None, "product_group": None, "contract_type": None,
}  # fmt: skip
TEXTS = (
    "symbol",
    "asset_class",
    "underlying",
    "option_type",
    "exercise",
    "currency",
    "breadth",
    "class_group",
    "product_group",
    "contract_type",
)


class ScenarioBook:
    """Instruments, closes and positions, added one by one."""

    def __init__(self, account_type: str = "portfolio_margin", equity: float = 1_000_000.0, rate: float = 0.052) -> None:
        self.account_type, self.equity, self.rate = account_type, equity, rate
        self.instruments: dict[str, dict[str, object]] = {}
        self.closes: dict[str, float] = {}
        self.rows: list[dict[str, object]] = []
        self.yields: dict[str, float] = {}

    def instrument(self, symbol: str, asset_class: str, close: float | None = None, **terms: object) -> str:
        self.instruments[symbol] = {"symbol": symbol, "asset_class": asset_class, **BLANK, **terms}
        if close is not None:
            self.closes[symbol] = close
        return symbol

    def option(self, underlying: str, right: str, strike: float, *, index: bool = False, american: bool = True, **terms: object) -> str:
        style = {"multiplier": 100.0, "exercise": "american" if american else "european", "expiry": EXPIRY, **terms}
        symbol = f"{underlying} {right} {strike:g}"
        asset_class = "index_option" if index else "equity_option"
        return self.instrument(symbol, asset_class, underlying=underlying, option_type=right, strike=float(strike), **style)

    def hold(
        self, symbol: str, quantity: float, price: float | None, *, strategy: str = "s", portfolio_id: str = "P", fx_rate: float = 1.0
    ):
        self.rows.append(
            {"portfolio_id": portfolio_id, "strategy": strategy, "symbol": symbol, "quantity": quantity, "price": price, "fx_rate": fx_rate}
        )
        return self

    def frames(self) -> dict[str, pd.DataFrame]:
        instruments = pd.DataFrame(list(self.instruments.values())).astype(dict.fromkeys(TEXTS, "str"))
        held = pd.DataFrame(self.rows).astype({"price": float, "quantity": float})
        multiplier = held["symbol"].map(instruments.set_index("symbol")["multiplier"]).astype(float)
        asset_class = held["symbol"].map(instruments.set_index("symbol")["asset_class"])
        held = held.assign(
            currency="USD", asset_class=asset_class, market_value=held["quantity"] * multiplier * held["price"] * held["fx_rate"]
        )
        names = sorted({row["portfolio_id"] for row in self.rows})
        day = pd.Timestamp(AS_OF)
        return {
            "positions": held,
            "instruments": instruments,
            "portfolios": pd.DataFrame(
                {"portfolio_id": names, "account_type": self.account_type, "equity": self.equity, "base_currency": "USD"}
            ),
            "prices": pd.DataFrame({"date": day, "symbol": list(self.closes), "close": list(self.closes.values())}),
            "fx_rates": pd.DataFrame({"date": pd.to_datetime([]), "currency": pd.Series([], dtype="str"), "usd_rate": []}),
            "rates": pd.DataFrame({"date": [day], "currency": ["USD"], "rate": [self.rate]}),
            "dividends": pd.DataFrame({"symbol": list(self.yields), "dividend_yield": list(self.yields.values())}),
            "as_of": AS_OF,
        }
