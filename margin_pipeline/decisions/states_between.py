"""The book of a date at steps between it and the date before: what is held, at which marks, how far from expiry.

Belongs here: frames of each step. Not here: what they require (`state_margins`), what the steps are called (`margin_changes`).

All steps stand on the date before: its rules and rates apply, and what belongs to the later date is moved to it. A day that passes is
an expiry that is nearer by as much.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from margin_pipeline.margin.valuation import Closes, value_positions
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.market.option_inputs import option_inputs
from margin_pipeline.market.option_pricing import option_value

Array = np.ndarray
Frames = Mapping[str, pd.DataFrame]
KEY = ["portfolio_id", "strategy", "symbol"]
RECORD = [*KEY, "quantity", "price", "entry_price", "isolated_wallet"]


@dataclass(frozen=True)
class State:
    """Frames of the tables of these names at one step; closes, exchange rates and rates of interest carry the date before.

    `positions` have the quantities of the later date at all steps.
    """

    as_of: dt.date
    positions: pd.DataFrame
    instruments: pd.DataFrame
    portfolios: pd.DataFrame
    prices: pd.DataFrame
    fx_rates: pd.DataFrame
    rates: pd.DataFrame
    dividends: pd.DataFrame
    symbol_risk: pd.DataFrame


@dataclass(frozen=True)
class Steps:
    """The book after each step, in this order.

    Attributes
    ----------
    traded : positions of the later date at the marks of the date before; what had none then is at its later mark.
    priced : and at later closes, exchange rates, rates of interest and yields. Marks of options are the later ones where rules look at
        prices alone, and their values at the implied volatility of the date before where scenarios look at volatility.
    shaken : and at the later implied volatility, as far from expiry as on the date before; at later estimates of volatility.
    aged : and as near to expiry as on the later date, at the later marks.
    """

    traded: State
    priced: State
    shaken: State
    aged: State


def steps(before: Frames, after: Frames, previous: dt.date, as_of: dt.date, by_scenarios: frozenset[str]) -> Steps:
    """The book after each step.

    Parameters
    ----------
    before, after : frames of tables of the two dates, histories resolved up to each; positions as valued.
    previous, as_of : the two dates.
    by_scenarios : portfolios whose margin looks at the implied volatility of options.
    """
    positions = after["positions"].sort_values(KEY, kind="stable", ignore_index=True)
    instruments = _first_known(before["instruments"], after["instruments"], "symbol")
    closes = {"before": _closes(before["prices"], previous), "after": _closes(after["prices"], as_of)}
    dollars = {"before": usd_rates(before["fx_rates"], previous), "after": usd_rates(after["fx_rates"], as_of)}
    old_closes = {**closes["after"], **closes["before"]}
    old = State(
        previous,
        positions,
        instruments,
        _first_known(before["portfolios"], after["portfolios"], "portfolio_id"),
        _dated({"symbol": old_closes.keys(), "close": old_closes.values()}, previous),
        _exchange({**dollars["after"], **dollars["before"]}, previous),
        before["rates"],
        before["dividends"],
        _first_known(before["symbol_risk"], after["symbol_risk"], "symbol"),
    )
    traded = _marked(old, _marks_before(positions, before["positions"], closes["before"]))
    later = replace(
        old,
        prices=_dated({"symbol": closes["after"].keys(), "close": closes["after"].values()}, previous),
        fx_rates=_exchange(dollars["after"], previous),
        rates=_newest_rates(after["rates"], as_of, previous),
        dividends=after["dividends"],
    )
    mark = positions["price"].to_numpy(np.float64)
    days = pd.Timedelta(days=(as_of - previous).days)
    aged = replace(later, instruments=instruments.assign(expiry=instruments["expiry"] - days), symbol_risk=after["symbol_risk"])
    aged = _marked(aged, mark)
    scenarios = positions["portfolio_id"].isin(by_scenarios).to_numpy()
    at_old = _values(_inputs(traded), _inputs(_marked(later, mark)), mark)
    at_new = _values(_inputs(aged), _inputs(_marked(later, mark)), mark)
    priced = _marked(later, np.where(scenarios, at_old, mark))
    shaken = _marked(replace(later, symbol_risk=after["symbol_risk"]), np.where(scenarios, at_new, mark))
    return Steps(traded, priced, shaken, aged)


def _first_known(first: pd.DataFrame, second: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows of the second frame's keys, each as the first frame knows it where it does."""
    known = first[first[key].isin(second[key])]
    new = second[~second[key].isin(first[key])]
    found = known if new.empty else new if known.empty else pd.concat([known, new], ignore_index=True)
    return found.reset_index(drop=True)


def _closes(prices: pd.DataFrame, as_of: dt.date) -> dict[str, float]:
    found = Closes.of(prices, as_of).today
    return dict(zip(found.index.astype(str), found.astype(float), strict=True))


def _dated(columns: Mapping[str, object], date: dt.date) -> pd.DataFrame:
    frame = pd.DataFrame({name: list(values) for name, values in columns.items()})  # type: ignore[call-overload]
    return frame.assign(date=pd.Timestamp(date))


def _exchange(dollars: Mapping[str, float], date: dt.date) -> pd.DataFrame:
    return _dated({"currency": dollars.keys(), "usd_rate": dollars.values()}, date)


def _newest_rates(rates: pd.DataFrame, as_of: dt.date, date: dt.date) -> pd.DataFrame:
    known = rates[pd.to_datetime(rates["date"]) <= pd.Timestamp(as_of)].sort_values("date", kind="stable")
    return known.drop_duplicates("currency", keep="last").assign(date=pd.Timestamp(date)).reset_index(drop=True)


def _marks_before(positions: pd.DataFrame, before: pd.DataFrame, closes: Mapping[str, float]) -> Array:
    """(n,) marks of the date before: of the same position, else of the portfolio's in that symbol, else the close, else the later mark."""
    marked = before[before["price"].notna()]
    own = marked.drop_duplicates(KEY).set_index(KEY)["price"]
    near = marked.sort_values(KEY, kind="stable").drop_duplicates(["portfolio_id", "symbol"]).set_index(["portfolio_id", "symbol"])["price"]
    found = np.full(len(positions), np.nan)
    for values, columns in ((own, KEY), (near, ["portfolio_id", "symbol"])):
        given = values.reindex(pd.MultiIndex.from_frame(positions[columns])).to_numpy(np.float64)
        found = np.where(np.isnan(found), given, found)
    found = np.where(np.isnan(found), positions["symbol"].map(dict(closes)).to_numpy(np.float64), found)
    return np.where(np.isnan(found), positions["price"].to_numpy(np.float64), found)


def _marked(state: State, price: Array) -> State:
    """The state with positions valued at given marks."""
    records = state.positions[RECORD].assign(price=price)
    valued = value_positions(records, state.instruments, state.portfolios, state.prices, state.fx_rates, state.as_of)
    return replace(state, positions=valued)


def _inputs(state: State) -> pd.DataFrame:
    market = (state.instruments, state.prices, state.rates, state.dividends)
    return option_inputs(state.positions, *market, state.as_of)


def _values(volatility: pd.DataFrame, terms: pd.DataFrame, mark: Array) -> Array:
    """(n,) values of options at the volatility of one state and the market of another; marks where either has none, and of the rest."""
    names = ("spot", "strike", "years_to_expiry", "rate", "dividend_yield")
    spot, strike, years, rate, dividend_yield = (terms[name].to_numpy(np.float64) for name in names)
    implied, call, american = volatility["implied_volatility"].to_numpy(np.float64), terms["is_call"], terms["is_american"]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = option_value(spot, strike, years, rate, dividend_yield, implied, call.to_numpy(bool), american.to_numpy(bool))
    return np.where(terms["is_option"].to_numpy(bool) & np.isfinite(found), found, mark)
