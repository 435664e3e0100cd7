"""Portfolios taken apart into units whose margins add up: what is grouped together, or a symbol on its own.

Belongs here: which positions make a unit, tables of units in place of portfolios. Not here: margins of units (`forecast_sensitivities`).

Under an additive method (strategy_based, tiered, exchange margin a contract) the requirement of a portfolio is the sum of those of its
groups, and every group depends on one underlying. Taken for a portfolio of its own each unit has the requirement that it brings, so that
one move of all underlyings at once tells what every single one of them would change.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pandas as pd

from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.margin.grouping.netting import net_book

SEPARATOR = "\x1e"
"""Stands between a portfolio and what its unit is on; no name holds it."""
_GROUPED = ("reg_t", "cash")


@dataclass(frozen=True)
class Units:
    """Tables of units as if each were a portfolio.

    Attributes
    ----------
    inputs : the tables; equity of every unit is 0, so that its margin equity is what its method adds or takes out.
    unit : unit of each position of the portfolios, by the index of these.
    """

    inputs: MarginInputs
    unit: pd.Series


def units_of(inputs: MarginInputs, as_of: dt.date) -> Units:
    """Units of the positions of a book.

    Parameters
    ----------
    inputs : positions that scenarios do not margin, and their portfolios.
    as_of : business date.
    """
    positions, owners = inputs.positions, inputs.portfolios
    grouped = owners[owners["account_type"].isin(_GROUPED)]
    group, groups = positions["symbol"].astype(object), inputs.strategy_groups
    within = positions["portfolio_id"].isin(grouped["portfolio_id"])
    groups = groups[groups["portfolio_id"].isin(grouped["portfolio_id"])]
    if within.any():
        tables = (inputs.instruments, grouped, inputs.prices, inputs.fx_rates, as_of, inputs.house_margins)
        legs = net_book(positions[within], *tables).legs
        group = _looked_up(positions, "symbol", legs).where(within, group)
        groups = groups.assign(portfolio_id=_named(groups["portfolio_id"], _looked_up(groups, "underlying", legs)))
    unit = _named(positions["portfolio_id"], group)
    names = unit.drop_duplicates().sort_values(ignore_index=True)
    owner = names.str.split(SEPARATOR, n=1).str[0]
    row = pd.Index(owners["portfolio_id"]).get_indexer(pd.Index(owner))
    own = owners.iloc[row].reset_index(drop=True).assign(portfolio_id=names, equity=0.0)
    found = replace(
        inputs,
        positions=positions.assign(portfolio_id=unit),
        portfolios=own,
        strategy_groups=groups[groups["portfolio_id"].isin(names)].reset_index(drop=True),
        # Whether a portfolio lacks a row is known of the whole portfolio; names of units mean nothing to a rejected row.
        rejected_rows=inputs.rejected_rows.iloc[:0],
    )
    return Units(found, unit)


def _looked_up(rows: pd.DataFrame, column: str, legs: pd.DataFrame) -> pd.Series:
    """What the rows' symbols or underlyings are grouped with; themselves where they are grouped with nothing."""
    known = legs.drop_duplicates(["portfolio_id", column]).set_index(["portfolio_id", column])["class_group"]
    found = known.reindex(pd.MultiIndex.from_frame(rows[["portfolio_id", column]])).set_axis(rows.index).astype(object)
    return found.where(found.notna(), rows[column].astype(object))


def _named(portfolio_id: pd.Series, group: pd.Series) -> pd.Series:
    return (portfolio_id.astype(str) + SEPARATOR + group.astype(str)).astype("str")
