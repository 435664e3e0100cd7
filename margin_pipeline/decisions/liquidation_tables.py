"""Liquidation plans as rows of tables.

Belongs here: the tables `liquidation_plans` and `liquidation_plan_summaries`. Not here: finding plans (`liquidation_plan`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.decisions.liquidation_book import pieces
from margin_pipeline.decisions.liquidation_program import Program, Solution
from margin_pipeline.decisions.trading_cost import added
from margin_pipeline.parameters.liquidation import LiquidationRules

Floats = npt.NDArray[np.float64]
PLAN_COLUMNS = [
    "portfolio_id", "strategy", "symbol", "method", "group_id", "groups", "quantity_before", "trade_quantity", "value", "spread_cost",
    "impact_cost", "cost", "cost_basis", "margin_released", "margin_equity_released", "marginal_value", "plan_status",
]  # fmt: skip
SUMMARY_COLUMNS = [
    "portfolio_id", "method", "plan_status", "target_utilization", "maintenance_before", "maintenance_after", "margin_equity_before",
    "margin_equity_after", "utilization_before", "utilization_after", "status_after", "trades", "cost", "cost_bound", "gap", "equity_dual",
    "explanation", "missing",
]  # fmt: skip
TOLERANCE = 1e-9
TOLD = 20
"""Things that are named of many."""
RULE = (
    "least cost of trades such that maintenance margin <= target x margin equity after the trades, computed again by the stages of the"
    " chain; groups of stock and options close by whole units, positions never change sides"
)


@dataclass(frozen=True)
class LiquidationPlans:
    """Frames of the tables `liquidation_plans` and `liquidation_plan_summaries`."""

    plans: pd.DataFrame
    summaries: pd.DataFrame


@dataclass(frozen=True)
class Outcome:
    """What became of one portfolio above its target.

    Attributes
    ----------
    portfolio, governing : its row of portfolios, and of portfolio_margins under the governing method.
    positions, groups, symbols, program : as in `liquidation_plan`.
    solution, after : the plan that is kept, and the governing margin after it.
    rounds : rounds of verification.
    notes : what is worth knowing.
    """

    portfolio: pd.Series
    governing: pd.Series
    positions: pd.DataFrame
    groups: pd.DataFrame
    symbols: pd.DataFrame
    program: Program
    solution: Solution | None
    after: pd.Series | None
    rounds: int
    notes: list[str]

    @property
    def status(self) -> str:
        """plan_status: whether the plan that is kept holds."""
        assert self.after is not None
        if math.isnan(float(self.after["utilization"])):
            return "undetermined"
        return "verified" if float(self.after["utilization"]) <= self.program.target + TOLERANCE else "infeasible"


def frames(outcomes: Sequence[Outcome], governing: pd.DataFrame, target: pd.Series, rules: LiquidationRules) -> LiquidationPlans:
    """Rows of the two tables.

    Parameters
    ----------
    outcomes : portfolios above their target.
    governing : governing rows of portfolio_margins, one a portfolio.
    target : target of each of them, in the same order.
    rules : rules in force.
    """
    parts = [_plan_rows(outcome) for outcome in outcomes if outcome.status != "undetermined"]
    plans = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=PLAN_COLUMNS)
    texts = ("portfolio_id", "strategy", "symbol", "method", "groups", "cost_basis", "plan_status")
    numbers = [name for name in PLAN_COLUMNS if name not in (*texts, "group_id")]
    plans = plans.astype(dict.fromkeys(texts, "str") | dict.fromkeys(numbers, "float64"))
    by_name = {str(outcome.portfolio["portfolio_id"]): outcome for outcome in outcomes}
    trades = plans.groupby("portfolio_id").size()
    rows = [
        _summary(row, float(aim), by_name.get(str(row["portfolio_id"])), int(trades.get(row["portfolio_id"], 0)), rules)
        for (_, row), aim in zip(governing.iterrows(), target, strict=True)
    ]
    summaries = pd.DataFrame(rows, columns=SUMMARY_COLUMNS).sort_values("portfolio_id", kind="stable", ignore_index=True)
    figures = [name for name in SUMMARY_COLUMNS if name.endswith(("_before", "_after")) and name != "status_after"]
    numeric = dict.fromkeys([*figures, "target_utilization", "cost", "cost_bound", "gap", "equity_dual"], "float64")
    kinds = numeric | {"trades": "int64"} | dict.fromkeys(("portfolio_id", "method", "plan_status", "explanation"), "str")
    return LiquidationPlans(
        plans.sort_values(["portfolio_id", "strategy", "symbol"], kind="stable", ignore_index=True)[PLAN_COLUMNS], summaries.astype(kinds)
    )


def _plan_rows(outcome: Outcome) -> pd.DataFrame:
    """Trades of one portfolio, a row a position."""
    solution, blocks, positions = outcome.solution, outcome.program.blocks, outcome.positions
    assert solution is not None
    assert outcome.after is not None
    taken = pieces(blocks, solution.closed, positions)
    count = len(positions)
    traded = added(taken.row, taken.quantity, count)
    rows = np.flatnonzero(traded)
    symbol, block = blocks.symbol[taken.entry], blocks.block[taken.entry]
    unit_value = outcome.symbols["unit_value"].to_numpy(np.float64)
    size = np.abs(taken.quantity)
    value = size * unit_value[symbol]
    of_symbol = outcome.program.traded(solution.closed)
    spread, impact = (part[symbol] * np.divide(size, of_symbol[symbol]) for part in outcome.program.cost(solution.closed))
    fall = outcome.program.model.after(solution.closed)[1]
    released = _shared(
        fall * solution.closed, value, block, float(outcome.governing["maintenance_margin"] - outcome.after["maintenance_margin"])
    )
    freed = _of_pieces(outcome.program.model.equity * solution.closed, value, block, len(blocks))
    sums = {
        "value": value, "spread_cost": spread, "impact_cost": impact, "margin_released": released, "margin_equity_released": freed,
    }  # fmt: skip
    found = {name: added(taken.row, amounts, count)[rows] for name, amounts in sums.items()}
    parts = _parts(outcome, taken.row, taken.entry, taken.quantity)
    dual = np.full(count, np.nan)
    if outcome.status == "verified":
        dual[taken.row] = 0.0
        np.maximum.at(dual, taken.row, solution.block_dual[block])
    held = positions["quantity"].to_numpy(np.float64)
    basis = dict(zip(outcome.symbols["symbol"], outcome.symbols["basis"], strict=True))
    frame = positions.loc[rows, ["portfolio_id", "strategy", "symbol"]].reset_index(drop=True)
    return frame.assign(
        method=str(outcome.governing["method"]),
        group_id=pd.Series([parts[r][0] for r in rows.tolist()], dtype=object),
        groups=[json.dumps(parts[r][1]) for r in rows.tolist()],
        quantity_before=held[rows],
        trade_quantity=traded[rows],
        cost=found["spread_cost"] + found["impact_cost"],
        cost_basis=frame["symbol"].map(basis),
        marginal_value=dual[rows],
        plan_status=outcome.status,
        **found,
    )[PLAN_COLUMNS]


def _of_pieces(amounts: Floats, value: Floats, block: npt.NDArray[np.int64], count: int) -> Floats:
    """(p,) amounts of blocks shared over their pieces by value; evenly where nothing has one."""
    whole = added(block, value, count)[block]
    number = np.bincount(block, minlength=count)[block]
    return amounts[block] * np.where(whole > 0, np.divide(value, whole, out=np.zeros(len(value)), where=whole > 0), 1.0 / number)


def _shared(amounts: Floats, value: Floats, block: npt.NDArray[np.int64], total: float) -> Floats:
    """(p,) falls of blocks at the deciding points shared over their pieces; what they lack of the total goes by value."""
    own = _of_pieces(amounts, value, block, len(amounts))
    rest = total - float(own.sum())
    weight = value / value.sum() if value.sum() > 0 else np.full(len(value), 1.0 / max(len(value), 1))
    return own + rest * weight


def _parts(
    outcome: Outcome, row: npt.NDArray[np.int64], entry: npt.NDArray[np.int64], quantity: Floats
) -> dict[int, tuple[str | None, list[dict[str, Any]]]]:
    """Of each traded position its group (of several the one with the largest part) and its parts by group."""
    blocks, solution = outcome.program.blocks, outcome.solution
    assert solution is not None
    found: dict[int, list[tuple[float, str | None, dict[str, Any]]]] = {}
    for r, e, q in zip(row.tolist(), entry.tolist(), quantity.tolist(), strict=True):
        block = int(blocks.block[e])
        name = blocks.group_id[block]
        part = {"group_id": name, "units": float(solution.closed[block]), "quantity": q}
        found.setdefault(r, []).append((-abs(q), name, part))
    return {r: (min(parts, key=lambda p: (p[0], p[1] or ""))[1], [p for _, _, p in parts]) for r, parts in found.items()}


def _summary(row: pd.Series, target: float, outcome: Outcome | None, trades: int, rules: LiquidationRules) -> dict[str, Any]:
    """One row of liquidation_plan_summaries."""
    found: dict[str, Any] = {
        "portfolio_id": row["portfolio_id"],
        "method": row["method"],
        "target_utilization": target,
        "maintenance_before": row["maintenance_margin"],
        "margin_equity_before": row["margin_equity"],
        "utilization_before": row["utilization"],
        "trades": trades,
    }
    explanation: dict[str, Any] = {"parameters": rules.version.label}
    if outcome is None:
        unknown = row["status"] == "undetermined"
        missing = row["missing"] if isinstance(row["missing"], str) else json.dumps(["the governing margin is not known"])
        status = "undetermined" if unknown else "not_needed"
        return found | {"plan_status": status, "missing": missing if unknown else None, "explanation": json.dumps(explanation)}
    explanation |= {"rule": RULE, "rounds": outcome.rounds, "notes": outcome.notes, **_kept(outcome)}
    if outcome.status == "undetermined":
        reasons = outcome.after["missing"] if outcome.after is not None else None
        text = reasons if isinstance(reasons, str) else json.dumps(["the margin after the trades is not known"])
        return found | {"plan_status": "undetermined", "missing": text, "explanation": json.dumps(explanation)}
    solution, after = outcome.solution, outcome.after
    assert solution is not None
    assert after is not None
    if outcome.status == "infeasible":
        explanation["remains"] = _remains(outcome)
    bound = solution.bound if outcome.status == "verified" else math.nan
    if not math.isnan(bound):
        bound = min(max(bound, 0.0), solution.cost)
    return found | {
        "plan_status": outcome.status,
        "maintenance_after": after["maintenance_margin"],
        "margin_equity_after": after["margin_equity"],
        "utilization_after": after["utilization"],
        "status_after": after["status"],
        "cost": solution.cost,
        "cost_bound": bound,
        "gap": (solution.cost - bound) / solution.cost if solution.cost > 0 else (0.0 if not math.isnan(bound) else math.nan),
        "equity_dual": solution.equity_dual if outcome.status == "verified" else math.nan,
        "explanation": json.dumps(explanation),
        "missing": None,
    }


def _kept(outcome: Outcome) -> dict[str, Any]:
    """What cannot be closed, and why."""
    kept = outcome.program.blocks.kept
    found: dict[str, Any] = {"cannot_be_closed": kept[:TOLD]}
    if len(kept) > TOLD:
        found["and_more_that_cannot_be_closed"] = len(kept) - TOLD
    if not len(outcome.positions):
        found["cannot_be_closed"] = [{"reason": "the account holds no positions of its own that could be traded"}]
    return found


def _remains(outcome: Outcome) -> dict[str, Any]:
    """What is left when everything that can be closed is closed."""
    assert outcome.after is not None
    closed = pieces(outcome.program.blocks, outcome.program.blocks.units, outcome.positions)
    left = outcome.positions["quantity"].to_numpy(np.float64) + added(closed.row, closed.quantity, len(outcome.positions))
    rows = np.flatnonzero(np.abs(left) > TOLERANCE * np.abs(outcome.positions["quantity"].to_numpy(np.float64)))
    names = outcome.positions["symbol"].iloc[rows].astype(str).tolist()
    equity = float(outcome.after["margin_equity"])
    lacking = float(outcome.after["maintenance_margin"]) / outcome.program.target - equity if outcome.program.target > 0 else math.inf
    return {
        "maintenance_margin": float(outcome.after["maintenance_margin"]),
        "margin_equity": equity,
        "positions": len(rows),
        "symbols": names[:TOLD],
        "equity_needed": lacking if math.isfinite(lacking) else None,
    }
