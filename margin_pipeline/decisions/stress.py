"""Stress tests: profit, margin and verdict of every portfolio in every scenario.

Belongs here: the tables `stress_results` and `stress_strategy_results`. Not here: scenarios (`parameters`), profits (`risk.stress`), margin
after a shock (`shocked_margins`).

A portfolio with anything missing is undetermined in the scenario, never passed.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.decisions.shocked_margins import REASONS_TOLD, MarginAfter, margins_after, prepare
from margin_pipeline.decisions.shocked_tables import MarginInputs
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.margin.rejections import rejected_inputs
from margin_pipeline.parameters.stress import Criteria, Scenario, StressRules
from margin_pipeline.risk.stress import ShockedPositions

Floats = npt.NDArray[Any]
USER_FILE = "stress_scenarios"
RESULT_COLUMNS = [
    "portfolio_id", "method", "scenario", "is_governing", "description", "source", "pnl", "liquidity_cost", "equity_after",
    "initial_margin_after", "margin_after", "margin_equity_after", "utilization_after", "status_after", "passed", "failed_criteria",
    "missing",
]  # fmt: skip
STRATEGY_COLUMNS = ["portfolio_id", "strategy", "scenario", "pnl", "liquidity_cost"]
_FIGURES = ("pnl", "liquidity_cost", "equity_after", "initial_margin_after", "margin_after", "margin_equity_after", "utilization_after")


@dataclass(frozen=True)
class StressTables:
    """Frames of the tables `stress_results` and `stress_strategy_results`."""

    results: pd.DataFrame
    strategies: pd.DataFrame


def stress_tables(
    inputs: MarginInputs,
    shocked: ShockedPositions,
    rules: StressRules,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    *,
    models: Mapping[str, UserModel] | None = None,
    other_methods: Mapping[str, MarginAfter] | None = None,
    threads: int = 1,
) -> StressTables:
    """Profit, margin after and verdict of every portfolio under every method of its account, in every scenario.

    Parameters
    ----------
    inputs : the book and its margins before; positions are those of `shocked`.
    shocked : prices, profits and costs of leaving, of `risk.stress.shocked_positions` in the scenarios of the rules.
    rules : scenarios, criteria, sizes.
    thresholds : utilization from which "warning", "critical" and "emergency" begin.
    as_of : business date.
    models : user models by name; None: those that installed packages bring.
    other_methods : margin after a shock of methods that the chain's stages do not compose, by name (`shocked_margins.MarginAfter`).
    threads : underlyings that are solved at once; results do not depend on it.

    Returns
    -------
    StressTables, base currency, ordered by their keys. `missing` and `failed_criteria` are JSON. A user's scenario of which a row was
    rejected has undetermined rows.

    Notes
    -----
    Equity after = equity + profit - cost of leaving. Maintenance and margin equity after are those of the stages of the chain on the
    shocked book; the cost of leaving does not change them otherwise.
    """
    owners = inputs.portfolios.sort_values("portfolio_id", kind="stable", ignore_index=True)
    sums = _sums(shocked, owners)
    reasons = _reasons(shocked, owners, inputs)
    own = [_own(owners, sums, reasons[number], number) for number in range(len(shocked.scenarios))]
    after = pd.concat([frame.set_index("portfolio_id")["equity_after"] for frame in own], axis=1)
    margins = margins_after(prepare(inputs, shocked, rules, as_of, models), after, thresholds, as_of, other_methods, threads=threads)
    by_scenario = dict(iter(margins.drop(columns="scenario").groupby(margins["scenario"])))
    parts = [
        _judged(by_scenario[number].merge(own[number], on="portfolio_id", how="left", validate="many_to_one"), scenario)
        for number, scenario in enumerate(shocked.scenarios)
    ]
    lost = _rejected_scenarios(inputs.rejected_rows)
    parts += [_not_computed(parts[0], name, texts) for name, texts in sorted(lost.items()) if parts]
    results = pd.concat(parts, ignore_index=True).sort_values(["portfolio_id", "method", "scenario"], kind="stable", ignore_index=True)
    return StressTables(results[RESULT_COLUMNS].astype(_TEXTS), _strategies(shocked, sums))


_TEXTS = dict.fromkeys(["portfolio_id", "method", "scenario", "description", "source", "status_after", "failed_criteria", "missing"], "str")


@dataclass(frozen=True)
class _Sums:
    """(strategies, k) and (portfolios, k) profit and cost; NaN where a position has none."""

    strategies: pd.DataFrame
    strategy_pnl: Floats
    strategy_cost: Floats
    pnl: Floats
    cost: Floats


def _sums(shocked: ShockedPositions, owners: pd.DataFrame) -> _Sums:
    """Positions added up to strategies, and strategies to portfolios, each in one order."""
    strategies = shocked.positions[["portfolio_id", "strategy"]].drop_duplicates().reset_index(drop=True)
    row = pd.MultiIndex.from_frame(strategies).get_indexer(pd.MultiIndex.from_frame(shocked.positions[["portfolio_id", "strategy"]]))
    of_strategy = [_added(row, values, len(strategies)) for values in (shocked.pnl, shocked.liquidity_cost)]
    portfolio = pd.Index(owners["portfolio_id"]).get_indexer(pd.Index(strategies["portfolio_id"]))
    return _Sums(strategies, *of_strategy, *(_added(portfolio, values, len(owners)) for values in of_strategy))


def _added(row: npt.NDArray[np.int64], values: Floats, count: int) -> Floats:
    columns = [np.bincount(row, values[:, k], minlength=count) for k in range(values.shape[1])]
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0))


def _own(owners: pd.DataFrame, sums: _Sums, reasons: Mapping[str, set[str]], scenario: int) -> pd.DataFrame:
    """Equity before and after, profit and cost of each portfolio in a scenario, and why they are not known."""
    own = pd.DataFrame(
        {
            "portfolio_id": owners["portfolio_id"],
            "equity": owners["equity"].astype(float),
            "pnl": sums.pnl[:, scenario],
            "liquidity_cost": sums.cost[:, scenario],
            "unvalued": pd.Series([reasons.get(str(p)) for p in owners["portfolio_id"]], dtype=object),
        }
    )
    own.loc[own["unvalued"].notna(), ["pnl", "liquidity_cost"]] = np.nan
    return own.assign(equity_after=own["equity"] + own["pnl"] - own["liquidity_cost"])


def _reasons(shocked: ShockedPositions, owners: pd.DataFrame, inputs: MarginInputs) -> list[dict[str, set[str]]]:
    """Why portfolios have no profit, by scenario."""
    rejected = inputs.rejected_rows[inputs.rejected_rows["source"].astype(str).str.startswith("positions")]
    netting_sets = pd.DataFrame(columns=["netting_set_id", "portfolio_id"])
    always: dict[str, set[str]] = {}
    for portfolio, texts in rejected_inputs(rejected, netting_sets, inputs.positions, inputs.portfolios)["positions"].items():
        always.setdefault(portfolio, set()).update(texts)
    for portfolio in owners.loc[owners["account_type"] == "otc", "portfolio_id"]:
        always.setdefault(str(portfolio), set()).add("uncleared derivatives are not valued in scenarios")
    found = []
    names = shocked.positions["portfolio_id"].astype(str).to_numpy(object)
    for column in range(len(shocked.scenarios)):
        own = {portfolio: set(texts) for portfolio, texts in always.items()}
        lacking = shocked.missing[:, column]
        for row in np.flatnonzero(pd.notna(lacking)):
            own.setdefault(names[row], set()).add(str(lacking[row]))
        found.append(own)
    return found


def _judged(rows: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Rows of stress_results of one scenario."""
    # Without a price after the shock there is no margin either: the profit's reason says why.
    missing = [
        _told(own if isinstance(own, set) else json.loads(text) if isinstance(text, str) else ())
        for own, text in zip(rows["unvalued"], rows["missing"], strict=True)
    ]
    # An initial margin that alone is unknown does not keep a verdict from being given.
    known = (rows["unvalued"].isna() & (rows["status"] != "undetermined")).to_numpy(bool)
    failures: list[list[dict[str, Any]] | None] = [
        failed(scenario.criteria, *figures) if whole else None
        for whole, figures in zip(known, rows[["equity", "pnl", "liquidity_cost", "utilization"]].to_numpy(float), strict=True)
    ]
    found = rows.rename(
        columns={
            "initial_margin": "initial_margin_after",
            "maintenance_margin": "margin_after",
            "margin_equity": "margin_equity_after",
            "utilization": "utilization_after",
            "status": "status_after",
        }
    ).assign(
        scenario=scenario.name,
        description=scenario.description,
        source=scenario.source,
        passed=pd.array([None if f is None else not f for f in failures], dtype="boolean"),
        failed_criteria=pd.Series([None if f is None else json.dumps(f) for f in failures], dtype=object, index=rows.index),
        missing=pd.Series([json.dumps(texts) if texts else None for texts in missing], dtype=object, index=rows.index),
    )
    after = ["initial_margin_after", "margin_after", "margin_equity_after", "utilization_after"]
    found.loc[~known, after] = np.nan
    found.loc[~known, "status_after"] = "undetermined"
    return found[RESULT_COLUMNS]


def _told(reasons: Collection[str]) -> list[str]:
    """Reasons in order; of many the first few, and how many more there are."""
    every = sorted(reasons)
    return every if len(every) <= REASONS_TOLD else [*every[:REASONS_TOLD], f"and {len(every) - REASONS_TOLD} more"]


def failed(criteria: Criteria, equity: float, pnl: float, liquidity_cost: float, utilization: float) -> list[dict[str, Any]]:
    """Criteria that a portfolio does not meet: criterion, limit, and what is observed (None: beyond any number).

    Parameters
    ----------
    criteria : what is asked.
    equity : before the shock, base currency.
    pnl, liquidity_cost : in it, base currency.
    utilization : after it, fraction; infinite where margin equity is used up.
    """
    loss = liquidity_cost - pnl
    after = equity - loss
    of_equity = loss / equity if equity > 0 else (0.0 if loss <= 0 else math.inf)
    tests: Sequence[tuple[str, float | None, float, bool]] = (
        ("largest_loss_of_equity", criteria.largest_loss_of_equity, of_equity, of_equity > (criteria.largest_loss_of_equity or 0.0)),
        ("utilization_below", criteria.utilization_below, utilization, not utilization < (criteria.utilization_below or 0.0)),
        ("requires_positive_equity", 0.0 if criteria.requires_positive_equity else None, after, not after > 0),
    )
    return [
        {"criterion": name, "limit": limit, "observed": observed if math.isfinite(observed) else None}
        for name, limit, observed, is_failed in tests
        if limit is not None and is_failed
    ]


def _strategies(shocked: ShockedPositions, sums: _Sums) -> pd.DataFrame:
    """Rows of stress_strategy_results; of strategies of all portfolios, also those that are not determined as a whole."""
    parts = [
        sums.strategies.assign(scenario=scenario.name, pnl=sums.strategy_pnl[:, k], liquidity_cost=sums.strategy_cost[:, k])
        for k, scenario in enumerate(shocked.scenarios)
    ]
    rows = pd.concat(parts, ignore_index=True)[STRATEGY_COLUMNS]
    rows.loc[rows["pnl"].isna(), "liquidity_cost"] = np.nan
    return rows.astype(dict.fromkeys(STRATEGY_COLUMNS[:3], "str")).sort_values(STRATEGY_COLUMNS[:3], kind="stable", ignore_index=True)


def _rejected_scenarios(rejected_rows: pd.DataFrame) -> dict[str, list[str]]:
    """Scenarios of users of which a row was rejected, with the reasons."""
    found: dict[str, set[str]] = {}
    rows = rejected_rows[rejected_rows["source"].astype(str).str.split(".").str[0] == USER_FILE]
    for source, number, reason, raw in rows[["source", "row_number", "reason", "raw"]].itertuples(index=False, name=None):
        cells = json.loads(raw) if isinstance(raw, str) else raw
        name = str(cells.get("scenario") or "").strip() if isinstance(cells, Mapping) else ""
        found.setdefault(name or USER_FILE, set()).add(f"{source} row {number}: {reason}")
    return {name: sorted(texts) for name, texts in found.items()}


def _not_computed(rows: pd.DataFrame, name: str, texts: list[str]) -> pd.DataFrame:
    """Undetermined rows of a scenario that could not be read."""
    empty = dict.fromkeys(_FIGURES, np.nan)
    return rows[["portfolio_id", "method", "is_governing"]].assign(
        scenario=name,
        description="",
        source="stress_scenarios of the date",
        **empty,
        status_after="undetermined",
        passed=pd.array([None] * len(rows), dtype="boolean"),
        failed_criteria=None,
        missing=json.dumps(texts),
    )
