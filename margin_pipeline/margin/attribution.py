"""Margin of the governing method by strategy.

Belongs here: who carries how much of a portfolio's maintenance margin, by rule. Not here: risk figures of strategies.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

KEY = ["portfolio_id", "strategy", "symbol"]
OWNER = ["portfolio_id", "strategy"]


def margin_attribution(
    portfolio_margins: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    strategy_group_legs: pd.DataFrame,
    cross_margin_benefits: pd.DataFrame,
    method: str | None = None,
    shares: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Maintenance margin of each strategy; adds up to the portfolio's.

    Parameters
    ----------
    portfolio_margins, position_margins, strategy_groups, strategy_group_legs, cross_margin_benefits : frames of the tables of these names.
    method : method to attribute; None: the one that governs each portfolio.
    shares : frame of `scenario_tables.scenario_shares`: what positions carry that are margined by scenarios; None: there are none.

    Returns
    -------
    Frame portfolio_id, strategy, margin_contribution (base currency), margin_share (fraction), one row a strategy that holds positions,
    ordered. Empty where the method is undetermined or asks nothing of positions (netting sets); the share also where nothing is required.

    Notes
    -----
    Groups pro rata to the requirement shares of their legs; positions outside groups their own margin; positions that are margined by
    scenarios by what they lose in the one that decides, where what gains relieves its strategy; an offset pro rata to the margins
    of its two symbols, and within a symbol pro rata to the margins of its positions; the relief of boxed stock pro rata to all margins.
    """
    chosen = portfolio_margins["is_governing"] if method is None else portfolio_margins["method"] == method
    total = portfolio_margins[chosen].set_index("portfolio_id")[["method", "maintenance_margin"]]
    rows = position_margins[[*KEY, "maintenance_margin"]].merge(
        total[["method"]].reset_index(), on="portfolio_id", how="inner", validate="many_to_one"
    )
    known = shares if shares is not None else position_margins.iloc[:0].assign(method="")
    grouped = strategy_group_legs[KEY].drop_duplicates().assign(method="strategy_based")
    counted = pd.concat([grouped, known[[*KEY, "method"]]], ignore_index=True).astype("str").assign(counted=True)
    elsewhere = rows.merge(counted, on=[*KEY, "method"], how="left", validate="one_to_one")["counted"].notna().to_numpy()
    alone = rows[~elsewhere].rename(columns={"maintenance_margin": "part"})
    by_groups = strategy_group_legs["portfolio_id"].isin(set(rows.loc[rows["method"] == "strategy_based", "portfolio_id"]))
    of_groups = strategy_group_legs[by_groups].rename(columns={"requirement_share": "part"})
    of_scenarios = known.merge(total[["method"]].reset_index(), on=["portfolio_id", "method"]).rename(
        columns={"maintenance_margin": "part"}
    )
    offset = set(rows.loc[rows["method"] == "cross_margin", "portfolio_id"])
    benefits = cross_margin_benefits[cross_margin_benefits["portfolio_id"].isin(offset)]
    found = [alone, of_groups, of_scenarios, _offsets(benefits, position_margins)]
    parts = pd.concat([part[[*OWNER, "part"]] for part in found], ignore_index=True)
    carried = parts.groupby(OWNER, sort=True)["part"].sum().reset_index(name="margin_contribution")
    return _shared(_without_boxed(carried, total), total)


def _without_boxed(carried: pd.DataFrame, total: pd.DataFrame) -> pd.DataFrame:
    """Contributions under `reg_t` less the relief of stock held long and short, pro rata to the margins of the strategies."""
    owner = carried["portfolio_id"]
    alone = carried.groupby("portfolio_id")["margin_contribution"].transform("sum").to_numpy(dtype=np.float64)
    required = total["maintenance_margin"].reindex(owner).to_numpy(dtype=np.float64)
    is_relieved = (total["method"].reindex(owner) == "reg_t").to_numpy() & (alone > 0)
    factor = np.divide(required, alone, out=np.ones(len(carried)), where=is_relieved)
    return carried.assign(margin_contribution=carried["margin_contribution"] * factor)


def _offsets(benefits: pd.DataFrame, position_margins: pd.DataFrame) -> pd.DataFrame:
    """Each offset, negative, by the strategies that hold its two symbols."""
    sides = pd.concat(
        [benefits[["portfolio_id", "benefit_id", "saving"]].assign(symbol=benefits[name]) for name in ("symbol_1", "symbol_2")],
        ignore_index=True,
    )
    held = sides.merge(position_margins[[*KEY, "maintenance_margin"]], on=["portfolio_id", "symbol"], how="inner")
    whole = held.groupby(["portfolio_id", "benefit_id"])["maintenance_margin"].transform("sum")
    return held[OWNER].assign(part=-held["saving"] * held["maintenance_margin"] / whole)


def _shared(carried: pd.DataFrame, total: pd.DataFrame) -> pd.DataFrame:
    required = total["maintenance_margin"].reindex(carried["portfolio_id"]).to_numpy(dtype=np.float64)
    without = total["method"].reindex(carried["portfolio_id"]).isin(["schedule_im", "simm"]).to_numpy()
    contribution = np.where(np.isnan(required) | without, np.nan, carried["margin_contribution"].to_numpy(dtype=np.float64))
    share = np.divide(contribution, required, out=np.full(len(carried), np.nan), where=required > 0)
    return carried.assign(margin_contribution=contribution, margin_share=share)
