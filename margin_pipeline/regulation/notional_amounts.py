"""Notional amounts of over-the-counter derivatives on the date, by portfolio and class.

Belongs here: adding them up. Not here: averages over months (entity figures), what they are compared with (`clearing_thresholds`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from margin_pipeline.regulation.exact_sums import group_sums
from margin_pipeline.regulation.inputs import RegulatoryInputs

BY = ["portfolio_id", "asset_class", "currency", "is_hedge"]


@dataclass(frozen=True)
class Notionals:
    """Gross notional amounts by portfolio, class, currency and whether they are hedges.

    Attributes
    ----------
    inputs : tables of the date.
    by_portfolio : of each portfolio (class, currency, is a hedge, amount in that currency; NaN where one is missing).
    """

    inputs: RegulatoryInputs
    by_portfolio: Mapping[str, list[tuple[str, str, bool, float]]] = field(default_factory=dict)

    def amount(self, portfolio_id: str, kind: str, currency: str, with_hedges: bool = True) -> float:
        """Amount of a portfolio and class (`all`: every class) in a currency; 0 without trades, NaN where something is missing.

        Parameters
        ----------
        portfolio_id, kind, currency : portfolio, class and currency wanted.
        with_hedges : whether trades count that reduce risks of commercial or treasury activity.
        """
        rows = [row for row in self.by_portfolio.get(portfolio_id, []) if kind in ("all", row[0]) and (with_hedges or not row[2])]
        # fsum of what adds up to NaN is NaN.
        return math.fsum(amount * self.inputs.rate(of, currency) for _, of, _, amount in rows)


def notional_amounts(inputs: RegulatoryInputs) -> Notionals:
    """Gross notional amounts of otc_trades, cleared ones included; the order of the trades does not matter.

    Parameters
    ----------
    inputs : tables of the date, netting_sets and otc_trades among them.
    """
    trades, sets = inputs.table("otc_trades"), inputs.table("netting_sets")
    if trades.empty:
        return Notionals(inputs)
    owner = dict(zip(sets["netting_set_id"].astype(str), sets["portfolio_id"].astype(str), strict=True))
    hedge = trades["is_hedge"].astype(object)
    keyed = pd.DataFrame(
        {
            "portfolio_id": trades["netting_set_id"].astype(str).map(owner),
            "asset_class": trades["asset_class"].astype(str),
            "currency": trades["currency"].astype(str),
            "is_hedge": hedge.where(hedge.notna(), False).astype(bool),
            "notional": trades["notional"].astype("float64"),
        }
    ).dropna(subset="portfolio_id")
    grouped = keyed.groupby(BY, sort=True)
    sums = group_sums(keyed["notional"].to_numpy(), grouped.ngroup().to_numpy(), grouped.ngroups)
    found: dict[str, list[tuple[str, str, bool, float]]] = {}
    for (portfolio, kind, currency, is_hedge), amount in zip(grouped.size().index, np.asarray(sums), strict=True):
        found.setdefault(str(portfolio), []).append((str(kind), str(currency), bool(is_hedge), float(amount)))
    return Notionals(inputs, found)
