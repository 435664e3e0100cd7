"""Blocking checks of what is told from day to day.

Belongs here: what must hold of changes, calls, announcements and expiries before any is written. Not here: that margin is called.
"""

from __future__ import annotations

import numpy as np

from margin_pipeline.orchestration.checks import Frames, Outcome

TOLERANCE = 1e-6


def changes_add_up(frames: Frames) -> Outcome:
    """The causes of each portfolio add up to the change of its margins, to 1e-6 of their size (of 1 at least)."""
    rows = frames["margin_changes"]
    wrong = 0
    for amount, before, after in (
        ("amount", "maintenance_before", "maintenance_after"),
        ("initial_amount", "initial_before", "initial_after"),
    ):
        known = rows.dropna(subset=[amount, before, after]).groupby(["portfolio_id", "method"])
        sums, first = known[amount].sum(), known[[before, after]].first()
        size = first.abs().max(axis=1).clip(lower=1.0)
        wrong += int((~((sums - (first[after] - first[before])).abs() <= TOLERANCE * size)).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "portfolios": int(rows["portfolio_id"].nunique())})


def every_portfolio_has_all_causes(frames: Frames) -> Outcome:
    """Every portfolio has one row a cause, or says why its change is not split."""
    rows = frames["margin_changes"]
    margins = frames["portfolio_margins"]
    expected = set(margins.loc[margins["is_governing"], "portfolio_id"])
    counts = rows.groupby("portfolio_id")["cause"].nunique()
    lost = sorted(expected - set(counts.index[counts == 6]))
    silent = int((rows["amount"].isna() != rows["missing"].notna()).sum())
    return Outcome(not lost and silent == 0, {"without_all_causes": lost, "without_reason": silent})


def every_portfolio_has_buying_power_or_a_reason(frames: Frames) -> Outcome:
    """Every portfolio has one row; an unknown buying power says why."""
    rows = frames["buying_power"]
    lost = sorted(set(frames["portfolios"]["portfolio_id"]) ^ set(rows["portfolio_id"]))
    silent = int((rows["buying_power"].isna() != rows["missing"].notna()).sum())
    return Outcome(not lost and silent == 0, {"portfolios": lost, "without_reason": silent})


def what_lacks_is_required_less_held(frames: Frames) -> Outcome:
    """No deficiency exceeds what is required beyond what is held, and each that is positive has a due date."""
    rows = frames["margin_deficiencies"].dropna(subset=["amount"])
    most = (rows["required"] - rows["held"]).to_numpy(float)
    size = np.maximum(np.abs(rows[["required", "held"]].to_numpy(float)).max(axis=1, initial=0.0), 1.0)
    wrong = int((~(rows["amount"].to_numpy(float) <= np.maximum(most, 0.0) + TOLERANCE * size)).sum())
    undated = int(((rows["amount"] > 0) & rows["due_date"].isna()).sum())
    return Outcome(wrong + undated == 0, {"wrong": wrong, "without_due_date": undated, "rows": len(rows)})


def what_is_assigned_is_held(frames: Frames) -> Outcome:
    """Assigned and exercised contracts are all or none of a position, and on its side."""
    rows = frames["expiry_exposures"].dropna(subset=["assigned_quantity"])
    wrong = int((~rows["assigned_quantity"].isin([0.0]) & (rows["assigned_quantity"] != rows["quantity"])).sum())
    return Outcome(wrong == 0, {"wrong": wrong, "rows": len(rows)})
