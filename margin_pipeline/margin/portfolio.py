"""Margin, equity, utilization and status of every portfolio under every method that applies.

Belongs here: composing the tables `portfolio_margins`, their components and notes. Not here: requirements of positions and groups, offsets,
margin equity, the attribution to strategies.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.attribution import margin_attribution
from margin_pipeline.margin.components import contributions
from margin_pipeline.margin.margin_equity import adjustments, security_values
from margin_pipeline.margin.methods import COMPUTED, GOVERNING, METHODS, OTC_METHODS, otc_method, why_not
from margin_pipeline.margin.rejections import rejected_inputs
from margin_pipeline.margin.scenario_tables import ScenarioTables
from margin_pipeline.margin.status import LEVELS, levels, status, utilization
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.option_rates import option_rates
from margin_pipeline.parameters.stock_rates import stock_rates

__all__ = ["PortfolioMargins", "ScenarioTables", "compose", "margin_attribution"]

KEY = ["portfolio_id", "method"]
MARGIN_COLUMNS = [
    *KEY, "initial_margin", "maintenance_margin", "equity", "margin_equity", "excess", "utilization", "status", "missing", "is_governing",
    "margin_ratio", "available_to_open", *LEVELS,
]  # fmt: skip
COMPONENT_COLUMNS = [*KEY, "component", "initial_margin", "maintenance_margin"]
WITH_MINIMUM = ("reg_t", "strategy_based")
MARGIN_ACCOUNTS = ("reg_t", "portfolio_margin")


@dataclass(frozen=True)
class PortfolioMargins:
    """Frames of the tables `portfolio_margins`, `portfolio_margin_components` and `portfolio_method_notes`."""

    portfolio_margins: pd.DataFrame
    components: pd.DataFrame
    notes: pd.DataFrame


def compose(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    cross_margin_benefits: pd.DataFrame,
    netting_set_margins: pd.DataFrame,
    rejected_rows: pd.DataFrame,
    fx_rates: pd.DataFrame,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    house_additions: pd.DataFrame | None = None,
    scenarios: ScenarioTables | None = None,
) -> PortfolioMargins:
    """Margins of every portfolio under the methods of its account.

    Parameters
    ----------
    portfolios, positions, instruments, position_margins, strategy_groups, cross_margin_benefits, netting_set_margins, rejected_rows,
    fx_rates : frames of the tables of these names.
    thresholds : utilization from which "warning", "critical" and "emergency" begin, fractions.
    as_of : business date.
    house_additions : frame of the table: what of these margins house rates add; None: nothing.
    scenarios : tables of scenario margin; None: method portfolio_margin is not computed, and futures need exchange margin.

    Returns
    -------
    PortfolioMargins, base currency, ordered by portfolio and method. A method with a missing or inadmissible input, or a rejected position
    row, is undetermined: its amounts are empty and `missing` names them. A governing method that is not computed has such a row too.

    Notes
    -----
    `strategy_based`: groups of stock and options, other positions on their own. `reg_t`, `tiered`: positions on their own.
    `portfolio_margin`, `futures`: groups by scenarios, what these do not cover on its own. `cross_margin`: positions on their own less
    offsets. `schedule_im`, `simm`: what the netting sets post, each by its own model. Under the first two, a margin account's initial
    margin is at least the lesser of $2,000 and the cost of its securities (component minimum, FINRA 4210(b)(4); that limit does not hold
    with short positions); without an exchange rate for it the initial margin alone is empty.
    """
    portfolios = portfolios.sort_values("portfolio_id", kind="stable", ignore_index=True)
    inputs = (portfolios, positions, position_margins, strategy_groups, cross_margin_benefits, netting_set_margins)
    parts = contributions(*inputs, stock_rates(as_of).boxed, house_additions, scenarios)
    values = security_values(positions, instruments, portfolios, option_rates(as_of), as_of)
    rows = _rows(portfolios, netting_set_margins, () if scenarios is not None else ("portfolio_margin",))
    rejected = rejected_inputs(rejected_rows, netting_set_margins, positions, portfolios)
    missing = _missing(parts, values, rows, rejected, _held_beside_netting_sets(positions, portfolios))
    sums = parts.groupby([*KEY, "component"], sort=True)[["initial_margin", "maintenance_margin"]].sum().reset_index()
    minimum, unconverted = _minimum(portfolios, values, sums, usd_rates(fx_rates, as_of), as_of)
    components = pd.concat([sums, minimum], ignore_index=True)
    added = adjustments(values, portfolios.set_index("portfolio_id")["account_type"], strategy_groups)
    margins = _margins(rows, components, added, missing, thresholds)
    margins = _with_level(_without_initial(margins, unconverted, as_of))
    return PortfolioMargins(margins[MARGIN_COLUMNS], _determined(components, margins), _notes(portfolios, margins))


def _rows(portfolios: pd.DataFrame, netting_set_margins: pd.DataFrame, left_out: Collection[str]) -> pd.DataFrame:
    """One row a portfolio and method, with the account type, equity and whether the method governs and is computed."""
    agreed = netting_set_margins.groupby("portfolio_id")["model"].agg(otc_method).to_dict()
    found = []
    for portfolio_id, account, equity in portfolios[["portfolio_id", "account_type", "equity"]].itertuples(index=False, name=None):
        governing = agreed.get(portfolio_id, GOVERNING[account]) if account == "otc" else GOVERNING[account]
        computed = (governing,) if account == "otc" else tuple(name for name in COMPUTED[account] if name not in left_out)
        for method in sorted({*computed, governing}):
            found.append((portfolio_id, method, account, float(equity), method == governing, method in computed))
    columns = [*KEY, "account_type", "equity", "is_governing", "is_computed"]
    return pd.DataFrame(found, columns=columns).astype({"equity": float, "is_governing": bool, "is_computed": bool})


def _held_beside_netting_sets(positions: pd.DataFrame, portfolios: pd.DataFrame) -> dict[str, list[str]]:
    """Reasons of positions in otc accounts, by portfolio: no method of theirs would margin them."""
    accounts = portfolios.loc[portfolios["account_type"] == "otc", "portfolio_id"]
    held = positions[positions["portfolio_id"].isin(accounts) & (positions["quantity"] != 0)]
    reasons = held["symbol"].astype(str) + ": a position is not admissible in an otc account, which holds netting sets only"
    return {str(portfolio_id): texts for portfolio_id, texts in reasons.groupby(held["portfolio_id"]).agg(list).items()}


def _missing(
    parts: pd.DataFrame,
    values: pd.DataFrame,
    rows: pd.DataFrame,
    rejected: Mapping[str, Mapping[str, list[str]]],
    inadmissible: Mapping[str, list[str]],
) -> dict[tuple[str, str], list[str]]:
    """What is missing for each portfolio and method, sorted, each thing once."""
    found: dict[tuple[str, str], set[str]] = {}

    def add(portfolio_id: str, method: str, reasons: Iterable[str]) -> None:
        found.setdefault((portfolio_id, method), set()).update(reasons)

    for portfolio_id, method, text in parts.loc[parts["missing"].notna(), [*KEY, "missing"]].itertuples(index=False, name=None):
        add(portfolio_id, method, [str(text)] if method in OTC_METHODS else str(text).split("; "))
    unvalued = {method: _unvalued(values, method) for method in WITH_MINIMUM}
    for portfolio_id, method, account, _, _, computed in rows.itertuples(index=False, name=None):
        if not computed:
            add(portfolio_id, method, [f"method {method} is not available in this version"])
        if method in WITH_MINIMUM:
            add(portfolio_id, method, unvalued[method].get((portfolio_id, account == "cash"), ()))
        source = "otc" if method in OTC_METHODS else "positions"
        add(portfolio_id, method, rejected[source].get(portfolio_id, []))
        add(portfolio_id, method, inadmissible.get(portfolio_id, []))
    return {key: sorted(reasons) for key, reasons in found.items() if reasons}


def _unvalued(values: pd.DataFrame, method: str) -> dict[tuple[str, bool], list[str]]:
    """Reasons of values that margin equity lacks, by portfolio and whether it is a cash account (where everything long counts)."""
    gaps = values[values["missing"].notna()]
    if method == "strategy_based":
        net = values.groupby(["portfolio_id", "symbol"])["quantity"].transform("sum").reindex(gaps.index)
        gaps = gaps[net != 0]
    counted = {False: gaps[gaps["option"]], True: gaps[gaps["option"] | (gaps["quantity"] > 0)]}
    found = {cash: frame.groupby("portfolio_id")["missing"].agg(list) for cash, frame in counted.items()}
    return {(str(portfolio_id), cash): reasons for cash, by in found.items() for portfolio_id, reasons in by.items()}


def _minimum(
    portfolios: pd.DataFrame, values: pd.DataFrame, sums: pd.DataFrame, usd: Mapping[str, float], as_of: dt.date
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Component minimum, and the base currency of portfolios for which it is not known for lack of an exchange rate."""
    rates = stock_rates(as_of)
    accounts = portfolios[portfolios["account_type"].isin(MARGIN_ACCOUNTS)].set_index("portfolio_id")
    net = values.groupby(["portfolio_id", "symbol"])[["quantity", "market_value"]].sum().reset_index()
    cost = net[net["quantity"] > 0].groupby("portfolio_id")["market_value"].sum().reindex(accounts.index).fillna(0.0)
    with_shorts = accounts.index.isin(net.loc[net["quantity"] < 0, "portfolio_id"])
    dollars = rates.minimum_equity_usd / accounts["base_currency"].map(dict(usd)).astype(float)
    needed = np.where(with_shorts, dollars, np.minimum(dollars, cost))
    rows = []
    for method in WITH_MINIMUM:
        rest = sums[sums["method"] == method].groupby("portfolio_id")["initial_margin"].sum().reindex(accounts.index).fillna(0.0)
        short_of = np.maximum(needed - rest.to_numpy(dtype=np.float64), 0.0)
        short_of = np.where((cost.to_numpy() == 0) & ~with_shorts, 0.0, short_of)
        rows.append(pd.DataFrame({"portfolio_id": accounts.index, "method": method, "component": "minimum", "initial_margin": short_of}))
    found = pd.concat(rows, ignore_index=True).assign(maintenance_margin=0.0)
    unknown = set(found.loc[found["initial_margin"].isna(), "portfolio_id"])
    unconverted = {str(p): str(c) for p, c in accounts["base_currency"].items() if p in unknown}
    return found[found["initial_margin"] > 0], unconverted


def _margins(
    rows: pd.DataFrame,
    components: pd.DataFrame,
    added: pd.DataFrame,
    missing: Mapping[tuple[str, str], list[str]],
    thresholds: Mapping[str, float],
) -> pd.DataFrame:
    totals = components.groupby(KEY)[["initial_margin", "maintenance_margin"]].sum()
    margins = rows.merge(totals.reset_index(), on=KEY, how="left")
    amounts = ["initial_margin", "maintenance_margin"]
    margins[amounts] = margins[amounts].fillna(0.0).clip(lower=0.0)
    adjustment = np.zeros(len(margins))
    for method in WITH_MINIMUM:
        here = (margins["method"] == method).to_numpy()
        own = added[method].reindex(margins.loc[here, "portfolio_id"])
        adjustment[here] = own.where(own.index.isin(added.index), 0.0).to_numpy(dtype=np.float64)
    margins["margin_equity"] = margins["equity"] + adjustment
    reasons = [missing.get((p, m)) for p, m in margins[KEY].itertuples(index=False, name=None)]
    margins["missing"] = pd.Series([json.dumps(r) if r else None for r in reasons], dtype="str", index=margins.index)
    undetermined = margins["missing"].notna().to_numpy()
    margins.loc[undetermined, amounts] = np.nan
    maintenance, equity = margins["maintenance_margin"].to_numpy(np.float64), margins["margin_equity"].to_numpy(np.float64)
    margins["excess"] = equity - maintenance
    margins["utilization"] = utilization(maintenance, equity)
    margins["status"] = pd.Series(status(maintenance, equity, thresholds), index=margins.index).astype("str")
    return margins.astype({"portfolio_id": "str", "method": "str"}).sort_values(KEY, kind="stable", ignore_index=True)


def _without_initial(margins: pd.DataFrame, unconverted: Mapping[str, str], as_of: dt.date) -> pd.DataFrame:
    """Empty the initial margin where its minimum is not known; maintenance and status do not depend on it."""
    hit = margins["method"].isin(WITH_MINIMUM) & margins["portfolio_id"].isin(list(unconverted)) & margins["missing"].isna()
    margins.loc[hit, "initial_margin"] = np.nan
    reasons = [json.dumps([f"exchange rate of USD into {unconverted[str(p)]} {as_of}"]) for p in margins.loc[hit, "portfolio_id"]]
    margins.loc[hit, "missing"] = reasons
    return margins


def _with_level(margins: pd.DataFrame) -> pd.DataFrame:
    """Margin level and free margin for new positions; they depend on the initial margin."""
    equity, initial = (margins[name].to_numpy(np.float64) for name in ("margin_equity", "initial_margin"))
    level = levels(initial, equity, margins["status"].to_numpy(dtype=object))
    return margins.assign(margin_ratio=margins["utilization"], available_to_open=equity - initial, **{n: level[n] for n in LEVELS})


def _determined(components: pd.DataFrame, margins: pd.DataFrame) -> pd.DataFrame:
    """Components of the methods that have a margin."""
    known = margins.loc[margins["status"] != "undetermined", KEY]
    found = components.merge(known, on=KEY, how="inner").sort_values([*KEY, "component"], kind="stable", ignore_index=True)
    return found[COMPONENT_COLUMNS].astype({"portfolio_id": "str", "method": "str", "component": "str"})


def _notes(portfolios: pd.DataFrame, margins: pd.DataFrame) -> pd.DataFrame:
    """Why a portfolio has no row of a method."""
    present = set(margins[KEY].itertuples(index=False, name=None))
    accounts = portfolios[["portfolio_id", "account_type"]].itertuples(index=False, name=None)
    notes = [(p, method, why_not(method, account)) for p, account in accounts for method in METHODS if (p, method) not in present]
    return pd.DataFrame(notes, columns=[*KEY, "reason"]).astype("str")
