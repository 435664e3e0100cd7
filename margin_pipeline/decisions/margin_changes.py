"""Why the margin of a portfolio is not what it was the date before, split into causes that add up.

Belongs here: the order of the causes, and their amounts. Not here: the books between the dates (`states_between`), their margins
(`state_margins`).

Order, each step on top of the ones before: *trades* (the positions of the date, at the marks of the date before, in their best groups),
*prices* (closes, exchange rates, rates of interest, yields; option groups kept from here on), *volatility* (implied volatility where
scenarios look at it, estimated volatility where a rate depends on it), *time* (days nearer to expiry), *parameters* (rules, exchange and
house rates, schedules, terms of instruments), *grouping* (what the best groups of the date need less than the kept ones).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions.paid_premiums import paid_premiums
from margin_pipeline.decisions.previous_date import PreviousDate
from margin_pipeline.decisions.state_margins import AMOUNTS, Fixed, added_up, found_groups, grouped_initial, kept_at, margins_at, ungrouped
from margin_pipeline.decisions.states_between import Frames, State, steps
from margin_pipeline.margin.margin_equity import adjustments, security_values
from margin_pipeline.margin.scenario.class_groups import class_groups
from margin_pipeline.parameters.option_rates import option_rates
from margin_pipeline.parameters.portfolio_margin import portfolio_margin_rules

CAUSES = ("trades", "prices", "volatility", "time", "parameters", "grouping")
COLUMNS = [
    "portfolio_id", "method", "cause", "amount", "initial_amount", "maintenance_before", "maintenance_after", "initial_before",
    "initial_after", "excess_taken", "compared_with", "missing",
]  # fmt: skip
SPLIT = ("strategy_based", "portfolio_margin", "futures", "tiered")
"""Governing methods whose changes are split; those of netting sets depend on trades that are not positions."""
BY_SCENARIOS = ("portfolio_margin", "futures")
RATES = ("futures_margins", "margin_schedules", "margin_rates", "house_margins", "risk_arrays", "span_parameters")
PREVIOUS_TABLES = (
    "portfolios", "positions", "instruments", "prices", "fx_rates", "rates", "dividends", "symbol_risk", "strategy_groups",
    "position_margins", "portfolio_margins", *RATES,
)  # fmt: skip
ROUNDING = 1e-9
"""Part of a margin that is no change: what sums of floats leave."""


def margin_changes(after: Frames, previous: PreviousDate | None, as_of: dt.date, threads: int = 1) -> pd.DataFrame:
    """Change of margin since the date before under the governing method of every portfolio, by cause.

    Parameters
    ----------
    after : frames of `PREVIOUS_TABLES` of the date, histories resolved up to it.
    previous : the same tables of the newest published date before; None: there is none.
    as_of : business date.
    threads : work at once; the result does not depend on it.

    Returns
    -------
    Frame as margin_data.margin_changes, one row a portfolio and cause, base currency. The amounts of a portfolio add up to the change of
    its maintenance margin, initial_amount to that of its initial margin. Where either margin, or one between, is not determined, all
    amounts are empty and `missing` says why. `excess_taken`: what trades took of a Regulation T account's excess (see `buying_power`).

    Notes
    -----
    Under `strategy_based` grouping is the rest, and holds what kept groups gain or lose by being named otherwise; under the other methods
    nothing is grouped, and parameters are the rest.
    """
    margins = after["portfolio_margins"]
    governing = margins[margins["is_governing"]].sort_values("portfolio_id", kind="stable").set_index("portfolio_id")
    before = None if previous is None else previous.tables["portfolio_margins"]
    earlier = governing.iloc[:0] if before is None else before[before["is_governing"]].set_index("portfolio_id")
    reasons: dict[str, str | None] = {
        str(name): _why_not(str(name), row, earlier, previous) for name, row in governing.to_dict("index").items()
    }
    split = {name: str(governing["method"][name]) for name, reason in reasons.items() if reason is None}
    found: dict[str, np.ndarray] = {}
    taken: dict[str, float] = {}
    if split and previous is not None:
        found, unknown, taken = _split(after, previous, split, governing, earlier, as_of, threads)
        reasons |= unknown
    rows: list[dict[str, Any]] = []
    of_before = earlier.to_dict("index")
    for name, margin in governing.to_dict("index").items():
        amounts, old = found.get(str(name)), of_before.get(name)
        own = _rows(str(name), margin, old, amounts, reasons[str(name)], previous)
        own[0]["excess_taken"] = taken.get(str(name), np.nan)
        rows += own
    frame = pd.DataFrame(rows, columns=COLUMNS)
    numbers = dict.fromkeys([name for name in COLUMNS if name.endswith(("amount", "_before", "_after", "_taken"))], "float64")
    return frame.astype({"portfolio_id": "str", "method": "str", "cause": "str", **numbers}).assign(
        compared_with=pd.to_datetime(frame["compared_with"])
    )


def _why_not(name: str, margin: Mapping[Any, Any], earlier: pd.DataFrame, previous: PreviousDate | None) -> str | None:
    """Why the change of a portfolio is not split; None where it is."""
    if previous is None:
        return "no earlier date is published"
    if name not in earlier.index:
        return f"{name} had no margin on {previous.as_of}"
    if pd.isna(margin["maintenance_margin"]):
        return f"the margin of the date: {_listed(margin['missing'])}"
    if pd.isna(earlier["maintenance_margin"][name]):
        return f"the margin of {previous.as_of}: {_listed(earlier['missing'][name])}"
    if margin["method"] != earlier["method"][name]:
        return f"another method governs than on {previous.as_of}: {earlier['method'][name]}"
    if margin["method"] not in SPLIT:
        return f"method {margin['method']}: netting sets are not revalued between dates"
    if lost := sorted(set(PREVIOUS_TABLES) - set(previous.tables)):
        return f"{', '.join(lost)} of {previous.as_of}"
    return None


def _listed(missing: Any) -> str:
    found = json.loads(missing) if isinstance(missing, str) else missing
    return "; ".join(map(str, found)) if isinstance(found, list) and found else "undetermined"


def _split(
    after: Frames,
    previous: PreviousDate,
    split: Mapping[str, str],
    governing: pd.DataFrame,
    earlier: pd.DataFrame,
    as_of: dt.date,
    threads: int,
) -> tuple[dict[str, np.ndarray], dict[str, str | None], dict[str, float]]:
    """(6, 2) amounts (initial, maintenance) of each portfolio by cause; reasons where a step lacks something; excess that trades took."""
    after, before = _own(after, split), _own(previous.tables, split)
    by_scenarios = frozenset(name for name, method in split.items() if method in BY_SCENARIOS)
    held = steps(before, after, previous.as_of, as_of, by_scenarios)
    classes = class_groups(held.traded.instruments, portfolio_margin_rules(previous.as_of), before["house_margins"])
    fixed = Fixed(split, {name: before[name] for name in RATES}, classes, threads)
    groups = found_groups(held.traded, fixed, traded_portfolios(before["positions"], after["positions"]), before["strategy_groups"])
    at_first, of_kept = margins_at(held.traded, fixed, groups.frame, kept_at(held.traded, fixed, groups))
    kept = kept_at(held.priced, fixed, groups)
    (priced,), (shaken,) = (margins_at(state, fixed, kept) for state in (held.priced, held.shaken))
    (aged,) = margins_at(held.aged, fixed, kept_at(held.aged, fixed, groups))
    kept = kept_at(_as_published(after, as_of), _with_rates(fixed, after), groups)
    ended = added_up([ungrouped(after["position_margins"], after["positions"], fixed), kept], fixed)
    states = [at_first, of_kept, priced, shaken, aged, ended]
    found: dict[str, np.ndarray] = {}
    unknown: dict[str, str | None] = {}
    for name, method in split.items():
        start, end = (frame.loc[name, AMOUNTS].to_numpy(np.float64) for frame in (earlier, governing))
        values = np.stack([state.loc[name, AMOUNTS].to_numpy(np.float64) for state in states])
        needed = states if method == "strategy_based" else states[:5]
        lost = [str(state["missing"][name]) for state in needed if pd.notna(state["missing"][name])]
        if lost:
            unknown[name] = f"between {previous.as_of} and {as_of}: {lost[0]}"
        else:
            found[name] = _amounts(start, end, values, grouped=method == "strategy_based")
    excess = _without_equity(held.traded, groups.frame, at_first["initial_margin"])
    old = earlier[earlier["method"] == "strategy_based"]
    premiums = paid_premiums(before["positions"], before["instruments"], before["portfolios"], before["strategy_groups"], previous.as_of)
    paid = pd.Series(premiums, dtype=float)
    paid = paid.reindex(old.index).where(old.index.isin(paid.index), 0.0)
    # Without the least initial margin of an account, which is no matter of Regulation T.
    before_trades = (
        old["margin_equity"] - old["equity"] + paid - grouped_initial(before, [str(name) for name in old.index]).reindex(old.index)
    )
    taken = (before_trades - excess).dropna()
    taken = taken.where(taken.abs() > ROUNDING * before_trades.reindex(taken.index).abs().clip(lower=1.0), 0.0)
    return found, unknown, {str(name): float(amount) for name, amount in taken.items()}


def _without_equity(state: State, groups: pd.DataFrame, initial: pd.Series) -> pd.Series:
    """Regulation T excess of portfolios less their equity, base currency; NaN where a value is missing."""
    frames = (state.positions, state.instruments, state.portfolios)
    account = state.portfolios.set_index("portfolio_id")["account_type"]
    values = security_values(*frames, option_rates(state.as_of), state.as_of)
    added = adjustments(values, account, groups)["strategy_based"]
    names = account.index[account.isin(["reg_t"])]
    added = added.reindex(names).where(names.isin(added.index), 0.0)
    paid = pd.Series(paid_premiums(*frames, groups, state.as_of), dtype=float)
    return added + paid.reindex(names).where(names.isin(paid.index), 0.0) - initial.reindex(names)


def _amounts(start: np.ndarray, end: np.ndarray, values: np.ndarray, *, grouped: bool) -> np.ndarray:
    """(6, 2) amounts by cause, from the margins at the start, at the end and (6, 2) in between."""
    at_first, of_kept, priced, shaken, aged, ended = values
    parts = [at_first - start, priced - of_kept, shaken - priced, aged - shaken]
    size = np.maximum(np.maximum(np.abs(start), np.abs(end)), 1.0)
    parts = [np.where(np.abs(part) <= ROUNDING * size, 0.0, part) for part in parts]
    if grouped:
        parts.append(np.where(np.abs(ended - aged) <= ROUNDING * size, 0.0, ended - aged))
    rest = end - start - np.sum(parts, axis=0)
    rest = np.where(np.abs(rest) <= ROUNDING * size, 0.0, rest)
    return np.stack([*parts, rest] if grouped else [*parts, rest, np.zeros(2)])


def traded_portfolios(before: pd.DataFrame, after: pd.DataFrame) -> frozenset[str]:
    """Portfolios whose net quantity of any symbol is not what it was."""
    key = ["portfolio_id", "symbol"]
    old, new = (frame.groupby(key)["quantity"].sum() for frame in (before, after))
    difference = new.sub(old, fill_value=0.0)
    return frozenset(str(name) for name in difference.index.get_level_values(0)[difference.to_numpy() != 0])


def _own(tables: Frames, split: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Tables with the rows of some portfolios only."""
    return {
        name: frame[frame["portfolio_id"].isin(split)].reset_index(drop=True) if "portfolio_id" in frame.columns else frame
        for name, frame in tables.items()
    }


def _as_published(after: Frames, as_of: dt.date) -> State:
    names = ("positions", "instruments", "portfolios", "prices", "fx_rates", "rates", "dividends", "symbol_risk")
    return State(as_of, *(after[name] for name in names))


def _with_rates(fixed: Fixed, after: Frames) -> Fixed:
    return Fixed(fixed.method, {name: after[name] for name in RATES}, threads=fixed.threads)


def _rows(
    name: str,
    margin: Mapping[Any, Any],
    old: Mapping[Any, Any] | None,
    amounts: np.ndarray | None,
    reason: str | None,
    previous: PreviousDate | None,
) -> Sequence[dict[str, Any]]:
    shared = {
        "portfolio_id": name,
        "method": margin["method"],
        "maintenance_before": np.nan if old is None else old["maintenance_margin"],
        "maintenance_after": margin["maintenance_margin"],
        "initial_before": np.nan if old is None else old["initial_margin"],
        "initial_after": margin["initial_margin"],
        "compared_with": None if previous is None else previous.as_of,
        "missing": reason,
    }
    values = np.full((len(CAUSES), 2), np.nan) if amounts is None else amounts
    return [
        {**shared, "cause": cause, "amount": values[place, 1], "initial_amount": values[place, 0]} for place, cause in enumerate(CAUSES)
    ]
