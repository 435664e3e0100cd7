"""Positions joined with everything that a margin model may ask about them.

Belongs here: the columns of the book. Not here: any rule.

A column is kept once, where it belongs (position, instrument or portfolio), and gathered for the rows that ask for it.
docs/margin_models.md lists the columns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from margin_pipeline.margin.house import house_rates
from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.margin.valuation import OPTIONS, Closes, at_symbols

Array = np.ndarray

KEY = ["portfolio_id", "strategy", "symbol"]
HELD = ("quantity", "price", "fx_rate")
TEXTS = (
    "symbol", "asset_class", "currency", "underlying", "option_type", "root", "margin_schedule", "margin_model", "contract_type",
)  # fmt: skip
NUMBERS = ("multiplier", "leverage_factor", "strike", "modified_duration", "margin_leverage", "margin_per_unit")
FRAME = [
    *KEY, "quantity", "price", "fx_rate", "currency", "asset_class", "underlying", "multiplier", "leverage_factor", "option_type", "strike",
    "expiry", "root", "modified_duration", "margin_schedule", "margin_model", "margin_leverage", "margin_per_unit", "contract_type",
    "underlying_breadth", "underlying_leverage", "underlying_root", "underlying_close", "dollars", "risk_symbol", "volatility",
    "account_type", "base_currency", "instrument_notional", "gross_notional_usd",
]  # fmt: skip
"""Columns of the frame that a user's model is given."""


@dataclass(frozen=True)
class Book:
    """n positions and what is known about them.

    Attributes
    ----------
    keys : portfolio_id, strategy and symbol of all positions of the date.
    positions : quantity, price and fx_rate (base currency for one unit of instrument currency) of all positions.
    instruments : columns of all instruments: numbers, days and texts.
    portfolios : columns of all portfolios: texts.
    position_of, instrument_of, portfolio_of : (n,) row of each position in them.
    """

    keys: pd.DataFrame
    positions: Mapping[str, Array]
    instruments: Mapping[str, Array | Texts]
    portfolios: Mapping[str, Texts]
    position_of: Array
    instrument_of: Array
    portfolio_of: Array
    _gathered: dict[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.position_of)

    def select(self, rows: Array) -> Book:
        """The book of these rows."""
        at = (self.position_of[rows], self.instrument_of[rows], self.portfolio_of[rows])
        return replace(self, position_of=at[0], instrument_of=at[1], portfolio_of=at[2], _gathered={})

    def number(self, name: str) -> Array:
        """A column of numbers or days, (n,); not to be changed."""
        if name not in self._gathered:
            known = self.positions if name in self.positions else self.instruments
            self._gathered[name] = np.asarray(known[name])[self.position_of if name in self.positions else self.instrument_of]
        return self._gathered[name]

    def text(self, name: str) -> Texts:
        """A column of texts, (n,)."""
        if name in self.portfolios:
            return self.portfolios[name].take(self.portfolio_of)
        column = self.instruments[name]
        if not isinstance(column, Texts):
            raise KeyError(name)
        return column.take(self.instrument_of)

    def instrument_notional(self) -> Array:
        """(n,) quantity x multiplier x price, instrument currency, signed; an inverse contract is worth its multiplier."""
        price = self.number("price")
        worth = np.where(self.text("contract_type").among("inverse"), np.where(np.isnan(price), np.nan, 1.0), price)
        return self.number("quantity") * self.number("multiplier") * worth

    def gross_notional_usd(self) -> Array:
        """(n,) gross notional of the portfolio in the symbol, US dollars: strategies add up, so that splitting changes nothing.

        All positions of a portfolio in a symbol have the same model, so the rows of a model hold all that must be added up.
        """
        size = np.abs(self.instrument_notional()) / self.number("dollars")
        pair = self.portfolio_of.astype(np.int64) * (int(self.instrument_of.max(initial=0)) + 1) + self.instrument_of
        _, group = np.unique(pair, return_inverse=True)
        total = np.bincount(group, np.nan_to_num(size), minlength=1)
        return np.where(np.isnan(size), np.nan, total[group])

    def is_option(self) -> Array:
        """(n,) whether the position is an option."""
        return self.text("asset_class").among(*OPTIONS)

    def frame(self) -> pd.DataFrame:
        """The book as a new frame of the columns `FRAME`, one row a position."""
        columns: dict[str, Array | pd.Series] = {name: self.keys[name].take(self.position_of).reset_index(drop=True) for name in KEY}
        for name in FRAME[len(KEY) :]:
            if name in ("instrument_notional", "gross_notional_usd"):
                columns[name] = getattr(self, name)()
            elif name in self.portfolios or isinstance(self.instruments.get(name), Texts):
                columns[name] = self.text(name).series()
            else:
                columns[name] = self.number(name).copy()
        return pd.DataFrame(columns)


def build_book(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    usd: Mapping[str, float],
    as_of: dt.date,
    house_margins: pd.DataFrame | None = None,
) -> Book:
    """The book of a date, ordered by portfolio, strategy and symbol.

    Parameters
    ----------
    positions, instruments, portfolios, prices, symbol_risk, house_margins : frames of the tables of these names.
    usd : US dollars for one unit of each currency.
    as_of : business date.

    Raises
    ------
    ValueError : a position names an unknown symbol or portfolio.
    """
    held = positions[[*KEY, *HELD]].sort_values(KEY, kind="stable", ignore_index=True)
    at = pd.Index(instruments["symbol"]).get_indexer(pd.Index(held["symbol"]))
    owner = pd.Index(portfolios["portfolio_id"]).get_indexer(pd.Index(held["portfolio_id"]))
    if (at < 0).any() or (owner < 0).any():
        raise ValueError("positions name symbols or portfolios that are not known")
    described = _described(instruments, prices, symbol_risk, usd, as_of)
    asked = house_rates(house_margins, instruments["symbol"], instruments["asset_class"])
    described.update(house_initial_rate=asked[0], house_maintenance_rate=asked[1])
    return Book(
        keys=held[KEY],
        positions={name: held[name].to_numpy(dtype=np.float64) for name in HELD},
        instruments=described,
        portfolios={name: Texts.of(portfolios[name]) for name in ("account_type", "base_currency")},
        position_of=np.arange(len(held)),
        instrument_of=at,
        portfolio_of=owner,
    )


def _described(
    instruments: pd.DataFrame, prices: pd.DataFrame, symbol_risk: pd.DataFrame, usd: Mapping[str, float], as_of: dt.date
) -> dict[str, Array | Texts]:
    """Columns of the instruments: terms, what is known of the underlying, the risk factor."""
    columns: dict[str, Array | Texts] = {name: Texts.of(instruments[name]) for name in TEXTS}
    columns.update({name: instruments[name].to_numpy(dtype=np.float64) for name in NUMBERS})
    columns["expiry"] = pd.to_datetime(instruments["expiry"]).to_numpy().astype("datetime64[D]")
    by_symbol = instruments.set_index("symbol")
    beneath = by_symbol.index.get_indexer(pd.Index(instruments["underlying"]))
    for name, column in (("underlying_breadth", "breadth"), ("underlying_root", "root")):
        known = Texts.of(instruments[column])
        columns[name] = Texts(np.where(beneath < 0, -1, known.codes[beneath]), known.texts)
    own = instruments["leverage_factor"].to_numpy(dtype=np.float64)
    leverage = np.where(beneath < 0, np.nan, own[beneath])
    columns["underlying_leverage"] = np.where(np.isnan(leverage), np.where(np.isnan(own), 1.0, own), leverage)
    columns["underlying_close"] = at_symbols(Closes.of(prices, as_of).today, instruments["underlying"])
    columns["dollars"] = 1.0 / instruments["currency"].map(dict(usd)).to_numpy(dtype=np.float64)
    volatility = symbol_risk.drop_duplicates("symbol").set_index("symbol")["volatility"].astype(float)
    through = (instruments["asset_class"] == "future").to_numpy() & instruments["underlying"].isin(volatility.index).to_numpy()
    risk_symbol = instruments["symbol"].where(~through, instruments["underlying"])
    columns["risk_symbol"] = Texts.of(risk_symbol)
    columns["volatility"] = at_symbols(volatility, risk_symbol)
    return columns
