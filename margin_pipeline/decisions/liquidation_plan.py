"""Least-cost trades that bring the utilization of portfolios back to a target, each plan held against the margin computed again.

Belongs here: which portfolios need a plan, the rounds of program and verification. Not here: blocks, model, program, cost, frames (the
modules named after them).

    from margin_pipeline.decisions.liquidation_plan import liquidation_plans

    found = liquidation_plans(tables, setting, targets={"MOMENTUM": 0.5})
    found.plans, found.summaries     # frames of the tables liquidation_plans and liquidation_plan_summaries

The program's requirement bounds the margin from above where the rule is convex, and is corrected where it is not: after every round the
margin is computed again by the stages of the chain (`recalculation`) for the positions that the trades leave, and what it differs by goes
into the next round. The cheapest plan that holds is kept. Closing everything is the last resort.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from margin_pipeline.decisions.liquidation_book import Blocks, find_blocks, pieces
from margin_pipeline.decisions.liquidation_model import UnitScenarios, margin_model, unit_scenarios
from margin_pipeline.decisions.liquidation_program import Program, Solution, solve
from margin_pipeline.decisions.liquidation_tables import LiquidationPlans, Outcome, frames
from margin_pipeline.decisions.recalculation import Setting, recalculate
from margin_pipeline.decisions.trading_cost import added, cost_curve, trading_terms
from margin_pipeline.parameters.liquidation import LiquidationRules, liquidation_rules

__all__ = ["LiquidationPlans", "liquidation_plans"]

Floats = npt.NDArray[np.float64]
TABLES = (
    "positions", "position_margins", "strategy_groups", "portfolio_margins", "portfolio_margin_positions", "span_positions", "liquidity",
)  # fmt: skip
"""Tables that plans depend on besides those of `recalculation`."""
OF_SCENARIOS = ("portfolio_margin", "futures")
TOLERANCE = 1e-9
WORTH_A_ROUND = 1e-3
"""Part of the cost that a further round must promise to save."""


@dataclass
class _Plan:
    """One portfolio on its way to a plan."""

    portfolio: pd.Series
    governing: pd.Series
    positions: pd.DataFrame
    groups: pd.DataFrame
    margins: pd.DataFrame
    symbols: pd.DataFrame
    program: Program
    slack: float
    tried: Solution | None = None
    best: Solution | None = None
    after: pd.Series | None = None
    rounds: int = 0
    done: bool = False
    failures: int = 0
    notes: list[str] = field(default_factory=list)


def liquidation_plans(
    tables: Mapping[str, pd.DataFrame],
    setting: Setting,
    *,
    rules: LiquidationRules | None = None,
    targets: Mapping[str, float] | None = None,
    threads: int = 1,
) -> LiquidationPlans:
    """Plans of every portfolio whose governing utilization is above the target.

    Parameters
    ----------
    tables : frames by table name: `recalculation.TABLES` and `TABLES`, of the date; histories up to it.
    setting : date, thresholds, time of day.
    rules : target and cost model; None: those in force.
    targets : utilization to come down to by portfolio, instead of the one of the rules.
    threads : underlyings and chunks of options at once; the result does not depend on it.

    Returns
    -------
    LiquidationPlans, base currency, ordered by their keys: a summary for every portfolio, trades where a plan is needed.

    Notes
    -----
    Trades are at the mark, so that equity falls by their cost alone. Positions only come nearer to 0.
    """
    rules = rules or liquidation_rules(setting.as_of)
    governing = tables["portfolio_margins"][tables["portfolio_margins"]["is_governing"]].sort_values("portfolio_id", ignore_index=True)
    aim = governing["portfolio_id"].map(dict(targets or {})).astype(float).fillna(rules.target_utilization)
    above = (governing["utilization"] > aim) & (governing["status"] != "undetermined")
    names = frozenset(governing.loc[above, "portfolio_id"].astype(str))
    by_scenarios = frozenset(governing.loc[above & governing["method"].isin(OF_SCENARIOS), "portfolio_id"].astype(str))
    scenarios = unit_scenarios(tables, by_scenarios, setting.as_of, threads)
    parts = {name: _by_portfolio(tables[name], names) for name in ("positions", "strategy_groups", "position_margins")}
    aims = aim.to_numpy(np.float64)
    plans = [
        _prepared(governing.iloc[row], float(aims[row]), parts, scenarios, tables, rules, setting) for row in np.flatnonzero(above).tolist()
    ]
    _plan(plans, tables, rules, setting, threads)
    outcomes = [
        Outcome(
            plan.portfolio, plan.governing, plan.positions, plan.groups, plan.symbols, plan.program, plan.best, plan.after, plan.rounds,
            plan.notes,
        )
        for plan in plans
    ]  # fmt: skip
    return frames(outcomes, governing, aim, rules)


def _by_portfolio(frame: pd.DataFrame, names: frozenset[str]) -> dict[str, pd.DataFrame]:
    own = frame[frame["portfolio_id"].isin(names)]
    return {str(name): rows for name, rows in own.groupby("portfolio_id", sort=True)}


def _prepared(
    governing: pd.Series,
    target: float,
    parts: Mapping[str, Mapping[str, pd.DataFrame]],
    scenarios: UnitScenarios,
    tables: Mapping[str, pd.DataFrame],
    rules: LiquidationRules,
    setting: Setting,
) -> _Plan:
    name = str(governing["portfolio_id"])

    def rows(table: str, order: list[str]) -> pd.DataFrame:
        found = parts[table].get(name, tables[table].iloc[:0])
        return found.sort_values(order, kind="stable", ignore_index=True)

    positions, groups = rows("positions", ["strategy", "symbol"]), rows("strategy_groups", ["group_id"])
    margins = rows("position_margins", ["strategy", "symbol"])
    open_ = positions["quantity"] != 0
    positions, margins = positions[open_].reset_index(drop=True), margins[open_].reset_index(drop=True)
    portfolio = tables["portfolios"][tables["portfolios"]["portfolio_id"] == name].iloc[0]
    symbols = _symbols(positions, tables, rules)
    blocks = find_blocks(positions, groups, symbols)
    book = (portfolio, str(governing["method"]), positions, groups, margins)
    model = margin_model(*book, blocks, symbols, scenarios, tables, setting.as_of)
    most = added(blocks.symbol, np.abs(blocks.quantity) * blocks.units[blocks.block], len(symbols))
    curve = cost_curve(symbols, symbols["unit_value"].to_numpy(np.float64), most, rules)
    traded = np.abs(blocks.quantity) * symbols["unit_value"].to_numpy(np.float64)[blocks.symbol]
    tie = added(blocks.block, traded, len(blocks))
    cover, limit = _cover(blocks, positions, symbols, tables["instruments"])
    equity = float(governing["margin_equity"])
    program = Program(blocks, model, curve, tie, cover, limit, equity, target)
    today = model.after(np.zeros(len(blocks)))[0]
    return _Plan(portfolio, governing, positions, groups, margins, symbols, program, float(governing["maintenance_margin"]) - today)


def _symbols(positions: pd.DataFrame, tables: Mapping[str, pd.DataFrame], rules: LiquidationRules) -> pd.DataFrame:
    """Symbols of a portfolio: terms of trading, value of a unit at the mark (base currency), and why a symbol cannot be traded."""
    held = positions
    contract = tables["instruments"].set_index("symbol")["contract_type"].notna()
    on_notional = (held["asset_class"] == "future") | held["symbol"].map(contract).fillna(False).astype(bool)
    value = held["market_value"].abs().where(~on_notional, held["notional"].abs())
    summed = held.assign(value=value, size=held["quantity"].abs(), unknown=value.isna() | held["price"].isna())
    how = {"value": "sum", "size": "sum", "unknown": "any", "asset_class": "first"}
    by_symbol = summed.groupby("symbol", sort=True).agg(how).reset_index()
    # Symbols that are not open may still be named by groups whose series net to nothing.
    terms = trading_terms(by_symbol["symbol"], by_symbol["asset_class"], tables["liquidity"], tables["rejected_rows"], rules)
    unknown, none = by_symbol["unknown"].to_numpy(bool), (terms["volume"] == 0).to_numpy()
    names = by_symbol["symbol"].astype(str)
    obstacle = (names + " does not trade (volume 0)").where(none).mask(unknown, names + " has no mark or exchange rate").astype(object)
    obstacle = obstacle.where(obstacle.notna(), None)
    unit = by_symbol["value"].to_numpy(np.float64) / by_symbol["size"].to_numpy(np.float64)
    return terms.assign(obstacle=obstacle, unit_value=np.where(unknown, 0.0, unit))


def _cover(blocks: Blocks, positions: pd.DataFrame, symbols: pd.DataFrame, instruments: pd.DataFrame) -> tuple[Any, Floats]:
    """Rows that keep short options outside groups covered: cover taken away less options closed, and the most of it.

    Of every underlying, longs of the same option type and the underlying itself (long for calls, short for puts) cover short options,
    counted in units of the underlying. What is uncovered today may stay so.
    """
    terms = instruments.drop_duplicates("symbol").set_index("symbol").reindex(pd.Index(symbols["symbol"]))
    kind = terms["option_type"].to_numpy(object)
    beneath = terms["underlying"].where(terms["option_type"].notna(), pd.Series(terms.index, index=terms.index)).to_numpy(object)
    multiplier = terms["multiplier"].to_numpy(np.float64)
    alone = np.flatnonzero(blocks.group[blocks.block] < 0)
    rows: list[sparse.csr_array] = []
    limits: list[float] = []
    symbol, side = blocks.symbol[alone], np.sign(blocks.quantity[alone])
    for option_type, covering_side in (("call", 1.0), ("put", -1.0)):
        of_type = kind[symbol] == option_type
        for underlying in sorted({str(beneath[m]) for m in symbol[of_type & (side < 0)]}):
            here = np.array([str(beneath[m]) == underlying for m in symbol], dtype=bool)
            short, long = here & of_type & (side < 0), here & of_type & (side > 0)
            itself = here & pd.isna(kind[symbol]) & (side == covering_side)
            sign = np.where(short, -1.0, np.where(long | itself, 1.0, 0.0))
            weight = sign * multiplier[symbol]
            block = blocks.block[alone]
            uncovered = -float((weight * blocks.units[block]).sum())
            rows.append(sparse.csr_array((weight, (np.zeros(len(block), dtype=np.int64), block)), shape=(1, len(blocks))))
            limits.append(max(uncovered, 0.0) - uncovered)
    matrix = sparse.vstack(rows, format="csr") if rows else sparse.csr_array((0, len(blocks)))
    return matrix, np.array(limits)


def _plan(plans: Sequence[_Plan], tables: Mapping[str, pd.DataFrame], rules: LiquidationRules, setting: Setting, threads: int) -> None:
    """Rounds of program and verification, of all portfolios together."""
    for _ in range(rules.rounds):
        pending = [plan for plan in plans if not plan.done]
        for plan in pending:
            plan.tried = solve(plan.program, plan.slack, rules) if len(plan.program.blocks) else None
            plan.done = plan.tried is None
        asked = [plan for plan in pending if not plan.done]
        if not asked:
            break
        for plan, after in zip(asked, _verified(asked, tables, setting, threads), strict=True):
            _judge(plan, after)
    for plan in (plan for plan in plans if not len(plan.program.blocks)):
        # Nothing can be traded, so that what is published stands; of otc accounts the stages here would not know the netting sets.
        plan.best, plan.after = _everything(plan.program, None), plan.governing
    rest = [plan for plan in plans if plan.best is None]
    for plan in rest:
        plan.tried = _everything(plan.program, plan.tried)
    for plan, after in zip(rest, _verified(rest, tables, setting, threads), strict=True):
        plan.best, plan.after = plan.tried, after
        plan.notes.append("everything that can be closed is closed: no plan of the program was found that holds")


def _everything(program: Program, tried: Solution | None) -> Solution:
    spread, impact = program.cost(program.blocks.units)
    cost = float(spread.sum() + impact.sum())
    unknown = np.full(len(program.blocks), np.nan)
    return (
        replace(tried, closed=program.blocks.units, cost=cost)
        if tried
        else Solution(program.blocks.units, cost, math.nan, math.nan, unknown)
    )


def _judge(plan: _Plan, after: pd.Series) -> None:
    """Hold the plan of a round against the margin computed again, and say what the next round has to count with."""
    solution = plan.tried
    assert solution is not None
    plan.rounds += 1
    target = plan.program.target
    gap = float(after["maintenance_margin"]) - target * float(after["margin_equity"])
    holds = bool(after["utilization"] <= target + TOLERANCE)
    error = gap - plan.program.gap(solution.closed)
    if math.isnan(gap):
        plan.done = True
        plan.notes.append("margin after the trades is not known")
        return
    if holds:
        if plan.best is None or solution.cost < plan.best.cost:
            plan.best, plan.after = solution, after
        saved = (plan.slack - error) * solution.equity_dual / target if target > 0 else 0.0
        plan.done = plan.failures > 0 or saved <= WORTH_A_ROUND * max(solution.cost, TOLERANCE)
        plan.slack = error
        return
    # A plan that misses asks for more than it missed by, the more often it does.
    plan.failures += 1
    plan.done = plan.best is not None
    plan.slack = max(error, plan.slack) + abs(gap) * 2.0 ** (plan.failures - 1) * 0.1


def _verified(plans: Sequence[_Plan], tables: Mapping[str, pd.DataFrame], setting: Setting, threads: int) -> list[pd.Series]:
    """Governing margins of portfolios after their trades, computed again by the stages of the chain."""
    if not plans:
        return []
    records, owners = [], []
    given = tables["position_records"]
    for plan in plans:
        assert plan.tried is not None
        name = str(plan.portfolio["portfolio_id"])
        own = given[given["portfolio_id"] == name].sort_values(["strategy", "symbol"], kind="stable", ignore_index=True)
        records.append(_left(own, plan, plan.tried.closed))
        owners.append(tables["portfolios"][tables["portfolios"]["portfolio_id"] == name].assign(
            equity=float(plan.portfolio["equity"]) - plan.tried.cost
        ))  # fmt: skip
    portfolios = pd.concat(owners, ignore_index=True).sort_values("portfolio_id", ignore_index=True)
    left = pd.concat(records, ignore_index=True)
    found = recalculate(tables, left, portfolios, setting, governing_only=True, threads=threads).portfolio_margins
    place = pd.Index(found["portfolio_id"]).get_indexer(pd.Index([str(plan.portfolio["portfolio_id"]) for plan in plans]))
    return [found.iloc[int(row)] for row in place]


def _left(records: pd.DataFrame, plan: _Plan, closed: Floats) -> pd.DataFrame:
    """Rows of position_records that trades leave; price, entry price and wallet of the rest stay."""
    taken = pieces(plan.program.blocks, closed, plan.positions)
    traded = added(taken.row, taken.quantity, len(plan.positions))
    key = ["strategy", "symbol"]
    place = pd.MultiIndex.from_frame(plan.positions[key].astype(object)).get_indexer(pd.MultiIndex.from_frame(records[key].astype(object)))
    quantity = records["quantity"].to_numpy(np.float64) + np.where(place >= 0, traded[place], 0.0)
    quantity = np.where(np.abs(quantity) <= TOLERANCE * np.abs(records["quantity"].to_numpy(np.float64)), 0.0, quantity)
    return records.assign(quantity=quantity)[quantity != 0]
