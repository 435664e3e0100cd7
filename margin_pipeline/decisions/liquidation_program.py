"""Least-cost closing of blocks as a linear and as an integer program, on HiGHS.

Belongs here: the program and its dual prices. Not here: what closing does to margin (`liquidation_model`), verification.

    minimise    cost of the quantities traded, in slices of ascending slope
    subject to  requirement(u) + slack <= target x (margin equity + freed(u) - cost)
                0 <= u <= units held, u in whole steps (and the odd rest with the last one)
                no short option on a future loses its cover

The requirement is an epigraph: for every point k of a product group M >= sum over class groups of z(c, k), with z >= l(c, k) and
z >= p l(c, k), and M at least the minimums and 0. Whole steps make it an integer program; its relaxation gives dual prices and, rounded up,
a plan to start from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from margin_pipeline.decisions.liquidation_book import Blocks
from margin_pipeline.decisions.liquidation_model import MarginModel
from margin_pipeline.decisions.trading_cost import CostCurve, added
from margin_pipeline.parameters.liquidation import LiquidationRules

Floats = npt.NDArray[np.float64]
SAFETY = 1e-6
"""Part of the requirement that is kept free for the tolerances of the solver."""
UNIT = 1e-4
"""Part of the requirement that money counts in units of, so that coefficients and tolerances of the solver are both small beside it."""
TIE = 1e-7
"""Part of the traded value that counts as cost, so that of equal plans the one that trades less is taken."""
DUAL_NOISE = 1e-9
"""Dual price of a block below which it is none, base currency a unit."""
REPAIRS = 4
"""How often a rounded plan that misses the target asks for more."""
INFEASIBLE = 2
"""Status of a program without a plan."""
CONTINUOUS_ABOVE = 1e7
"""Steps of a block above which a step is too small to count as one."""


@dataclass(frozen=True)
class Program:
    """One portfolio's program.

    Attributes
    ----------
    blocks, model, curve : what can be closed, what it does to margin, what it costs.
    tie : (J,) value traded by one unit of each block, base currency.
    cover : (q, J) and cover_limit (q,): cover that closing takes less uncovered options that it closes, and the most of it.
    margin_equity : today, base currency.
    target : utilization to come down to.
    """

    blocks: Blocks
    model: MarginModel
    curve: CostCurve
    tie: Floats
    cover: Any
    cover_limit: Floats
    margin_equity: float
    target: float

    def cost(self, closed: Floats) -> tuple[Floats, Floats]:
        """(m,) cost of spread and of impact by symbol."""
        return self.curve.costs(self.traded(closed))

    def traded(self, closed: Floats) -> Floats:
        """(m,) quantity traded of each symbol, >= 0."""
        blocks = self.blocks
        return added(blocks.symbol, np.abs(blocks.quantity) * closed[blocks.block], len(self.curve.spread))

    def gap(self, closed: Floats) -> float:
        """Requirement of the model less target x margin equity after closing; at most 0 where the target is met."""
        spread, impact = self.cost(closed)
        equity = self.margin_equity + float(self.model.equity @ closed) - float(spread.sum() + impact.sum())
        return self.model.after(closed)[0] - self.target * equity


@dataclass(frozen=True)
class Solution:
    """What a program gives.

    Attributes
    ----------
    closed : (J,) units of each block.
    cost : cost of it, base currency.
    bound : no admissible plan of the program costs less.
    equity_dual : cost saved by one more unit of base currency of equity.
    block_dual : (J,) cost saved if one more unit of a block could be closed.
    """

    closed: Floats
    cost: float
    bound: float
    equity_dual: float
    block_dual: Floats


@dataclass(frozen=True)
class _Rows:
    """Rows A x <= b over x = (units closed, slices, z, M); the target is the first one; equalities apart."""

    upper: Any
    limit: Floats
    equal: Any
    objective: Floats
    lower_bound: Floats
    upper_bound: Floats
    scale: float


def solve(program: Program, slack: float, rules: LiquidationRules) -> Solution | None:
    """The plan of least cost; None where the program has none.

    Parameters
    ----------
    program : program.
    slack : what the requirement is above the model, base currency; negative: below.
    rules : gap and nodes of the integer program.
    """
    rows = _rows(program, slack)
    relaxed = _relaxed(rows)
    if relaxed.status != 0:
        return None
    count = len(program.blocks)
    closed, bound = _whole(program, rows, relaxed, slack, rules)
    if closed is None:
        return None
    spread, impact = program.cost(closed)
    price = -float(relaxed.ineqlin.marginals[0]) / rows.scale
    tie = float(TIE * program.tie @ closed)
    return Solution(
        closed,
        float(spread.sum() + impact.sum()),
        max(bound, float(relaxed.fun)) - tie,
        max(program.target * price, 0.0),
        np.where(-relaxed.upper.marginals[:count] > DUAL_NOISE, -relaxed.upper.marginals[:count], 0.0),
    )


def _relaxed(rows: _Rows, asked: float = 0.0) -> Any:
    """The relaxed program; `asked`: what the target asks more, in units of scale."""
    solver: Any = linprog
    return solver(
        rows.objective,
        A_ub=rows.upper,
        b_ub=np.concatenate([rows.limit[:1] - asked, rows.limit[1:]]),
        A_eq=rows.equal,
        b_eq=np.zeros(rows.equal.shape[0]),
        bounds=np.stack([rows.lower_bound, rows.upper_bound], axis=1),
        method="highs",
    )


def _rows(program: Program, slack: float) -> _Rows:
    """The rows of the relaxed program."""
    model, curve, count = program.model, program.curve, len(program.blocks)
    slices, classes, points = len(curve.width), *model.losses.shape
    groups = len(model.offset)
    alone = np.bincount(model.product, minlength=groups) == 1
    own_z = np.flatnonzero(~alone[model.product]) if classes else np.zeros(0, dtype=np.int64)
    widths = (count, slices, len(own_z) * points, groups)
    scale = max(model.after(np.zeros(count))[0], abs(program.margin_equity), 1.0) * UNIT
    # z and M count in units of scale.
    money = np.concatenate([-model.linear - program.target * model.equity, program.target * curve.slope]) / scale
    target = sparse.csr_array(np.concatenate([money, np.zeros(widths[2]), np.ones(groups)]).reshape(1, -1))
    most = np.array([program.target * program.margin_equity - slack - model.total]) / scale - SAFETY / UNIT
    parts, limits = [target], [most]
    if groups:
        scenario, limit = _scenario_rows(model, alone, own_z, widths, scale)
        parts.append(scenario)
        limits.append(limit / scale)
    if len(program.cover_limit):
        parts.append(_padded([program.cover, None, None, None], widths, len(program.cover_limit)))
        limits.append(program.cover_limit)
    blocks = program.blocks
    volume = sparse.coo_array((np.abs(blocks.quantity), (blocks.symbol, blocks.block)), shape=(len(curve.spread), count))
    filled = sparse.coo_array((-np.ones(slices), (curve.symbol, np.arange(slices))), shape=(len(curve.spread), slices))
    equal = _padded([volume, filled, None, None], widths, len(curve.spread))
    objective = np.concatenate([TIE * program.tie, curve.slope, np.zeros(widths[2] + groups)])
    lower = np.concatenate([np.zeros(count + slices), np.full(widths[2], -np.inf), np.zeros(groups)])
    last = np.append(curve.symbol[1:] != curve.symbol[:-1], True) if slices else np.zeros(0, dtype=bool)
    upper = np.concatenate([blocks.units, np.where(last, np.inf, curve.width), np.full(widths[2] + groups, np.inf)])
    return _Rows(sparse.vstack(parts, format="csr"), np.concatenate(limits), equal, objective, lower, upper, scale)


def _scenario_rows(model: MarginModel, alone: Any, own_z: Any, widths: tuple[int, ...], scale: float) -> tuple[Any, Floats]:
    """Rows of the epigraph: losses of class groups at points, product groups at points, minimums."""
    points, groups = model.losses.shape[1], len(model.offset)
    lone = np.flatnonzero(alone[model.product])
    at = [(c[:, None] * points + np.arange(points)).reshape(-1) for c in (own_z, lone)]
    identity = sparse.eye_array(widths[2])
    p = np.repeat(model.offset[model.product[own_z]], points)
    loss = model.losses.reshape(-1)
    falls = model.block_losses / scale
    of_group = sparse.coo_array(
        (np.ones(len(at[1])), (np.arange(len(at[1])), np.repeat(model.product[lone], points))), (len(at[1]), groups)
    )
    together = np.flatnonzero(~alone)
    place = np.full(groups, -1)
    place[together] = np.arange(len(together))
    row = place[model.product[own_z]][:, None] * points + np.arange(points)
    added = sparse.coo_array((np.ones(row.size), (row.reshape(-1), np.arange(row.size))), (len(together) * points, widths[2]))
    whole = sparse.coo_array(
        (-np.ones(len(together) * points), (np.arange(len(together) * points), np.repeat(together, points))),
        (len(together) * points, groups),
    )
    rows = [
        # l - fall u <= z, p (l - fall u) <= z
        _padded([-falls[at[0]], None, -identity, None], widths, len(at[0])),
        _padded([-falls[at[0]].multiply(p[:, None]), None, -identity, None], widths, len(at[0])),
        # sum z <= M; a product group of one class group needs no z, for M is never negative
        _padded([None, None, added, whole], widths, len(together) * points),
        _padded([-falls[at[1]], None, None, -of_group], widths, len(at[1])),
        _padded([-model.block_minimum / scale, None, None, -sparse.eye_array(groups)], widths, groups),
    ]
    limits = [-loss[at[0]], -p * loss[at[0]], np.zeros(len(together) * points), -loss[at[1]], -model.minimum]
    return sparse.vstack(rows, format="csr"), np.concatenate(limits)


def _padded(parts: list[Any], widths: tuple[int, ...], height: int) -> Any:
    return sparse.hstack(
        [sparse.csr_array((height, width)) if part is None else part for part, width in zip(parts, widths, strict=True)], format="csr"
    )


def _whole(program: Program, rows: _Rows, relaxed: Any, slack: float, rules: LiquidationRules) -> tuple[Floats | None, float]:
    """Units closed in whole steps, and a bound of the cost (tie part included).

    The relaxed plan rounded up is taken where it is near enough to the bound. Else the integer program decides, over the blocks that can
    differ in a better plan: one that is at an end costs its dual price a step to leave it, and more than the rounded plan is worth is too
    much.
    """
    blocks, count = program.blocks, len(program.blocks)
    lowest = float(relaxed.fun)
    if not _stepped(blocks).any():
        return np.clip(relaxed.x[:count], 0.0, blocks.units), lowest
    rounded = _rounded_up(program, rows, relaxed.x[:count], slack)
    lower, upper = np.zeros(count), blocks.units.copy()
    if rounded is not None:
        spread, impact = program.cost(rounded)
        worth = float(spread.sum() + impact.sum() + TIE * program.tie @ rounded) - lowest
        if worth <= rules.relative_gap * max(lowest, DUAL_NOISE):
            return rounded, lowest
        step = np.where(_stepped(blocks), np.minimum(blocks.step, np.where(blocks.rest > 0, blocks.rest, np.inf)), 0.0)
        low, high = relaxed.lower.marginals[:count] * step > worth, -relaxed.upper.marginals[:count] * step > worth
        lower, upper = np.where(high, blocks.units, lower), np.where(low, 0.0, upper)
        if np.count_nonzero(lower < upper) > rules.exact_up_to:
            return rounded, lowest
    found, bound = _integer(program, rows, lower, upper, rules)
    if found is None and (bound == np.inf or rounded is None):
        return None, lowest
    return (rounded if found is None else found), max(bound, lowest)


def _stepped(blocks: Blocks) -> npt.NDArray[np.bool_]:
    return (blocks.step > 0) & ~(blocks.steps > CONTINUOUS_ABOVE)


def _integer(program: Program, rows: _Rows, least: Floats, most: Floats, rules: LiquidationRules) -> tuple[Floats | None, float]:
    """Units closed by the integer program, with units between (J,) bounds, and its bound; infinite where there is no plan."""
    blocks, count = program.blocks, len(program.blocks)
    steps, stepped = blocks.steps, _stepped(blocks)
    odd = np.flatnonzero(stepped & (blocks.rest > 0))
    # Columns: steps of blocks (units of those that close in any part), rests, and the rest of the program.
    scale = np.where(stepped, blocks.step, 1.0)
    other = len(rows.objective) - count

    def columns(matrix: Any) -> Any:
        units = matrix.tocsc()[:, :count]
        rests = units[:, odd].multiply(blocks.rest[odd])
        return sparse.hstack([units.multiply(scale), rests, matrix.tocsc()[:, count:]], format="csr")

    last = sparse.coo_array(
        (
            np.concatenate([-np.ones(len(odd)), steps[odd]]),
            (np.tile(np.arange(len(odd)), 2), np.concatenate([odd, count + np.arange(len(odd))])),
        ),
        shape=(len(odd), count + len(odd) + other),
    )
    objective = np.concatenate([rows.objective[:count] * scale, rows.objective[odd] * blocks.rest[odd], rows.objective[count:]])
    kind = np.concatenate([stepped.astype(int), np.ones(len(odd), dtype=int), np.zeros(other, dtype=int)])
    full = most >= blocks.units
    top = np.where(stepped, np.where(full, steps, 0.0), most)
    bottom = np.where(stepped, np.where(least > 0, steps, 0.0), least)
    lower = np.concatenate([bottom, (least[odd] > 0).astype(float), rows.lower_bound[count:]])
    upper = np.concatenate([top, full[odd].astype(float), rows.upper_bound[count:]])
    constraints = [
        LinearConstraint(columns(rows.upper), ub=rows.limit),
        LinearConstraint(columns(rows.equal), lb=0.0, ub=0.0),
        LinearConstraint(last.tocsr(), ub=0.0),
    ]
    options: Any = {"mip_rel_gap": rules.integer_gap, "node_limit": rules.node_limit}
    found = milp(objective, integrality=kind, bounds=Bounds(lower, upper), constraints=constraints, options=options)
    bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound)
    if found.x is None:
        return None, np.inf if found.status == INFEASIBLE else bound
    closed = np.where(stepped, np.round(found.x[:count]) * scale, found.x[:count])
    closed[odd] += np.round(found.x[count : count + len(odd)]) * blocks.rest[odd]
    return np.clip(closed, 0.0, blocks.units), bound


def _rounded_up(program: Program, rows: _Rows, relaxed: Floats, slack: float) -> Floats | None:
    """The relaxed plan with every block at its next step; where that misses the target, of a plan that asks for more."""
    blocks = program.blocks
    stepped = blocks.step > 0
    step = np.where(stepped, blocks.step, 1.0)
    asked = 0.0
    for _ in range(REPAIRS):
        up = np.where(stepped, np.ceil(relaxed / step - 1e-7) * step, relaxed)
        up = np.where(up > blocks.steps * step + 1e-7 * step, blocks.units, np.minimum(up, blocks.units))
        if float((program.cover @ up - program.cover_limit).max(initial=0.0)) > 1e-9 * (1.0 + np.abs(program.cover_limit).max(initial=0.0)):
            return None
        short = program.gap(up) + slack
        if short <= 0:
            return up
        asked += 1.5 * short
        again = _relaxed(rows, asked / rows.scale)
        if again.status != 0:
            return None
        relaxed = again.x[: len(blocks)]
    return None
