"""Which assets cover which collateral requirements at the least carry cost.

Belongs here: haircuts, currencies, eligibility and limits, and the tables `collateral_allocations` and `collateral_summaries`. Not here:
the program (`collateral_program`), parameter values (`parameters`).

An asset covers market value x (1 - haircut - fx_haircut where its currency is not the requirement's). Assets of a portfolio cover its own
requirements only. A concentration limit of an asset type caps, as a share of the requirement after haircuts, what the type covers, and what
any one issuer covers over its types, by the greatest of their limits; an issuer with a type that has no limit is capped by none.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.decisions.collateral_program import Cover, Covered, allocate
from margin_pipeline.market.currencies import conversion, usd_rates
from margin_pipeline.parameters.collateral import CollateralRules, collateral_rules

Floats = npt.NDArray[np.float64]
ALLOCATION_COLUMNS = [
    "portfolio_id", "requirement_id", "asset", "asset_type", "requirement", "market_value", "haircut", "allocated_value", "carry_cost",
    "cost", "shadow_value",
]  # fmt: skip
SUMMARY_COLUMNS = [
    "portfolio_id", "requirement_id", "status", "requirement", "currency", "amount", "allocated_value", "shortfall", "cost",
    "marginal_cost", "binding_limits", "explanation", "missing",
]  # fmt: skip
RULE = "least carry cost such that market value x (1 - haircuts) covers every requirement under the concentration limits"
FILE = "collateral_requirements"
NOTHING = 1e-9
"""Part of a requirement below which a market value is not given."""
TOLD = 20


@dataclass(frozen=True)
class CollateralTables:
    """Frames of the tables `collateral_allocations` and `collateral_summaries`."""

    allocations: pd.DataFrame
    summaries: pd.DataFrame


def collateral_tables(
    collateral: pd.DataFrame,
    collateral_requirements: pd.DataFrame,
    collateral_eligibility: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    as_of: dt.date,
    *,
    rules: CollateralRules | None = None,
) -> CollateralTables:
    """The cheapest allocation of every portfolio's assets to its requirements.

    Parameters
    ----------
    collateral, collateral_requirements, collateral_eligibility, portfolios, fx_rates, rejected_rows : frames of the tables of these names.
    as_of : business date.
    rules : reading of haircuts and limits; None: the one in force.

    Returns
    -------
    CollateralTables, base currency of the portfolio, ordered by their keys. A requirement without exchange rate, or whose row was rejected,
    is undetermined and takes no assets; an asset without exchange rate is not used.

    Notes
    -----
    Shortfalls come first: their total is the least possible, then cost is. Dual prices are those of the program: of an amount with the
    limits that are shares of it.
    """
    rules = rules or collateral_rules(as_of)
    usd = usd_rates(fx_rates, as_of)
    base = portfolios.set_index("portfolio_id")["base_currency"]
    requirements = _in_base(collateral_requirements.sort_values("requirement_id", ignore_index=True), "amount", base, usd)
    assets = _in_base(collateral.sort_values(["portfolio_id", "asset"], ignore_index=True), "market_value", base, usd)
    lost = _rejected_requirements(rejected_rows)
    allocations, summaries = [], []
    for name in sorted({*requirements["portfolio_id"].astype(str), *(owner for owner, _ in lost)}):
        own = requirements[requirements["portfolio_id"] == name].reset_index(drop=True)
        held = assets[assets["portfolio_id"] == name].reset_index(drop=True)
        terms = collateral_eligibility[collateral_eligibility["requirement_id"].isin(own["requirement_id"])]
        rows, told = _of_portfolio(own, held, terms, rules, as_of)
        allocations.append(rows)
        summaries += told + [_undetermined(name, identity, texts) for (owner, identity), texts in sorted(lost.items()) if owner == name]
    return CollateralTables(_allocation_frame(allocations), _summary_frame(summaries))


def _in_base(frame: pd.DataFrame, column: str, base: pd.Series, usd: Mapping[str, float]) -> pd.DataFrame:
    """Rows with their base currency and the amount of a column in it; NaN without an exchange rate."""
    into = frame["portfolio_id"].map(base)
    rate = conversion(frame["currency"].astype(object), into.astype(object), usd)
    return frame.assign(base=into, in_base=frame[column].to_numpy(np.float64) * rate)


def _of_portfolio(
    requirements: pd.DataFrame, assets: pd.DataFrame, eligibility: pd.DataFrame, rules: CollateralRules, as_of: dt.date
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Rows of both tables of one portfolio."""
    unknown = requirements["in_base"].isna().to_numpy()
    known = requirements[~unknown].reset_index(drop=True)
    unvalued = assets["in_base"].isna().to_numpy()
    usable = assets[~unvalued & (assets["in_base"] > 0).to_numpy()].reset_index(drop=True)
    pairs = _pairs(known, usable, eligibility, rules)
    limits = _limits(pairs, known, usable, rules)
    cover = _cover(known, usable, pairs, limits)
    found = allocate(cover)
    given = np.where(found.given * cover.factor > NOTHING * np.maximum(cover.amount[cover.requirement], 1.0), found.given, 0.0)
    rows = _rows(known, usable, pairs, found, given)
    notes = {
        "parameters": rules.version.label,
        "rule": RULE,
        "total_cost": found.cost,
        "proven_bound": found.bound,
        "not_valued": _not_valued(assets[unvalued], as_of),
    }
    told = _summaries(known, rows, pairs, limits, found, notes)
    columns = ["portfolio_id", "requirement_id", "currency", "base", "amount"]
    for portfolio_id, identity, currency, base, amount in requirements.loc[unknown, columns].itertuples(index=False, name=None):
        told.append(
            _undetermined(str(portfolio_id), str(identity), [f"exchange rate of {currency} into {base} {as_of}"], str(currency), amount)
        )
    return rows, told


def _not_valued(assets: pd.DataFrame, as_of: dt.date) -> list[str]:
    rows = assets[["asset", "currency"]].head(TOLD).itertuples(index=False, name=None)
    return [f"{asset}: exchange rate of {currency} {as_of}" for asset, currency in rows]


def _pairs(requirements: pd.DataFrame, assets: pd.DataFrame, eligibility: pd.DataFrame, rules: CollateralRules) -> pd.DataFrame:
    """Assets that are eligible for requirements: their numbers, total haircut, and the limit of their type."""
    terms = eligibility.merge(
        requirements[["requirement_id", "currency"]].assign(requirement=np.arange(len(requirements))), on="requirement_id"
    )
    held = assets[["asset_type", "issuer", "currency"]].assign(asset=np.arange(len(assets)))
    found = terms.merge(held, on="asset_type", suffixes=("_of_requirement", ""))
    foreign = (found["currency"] != found["currency_of_requirement"]).to_numpy()
    own, other = found["haircut"].to_numpy(np.float64), np.where(foreign, found["fx_haircut"].to_numpy(np.float64), 0.0)
    left = 1.0 - own - other if rules.haircuts_add else (1.0 - own) * (1.0 - other)
    found = found.assign(factor=left, total_haircut=1.0 - left)
    # Without a haircut for other currencies an asset in one is not accepted; what counts nothing covers nothing.
    return found[found["factor"] > 0].sort_values(["requirement", "asset"], kind="stable", ignore_index=True)


def _limits(pairs: pd.DataFrame, requirements: pd.DataFrame, assets: pd.DataFrame, rules: CollateralRules) -> pd.DataFrame:
    """Limits that can bind: kind, name, requirement, share of it, most (base currency), pairs (numbers)."""
    covers = pairs["factor"].to_numpy(np.float64) * assets["in_base"].to_numpy(np.float64)[pairs["asset"].to_numpy(np.int64)]
    amount = requirements["in_base"].to_numpy(np.float64)[pairs["requirement"].to_numpy(np.int64)]
    rows = pairs.assign(covers=covers, amount=amount)
    parts = []
    if rules.limit_of_type:
        parts.append(_limit_rows(rows[rows["concentration_limit"].notna()], "asset_type"))
    if rules.limit_of_issuer:
        issued = rows[rows["issuer"].notna()]
        free = issued["concentration_limit"].isna().groupby([issued["requirement"], issued["issuer"]]).transform("any")
        parts.append(_limit_rows(issued[~free.astype(bool)], "issuer"))
    return pd.concat([*parts, _limit_rows(rows.iloc[:0], "asset_type")], ignore_index=True)


def _limit_rows(pairs: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Limits of asset types or issuers; one that all its assets together do not reach is none."""
    by_limit = pairs.groupby(["requirement", kind], sort=True)
    total, share = by_limit["covers"].transform("sum"), by_limit["concentration_limit"].transform("max")
    can_bind = pairs.assign(share=share, most=share * pairs["amount"])[(total > share * pairs["amount"]).to_numpy(bool)]
    by_limit = can_bind.groupby(["requirement", kind], sort=True)
    first = by_limit[["share", "most"]].first().reset_index()
    members = [can_bind.index[rows].to_list() for rows in _members(np.asarray(by_limit.ngroup(), dtype=np.int64), len(first))]
    found = first.rename(columns={kind: "name"}).assign(kind=kind, pairs=pd.Series(members, dtype=object))
    return found.astype({"name": "str", "requirement": "int64"})[["kind", "name", "requirement", "share", "most", "pairs"]]


def _members(number: npt.NDArray[np.int64], count: int) -> list[npt.NDArray[np.int64]]:
    """Rows of each number from 0 to count - 1, ascending."""
    order = np.argsort(number, kind="stable")
    return np.split(order, np.searchsorted(number[order], np.arange(1, count))) if count else []


def _cover(requirements: pd.DataFrame, assets: pd.DataFrame, pairs: pd.DataFrame, limits: pd.DataFrame) -> Cover:
    sizes = [len(members) for members in limits["pairs"]]
    members = [pair for group in limits["pairs"] for pair in group]
    return Cover(
        assets["in_base"].to_numpy(np.float64),
        assets["carry_cost"].to_numpy(np.float64),
        requirements["in_base"].to_numpy(np.float64),
        pairs["asset"].to_numpy(np.int64),
        pairs["requirement"].to_numpy(np.int64),
        pairs["factor"].to_numpy(np.float64),
        limits["most"].to_numpy(np.float64),
        np.repeat(np.arange(len(limits)), sizes).astype(np.int64),
        np.array(members, dtype=np.int64),
    )


def _rows(requirements: pd.DataFrame, assets: pd.DataFrame, pairs: pd.DataFrame, found: Covered, given: Floats) -> pd.DataFrame:
    """Rows of collateral_allocations; those of a requirement add up to what is covered of it, to the last digit."""
    used = np.flatnonzero(given > 0)
    r, a = pairs["requirement"].to_numpy(np.int64)[used], pairs["asset"].to_numpy(np.int64)[used]
    factor = pairs["factor"].to_numpy(np.float64)[used]
    amount = requirements["in_base"].to_numpy(np.float64)
    covered = _to_the_last_digit(given[used] * factor, r, amount - found.shortfall)
    value = covered / factor
    cost = assets["carry_cost"].to_numpy(np.float64)[a]
    return pd.DataFrame(
        {
            "portfolio_id": requirements["portfolio_id"].to_numpy(object)[r],
            "requirement_id": requirements["requirement_id"].to_numpy(object)[r],
            "asset": assets["asset"].to_numpy(object)[a],
            "asset_type": assets["asset_type"].to_numpy(object)[a],
            "requirement": amount[r],
            "market_value": value,
            "haircut": pairs["total_haircut"].to_numpy(np.float64)[used],
            "allocated_value": covered,
            "carry_cost": cost,
            "cost": value * cost,
            "shadow_value": found.asset_dual[a],
        }
    )


def _to_the_last_digit(value: Floats, requirement: npt.NDArray[np.int64], wanted: Floats) -> Floats:
    """Values of which those of each requirement add up to what is wanted; the largest takes what rounding leaves."""
    exact = value.copy()
    for r in np.unique(requirement).tolist():
        rows = np.flatnonzero(requirement == r)
        largest = rows[np.argmax(value[rows])]
        exact[largest] = wanted[r] - math.fsum(exact[rows[rows != largest]])
    return exact


def _summaries(
    requirements: pd.DataFrame, rows: pd.DataFrame, pairs: pd.DataFrame, limits: pd.DataFrame, found: Covered, notes: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Rows of collateral_summaries of the requirements that are determined."""
    count = len(requirements)
    of_limit, share = limits["requirement"].to_numpy(np.int64), limits["share"].to_numpy(np.float64)
    binding: list[list[dict[str, Any]]] = [[] for _ in range(count)]
    for place in np.flatnonzero(found.limit_dual > NOTHING).tolist():
        limit = {"limit_of": limits["kind"][place], "name": limits["name"][place], "limit": float(share[place])}
        binding[of_limit[place]].append(limit | {"value": float(found.limit_dual[place])})
    # With a requirement its limits grow, too.
    marginal = found.amount_dual - np.bincount(of_limit, share * found.limit_dual, minlength=count)
    marginal = marginal if found.shortfall.sum() == 0 else np.full(count, np.nan)
    eligible = np.bincount(pairs["requirement"].to_numpy(np.int64), minlength=count)
    types = pairs[["requirement", "asset_type"]].drop_duplicates().groupby("requirement")["asset_type"].agg(sorted)
    cost = rows.groupby("requirement_id")["cost"].sum()
    told = []
    for r, (portfolio_id, identity, amount, currency, in_base) in enumerate(
        requirements[["portfolio_id", "requirement_id", "amount", "currency", "in_base"]].itertuples(index=False, name=None)
    ):
        shortfall = float(found.shortfall[r])
        accepted = {"assets_eligible": int(eligible[r]), "types_eligible": list(types.get(r, []))}
        told.append(
            {
                "portfolio_id": portfolio_id,
                "requirement_id": identity,
                "status": "covered" if shortfall == 0 else "short",
                "requirement": in_base,
                "currency": currency,
                "amount": amount,
                "allocated_value": in_base - shortfall,
                "shortfall": shortfall,
                "cost": float(cost.get(identity, 0.0)),
                "marginal_cost": float(marginal[r]),
                "binding_limits": json.dumps(binding[r]),
                "explanation": json.dumps({**notes, **accepted}),
                "missing": None,
            }
        )
    return told


def _undetermined(
    portfolio_id: str, requirement_id: str, texts: list[str], currency: str | None = None, amount: float = math.nan
) -> dict[str, Any]:
    return {
        "portfolio_id": portfolio_id,
        "requirement_id": requirement_id,
        "status": "undetermined",
        "currency": currency,
        "amount": amount,
        "binding_limits": "[]",
        "explanation": json.dumps({"rule": RULE}),
        "missing": json.dumps(texts),
    }


def _rejected_requirements(rejected_rows: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Requirements whose rows were rejected, by portfolio and identity, with the reasons."""
    found: dict[tuple[str, str], list[str]] = {}
    rows = rejected_rows[rejected_rows["source"].astype(str).str.split(".").str[0] == FILE]
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    for source, number, reason, portfolio, raw in rows[columns].itertuples(index=False, name=None):
        cells = json.loads(raw) if isinstance(raw, str) else raw
        name = str(cells.get("requirement_id") or "").strip() if isinstance(cells, Mapping) else ""
        if portfolio is not None and not pd.isna(portfolio):
            found.setdefault((str(portfolio), name or f"{source} row {number}"), []).append(f"{source} row {number}: {reason}")
    return found


def _allocation_frame(parts: list[pd.DataFrame]) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=ALLOCATION_COLUMNS)
    kinds = dict.fromkeys(ALLOCATION_COLUMNS[:4], "str") | dict.fromkeys(ALLOCATION_COLUMNS[4:], "float64")
    order = ["portfolio_id", "requirement_id", "asset"]
    return frame.astype(kinds).sort_values(order, kind="stable", ignore_index=True)[ALLOCATION_COLUMNS]


def _summary_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    numbers = ("requirement", "amount", "allocated_value", "shortfall", "cost", "marginal_cost")
    kinds = dict.fromkeys(("portfolio_id", "requirement_id", "status", "binding_limits", "explanation"), "str")
    frame = frame.astype(kinds | dict.fromkeys(numbers, "float64"))
    return frame.sort_values(["portfolio_id", "requirement_id"], kind="stable", ignore_index=True)
