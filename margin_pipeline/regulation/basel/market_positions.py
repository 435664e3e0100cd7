"""What each listed position is to capital for market risk: its risk class, what it nets with, delta, gamma and vega.

Belongs here: the mapping of positions. Not here: weights (`parameters`), capital (`market_risk`).

Conventions
-----------
- Options, futures and warrants belong to the risk class of what they end on; positions on the same end net.
- A fund counts as a share, times its leverage and against its sign where it moves against its underlying.
- Options stand with delta, gamma and vega in money (delta-plus method); other positions with their notional.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

DERIVED = frozenset({"equity_option", "index_option", "future", "future_option", "warrant"})
RISK_CLASS: Mapping[str, str] = {
    "equity": "equity", "etf": "equity", "index": "equity", "equity_option": "equity", "index_option": "equity", "bond": "interest_rate",
    "fx": "fx", "commodity": "commodity", "crypto": "crypto",
}  # fmt: skip
"""Risk class by asset class of what a position ends on; an option on shares or an index whose underlying has no row is of that class."""
_LONGEST_CHAIN = 5
_VEGA_POINTS = 100.0
"""dollar_vega is for 0.01 of volatility; vega capital wants the change for 1.00 times the shift."""


def market_positions(positions: pd.DataFrame, instruments: pd.DataFrame, position_greeks: pd.DataFrame) -> pd.DataFrame:
    """Positions as market risk sees them.

    Parameters
    ----------
    positions, instruments, position_greeks : rows of those tables; positions of quantity 0 are left out.

    Returns
    -------
    Frame ordered by portfolio, strategy and symbol: portfolio_id, position (strategy and symbol), symbol, currency, market_value, end
    (symbol that it ends on), risk_class, end_asset_class, exchange, end_currency, rating, sector, expiry, modified_duration, breadth,
    is_option, delta (base currency for a relative move of 1), gamma (second derivative, base currency), vega (base currency for a
    relative change of volatility of 1), leverage (of the fund it ends on, negative where it moves against its underlying), and missing.
    """
    held = positions[positions["quantity"] != 0].sort_values(["portfolio_id", "strategy", "symbol"], kind="stable").reset_index(drop=True)
    reference = instruments.set_index("symbol")
    ends = {symbol: _end(symbol, reference) for symbol in held["symbol"].unique()}
    frame = held[["portfolio_id", "symbol", "currency", "market_value"]].copy()
    frame["position"] = held["strategy"].astype("str") + ":" + held["symbol"].astype("str")
    frame["end"] = held["symbol"].map(ends).astype(object)
    known = reference.reindex(pd.Index(frame["end"], dtype=object))
    own = reference.reindex(pd.Index(frame["symbol"], dtype=object))
    is_known = frame["end"].isin(reference.index).to_numpy()
    asset_class = np.where(is_known, known["asset_class"].to_numpy(object), held["asset_class"].to_numpy(object))
    frame["end_asset_class"] = asset_class
    frame["risk_class"] = pd.Series(asset_class, dtype=object).map(RISK_CLASS).astype(object)
    for column in ("rating", "sector", "expiry", "modified_duration", "breadth"):
        frame[column] = known[column].to_numpy()
    exchange = known["exchange"].astype(object).to_numpy()
    frame["exchange"] = np.where(pd.isna(exchange), own["exchange"].astype(object).to_numpy(), exchange)
    frame["end_currency"] = np.where(is_known, known["currency"].to_numpy(object), held["currency"].to_numpy(object))
    inverse = known["is_inverse"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    frame["leverage"] = np.where(is_known, known["leverage_factor"].to_numpy(dtype=float), 1.0) * np.where(inverse, -1.0, 1.0)
    return _with_sensitivities(frame, held, position_greeks)


def pair(symbol: str, quote: str) -> tuple[str, str] | None:
    """Currencies of a currency pair: the one that is bought and the one that it is paid in; None where the symbol does not say.

    Parameters
    ----------
    symbol : a code of three letters, or two of them with the quote currency last, with or without a sign between.
    quote : currency of its price.
    """
    letters = "".join(c for c in symbol if c.isalpha())
    if not letters.isupper() or len(letters) not in (3, 6) or (len(letters) == 6 and letters[3:] != quote):
        return None
    return letters[:3], quote


def _with_sensitivities(frame: pd.DataFrame, held: pd.DataFrame, position_greeks: pd.DataFrame) -> pd.DataFrame:
    key = ["portfolio_id", "strategy", "symbol"]
    wanted = ["is_option", "implied_volatility", "dollar_delta", "dollar_gamma", "dollar_vega", "missing"]
    greeks = held[key].merge(position_greeks[key + wanted], on=key, how="left", sort=False)
    is_option = held["asset_class"].isin({"equity_option", "index_option", "future_option", "warrant"}).to_numpy()
    frame["is_option"] = is_option
    delta = np.where(is_option, greeks["dollar_delta"].to_numpy(float), held["notional"].to_numpy(float))
    leverage = frame["leverage"].to_numpy(float)
    frame["delta"] = delta * leverage
    frame["gamma"] = np.where(is_option, greeks["dollar_gamma"].to_numpy(float) * leverage**2, 0.0)
    vega = greeks["dollar_vega"].to_numpy(float) * _VEGA_POINTS * greeks["implied_volatility"].to_numpy(float)
    frame["vega"] = np.where(is_option, vega, 0.0)
    reasons = np.full(len(frame), None, dtype=object)
    unknown_class = frame["risk_class"].isna().to_numpy()
    lacks_value = held["market_value"].isna().to_numpy() | (~is_option & held["notional"].isna().to_numpy())
    lacks_greeks = is_option & frame[["delta", "gamma", "vega"]].isna().any(axis=1).to_numpy()
    for i in np.flatnonzero(unknown_class | lacks_value | lacks_greeks):
        symbol = held["symbol"].iloc[i]
        given = greeks["missing"].iloc[i]
        if unknown_class[i]:
            reasons[i] = _no_class(symbol, str(frame["end_asset_class"].iloc[i]))
        elif lacks_value[i]:
            reasons[i] = f"value of {symbol}"
        else:
            reasons[i] = f"Greeks of {symbol}" if pd.isna(given) else str(given)
    frame["missing"] = reasons
    return frame


def _no_class(symbol: str, asset_class: str) -> str:
    if asset_class in DERIVED:
        return f"underlying of {symbol}, which says its risk class"
    return f"{symbol}: the simple method of market risk does not cover {asset_class} positions"


def _end(symbol: str, reference: pd.DataFrame) -> str:
    """Symbol that a position ends on: itself, or what its chain of underlyings comes to."""
    end = symbol
    for _ in range(_LONGEST_CHAIN):
        if end not in reference.index or reference.at[end, "asset_class"] not in DERIVED:
            break
        underlying = reference.at[end, "underlying"]
        if not isinstance(underlying, str) or not underlying:
            break
        if underlying not in reference.index and reference.at[end, "asset_class"] in ("future", "future_option", "warrant"):
            break  # nothing says what kind of thing it is
        end = underlying
    return end
