"""Profit of every position in every stress scenario, options valued in full, and what leaving the position costs then.

Belongs here: prices and values after a shock. Not here: the moves (`stress_moves`), margin after it (`decisions`).

An instrument in currency C of a portfolio in base currency B earns, in B, (value after − value before) at the exchange rate after, plus
the change of the exchange rate on the value held, as in `revaluation`. Options are valued at the spot, implied volatility and rate after
the shock; time does not pass. Bonds move by duration, inverse contracts linearly in their quote currency.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.market.option_scenarios import OptionTerms, scenario_values
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.parameters.stress import Scenario
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.stress_moves import PriceMoves, currency_moves, price_moves, volatility_moves

Floats = npt.NDArray[Any]
KEY = ["portfolio_id", "strategy", "symbol"]


@dataclass(frozen=True)
class ShockedPositions:
    """n positions, ordered by portfolio, strategy and symbol, in k scenarios.

    Attributes
    ----------
    positions : frame of the table, in this order, quantities of 0 included.
    moves : price moves of all symbols.
    scenarios : the k scenarios.
    price : (n, k) mark after, instrument currency.
    spot_move : (n, k) relative move of what an option is on; of other instruments of their own price.
    currency_move : (n, k) relative move of base currency for one unit of instrument currency.
    pnl : (n, k) base currency; NaN where it is not known.
    liquidity_cost : (n, k) base currency, >= 0.
    missing : (n, k) why there is no profit; None where there is one.
    """

    positions: pd.DataFrame
    moves: PriceMoves
    scenarios: tuple[Scenario, ...]
    price: Floats
    spot_move: Floats
    currency_move: Floats
    pnl: Floats
    liquidity_cost: Floats
    missing: Floats

    def market_value(self, scenario: int) -> Floats:
        """(n,) market value after, base currency: value before and profit."""
        return self.positions["market_value"].to_numpy(float) + self.pnl[:, scenario]

    def notional(self, scenario: int) -> Floats:
        """(n,) notional after, base currency: of inverse contracts it moves with the currency only."""
        moved = np.where(self._inverse(), 0.0, self.spot_move[:, scenario])
        return self.positions["notional"].to_numpy(float) * (1 + moved) * (1 + self.currency_move[:, scenario])

    def _inverse(self) -> Floats:
        return self.positions["contract_type"].eq("inverse").fillna(False).to_numpy(bool)


def shocked_positions(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    scenarios: Sequence[Scenario],
    benchmark: str,
    as_of: dt.date,
    *,
    threads: int = 1,
) -> ShockedPositions:
    """Price, profit and cost of leaving of every position in every scenario.

    Parameters
    ----------
    positions, instruments, portfolios, prices, rates, dividends, symbol_risk : frames of the tables of these names, histories resolved up
        to the date; prices reach as far back as episodes are to be replayed.
    scenarios : k scenarios.
    benchmark : symbol that beta is against.
    as_of : business date.
    threads : chunks of option values at once; the result does not depend on it.
    """
    ordered = positions.sort_values(KEY, kind="stable", ignore_index=True)
    terms = instruments.drop_duplicates("symbol").set_index("symbol")
    ordered = ordered.assign(contract_type=terms["contract_type"].reindex(ordered["symbol"]).to_numpy(object))
    held = np.flatnonzero(ordered["quantity"].to_numpy(float) != 0)
    exposed = risk_positions(ordered, instruments, portfolios, prices, rates, dividends, as_of)
    moves = price_moves(instruments, symbol_risk, prices, scenarios, benchmark, risk_settings(as_of).min_observations, as_of)
    spot_move = moves.of(ordered["symbol"])
    currency = _currency_change(ordered, portfolios, scenarios)
    on_future = (terms["asset_class"].reindex(exposed["symbol"]) == "future_option").to_numpy()
    change = np.zeros(spot_move.shape)
    change[held] = _price_changes(exposed, spot_move[held], on_future, scenarios, threads)
    price = ordered["price"].to_numpy(float)[:, None]
    option = np.zeros(len(ordered), dtype=bool)
    option[held] = exposed["is_option"].to_numpy(bool)
    after = np.where(option[:, None], np.maximum(price + change, 0.0), price * (1 + spot_move))
    result = np.zeros(spot_move.shape)
    linear = exposed["delta_exposure"].to_numpy(float)[:, None] * spot_move[held]
    sized = exposed["unit_value"].to_numpy(float)[:, None] * change[held]
    relative = currency[held]
    result[held] = np.where(option[held][:, None], sized, linear) * (1 + relative)
    result[held] += exposed["currency_exposure"].to_numpy(float)[:, None] * relative
    missing = np.full(spot_move.shape, None, dtype=object)
    missing[held] = _missing(exposed, moves, result[held])
    result = np.where(missing != None, np.nan, result)  # noqa: E711 - compared element by element
    found = ShockedPositions(ordered, moves, tuple(scenarios), after, spot_move, currency, result, np.zeros(result.shape), missing)
    return replace(found, liquidity_cost=_liquidity_costs(found))


def _currency_change(ordered: pd.DataFrame, portfolios: pd.DataFrame, scenarios: Sequence[Scenario]) -> Floats:
    base = ordered["portfolio_id"].map(portfolios.set_index("portfolio_id")["base_currency"])
    first, second = currency_moves(ordered["currency"], scenarios), currency_moves(base, scenarios)
    return np.where((ordered["currency"] == base).to_numpy()[:, None], 0.0, (1 + first) / (1 + second) - 1)


def _price_changes(
    exposed: pd.DataFrame, spot_move: Floats, on_future: npt.NDArray[np.bool_], scenarios: Sequence[Scenario], threads: int
) -> Floats:
    """(h, k) change of the price of each held option, instrument currency per unit of multiplier; 0 for other instruments."""
    change = np.zeros(spot_move.shape)
    series = exposed[exposed["is_option"]].drop_duplicates("option_series")
    if series.empty:
        return change
    first = series.index.to_numpy()
    numbers = ("spot", "strike", "years_to_expiry", "rate", "dividend_yield", "implied_volatility")
    spot, strike, years, rate, dividend_yield, volatility = (series[name].to_numpy(float) for name in numbers)
    kinds = (series["is_call"].to_numpy(bool), series["is_american"].to_numpy(bool))
    inputs = OptionTerms(spot, strike, years, rate, dividend_yield, volatility, *kinds)
    shifts = volatility_moves(inputs.volatility, inputs.years, scenarios)
    before = scenario_values(inputs, np.zeros(1), threads=threads)
    values = np.empty((len(series), len(scenarios)))
    rate_shifts = np.array([s.rate_shift for s in scenarios])
    for shift in np.unique(rate_shifts):
        columns = np.flatnonzero(rate_shifts == shift)
        carry = np.where(on_future[first], shift, 0.0)
        shifted = replace(inputs, rate=inputs.rate + shift, dividend_yield=inputs.dividend_yield + carry)
        moves = np.ascontiguousarray(spot_move[first][:, columns])
        values[:, columns] = scenario_values(shifted, moves, np.ascontiguousarray(shifts[:, columns]), threads=threads)
    place = pd.Index(series["option_series"]).get_indexer(pd.Index(exposed["option_series"]))
    option = exposed["is_option"].to_numpy(bool)
    change[option] = (values - before)[place[option]]
    return change


def _missing(exposed: pd.DataFrame, moves: PriceMoves, result: Floats) -> Floats:
    """(h, k) first thing that a position lacks for its profit."""
    missing = np.full(result.shape, None, dtype=object)
    unmoved = np.isnan(result)
    rows = np.flatnonzero(unmoved.any(axis=1))
    for row, reason in zip(rows, moves.reasons(exposed["symbol"].iloc[rows]), strict=True):
        missing[row, unmoved[row]] = reason
    lacks = exposed["missing"].notna().to_numpy()
    missing[lacks] = exposed.loc[lacks, "missing"].to_numpy(object)[:, None]
    return missing


def _liquidity_costs(found: ShockedPositions) -> Floats:
    """(n, k) cost of leaving each position at what it is worth after the shock."""
    positions = found.positions
    cost = np.zeros(found.pnl.shape)
    on_notional = positions["asset_class"].eq("future").to_numpy() | positions["contract_type"].notna().to_numpy()
    for column, scenario in enumerate(found.scenarios):
        if not scenario.liquidity:
            continue
        rate = positions["asset_class"].map(dict(scenario.liquidity)).fillna(scenario.liquidity.get("default", 0.0)).to_numpy(float)
        size = np.where(on_notional, found.notional(column), found.market_value(column))
        cost[:, column] = np.where(rate > 0, rate * np.abs(size), 0.0)
    return cost
