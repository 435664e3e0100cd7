"""Trades that somebody thinks about, and the positions that they would leave.

Belongs here: which trades can be thought through, at what mark, and what they do to a portfolio's positions. Not here: margin.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.margin.valuation import Closes

STRATEGY = "what_if"
"""Strategy that gets what trades add."""

FEW, NEAREST = 12, 3
"""Names that a sentence can hold, and names like one that it offers."""

ROUNDING = 1e-12
"""Part of a quantity that is no quantity: what sums of fractions leave."""


class TradeError(ValueError):
    """A trade, or the portfolio it is for, cannot be used; the message is one line that a person can act on."""


@dataclass(frozen=True)
class Trade:
    """A trade at the mark.

    Attributes
    ----------
    symbol : instrument.
    quantity : units or contracts, sales negative; not 0.
    price : mark, instrument currency a unit.
    """

    symbol: str
    quantity: float
    price: float


def near(name: str, known: Iterable[str]) -> str:
    """Names like one that is not known, as the end of a sentence: all of a few, none where none is like it."""
    names = sorted({str(other) for other in known})
    folded = {other.casefold(): other for other in names}
    found = [folded[match] for match in difflib.get_close_matches(name.casefold(), folded, n=NEAREST, cutoff=0.6)]
    found += [other for other in names if name and other.casefold().startswith(name.casefold()) and other not in found]
    if found:
        return f"; did you mean {' or '.join(found[:NEAREST])}?"
    return f"; known are {', '.join(names)}" if len(names) <= FEW else ""


def added_up(trades: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Quantity to trade by symbol; repeated symbols add up.

    Raises
    ------
    TradeError : there is no trade, or a quantity is 0 or no finite number, alone or added up.
    """
    if not trades:
        raise TradeError("there is no trade to think through; name at least one, e.g. --trade AAPL=100")
    total: dict[str, float] = {}
    for symbol, quantity in trades:
        if not math.isfinite(quantity):
            raise TradeError(f"{symbol}: a quantity of {quantity} cannot be traded; write a finite number, sales negative")
        total[symbol] = total.get(symbol, 0.0) + quantity
    for symbol, quantity in total.items():
        if quantity == 0:
            raise TradeError(f"{symbol}: a quantity of 0 trades nothing; write how many to buy, or to sell with a minus")
    return total


def at_the_mark(
    trades: Mapping[str, float],
    held: pd.DataFrame,
    instruments: pd.DataFrame,
    prices: pd.DataFrame,
    as_of: dt.date,
    strategy: str | None = None,
) -> list[Trade]:
    """The trades with their prices: the mark of the portfolio's own position where it has one, else the close of the date.

    Parameters
    ----------
    trades : quantity by symbol.
    held : the portfolio's rows of position_records.
    instruments, prices : frames of the tables of these names.
    as_of : business date.
    strategy : strategy that trades; its own mark comes first.

    Raises
    ------
    TradeError : a symbol is unknown, expired or without mark.
    """
    terms = instruments.set_index("symbol")
    closes = Closes.of(prices, as_of).today
    found = []
    for symbol, quantity in trades.items():
        if symbol not in terms.index:
            raise TradeError(f"{symbol} is not among the instruments of {as_of}{near(symbol, terms.index)}")
        expiry = pd.Timestamp(terms["expiry"][symbol])
        if expiry < pd.Timestamp(as_of):
            raise TradeError(f"{symbol} expired on {expiry:%Y-%m-%d}, before {as_of}: it cannot be traded")
        found.append(Trade(symbol, quantity, _mark(symbol, held, closes, as_of, strategy)))
    return found


def _mark(symbol: str, held: pd.DataFrame, closes: pd.Series, as_of: dt.date, strategy: str | None) -> float:
    own = held[(held["symbol"] == symbol) & held["price"].notna()]
    if (own["strategy"] == strategy).any():
        own = own[own["strategy"] == strategy]
    if own["price"].nunique() > 1:
        raise TradeError(f"{symbol} is marked at different prices by {', '.join(own['strategy'])}; say which with --strategy")
    price = float(own["price"].iloc[0]) if len(own) else float(closes.get(symbol, math.nan))
    if math.isnan(price):
        raise TradeError(f"{symbol} has no mark on {as_of}: neither a close nor a price of its own position")
    return price


def positions_after(held: pd.DataFrame, portfolio_id: str, trades: Sequence[Trade], strategy: str | None = None) -> pd.DataFrame:
    """Rows of position_records that trades leave; positions that they close are gone.

    Parameters
    ----------
    held : the portfolio's rows of position_records.
    portfolio_id : portfolio.
    trades : trades at the mark, each symbol once.
    strategy : strategy that all of them go to. None: a trade first closes what strategies hold the other way, the largest position
        first; the rest goes to the strategy `STRATEGY`.

    Notes
    -----
    Closing a part leaves price, entry price and wallet of the rest; what is added is entered at the mark, weighted by quantity with what is
    there. A position that changes sides is entered at the mark as a whole.
    """
    rows = [dict(row) for row in held.to_dict("records")]
    for trade in trades:
        rest = trade.quantity if strategy else _closed(rows, trade)
        if rest:
            _add(rows, portfolio_id, Trade(trade.symbol, rest, trade.price), strategy or STRATEGY)
    left = [row for row in rows if row["quantity"] != 0]
    return pd.DataFrame(left, columns=list(held.columns)).astype(held.dtypes.to_dict())


def _closed(rows: list[dict[Any, Any]], trade: Trade) -> float:
    """Close what is held the other way, the largest position first; gives what is left of the trade."""
    opposite = [row for row in rows if row["symbol"] == trade.symbol and row["quantity"] * trade.quantity < 0]
    rest = trade.quantity
    for row in sorted(opposite, key=lambda row: (-abs(row["quantity"]), row["strategy"])):
        closed = math.copysign(min(abs(rest), abs(row["quantity"])), trade.quantity)
        row["quantity"] = _rounded(row["quantity"] + closed, closed)
        rest = _rounded(rest - closed, trade.quantity)
    return rest


def _rounded(quantity: float, of: float) -> float:
    return 0.0 if abs(quantity) <= ROUNDING * abs(of) else quantity


def _add(rows: list[dict[Any, Any]], portfolio_id: str, trade: Trade, strategy: str) -> None:
    """Add a trade to the rows of one strategy."""
    same = [row for row in rows if row["symbol"] == trade.symbol]
    for row in (row for row in same if row["strategy"] == strategy):
        before = row["quantity"]
        row["quantity"] = _rounded(before + trade.quantity, trade.quantity)
        if before * trade.quantity > 0:
            row["entry_price"] = (before * row["entry_price"] + trade.quantity * trade.price) / row["quantity"]
        elif before * row["quantity"] <= 0:
            row["entry_price"] = trade.price
        return
    # Without a mark of the portfolio's own the close is the mark, and the record leaves it to that.
    marked = any(not math.isnan(row["price"]) for row in same)
    rows.append(
        {
            "portfolio_id": portfolio_id,
            "strategy": strategy,
            "symbol": trade.symbol,
            "quantity": trade.quantity,
            "price": trade.price if marked else math.nan,
            "entry_price": trade.price,
            "isolated_wallet": math.nan,
        }
    )
