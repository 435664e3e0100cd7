"""The first price at which equity no longer exceeds maintenance margin, for many positions at once.

Belongs here: solving. Not here: where equity and margin come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class TieredMargin:
    """Maintenance margin of n positions as a function of price, linear within each of k tiers.

    At a price from `start` on (up to the next tier's) a position needs rate x size x price - amount.

    Attributes
    ----------
    size : (n,) money a point of price, |quantity| x multiplier x exchange rate, > 0.
    start : (n, k) ascending prices from which the tiers apply.
    rate : (n, k) fractions of notional.
    amount : (n, k) money.
    """

    size: Array
    start: Array
    rate: Array
    amount: Array

    def at(self, price: Array) -> Array:
        """Maintenance margin at a price of each position, (n,); NaN below the first tier."""
        tier = (price[:, None] >= self.start).sum(axis=1) - 1
        row = np.arange(len(price))
        margin = self.rate[row, tier] * self.size * price - self.amount[row, tier]
        return np.where(tier >= 0, margin, np.nan)

    def at_least(self, least: Array) -> TieredMargin:
        """The greater of this margin and a fraction of notional, (n,): each tier is split where the two meet."""
        end = np.concatenate([self.start[:, 1:], np.full((len(self.size), 1), np.inf)], axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = self.amount / ((self.rate - least[:, None]) * self.size[:, None])
        meet = np.where((meet > self.start) & (meet < end), meet, end)
        start = np.stack([self.start, meet], axis=2).reshape(len(self.size), 2 * self.start.shape[1])
        rate, amount = np.repeat(self.rate, 2, axis=1), np.repeat(self.amount, 2, axis=1)
        end = np.concatenate([start[:, 1:], np.full((len(self.size), 1), np.inf)], axis=1)
        finite = np.where(np.isfinite(start), start, 0.0)
        middle = np.where(np.isfinite(end), (finite + np.where(np.isfinite(end), end, 0.0)) / 2.0, 2.0 * finite + 1.0)
        binds = least[:, None] * self.size[:, None] * middle > rate * self.size[:, None] * middle - amount
        return TieredMargin(self.size, start, np.where(binds, least[:, None], rate), np.where(binds, 0.0, amount))


def linear_liquidation_price(wallet: Array, side: Array, reference: Array, mark: Array, margin: TieredMargin) -> Array:
    """Liquidation price of positions whose result is quantity x (price - reference).

    Parameters
    ----------
    wallet : (n,) collateral at the reference price, money.
    side : (n,) 1 long, -1 short.
    reference : (n,) price at which the equity behind the position is the wallet.
    mark : (n,) price now.
    margin : maintenance margin by price.

    Returns
    -------
    (n,) prices > 0, NaN where no positive price liquidates.

    Notes
    -----
    Equity wallet + side x size x (price - reference) meets the margin of the tier that applies at that very price. From the mark on in the
    direction that loses, the first such price counts; where a tier begins whose higher margin is not covered, the price at which it
    begins. A position that is beyond that price already gets the nearest one in the other direction, at which it would be covered again.
    """
    slope = side[:, None] * margin.size[:, None] - margin.rate * margin.size[:, None]
    level = (wallet - side * margin.size * reference)[:, None] + margin.amount
    end = np.concatenate([margin.start[:, 1:], np.full((len(mark), 1), np.inf)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.where(slope != 0, -level / slope, np.nan)
    inside = (root >= margin.start) & (root < end) & (root > 0)
    long = (side > 0)[:, None]
    edge = np.where(long, end, margin.start)
    finite = np.isfinite(edge) & (edge > 0)
    uncovered = finite & (level + slope * np.where(finite, edge, 0.0) <= 0)
    now = wallet + side * margin.size * (mark - reference) - margin.at(mark)
    covered = (now > 0)[:, None]
    lower = long == covered
    beyond = np.where(lower, root <= mark[:, None], root >= mark[:, None])
    edge_beyond = np.where(lower, edge <= mark[:, None], edge >= mark[:, None])
    candidates = np.concatenate(
        [np.where(inside & beyond, root, np.nan), np.where(uncovered & edge_beyond & covered, edge, np.nan)], axis=1
    )
    return np.where(np.isnan(now), np.nan, _nearest(candidates, lower[:, 0]))


def _nearest(candidates: Array, below: Array) -> Array:
    """(n,) the highest candidate where it must be below, else the lowest; NaN without one."""
    highest = np.where(np.isnan(candidates), -np.inf, candidates).max(axis=1)
    lowest = np.where(np.isnan(candidates), np.inf, candidates).min(axis=1)
    found = np.where(below, highest, lowest)
    return np.where(np.isfinite(found), found, np.nan)


def inverse_liquidation_price(wallet: Array, value: Array, reference: Array, margin: Array) -> Array:
    """Liquidation price of inverse contracts, whose collateral, result and margin are in the coin.

    Parameters
    ----------
    wallet : (n,) collateral at the reference price, coins.
    value : (n,) signed worth of the contracts, quote currency: quantity x multiplier.
    reference : (n,) price at which the equity behind the position is the wallet.
    margin : (n,) maintenance margin, quote currency; it does not depend on the price, for the notional does not.

    Returns
    -------
    (n,) prices > 0, NaN where no positive price liquidates.

    Notes
    -----
    wallet + value (1 / reference - 1 / price) = margin / price, hence price = (value + margin) / (wallet + value / reference).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        price = (value + margin) / (wallet + value / reference)
    return np.where(np.isfinite(price) & (price > 0), price, np.nan)
