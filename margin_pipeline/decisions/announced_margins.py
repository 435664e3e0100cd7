"""Margin of today's positions once rates and rules that are announced take effect.

Belongs here: what is announced, and the margin under it. Not here: rates, rules, requirements.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions.margin_changes import RATES, SPLIT
from margin_pipeline.decisions.state_margins import AMOUNTS, GROUP_COLUMNS, Fixed, margins_at
from margin_pipeline.decisions.states_between import Frames, State
from margin_pipeline.margin import strategy_based
from margin_pipeline.parameters.reader import ParameterSet, announced, replaced

DAYS_AHEAD = 30
"""Calendar days ahead in which effective dates are looked for."""
TABLES: Mapping[str, str] = {"futures_margins": "root", "margin_schedules": "schedule", "margin_rates": "asset_class"}
"""Tables with effective dates, and what they are about."""
PARAMETERS = (
    "asset_class_rates", "futures", "model_choice", "option_rates", "pattern_day_trading", "portfolio_margin", "reg_t", "span",
)  # fmt: skip
"""Parameter files that margins depend on."""
COLUMNS = [
    "portfolio_id", "effective_date", "method", "cause", "maintenance_before", "maintenance_after", "initial_before", "initial_after",
    "excess_after", "missing",
]  # fmt: skip
NEGLIGIBLE = 1e-9
"""Part of a margin that is no change."""


def announced_margins(today: Frames, as_of: dt.date, threads: int = 1) -> pd.DataFrame:
    """Margin under announced rates and rules, of the portfolios that these change.

    Parameters
    ----------
    today : frames of portfolios, positions, instruments, prices, fx_rates, rates, dividends, symbol_risk, strategy_groups,
        portfolio_margins and `margin_changes.RATES`; tables with effective dates hold future ones, too.
    as_of : business date.
    threads : work at once; the result does not depend on it.

    Returns
    -------
    Frame as margin_data.announced_margins, base currency, ordered by portfolio and effective date. Positions, marks and time are those of
    the date; what is announced up to an effective date applies together. Portfolios whose governing margin is not determined today, and
    those of netting sets, are left out.
    """
    until = as_of + dt.timedelta(days=DAYS_AHEAD)
    events = _events(today, as_of, until)
    margins = today["portfolio_margins"]
    known = margins[margins["is_governing"] & margins["maintenance_margin"].notna() & margins["method"].isin(SPLIT)]
    if not events or known.empty:
        return _frame([])
    method = {str(name): str(value) for name, value in known[["portfolio_id", "method"]].itertuples(index=False, name=None)}
    equity = known.set_index("portfolio_id")["margin_equity"]
    state = _state(today, method, as_of)
    groups = today["strategy_groups"]
    groups = groups[groups["portfolio_id"].isin([name for name, value in method.items() if value == "strategy_based"])][GROUP_COLUMNS]
    (before,) = margins_at(state, Fixed(method, {name: today[name] for name in RATES}, threads=threads), groups)
    parameters = announced(PARAMETERS, as_of, until)
    rows: list[dict[str, Any]] = []
    for date, cause in events.items():
        sets = [found for found in parameters if found.effective_date <= date]
        after = _margins_on(state, method, _in_force(today, as_of, date), groups, sets, threads)
        rows += _changed(before, after, method, equity, date, cause)
    return _frame(rows)


def _events(today: Frames, as_of: dt.date, until: dt.date) -> dict[dt.date, str]:
    """What takes effect on each day, by day."""
    found: dict[dt.date, list[str]] = {}
    for table, about in TABLES.items():
        effective = pd.to_datetime(today[table]["effective_date"])
        ahead = today[table][(effective > pd.Timestamp(as_of)) & (effective <= pd.Timestamp(until))]
        for date, rows in ahead.groupby(pd.to_datetime(ahead["effective_date"]), sort=True):
            names = ", ".join(sorted(set(rows[about].astype(str))))
            found.setdefault(pd.Timestamp(str(date)).date(), []).append(f"{table} {names}")
    for version in announced(PARAMETERS, as_of, until):
        found.setdefault(version.effective_date, []).append(f"parameters {version.label}")
    return {date: "; ".join(found[date]) for date in sorted(found)}


def _in_force(today: Frames, as_of: dt.date, date: dt.date) -> dict[str, pd.DataFrame]:
    """Rates as of a later day, dated as if they were in force already."""
    tables = {name: today[name] for name in RATES}
    for table, about in TABLES.items():
        frame = tables[table].reset_index(drop=True)
        effective = pd.to_datetime(frame["effective_date"])
        applies = effective <= pd.Timestamp(date)
        newest = effective.where(applies).groupby(frame[about]).transform("max")
        tables[table] = frame[applies & (effective == newest)].assign(effective_date=pd.Timestamp(as_of))
    return tables


def _margins_on(
    state: State,
    method: Mapping[str, str],
    tables: Frames,
    groups: pd.DataFrame,
    parameters: Sequence[ParameterSet],
    threads: int,
) -> pd.DataFrame:
    fixed = Fixed(method, tables, threads=threads)
    with replaced(parameters) if parameters else nullcontext():
        if parameters and (owners := fixed.governed_by("strategy_based")):
            positions, portfolios = (f[f["portfolio_id"].isin(owners)] for f in (state.positions, state.portfolios))
            market = (state.prices, state.fx_rates, state.as_of, tables["house_margins"])
            groups = strategy_based.group_positions(positions, state.instruments, portfolios, *market, threads=threads).groups
        return margins_at(state, fixed, groups[GROUP_COLUMNS])[0]


def _changed(
    before: pd.DataFrame, after: pd.DataFrame, method: Mapping[str, str], equity: pd.Series, date: dt.date, cause: str
) -> list[dict[str, Any]]:
    rows = []
    for name in before.index:
        old, new = (frame.loc[name, AMOUNTS].to_numpy(np.float64) for frame in (before, after))
        if (np.abs(new - old) <= NEGLIGIBLE * np.maximum(np.abs(old), 1.0)).all():
            continue
        rows.append(
            {
                "portfolio_id": name,
                "effective_date": date,
                "method": method[str(name)],
                "cause": cause,
                "maintenance_before": old[1],
                "maintenance_after": new[1],
                "initial_before": old[0],
                "initial_after": new[0],
                "excess_after": equity[name] - new[1],
                "missing": after["missing"][name],
            }
        )
    return rows


def _state(today: Frames, method: Mapping[str, str], as_of: dt.date) -> State:
    own = {name: today[name][today[name]["portfolio_id"].isin(method)].reset_index(drop=True) for name in ("positions", "portfolios")}
    names = ("prices", "fx_rates", "rates", "dividends", "symbol_risk")
    return State(as_of, own["positions"], today["instruments"], own["portfolios"], *(today[name] for name in names))


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    texts = dict.fromkeys(("portfolio_id", "method", "cause"), "str")
    numbers = dict.fromkeys((name for name in COLUMNS if name.endswith(("_before", "_after"))), "float64")
    frame = frame.astype({**texts, **numbers}).assign(effective_date=pd.to_datetime(frame["effective_date"]))
    return frame.sort_values(["portfolio_id", "effective_date"], kind="stable", ignore_index=True)
