"""Checks of plans and allocations, run before anything is written.

Belongs here: what must hold of liquidation plans and collateral. Not here: plans (`decisions`), the record of a check (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.orchestration.checks import Outcome

Frames = Mapping[str, pd.DataFrame]
CLOSE = 1e-6


def plans_meet_their_target(frames: Frames) -> Outcome:
    """Verified plans bring utilization to the target, infeasible ones do not; every portfolio has a summary."""
    rows = frames["liquidation_plan_summaries"]
    after, target = rows["utilization_after"].to_numpy(float), rows["target_utilization"].to_numpy(float)
    verified, infeasible = (rows["plan_status"] == name for name in ("verified", "infeasible"))
    missed = int((verified & ~(after <= target + 1e-9)).sum())
    wrong = int((infeasible & ~(after > target)).sum())
    lost = sorted(set(frames["portfolios"]["portfolio_id"]) - set(rows["portfolio_id"]))
    return Outcome(missed + wrong == 0 and not lost, {"missed": missed, "infeasible_that_hold": wrong, "without_summary": lost})


def positions_only_come_nearer_to_zero(frames: Frames) -> Outcome:
    """No trade opens, adds to or reverses a position."""
    rows = frames["liquidation_plans"]
    held, traded = (rows[name].to_numpy(float) for name in ("quantity_before", "trade_quantity"))
    wrong = int((~((held * traded < 0) & (np.abs(traded) <= np.abs(held)))).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "trades": len(rows)})


def released_margin_adds_up(frames: Frames) -> Outcome:
    """Costs and released margin of the trades add up to those of the portfolio."""
    rows = frames["liquidation_plan_summaries"]
    traded = rows[rows["trades"] > 0].set_index("portfolio_id")
    sums = frames["liquidation_plans"].groupby("portfolio_id")[["cost", "margin_released"]].sum().reindex(traded.index)
    fall = traded["maintenance_before"] - traded["maintenance_after"]
    gap = (sums["margin_released"] - fall).abs() / traded["maintenance_before"].clip(lower=1.0)
    cost = (sums["cost"] - traded["cost"]).abs() / traded["cost"].clip(lower=1.0)
    wrong = int((~((gap <= CLOSE) & (cost <= CLOSE))).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "portfolios": len(traded)})


def requirements_are_covered(frames: Frames) -> Outcome:
    """Allocated values of a requirement add up to it, less its shortfall; every requirement has a summary."""
    rows = frames["collateral_summaries"]
    known = rows[rows["status"] != "undetermined"].set_index("requirement_id")
    sums = frames["collateral_allocations"].groupby("requirement_id")["allocated_value"].sum().reindex(known.index).fillna(0.0)
    gap = (sums + known["shortfall"] - known["requirement"]).abs() / known["requirement"].clip(lower=1.0)
    lost = sorted(set(frames["collateral_requirements"]["requirement_id"]) - set(rows["requirement_id"]))
    wrong = int((~(gap <= 1e-9)).sum())
    return Outcome(wrong == 0 and not lost, {"wrong": wrong, "without_summary": lost, "requirements": len(rows)})


def no_asset_is_given_twice(frames: Frames) -> Outcome:
    """What is given of an asset to all requirements together is not more than there is."""
    given = frames["collateral_allocations"].groupby(["portfolio_id", "asset"])["market_value"].sum()
    assets = frames["collateral"].set_index(["portfolio_id", "asset"])
    there = assets["market_value"].reindex(given.index)
    base = frames["portfolios"].set_index("portfolio_id")["base_currency"]
    # Values of other currencies are converted: only those in the base currency can be compared as they are.
    comparable = assets["currency"].reindex(given.index).to_numpy(object) == base.reindex(given.index.get_level_values(0)).to_numpy(object)
    wrong = int((comparable & ~(given <= there * (1.0 + CLOSE) + CLOSE)).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "assets": len(given)})
