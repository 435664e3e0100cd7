"""Blocking checks: what must hold of a stage's tables before any of it is written.

Belongs here: the form of a check, and the checks. Not here: how they are recorded (the factory does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Outcome:
    """Result of a check: whether it passed, and expected and actual figures for the reader."""

    passed: bool
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A blocking check on a stage's tables and inputs.

    Attributes
    ----------
    table : table that the check is shown at.
    function : takes the frames of the stage's tables and inputs by name, returns an `Outcome`; its docstring is the description.
    """

    table: str
    function: Callable[[Frames], Outcome]

    @property
    def name(self) -> str:
        """Name shown in the Dagster UI."""
        return self.function.__name__

    @property
    def description(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


POSITION_KEY = ["portfolio_id", "strategy", "symbol"]


def every_row_is_accounted_for(frames: Frames) -> Outcome:
    """Rows read of each file = rows accepted + rows rejected, and every rejected row is kept."""
    files, rejected = frames["landed_files"], frames["rejected_rows"]
    kept = rejected.groupby("source")["row_number"].nunique().reindex(files["source"]).fillna(0).to_numpy()
    balanced = (files["rows_read"] == files["rows_accepted"] + files["rows_rejected"]).to_numpy()
    wrong = files["source"][~balanced | (kept != files["rows_rejected"].to_numpy())]
    return Outcome(
        wrong.empty, {"rows_read": int(files["rows_read"].sum()), "rows_rejected": int(files["rows_rejected"].sum()), "wrong": list(wrong)}
    )


def every_position_is_valued_or_named(frames: Frames) -> Outcome:
    """Every accepted position is there with its quantity, and a price that is missing is marked as missing."""
    positions, records = frames["positions"], frames["position_records"]
    merged = records.merge(positions, on=POSITION_KEY, how="outer", suffixes=("_record", ""), indicator=True)
    lost = int((merged["_merge"] != "both").sum()) + int((merged["quantity"] != merged["quantity_record"]).sum())
    unseen = int((positions["price"].isna() != (positions["price_source"] == "missing")).sum())
    return Outcome(lost == 0 and unseen == 0, {"lost_or_changed": lost, "missing_unseen": unseen, "positions": len(positions)})


def matrix_is_positive_semidefinite(frames: Frames) -> Outcome:
    """The least eigenvalue of the correlation matrix is at least -1e-8."""
    least = float(frames["correlation_matrices"]["minimum_eigenvalue"].min()) if len(frames["correlation_matrices"]) else 0.0
    return Outcome(least >= -1e-8, {"minimum_eigenvalue": least, "expected_at_least": -1e-8})


def margins_are_not_negative(table: str) -> Check:
    """Check that no margin of a table is below zero."""

    def margins_are_not_negative(frames: Frames) -> Outcome:
        """No initial or maintenance margin is negative or infinite."""
        columns = frames[table][["initial_margin", "maintenance_margin"]]
        wrong = int(((columns < 0) | np.isinf(columns)).any(axis=1).sum())
        return Outcome(wrong == 0, {"wrong_rows": wrong, "rows": len(columns)})

    return Check(table, margins_are_not_negative)


def every_position_has_a_margin_or_a_reason(frames: Frames) -> Outcome:
    """Each position has one row, with a margin or with what is missing for it."""
    margins, positions = frames["position_margins"], frames["positions"]
    keys = pd.MultiIndex.from_frame(margins[POSITION_KEY])
    expected = pd.MultiIndex.from_frame(positions[POSITION_KEY])
    without = int((margins["maintenance_margin"].isna() != margins["missing"].notna()).sum())
    lost = len(expected.symmetric_difference(keys)) + int(keys.has_duplicates)
    return Outcome(lost == 0 and without == 0, {"lost_or_doubled": lost, "neither_margin_nor_reason": without})


def every_grouped_quantity_is_held(frames: Frames) -> Outcome:
    """Quantities of the groups add up to the net quantity of every stock and option position."""
    legs, positions = frames["strategy_group_legs"], frames["positions"]
    grouped = legs.groupby(["portfolio_id", "symbol"])["quantity"].sum()
    held = positions.groupby(["portfolio_id", "symbol"])["quantity"].sum().reindex(grouped.index)
    difference = (grouped - held).abs() > 1e-9 * held.abs().clip(lower=1)
    wrong = int(difference.sum()) + int(held.isna().sum())
    return Outcome(wrong == 0, {"wrong_series": wrong, "series": len(grouped)})


def group_shares_add_up(frames: Frames) -> Outcome:
    """Shares of the legs add up to the maintenance margin of their group."""
    groups = frames["strategy_groups"].set_index(["portfolio_id", "group_id"])["maintenance_margin"].dropna()
    shares = frames["strategy_group_legs"].groupby(["portfolio_id", "group_id"])["requirement_share"].sum().reindex(groups.index)
    wrong = int(((shares - groups).abs() > 1e-9 * groups.abs().clip(lower=1)).sum() + shares.isna().sum())
    return Outcome(wrong == 0, {"wrong_groups": wrong, "groups": len(groups)})


def no_offset_exceeds_its_margins(frames: Frames) -> Outcome:
    """Offsets are granted once: the parts that back them never exceed the margins that there are."""
    benefits, margins = frames["cross_margin_benefits"], frames["position_margins"]
    available = margins.groupby("portfolio_id")["maintenance_margin"].sum()
    backed = benefits.groupby("portfolio_id")["standalone_margin"].sum()
    wrong = backed[backed > available.reindex(backed.index).fillna(0) * (1 + 1e-9) + 1e-6]
    negative = int((benefits["saving"] < 0).sum() + (benefits["combined_margin"] < 0).sum())
    return Outcome(wrong.empty and negative == 0, {"portfolios_over": list(wrong.index), "negative": negative})


def house_never_lowers_maintenance(frames: Frames) -> Outcome:
    """House rates add to the maintenance margin of every portfolio and method, or leave it."""
    added = frames["house_additions"].groupby(["portfolio_id", "method"])["maintenance_margin"].sum()
    wrong = added[added < -1e-6]
    return Outcome(wrong.empty, {"wrong": [" ".join(k) for k in wrong.index], "least": float(added.min()) if len(added) else 0.0})


def marginal_schedules_have_no_cliff(frames: Frames) -> Outcome:
    """Margin read by slices never jumps: below and at each threshold it is the same."""
    tiers = frames["margin_schedule_tiers"].query("mode == 'marginal'")
    gaps = [
        (tiers[f"{m}_at"] - tiers[f"{m}_below"]).abs() > 1e-9 * tiers[f"{m}_at"].abs().clip(lower=1) for m in ("initial", "maintenance")
    ]
    wrong = sorted(tiers.loc[gaps[0] | gaps[1], "schedule"].unique())
    return Outcome(not wrong, {"wrong": wrong, "tiers": len(tiers)})


def own_reading_is_the_margin(frames: Frames) -> Outcome:
    """What a position needs is at least what its schedule asks in its own mode, and just that where no house rate binds."""
    rows = frames["margin_schedule_positions"].merge(frames["position_margins"], on=POSITION_KEY, suffixes=("", "_of_margin"))
    rows = rows[rows["missing"].isna() & rows["missing_of_margin"].isna()]
    own = rows["bracket_maintenance"].where(rows["mode"] == "bracket", rows["marginal_maintenance"])
    off = rows["maintenance_margin"] - own
    tolerance = 1e-9 * own.abs().clip(lower=1)
    bound = rows["explanation"].str.contains('"house_binds": true', regex=False)
    wrong = rows["symbol"][(off < -tolerance) | ((off > tolerance) & ~bound)]
    return Outcome(wrong.empty, {"wrong": sorted(wrong.unique()), "positions": len(rows)})


def components_add_up(frames: Frames) -> Outcome:
    """Components add up to initial and maintenance margin of every portfolio and method."""
    key = ["portfolio_id", "method"]
    margins = frames["portfolio_margins"].set_index(key)[["initial_margin", "maintenance_margin"]].dropna()
    parts = (
        frames["portfolio_margin_components"].groupby(key)[["initial_margin", "maintenance_margin"]].sum().reindex(margins.index).fillna(0)
    )
    wrong = ((parts - margins).abs() > 1e-9 * margins.abs().clip(lower=1)).any(axis=1)
    return Outcome(not wrong.any(), {"wrong": [" ".join(k) for k in margins.index[wrong]]})


def every_statement_is_answered(frames: Frames) -> Outcome:
    """Each margin that the broker states has its row, with our figure or with what is missing."""
    key = ["portfolio_id", "symbol", "measure"]
    stated = frames["broker_margins"].melt(key[:2], ["initial_margin", "maintenance_margin"], "measure").dropna(subset=["value"])
    stated["measure"] = stated["measure"].str.removesuffix("_margin")
    found = stated.merge(frames["margin_reconciliation"], on=key, how="left")
    lost = int((found["status"].isna() | (found["broker"] != found["value"])).sum())
    return Outcome(lost == 0, {"lost_or_changed": lost, "statements": len(stated)})


def differences_add_up(frames: Frames) -> Outcome:
    """Ours, what is explained and what stays add up to the broker's margin; a missing side has no difference."""
    rows = frames["margin_reconciliation"]
    both = rows[rows["status"] != "missing"]
    gap = (both["ours"] + both["explained"] + both["residual"] - both["broker"]).abs()
    wrong = int((gap > 1e-9 * both["broker"].abs().clip(lower=1)).sum())
    wrong += int(rows.loc[rows["status"] == "missing", ["difference", "explained", "residual"]].notna().any(axis=1).sum())
    return Outcome(wrong == 0, {"wrong_rows": wrong, "rows": len(rows)})


def every_portfolio_has_one_governing_row(frames: Frames) -> Outcome:
    """Each portfolio has exactly one governing method, so none looks safe for lack of a row."""
    governing = frames["portfolio_margins"].groupby("portfolio_id")["is_governing"].sum()
    counts = governing.reindex(frames["portfolios"]["portfolio_id"]).fillna(0)
    return Outcome(bool((counts == 1).all()), {"wrong": list(counts.index[counts != 1])})


def risk_components_add_up(frames: Frames) -> Outcome:
    """Euler components of the strategies add up to the value at risk of the portfolio, to 1e-9."""
    key = ["portfolio_id", "method", "confidence", "horizon_days"]
    total = frames["portfolio_risk"].set_index(key)["var"].dropna()
    parts = frames["strategy_risk"].groupby(key)["component_var"].sum().reindex(total.index).fillna(0)
    scale = total.abs().clip(lower=1)
    worst = float(((parts - total).abs() / scale).max()) if len(total) else 0.0
    return Outcome(worst <= 1e-9, {"largest_relative_difference": worst})


def every_line_names_its_rule(frames: Frames) -> Outcome:
    """Every regulatory line has a reference, a parameter set and, where it does not apply, a reason."""
    lines = frames["regulatory_lines"]
    nameless = int(((lines["reference"].str.len() == 0) | (lines["parameter_set"].str.len() == 0)).sum())
    unexplained = int((~lines["applicable"] & lines["reason"].isna()).sum())
    return Outcome(nameless == 0 and unexplained == 0, {"nameless": nameless, "unexplained": unexplained, "lines": len(lines)})
