"""Seconds for the allocation of 1,000 assets to 50 requirements, and how far its cost is from the proven bound and below a greedy one.

Belongs here: timing, the invented book. Not here: what is computed.
"""

from __future__ import annotations

import datetime as dt
import json
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.harness import Result, least_seconds
from margin_pipeline.decisions.collateral import CollateralTables, collateral_tables

AS_OF = dt.date(2022, 12, 28)
ASSETS, REQUIREMENTS = 1_000, 50
TYPES = {"cash": 0.0, "government_bond": 0.02, "corporate_bond": 0.08, "equity": 0.15}


def book(assets: int, requirements: int, seed: int = 7) -> dict[str, pd.DataFrame]:
    """Frames of one portfolio whose assets are worth about twice what it must cover."""
    random = np.random.default_rng(seed)
    kind = random.choice(list(TYPES), assets, p=[0.05, 0.35, 0.35, 0.25])
    value = np.exp(random.normal(14, 1, assets))
    share = random.uniform(0.5, 1.5, requirements)
    terms = [
        (f"R{r:03d}", name, haircut + random.uniform(0, 0.02), 0.08, limit)
        for r in range(requirements)
        for (name, haircut), limit in zip(TYPES.items(), (np.nan, np.nan, 0.5, 0.35), strict=True)
        if name != "equity" or random.random() < 0.6
    ]
    return {
        "collateral": pd.DataFrame(
            {
                "portfolio_id": "P",
                "asset": [f"A{n:04d}" for n in range(assets)],
                "asset_type": kind,
                "issuer": np.where(kind == "cash", None, [f"I{n}" for n in random.integers(0, assets // 4, assets)]),
                "currency": random.choice(["USD", "EUR"], assets),
                "market_value": value,
                "carry_cost": random.uniform(0.001, 0.03, assets),
            }
        ),
        "collateral_requirements": pd.DataFrame(
            {
                "requirement_id": [f"R{r:03d}" for r in range(requirements)],
                "portfolio_id": "P",
                "amount": share / share.sum() * value.sum() / 2,
                "currency": random.choice(["USD", "EUR"], requirements),
            }
        ),
        "collateral_eligibility": pd.DataFrame(
            terms, columns=["requirement_id", "asset_type", "haircut", "fx_haircut", "concentration_limit"]
        ),
        "portfolios": pd.DataFrame({"portfolio_id": ["P"], "base_currency": ["USD"]}),
        "fx_rates": pd.DataFrame({"date": [pd.Timestamp(AS_OF)], "currency": ["EUR"], "usd_rate": [1.06]}),
        "rejected_rows": pd.DataFrame(columns=["source", "row_number", "reason", "portfolio_id", "raw"]),
    }


def greedy_cost(frames: dict[str, pd.DataFrame]) -> float:
    """Carry cost of a plain loop: requirement by requirement, the cheapest eligible asset first, limits of types and issuers kept."""
    usd = {"USD": 1.0, "EUR": 1.06}
    assets: list[dict[str, Any]] = frames["collateral"].sort_values("carry_cost").to_dict("records")
    left = {a["asset"]: a["market_value"] * usd[a["currency"]] for a in assets}
    terms = {(t["requirement_id"], t["asset_type"]): t for t in frames["collateral_eligibility"].to_dict("records")}
    total = 0.0
    for r in frames["collateral_requirements"].to_dict("records"):
        amount = r["amount"] * usd[r["currency"]]
        rest, used = amount, {}
        for a in assets:
            t = terms.get((r["requirement_id"], a["asset_type"]))
            if t is None or rest <= 0:
                continue
            factor = 1 - t["haircut"] - (t["fx_haircut"] if a["currency"] != r["currency"] else 0)
            cap = rest
            if not np.isnan(t["concentration_limit"]):
                keys = [a["asset_type"], a["issuer"]]
                cap = min([rest, *(t["concentration_limit"] * amount - used.get(k, 0.0) for k in keys)])
                for k in keys:
                    used[k] = used.get(k, 0.0) + max(min(cap, left[a["asset"]] * factor), 0.0)
            covered = max(min(cap, left[a["asset"]] * factor), 0.0)
            left[a["asset"]] -= covered / factor
            rest -= covered
            total += covered / factor * a["carry_cost"]
        total += max(rest, 0.0)  # what is not covered costs all of itself
    return total


def run() -> list[Result]:
    """Measure the allocation, its distance from the bound, and a plain greedy loop's cost."""
    frames = book(ASSETS, REQUIREMENTS)
    allocate = partial(collateral_tables, **frames, as_of=AS_OF)
    found: CollateralTables = allocate()
    told = json.loads(found.summaries["explanation"].iloc[0])
    cost = float(found.allocations["cost"].sum())
    return [
        Result(f"allocation of {ASSETS:,} assets to {REQUIREMENTS} requirements", least_seconds(allocate, 3), "s", 2.0),
        Result(
            "cost above the proven bound",
            cost / told["proven_bound"] - 1.0,
            "",
            0.001,
            note=f"shortfall {found.summaries['shortfall'].sum():g}",
        ),
        Result("cost of a greedy loop over that of the allocation", greedy_cost(frames) / cost, "x", 1.0, at_least=True),
    ]
