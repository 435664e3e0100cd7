"""Cheapest cover of requirements by assets, as a linear program on HiGHS.

Belongs here: the program and its dual prices. Not here: haircuts, currencies, limits as people state them (`collateral`).

    minimise    sum of cost(a) x(a, r)
    subject to  sum over a of factor(a, r) x(a, r) + shortfall(r) = amount(r)
                sum over r of x(a, r) <= value(a)
                sum over the pairs of a limit of factor(a, r) x(a, r) <= limit
                x, shortfall >= 0

Shortfalls come first: the least total is found, and kept while cost is minimised. Assets are divisible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
COVERED = 1e-9
"""Part of the requirements that a shortfall may be and be none."""
ROOM = 1e-9
"""Part of the least shortfall by which the second program may exceed it, for the tolerances of the solver."""


@dataclass(frozen=True)
class Cover:
    """A assets, R requirements, p pairs of an asset that is eligible for a requirement, l limits.

    Attributes
    ----------
    value, cost : (A,) market value, one currency, and cost of giving one unit of it.
    amount : (R,) what is to be covered, same currency.
    asset, requirement : (p,) asset and requirement of each pair.
    factor : (p,) what one unit of market value covers, > 0.
    limit : (l,) most that the pairs of a limit may cover together.
    limit_of, pair_of : (e,) limit and pair of each membership.
    """

    value: Floats
    cost: Floats
    amount: Floats
    asset: Integers
    requirement: Integers
    factor: Floats
    limit: Floats
    limit_of: Integers
    pair_of: Integers


@dataclass(frozen=True)
class Covered:
    """What the program gives.

    Attributes
    ----------
    given : (p,) market value given.
    shortfall : (R,) what is not covered.
    cost, bound : cost of it, and the value of the dual program, which no allocation with this total shortfall undercuts.
    amount_dual, asset_dual, limit_dual : (R,) cost of one more unit of a requirement, limits as they are; (A,) and (l,) saving by one more
        unit of an asset, and of room under a limit.
    """

    given: Floats
    shortfall: Floats
    cost: float
    bound: float
    amount_dual: Floats
    asset_dual: Floats
    limit_dual: Floats


def allocate(cover: Cover) -> Covered:
    """The cheapest allocation; of those with the least total shortfall where not everything can be covered.

    Raises
    ------
    RuntimeError : the solver gives no answer, which a program that is always feasible and bounded does not do.
    """
    scale = max(float(cover.amount.max(initial=0.0)), 1.0)
    pairs, requirements = len(cover.asset), len(cover.amount)
    priced = cover.cost[cover.asset]
    found = _solve(cover, np.concatenate([priced, np.zeros(requirements)]), scale, shortfall=0.0)
    least = 0.0
    if found is None:
        first = _solve(cover, np.concatenate([np.zeros(pairs), np.ones(requirements)]), scale, shortfall=None)
        if first is None:
            raise RuntimeError("HiGHS found no least shortfall of collateral")
        least = float(first.x[pairs:].sum())
        found = _solve(cover, np.concatenate([priced, np.zeros(requirements)]), scale, shortfall=least * (1.0 + ROOM) + COVERED)
        if found is None:
            raise RuntimeError("HiGHS found no allocation of collateral with the least shortfall")
    return _exact(cover, found, scale, least)


def _solve(cover: Cover, objective: Floats, scale: float, shortfall: float | None) -> Any | None:
    """The program in units of scale; `shortfall`: the most in total, in those units; None: any. None where there is no allocation."""
    pairs, requirements, assets = len(cover.asset), len(cover.amount), len(cover.value)
    columns = np.arange(pairs)
    covering = sparse.coo_array((cover.factor, (cover.requirement, columns)), (requirements, pairs))
    equal = sparse.hstack([covering, sparse.eye_array(requirements)], format="csr")
    used = sparse.coo_array((np.ones(pairs), (cover.asset, columns)), (assets, pairs))
    limited = sparse.coo_array((cover.factor[cover.pair_of], (cover.limit_of, cover.pair_of)), (len(cover.limit), pairs))
    blank = sparse.csr_array((assets + len(cover.limit), requirements))
    upper = sparse.hstack([sparse.vstack([used, limited]), blank], format="csr")
    most = np.concatenate([cover.value, cover.limit]) / scale
    if shortfall is not None:
        total = sparse.csr_array(np.concatenate([np.zeros(pairs), np.ones(requirements)]).reshape(1, -1))
        upper, most = sparse.vstack([upper, total], format="csr"), np.append(most, shortfall)
    solver: Any = linprog
    found = solver(objective, A_ub=upper, b_ub=most, A_eq=equal, b_eq=cover.amount / scale, bounds=(0, None), method="highs")
    return found if found.status == 0 else None


def _exact(cover: Cover, found: Any, scale: float, least: float) -> Covered:
    """The answer in money, requirements met to the last digit where they are covered."""
    pairs, assets, limits = len(cover.asset), len(cover.value), len(cover.limit)
    given = np.maximum(found.x[:pairs], 0.0) * scale
    shortfall = np.maximum(found.x[pairs:], 0.0) * scale
    shortfall = np.where(shortfall <= COVERED * np.maximum(cover.amount, 1.0) * 10.0, 0.0, shortfall)
    wanted = cover.amount - shortfall
    value = given * cover.factor
    covered = np.bincount(cover.requirement, value, minlength=len(wanted)).astype(float)
    # What rounding of the solver leaves is shared out in proportion.
    ratio = np.divide(wanted, covered, out=np.ones(len(wanted)), where=covered > 0)
    near = np.abs(ratio - 1.0) <= 1e-6
    given = given * np.where(near, ratio, 1.0)[cover.requirement]
    shortfall = np.where(near | (covered > 0), shortfall, cover.amount)
    prices = found.ineqlin.marginals
    bound = float(found.eqlin.marginals @ cover.amount + prices[:assets] @ cover.value + prices[assets : assets + limits] @ cover.limit)
    if len(prices) > assets + limits:
        bound += float(prices[-1]) * (least * (1.0 + ROOM) + (COVERED if least else 0.0)) * scale
    return Covered(
        given,
        shortfall,
        float(cover.cost[cover.asset] @ given),
        bound,
        found.eqlin.marginals,
        np.maximum(-prices[:assets], 0.0),
        np.maximum(-prices[assets : assets + limits], 0.0),
    )
