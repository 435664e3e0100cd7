"""Exposures by SA-CCR trade by trade in plain Python, to time and check the arrays against.

Belongs here: the loop, with its own formulas and numbers. Not here: what missing data and rare kinds of trade need.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[Any, Any]
SINGLE = {"AAA": 0.0038, "AA-": 0.0038, "A": 0.0042, "BBB+": 0.0054, "BB": 0.0106, "B-": 0.016, "CCC": 0.06}
ENERGY = ("crude oil", "natural gas", "electricity")
METALS = ("copper", "gold")


def exposures(sets: Iterable[Row], trades: Iterable[Row], rates: Mapping[str, float], as_of: dt.date) -> dict[str, float]:
    """Exposure at default by netting set, in US dollars."""
    of_set: dict[str, list[Row]] = defaultdict(list)
    for trade in sorted(trades, key=lambda trade: trade["trade_id"]):
        of_set[trade["netting_set_id"]].append(trade)
    return {row["netting_set_id"]: _exposure(row, of_set[row["netting_set_id"]], rates, as_of) for row in sets}


def _exposure(row: Row, trades: list[Row], rates: Mapping[str, float], as_of: dt.date) -> float:
    value = sum(trade["market_value"] * rates[trade["currency"]] for trade in trades)
    collateral = row["net_independent_collateral"]
    if not math.isnan(row["variation_margin"]):
        collateral += row["variation_margin"]
    short = _at_default(max(value - collateral, 0.0), value - collateral, trades, None, rates, as_of)
    if not row["margined"]:
        return short
    uncalled = row["threshold"] + row["minimum_transfer_amount"] - row["net_independent_collateral"]
    factor = 1.5 * math.sqrt((5 if row["is_cleared"] else 10) / 250)
    cost = max(value - collateral, uncalled, 0.0)
    return min(short, _at_default(cost, value - collateral, trades, factor, rates, as_of))


def _at_default(
    cost: float, uncovered: float, trades: list[Row], factor: float | None, rates: Mapping[str, float], as_of: dt.date
) -> float:
    add_on = _add_on(trades, factor, rates, as_of)
    share = min(1.0, 0.05 + 0.95 * math.exp(min(uncovered, 0.0) / (1.9 * add_on)))
    return 1.4 * (cost + share * add_on)


def _add_on(trades: list[Row], factor: float | None, rates: Mapping[str, float], as_of: dt.date) -> float:
    parts: dict[tuple[str, str], dict[Any, list[float]]] = defaultdict(dict)
    for trade in trades:
        place, part, supervisory, correlation, notional = _trade(trade, factor, rates, as_of)
        cell = parts[place].setdefault(part, [0.0, supervisory, correlation])
        cell[0] += notional
    total = 0.0
    for (asset_class, _), cells in parts.items():
        if asset_class == "interest_rate":
            one, two, three = (cells.get(bucket, [0.0])[0] for bucket in (0, 1, 2))
            total += 0.005 * math.sqrt(one**2 + two**2 + three**2 + 1.4 * one * two + 1.4 * two * three + 0.6 * one * three)
        else:
            add_ons = [(notional * supervisory, rho) for notional, supervisory, rho in cells.values()]
            systematic = sum(rho * amount for amount, rho in add_ons)
            total += math.sqrt(systematic**2 + sum((1 - rho**2) * amount**2 for amount, rho in add_ons))
    return total


def _trade(
    trade: Row, factor: float | None, rates: Mapping[str, float], as_of: dt.date
) -> tuple[tuple[str, str], Any, float, float, float]:
    """Hedging set, part, supervisory factor, correlation and effective notional."""
    asset_class, is_option = trade["asset_class"], trade["instrument_type"] == "option"
    amount, maturity = trade["notional"] * rates[trade["currency"]], max(_years(trade["maturity"], as_of), 0.04)
    place, part, supervisory, rho, volatility = (asset_class, ""), "", 0.04, 1.0, 0.15
    if asset_class in ("interest_rate", "credit"):
        start = _years(trade["underlying_start"], as_of) if is_option else 0.0
        end = _years(trade["maturity"], as_of)
        amount *= max((math.exp(-0.05 * start) - math.exp(-0.05 * end)) / 0.05, 0.04)
    if asset_class == "interest_rate":
        place, part, supervisory, volatility = (asset_class, trade["currency"]), 0 if end < 1 else 1 if end <= 5 else 2, 0.005, 0.5
    elif asset_class == "fx":
        place = (asset_class, "/".join(sorted((trade["currency"], trade["second_currency"]))))
    elif asset_class == "credit":
        part, supervisory, rho, volatility = trade["reference"], SINGLE[trade["sub_class"]], 0.5, 1.0
    elif asset_class == "equity":
        part, supervisory, rho, volatility = trade["reference"], 0.32, 0.5, 1.2
    else:
        part, rho = trade["sub_class"], 0.4
        place = (asset_class, "energy" if part in ENERGY else "metals" if part in METALS else "agricultural")
        supervisory, volatility = (0.4, 1.5) if part == "electricity" else (0.18, 0.7)
    delta = _delta(trade, volatility, as_of) if is_option else 1.0 if trade["direction"] == "long" else -1.0
    if asset_class == "fx" and trade["second_currency"] < trade["currency"]:
        delta = -delta
    scale = math.sqrt(min(maturity, 1.0)) if factor is None else factor
    return place, part, supervisory, rho, amount * delta * scale


def _delta(trade: Row, volatility: float, as_of: dt.date) -> float:
    years = max(_years(trade["exercise_date"], as_of), 0.004)
    d = (math.log(trade["underlying_price"] / trade["strike"]) + 0.5 * volatility**2 * years) / (volatility * math.sqrt(years))
    sign = 1.0 if trade["option_type"] == "call" else -1.0
    side = 1.0 if trade["option_position"] == "bought" else -1.0
    return side * sign * 0.5 * math.erfc(-sign * d / math.sqrt(2))


def _years(day: Any, as_of: dt.date) -> float:
    """Whole months and part of a month, over twelve."""
    date = day.date()
    months = (date.year - as_of.year) * 12 + date.month - as_of.month
    if _later(as_of, months) > date:
        months -= 1
    begun, done = _later(as_of, months), _later(as_of, months + 1)
    return max((months + (date - begun) / (done - begun)) / 12, 0.0)


def _later(as_of: dt.date, months: int) -> dt.date:
    year, month = divmod(as_of.year * 12 + as_of.month - 1 + months, 12)
    return dt.date(year, month + 1, min(as_of.day, calendar.monthrange(year, month + 1)[1]))
