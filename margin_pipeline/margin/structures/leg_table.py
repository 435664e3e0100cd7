"""The legs of all books as columns: one row per net series or security of a portfolio.

Belongs here: the columns, their meaning and units. Not here: how they come about (grouping.netting), what they require.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from margin_pipeline.parameters.option_rates import OptionRates
from margin_pipeline.parameters.stock_rates import StockRates

Array = np.ndarray


@dataclass(frozen=True)
class LegTable:
    """Net legs, sorted by block and then by kind, expiry, strike and symbol. All arrays have length n.

    Attributes
    ----------
    block : number of the (portfolio, underlying, currency) that the leg belongs to; legs of different blocks never meet.
    symbol : symbols (object).
    kind : STOCK, CALL, PUT, CONVERTIBLE, WARRANT or UNKNOWN.
    side : 1 long, -1 short.
    quantity : absolute net quantity, shares or contracts.
    price : mark, instrument currency a unit (NaN: missing).
    spot : close of the underlying, instrument currency (NaN: missing).
    strike : exercise price, instrument currency (0 where none).
    expiry : days since 1970-01-01 (0 where none; of a convertible without one a day that no option reaches).
    size : shares one contract delivers, or one convertible converts into (0 where not known); 1 for other securities.
    multiplier : instrument currency a point of price and strike (1 for securities).
    rate : percentage of the underlying in the requirement of a short option.
    leverage : leverage factor of the underlying.
    european, cash_settled, long_dated, cash_account : booleans; long_dated is more than nine months to expiry.
    dollars : instrument currency for one US dollar (NaN: missing), for floors that rules state in dollars.
    stock, options : rates in force.
    """

    block: Array
    symbol: Array
    kind: Array
    side: Array
    quantity: Array
    price: Array
    spot: Array
    strike: Array
    expiry: Array
    size: Array
    multiplier: Array
    rate: Array
    leverage: Array
    european: Array
    cash_settled: Array
    long_dated: Array
    cash_account: Array
    dollars: Array
    stock: StockRates
    options: OptionRates

    def __len__(self) -> int:
        return len(self.block)
