"""Tables of a book before and after a shock of prices.

Belongs here: moving prices, values, exchange rates and equity; names of portfolios after a scenario. Not here: margins, profits.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.parameters.stress import Scenario
from margin_pipeline.risk.stress import ShockedPositions

Array = np.ndarray
SEPARATOR = "\x1f"
"""Stands between a portfolio and the number of a scenario; no name holds it."""


@dataclass(frozen=True)
class MarginInputs:
    """Frames of the tables of these names at the prices of the date; positions ordered by portfolio, strategy and symbol.

    `prices`: at least the closes of the date; `symbols`, `correlation`: risk factors and (m, m) their correlation.
    """

    positions: pd.DataFrame
    instruments: pd.DataFrame
    portfolios: pd.DataFrame
    prices: pd.DataFrame
    fx_rates: pd.DataFrame
    futures_margins: pd.DataFrame
    margin_schedules: pd.DataFrame
    margin_rates: pd.DataFrame
    house_margins: pd.DataFrame
    symbol_risk: pd.DataFrame
    strategy_groups: pd.DataFrame
    rejected_rows: pd.DataFrame
    rates: pd.DataFrame
    dividends: pd.DataFrame
    risk_arrays: pd.DataFrame
    span_parameters: pd.DataFrame
    symbols: tuple[str, ...]
    correlation: Array


@dataclass(frozen=True)
class AfterShock:
    """What a margin method sees after a shock: frames as of the tables of these names, moved.

    Attributes
    ----------
    scenario : the shock; its volatilities are in the prices of options.
    positions : price, fx_rate, market_value and notional after.
    portfolios : equity after profit and liquidity cost.
    prices : closes of the date only.
    fx_rates, rates : moved.
    before : everything else.
    as_of : business date.
    """

    scenario: Scenario
    positions: pd.DataFrame
    portfolios: pd.DataFrame
    prices: pd.DataFrame
    fx_rates: pd.DataFrame
    rates: pd.DataFrame
    before: MarginInputs
    as_of: dt.date


def after_shock(inputs: MarginInputs, shocked: ShockedPositions, scenario: int, equity: pd.Series, as_of: dt.date) -> AfterShock:
    """Frames of the tables after a scenario.

    Parameters
    ----------
    inputs : the tables before, positions in the order of `shocked`.
    shocked : prices, profits and costs.
    scenario : number of the scenario in it.
    equity : equity after by portfolio, base currency; where it is missing that before stands.
    as_of : business date.
    """
    move = shocked.scenarios[scenario]
    relative = 1.0 + shocked.currency_move[:, scenario]
    positions = inputs.positions.assign(
        price=shocked.price[:, scenario],
        fx_rate=inputs.positions["fx_rate"].to_numpy(float) * relative,
        market_value=shocked.market_value(scenario),
        notional=shocked.notional(scenario),
    )
    closes = inputs.prices[pd.to_datetime(inputs.prices["date"]) == pd.Timestamp(as_of)]
    moved = closes["close"].to_numpy(float) * (1.0 + shocked.moves.of(closes["symbol"])[:, scenario])
    rate = inputs.fx_rates["currency"].map(dict(move.currencies)).fillna(0.0).to_numpy(float)
    owners = inputs.portfolios
    own = owners["portfolio_id"].map(equity).astype(float)
    return AfterShock(
        scenario=move,
        positions=positions,
        portfolios=owners.assign(equity=own.where(own.notna(), owners["equity"].astype(float))),
        prices=closes.assign(close=moved),
        fx_rates=inputs.fx_rates.assign(usd_rate=inputs.fx_rates["usd_rate"].astype(float) * (1.0 + rate)),
        rates=inputs.rates.assign(rate=inputs.rates["rate"].astype(float) + move.rate_shift),
        before=inputs,
        as_of=as_of,
    )


def in_scenario(portfolio_id: pd.Series, scenario: int) -> pd.Series:
    """Name of each portfolio after a scenario; missing where there is none."""
    return (portfolio_id.astype("str") + f"{SEPARATOR}{scenario}").astype("str")


def portfolio_and_scenario(names: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Portfolio and number of the scenario of each name of `in_scenario`."""
    parts = names.astype("str").str.rsplit(SEPARATOR, n=1)
    return parts.str[0].astype("str"), parts.str[1].astype(np.int64)
