"""What trades would do to a portfolio's margin, under every method of its account.

Belongs here: margin before and after trades, and the groups and positions that change. Not here: rules (`margin`), the order of the
stages (`recalculation`), which trades make sense (`trades`).

    from margin_pipeline.decisions.what_if import Setting, what_if

    found = what_if(tables, "OPTIONS_INCOME", [("SP500230120C4150", -4), ("SP500230120C4200", 4)], Setting(as_of, thresholds))
    found.margins       # one row a method: initial, maintenance, margin equity, excess, utilization and status before and after

Nothing is read or written: `tables` are frames by table name, of one date or of the part of it that concerns the portfolio.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.decisions.recalculation import Recalculated, Setting, recalculate
from margin_pipeline.decisions.trades import STRATEGY, Trade, TradeError, added_up, at_the_mark, near, positions_after
from margin_pipeline.margin.methods import COMPUTED, OTC_METHODS
from margin_pipeline.margin.valuation import value_positions

__all__ = ["STRATEGY", "Setting", "Trade", "TradeError", "WhatIf", "what_if"]

AMOUNTS = ("initial_margin", "maintenance_margin")
FIGURES = ("initial_margin", "maintenance_margin", "equity", "margin_equity", "excess", "available_to_open", "utilization")
STATES = ("status", "missing")
GROUP_KEY = ["underlying", "structure", "legs_a_unit"]
UNITS_ROUNDING = 9


@dataclass(frozen=True)
class WhatIf:
    """Margin before and after trades, base currency.

    Attributes
    ----------
    margins : one row a method: is_governing, and for each figure and state of portfolio_margins `<name>_before`, `<name>_after` and, of
        figures, `<name>_change`.
    components : portfolio_margin_components that change, of methods that are determined on both sides: method, component, initial and
        maintenance before, after, change.
    groups : strategy_groups that change: underlying, structure, legs a unit, and units, initial, maintenance before, after, change; a group
        that is not there has no units and needs 0, one that is undetermined has no amounts.
    positions : positions that change: strategy, symbol, price, and quantity, market value, initial, maintenance before, after, change.
    trades : symbol, quantity, price (instrument currency), currency, and cost in base currency: what is paid, negative where the trade
        brings cash, 0 for futures and leveraged contracts at the mark, empty where no exchange rate is known.
    """

    margins: pd.DataFrame
    components: pd.DataFrame
    groups: pd.DataFrame
    positions: pd.DataFrame
    trades: pd.DataFrame


def what_if(
    tables: Mapping[str, pd.DataFrame],
    portfolio_id: str,
    trades: Sequence[tuple[str, float]],
    setting: Setting,
    *,
    strategy: str | None = None,
    fee: float = 0.0,
) -> WhatIf:
    """Margin of a portfolio before and after trades at the mark.

    Parameters
    ----------
    tables : frames by table name (`recalculation.TABLES`): of the date, histories (prices, fx_rates, futures_margins,
        margin_schedules, margin_rates) up to it. They may hold more than the portfolio needs; house_margins may be absent.
    portfolio_id : portfolio.
    trades : symbol and quantity (sales negative); repeated symbols add up.
    setting : date, thresholds, time of day.
    strategy : strategy that trades. None: trades close what strategies hold the other way, and the rest goes to the strategy "what_if".
    fee : what the trades cost besides their price, base currency, >= 0.

    Raises
    ------
    TradeError : unknown portfolio, one without positions of its own (otc), a fee that is none; a symbol that is unknown, expired or without
        mark; a quantity that trades nothing.

    Notes
    -----
    A trade at the mark changes cash and the value of positions by opposite amounts, so equity stays what it is, less the fee. What is
    computed is what a run would publish for these positions: the same functions, in the same order.
    """
    portfolios = tables["portfolios"]
    if not (portfolios["portfolio_id"] == portfolio_id).any():
        raise TradeError(f"there is no portfolio {portfolio_id} on {setting.as_of}{near(portfolio_id, portfolios['portfolio_id'])}")
    own = portfolios[portfolios["portfolio_id"] == portfolio_id].reset_index(drop=True)
    if COMPUTED[str(own["account_type"][0])] == OTC_METHODS:
        raise TradeError(f"{portfolio_id} is an otc account: it holds netting sets of derivatives, no positions that could be traded")
    if not (math.isfinite(fee) and fee >= 0):
        raise TradeError(f"a fee of {fee} is none; write what the trades cost in base currency, at least 0")
    records = tables["position_records"]
    held = records[records["portfolio_id"] == portfolio_id].reset_index(drop=True)
    marked = at_the_mark(added_up(trades), held, tables["instruments"], tables["prices"], setting.as_of, strategy)
    charged = own.assign(equity=own["equity"] - fee)
    before = recalculate(tables, held, own, setting)
    after = recalculate(tables, positions_after(held, portfolio_id, marked, strategy), charged, setting)
    return WhatIf(
        _margins(before, after),
        _components(before, after),
        _groups(before, after),
        _positions(before, after),
        _costs(marked, tables, own, setting),
    )


def _margins(before: Recalculated, after: Recalculated) -> pd.DataFrame:
    key = ["method", "is_governing"]
    columns = [*key, *FIGURES, *STATES]
    both = before.portfolio_margins[columns].merge(
        after.portfolio_margins[columns], on=key, how="outer", suffixes=("_before", "_after"), validate="one_to_one"
    )
    # Sums over books without positions are objects.
    both = both.astype(dict.fromkeys((f"{name}_{side}" for name in FIGURES for side in ("before", "after")), "float64"))
    both = _with_changes(both, FIGURES).sort_values(["is_governing", "method"], ascending=[False, True], ignore_index=True)
    for name in ("missing_before", "missing_after"):
        both[name] = pd.Series([json.loads(text) if isinstance(text, str) else [] for text in both[name]], dtype=object)
    return both[[*key, *_sides(FIGURES), *(f"{name}_{side}" for name in STATES for side in ("before", "after"))]]


def _components(before: Recalculated, after: Recalculated) -> pd.DataFrame:
    both = (before, after)
    unknown = {
        name for found in both for name in found.portfolio_margins.loc[found.portfolio_margins["status"] == "undetermined", "method"]
    }
    frames = [found.portfolio_margin_components for found in both]
    return _compared([frame[~frame["method"].isin(unknown)] for frame in frames], ["method", "component"], AMOUNTS)


def _groups(before: Recalculated, after: Recalculated) -> pd.DataFrame:
    return _compared([_by_structure(found.strategy_groups) for found in (before, after)], GROUP_KEY, ("units", *AMOUNTS))


def _by_structure(strategy_groups: pd.DataFrame) -> pd.DataFrame:
    """Groups added up over equal structures; an amount that any of them lacks is missing."""
    a_unit = [_legs_a_unit(legs, units) for legs, units in zip(strategy_groups["legs"], strategy_groups["units"], strict=True)]
    rows = strategy_groups.assign(legs_a_unit=pd.Series(a_unit, index=strategy_groups.index, dtype="str"))
    return rows.groupby(GROUP_KEY, sort=True)[["units", *AMOUNTS]].sum(skipna=False).reset_index()


def _legs_a_unit(legs: Any, units: float) -> str:
    """Legs of one unit, e.g. "100 MSFT, -1 MSFT230120C260"."""
    parsed = json.loads(legs) if isinstance(legs, str) else legs
    return ", ".join(f"{round(float(leg['quantity']) / units, UNITS_ROUNDING):.15g} {leg['symbol']}" for leg in parsed)


def _positions(before: Recalculated, after: Recalculated) -> pd.DataFrame:
    key = ["strategy", "symbol"]
    frames = [
        found.positions[[*key, "quantity", "market_value"]].merge(
            found.position_margins[[*key, *AMOUNTS]], on=key, how="left", validate="one_to_one"
        )
        for found in (before, after)
    ]
    return _compared(frames, key, ("quantity", "market_value", *AMOUNTS))


def _compared(frames: Sequence[pd.DataFrame], key: list[str], figures: Sequence[str]) -> pd.DataFrame:
    """Rows of two frames side by side, those that differ; what is on one side only counts as 0 on the other."""
    columns = [*key, *figures]
    before, after = (frame[columns] for frame in frames)
    both = before.merge(after, on=key, how="outer", suffixes=("_before", "_after"), validate="one_to_one", indicator="side")
    for side, other in (("before", "right_only"), ("after", "left_only")):
        names = [f"{name}_{side}" for name in figures]
        both.loc[both["side"] == other, names] = 0.0
    both = _with_changes(both, figures)
    same = [
        both[f"{name}_before"].eq(both[f"{name}_after"]) | both[[f"{name}_before", f"{name}_after"]].isna().all(axis=1) for name in figures
    ]
    changed = ~pd.concat(same, axis=1).all(axis=1)
    return both.loc[changed, [*key, *_sides(figures)]].sort_values(key, kind="stable", ignore_index=True)


def _with_changes(both: pd.DataFrame, figures: Sequence[str]) -> pd.DataFrame:
    changes = {f"{name}_change": both[f"{name}_after"] - both[f"{name}_before"] for name in figures}
    return both.assign(**changes)


def _sides(figures: Sequence[str]) -> list[str]:
    return [f"{name}_{side}" for name in figures for side in ("before", "after", "change")]


def _costs(trades: Sequence[Trade], tables: Mapping[str, pd.DataFrame], portfolios: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """What is paid for the trades, as if each were a position of its own."""
    records = pd.DataFrame(
        {
            "portfolio_id": portfolios["portfolio_id"][0],
            "strategy": STRATEGY,
            "symbol": [trade.symbol for trade in trades],
            "quantity": [trade.quantity for trade in trades],
            "price": [trade.price for trade in trades],
            "entry_price": [trade.price for trade in trades],
            "isolated_wallet": math.nan,
        }
    )
    valued = value_positions(records, tables["instruments"], portfolios, tables["prices"], tables["fx_rates"], setting.as_of)
    contract = tables["instruments"].set_index("symbol")["contract_type"].reindex(valued["symbol"]).notna().to_numpy()
    settled = contract | (valued["asset_class"] == "future").to_numpy()
    found = valued.assign(cost=valued["market_value"].where(~settled, 0.0))
    return found[["symbol", "quantity", "price", "currency", "cost"]]
