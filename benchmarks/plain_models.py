"""The rules of the position models as a loop over positions, as one would write them first.

Belongs here: what the arrays of `margin_pipeline.margin.models` are measured against, and must equal. Not here: timing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.margin.models.requirement import Terms
from margin_pipeline.parameters.margin_models import ModelChoice

Position = Mapping[str, Any]
Amounts = tuple[float, float]


@dataclass(frozen=True)
class Rules:
    """Rates in force, and what a loop would look up once: contract margins by root, tiers, the last day without loan value."""

    terms: Terms
    choice: ModelChoice
    contracts: tuple[Mapping[str, float], Mapping[str, float]]
    long_dated_after: pd.Timestamp
    schedules: Mapping[str, list[list[float]]]

    @classmethod
    def of(cls, terms: Terms, choice: ModelChoice) -> Rules:
        """Rules from the terms of a date."""
        schedules = {
            name: [a.tolist() for a in (s.threshold, s.initial_rate, s.initial_amount, s.maintenance_rate, s.maintenance_amount)]
            for name, s in terms.schedules.items()
        }
        contracts = terms.exchange.intraday if terms.intraday else terms.exchange.overnight
        return cls(terms, choice, contracts, pd.Timestamp(terms.options.long_dated_after(terms.as_of)), schedules)


def _stock(p: Position, rules: Rules) -> Amounts:
    rates, size, price = rules.terms.stock, p["quantity"] * p["multiplier"], p["price"]
    factor, dollars, fx_rate = p["leverage_factor"], p["dollars"], p["fx_rate"]
    if size >= 0:
        share, initial = min(rates.long_maintenance * factor, rates.leveraged_cap) * price, rates.initial * price
    else:
        initial = rates.initial_short * price
        if price < rates.low_price * dollars:
            share = max(rates.low_price_rate * price, rates.low_price_floor_per_share * dollars)
        else:
            share = max(min(rates.short_maintenance * factor, rates.leveraged_cap) * price, rates.short_floor_per_share * dollars)
    return abs(size) * max(initial, share) * fx_rate, abs(size) * share * fx_rate


def _day_trading(p: Position, rules: Rules) -> Amounts:
    terms, ordinary = rules.terms, _stock(p, rules)
    if not terms.day_trading.in_force:
        return ordinary
    leverage = terms.day_trading.open_leverage if terms.intraday else terms.day_trading.closed_leverage
    fraction = min(p["leverage_factor"] / leverage, terms.stock.leveraged_cap)
    needed = abs(p["quantity"]) * p["multiplier"] * p["price"] * fraction * p["fx_rate"]
    return (needed, needed) if terms.intraday else (max(needed, ordinary[0]), max(needed, ordinary[1]))


def _option(p: Position, rules: Rules) -> Amounts:
    rates, size = rules.terms.options, abs(p["quantity"]) * p["multiplier"] * p["fx_rate"]
    if p["quantity"] >= 0:
        loan = size * rates.long_dated_rate * p["price"]
        return (loan, loan) if p["expiry"] > rules.long_dated_after else (size * p["price"], 0.0)
    spot, strike, factor, call = p["underlying_close"], p["strike"], p["underlying_leverage"], p["option_type"] == "call"
    rate = rates.broad_rate if p["underlying_breadth"] in rates.broad_breadths else rates.rate
    out_of_the_money = max(strike - spot if call else spot - strike, 0.0)
    least = rates.minimum_rate * factor * (spot if call else strike)
    margin = size * (p["price"] + max(rate * factor * spot - out_of_the_money, least))
    return margin, margin


def _future(p: Position, rules: Rules) -> Amounts:
    initial, maintenance = (rates[p["root"]] for rates in rules.contracts)
    contracts = abs(p["quantity"]) * p["fx_rate"]
    return contracts * initial, contracts * maintenance


def _future_option_fixed(p: Position, rules: Rules) -> Amounts:
    contracts, factor = abs(p["quantity"]) * p["fx_rate"], rules.terms.futures.option_factor
    cap = math.inf if p["quantity"] < 0 else p["price"] * p["multiplier"]
    initial, maintenance = (rates[p["underlying_root"]] for rates in rules.contracts)
    return contracts * min(factor * initial, cap), contracts * min(factor * maintenance, cap)


def _future_option_curve(p: Position, rules: Rules) -> Amounts:
    shape = rules.terms.futures.curves["short" if p["quantity"] < 0 else "long", p["option_type"]]
    centre = shape.price_factor * p["underlying_close"]
    part = shape.requirement_factor / (1.0 + math.exp(-shape.growth * (p["strike"] - centre) / centre))
    initial, maintenance = (rates[p["underlying_root"]] for rates in rules.contracts)
    size = abs(p["quantity"]) * p["fx_rate"] * part
    return size * initial, size * maintenance


def _tiered(p: Position, rules: Rules) -> Amounts:
    thresholds, initial_rates, initial_amounts, maintenance_rates, maintenance_amounts = rules.schedules[p["margin_schedule"]]
    notional, fx_rate = abs(p["instrument_notional"]), p["fx_rate"]
    tier = bisect_right(thresholds, notional) - 1
    initial = initial_rates[tier] * notional - initial_amounts[tier]
    return initial * fx_rate, (maintenance_rates[tier] * notional - maintenance_amounts[tier]) * fx_rate


def _asset_class(p: Position, rules: Rules) -> Amounts:
    rates, name = rules.terms.asset_classes, p["asset_class"]
    initial, maintenance = rates.rates[name]
    years = abs(p["modified_duration"]) if name == "bond" else 0.0
    multiplier = rates.volatility_multipliers.get(name, rates.volatility_multipliers["default"])
    factor = 1.0 + max(p["volatility"] - rates.volatility_threshold, 0.0) * multiplier
    if p["gross_notional_usd"] > rates.concentration_threshold_usd:
        factor += rates.concentration_add_on
    notional = abs(p["instrument_notional"]) * p["fx_rate"]
    of_initial, of_maintenance = initial + rates.duration_initial * years, maintenance + rates.duration_maintenance * years
    return min(of_initial * factor, 1.0) * notional, min(of_maintenance * factor, 1.0) * notional


def _cash(p: Position, rules: Rules) -> Amounts:
    secured = abs(p["quantity"]) * p["strike"] * p["multiplier"] * p["fx_rate"]
    short_put = p["quantity"] < 0 and p["option_type"] == "put"
    return (secured, secured) if short_put else (0.0, 0.0)


def _leverage(p: Position, rules: Rules) -> Amounts:
    margin = abs(p["instrument_notional"]) / p["margin_leverage"] * p["fx_rate"]
    return margin, margin


def _per_unit(p: Position, rules: Rules) -> Amounts:
    margin = abs(p["quantity"]) * p["margin_per_unit"] * p["fx_rate"]
    return margin, margin


MODELS: Mapping[str, Callable[[Position, Rules], Amounts]] = {
    "reg_t": _stock,
    "pattern_day_trading": _day_trading,
    "option_naked": _option,
    "future": _future,
    "future_option_fixed": _future_option_fixed,
    "future_option_curve": _future_option_curve,
    "tiered": _tiered,
    "asset_class_rate": _asset_class,
    "cash_secured": _cash,
    "leverage": _leverage,
    "per_unit": _per_unit,
    "null": lambda p, rules: (0.0, 0.0),
}


NEEDED: Mapping[str, tuple[str, ...]] = {
    "reg_t": ("price", "fx_rate", "dollars"),
    "pattern_day_trading": ("price", "fx_rate", "dollars"),
    "option_naked": ("price", "fx_rate", "underlying_close", "strike", "option_type", "expiry", "underlying"),
    "future": ("root", "fx_rate"),
    "future_option_fixed": ("price", "fx_rate", "underlying_root"),
    "future_option_curve": ("fx_rate", "underlying_root", "underlying_close", "strike", "option_type", "underlying"),
    "tiered": ("price", "fx_rate", "margin_schedule"),
    "asset_class_rate": ("price", "fx_rate", "volatility"),
    "cash_secured": ("fx_rate",),
    "leverage": ("price", "fx_rate", "margin_leverage"),
    "per_unit": ("fx_rate", "margin_per_unit"),
    "null": (),
}
"""Inputs that each model must find."""


def margins(positions: Iterable[Position], instruments: Mapping[str, Position], accounts: Mapping[str, str], rules: Rules) -> list[Amounts]:
    """Initial and maintenance margin of each position; house rates are of stock only.

    Parameters
    ----------
    positions : portfolio_id, symbol, quantity, price, fx_rate.
    instruments : terms by symbol.
    accounts : account type by portfolio.
    rules : rates in force.
    """
    rows, gross = [], dict[tuple[str, str], float]()
    for p in positions:
        row = {**instruments[p["symbol"]], **p, "account_type": accounts[p["portfolio_id"]]}
        row["model"] = _model(row, rules.choice)
        worth = 1.0 if row["contract_type"] == "inverse" else row["price"]
        row["instrument_notional"] = row["quantity"] * row["multiplier"] * worth
        if row["model"] == "asset_class_rate":
            key = (row["portfolio_id"], row["symbol"])
            gross[key] = gross.get(key, 0.0) + abs(row["instrument_notional"]) / row["dollars"]
        rows.append(row)
    found = []
    for row in rows:
        row["gross_notional_usd"] = gross.get((row["portfolio_id"], row["symbol"]), 0.0)
        found.append(_margin(row, rules))
    return found


def _model(p: Position, choice: ModelChoice) -> str:
    account, asset_class = p["account_type"], p["asset_class"]
    if p["margin_model"] is not None:
        return p["margin_model"]
    if p["contract_type"] is not None and account not in choice.accounts_without_contracts:
        return choice.leveraged_contract_model
    if p["margin_schedule"] is not None and asset_class in choice.scheduled_classes.get(account, choice.scheduled_classes["default"]):
        return choice.scheduled_model
    own = choice.by_account_type.get(account, {}).get(asset_class)
    return own if own is not None else choice.by_asset_class[asset_class]


def _margin(p: Position, rules: Rules) -> Amounts:
    for name in NEEDED[p["model"]]:
        if p[name] is None or p[name] != p[name]:
            return math.nan, math.nan
    initial, maintenance = MODELS[p["model"]](p, rules)
    if p["account_type"] != "cash" and (p["house_initial_rate"] > 0 or p["house_maintenance_rate"] > 0):
        notional = abs(p["instrument_notional"]) * p["fx_rate"]
        initial = max(initial, p["house_initial_rate"] * notional)
        maintenance = max(maintenance, p["house_maintenance_rate"] * notional)
    if not (0 <= initial < math.inf and 0 <= maintenance < math.inf):
        return math.nan, math.nan
    return initial, maintenance
