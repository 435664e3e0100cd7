"""What portfolios hold under scenario margin: net contracts, portfolio groups, and which positions are covered.

Belongs here: netting, coverage. Not here: any charge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Array = npt.NDArray[Any]

POSITION = ["portfolio_id", "strategy", "symbol"]


@dataclass(frozen=True)
class Holdings:
    """Net contracts of portfolio groups.

    Attributes
    ----------
    units : portfolio_id and class_group of each of u portfolio groups, ordered.
    unit, row : (n,) portfolio group of each holding, and its row in the contracts.
    quantity : (n,) net contracts.
    fx_rate : (n,) base currency for one unit of instrument currency; NaN where there is none.
    option_value : (u,) value of long less short options, base currency.
    covered : positions under scenario margin, with their class group, quantity and exchange rate.
    covered_unit, covered_row : (c,) portfolio group of each of them, and row in the contracts.
    """

    units: pd.DataFrame
    unit: Array
    row: Array
    quantity: Array
    fx_rate: Array
    option_value: Array
    covered: pd.DataFrame
    covered_unit: Array
    covered_row: Array


def candidates(positions: pd.DataFrame, instruments: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    """Positions whose instruments have a class group, ordered, with column class_group."""
    group = groups.set_axis(instruments["symbol"])
    found = positions[[*POSITION, "quantity", "price", "fx_rate"]].assign(class_group=positions["symbol"].map(group))
    return found[found["class_group"].notna()].sort_values(POSITION, kind="stable", ignore_index=True)


def holdings(held: pd.DataFrame, contracts: pd.DataFrame, given: Array, with_terms: frozenset[str]) -> Holdings:
    """Net holdings of the portfolio groups that scenario margin covers.

    Parameters
    ----------
    held : result of `candidates`.
    contracts : symbols, multipliers and kinds of m contracts.
    given : (m,) whether the exchange gives an array.
    with_terms : class groups with parameters in force.

    Notes
    -----
    A portfolio group is covered when its class group has parameters, or the exchange gives arrays of all contracts that it holds. With
    arrays of some and no parameters it is covered, too, and its margin is missing; with neither it is not covered.
    """
    by_contract = held.groupby(["portfolio_id", "class_group", "symbol"], sort=True)
    net = by_contract.agg(quantity=("quantity", "sum"), fx_rate=("fx_rate", "max")).reset_index()
    row = pd.Index(contracts["symbol"]).get_indexer(pd.Index(net["symbol"]))
    number = net.groupby(["portfolio_id", "class_group"], sort=True).ngroup().to_numpy()
    count = int(number.max(initial=-1)) + 1
    some = np.bincount(number, given[row], minlength=count) > 0
    units = net[["portfolio_id", "class_group"]].drop_duplicates(ignore_index=True)
    known = units["class_group"].isin(with_terms).to_numpy(bool)
    chosen = known | some
    renumbered = np.cumsum(chosen) - 1
    kept = chosen[number]
    of_position = pd.MultiIndex.from_frame(units[chosen]).get_indexer(pd.MultiIndex.from_frame(held[["portfolio_id", "class_group"]]))
    return Holdings(
        units=units[chosen].reset_index(drop=True),
        unit=renumbered[number[kept]],
        row=row[kept],
        quantity=net["quantity"].to_numpy(np.float64)[kept],
        fx_rate=net["fx_rate"].to_numpy(np.float64)[kept],
        option_value=_option_value(held, contracts, of_position, int(chosen.sum())),
        covered=held[of_position >= 0].reset_index(drop=True),
        covered_unit=of_position[of_position >= 0],
        covered_row=pd.Index(contracts["symbol"]).get_indexer(pd.Index(held["symbol"][of_position >= 0])),
    )


def _option_value(held: pd.DataFrame, contracts: pd.DataFrame, unit: Array, count: int) -> Array:
    """(u,) value of options at the marks of their positions; NaN where an option has none."""
    row = pd.Index(contracts["symbol"]).get_indexer(pd.Index(held["symbol"]))
    option = contracts["is_option"].to_numpy(bool)[row] & (unit >= 0)
    value = (held["quantity"] * held["price"] * held["fx_rate"]).to_numpy(np.float64) * contracts["multiplier"].to_numpy(np.float64)[row]
    return np.asarray(np.bincount(unit[option], value[option], minlength=count))
