"""The legs of all books as columns: one row per net series or security of a portfolio.

Belongs here: the columns, their meaning and units. Not here: how they come about (grouping.netting), what they require.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

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
    strike : exercise price, instrument currency (0 where none; of a warrant NaN where it is not known).
    expiry : days since 1970-01-01 (0 where none; of a convertible or warrant without one a day that no option reaches).
    deliverable : number of what an option is on, or of the security itself: funds on an index share the block of the index.
    size : shares one contract delivers, or one convertible or warrant converts into (0 where not known); 1 for other securities.
    multiplier : instrument currency a point of price and strike (1 for securities).
    rate : percentage of the underlying in the requirement of a short option.
    leverage : leverage factor of the underlying.
    european, cash_settled, long_dated, on_index, cash_account : booleans; long_dated is more than nine months to expiry.
    dollars : instrument currency for one US dollar (NaN: missing), for floors that rules state in dollars.
    house_initial, house_maintenance : least requirement of one unit that the house asks of a security or a short option (0 where none).
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
    deliverable: Array
    size: Array
    multiplier: Array
    rate: Array
    leverage: Array
    european: Array
    cash_settled: Array
    long_dated: Array
    on_index: Array
    cash_account: Array
    dollars: Array
    house_initial: Array
    house_maintenance: Array
    stock: StockRates
    options: OptionRates

    def __len__(self) -> int:
        return len(self.block)

    def units_of_security(self, security: Array, option: Array) -> Array:
        """Units of a security that stand for what one contract delivers, (n,).

        Parameters
        ----------
        security, option : (n,) rows.

        Returns
        -------
        (n,) shares, or convertibles and warrants that convert into them. Of a fund for an option on its index: shares that are worth as
        much as what the contract is on (NaN without both prices).
        """
        shares = self.size[option] / self.size[security]
        worth = self.size[option] * self.spot[option] / self.price[security]
        return np.where(self.deliverable[security] == self.deliverable[option], shares, worth)

    def part(self, rows: Array, block: Array, quantity: Array) -> LegTable:
        """The table of some rows, in the order given, with blocks and quantities of their own."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        taken = {name: value[rows] if isinstance(value, np.ndarray) else value for name, value in kept.items()}
        return LegTable(**{**taken, "block": block, "quantity": quantity})
