"""What closing positions costs: half the spread, and market impact in linear slices.

Belongs here: terms of trading a symbol and the cost curve. Not here: which positions are closed, parameter values (`parameters`).

The cost of trading a quantity q of a symbol with average daily volume v is, as a fraction of the value traded, spread / 2 +
impact x sqrt(q / v). Impact costs in money, which grow with q^1.5, are replaced by chords between knots of participation: they lie above
the curve, so that costs are never understated, and a program stays linear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.parameters.liquidation import DEFAULT, LiquidationRules

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
BASIS_POINT = 1e-4
FILE = "liquidity"


def added(number: Integers, values: Floats, count: int) -> Floats:
    """(count,) sums of values by number; 0 where there is none, also of nothing at all."""
    return np.bincount(number, values, minlength=count).astype(np.float64)


@dataclass(frozen=True)
class CostCurve:
    """Cost of trading m symbols, in k slices that are filled in their order.

    Attributes
    ----------
    symbol : (k,) number of the symbol of each slice, ascending.
    width : (k,) quantity of each slice; the last one of a symbol has no end.
    slope : (k,) base currency a unit, ascending within a symbol.
    spread : (m,) base currency a unit, the part of each slope that is not impact.
    """

    symbol: Integers
    width: Floats
    slope: Floats
    spread: Floats

    def costs(self, quantity: Floats) -> tuple[Floats, Floats]:
        """(m,) cost of spread and of impact of trading (m,) quantities >= 0, base currency."""
        start = np.zeros(len(self.width))
        same = self.symbol[1:] == self.symbol[:-1]
        for place in range(1, len(start)):
            start[place] = start[place - 1] + self.width[place - 1] if same[place - 1] else 0.0
        filled = np.clip(quantity[self.symbol] - start, 0.0, self.width)
        total = added(self.symbol, filled * self.slope, len(quantity))
        spread = self.spread * quantity
        return spread, np.maximum(total - spread, 0.0)


def trading_terms(
    symbols: pd.Series, asset_class: pd.Series, liquidity: pd.DataFrame, rejected_rows: pd.DataFrame, rules: LiquidationRules
) -> pd.DataFrame:
    """Terms of trading each symbol.

    Parameters
    ----------
    symbols, asset_class : (m,) symbols, each once, and their asset classes.
    liquidity, rejected_rows : frames of those tables.
    rules : defaults.

    Returns
    -------
    Frame of m rows: spread (fraction of value, the whole spread), impact (fraction of value for a day's volume), volume (quantity a day;
    NaN: not known; 0: it does not trade), lot, and basis: where they come from, in words.
    """
    given = liquidity.set_index("symbol").reindex(pd.Index(symbols))
    lost = _rejected(rejected_rows)
    found: dict[str, Any] = {}
    own: dict[str, npt.NDArray[np.bool_]] = {}
    for name, column, table in (("spread", "spread_bps", rules.spread_bps), ("lot", "lot_size", rules.lot_size)):
        value = given[column].to_numpy(np.float64)
        own[name] = ~np.isnan(value)
        found[name] = np.where(own[name], value, _by_class(asset_class, table))
    volume = given["average_daily_volume"].to_numpy(np.float64)
    found["spread"] = found["spread"] * BASIS_POINT
    found["impact"] = _by_class(asset_class, rules.impact)
    own["volume"] = ~np.isnan(volume)
    basis = []
    for place, symbol in enumerate(symbols):
        absent = [name for name in ("spread", "volume", "lot") if not own[name][place]]
        text = f"{', '.join(absent)} by default of {rules.version.label}" if absent else "liquidity of the date"
        if str(symbol) in lost:
            text += f"; {lost[str(symbol)]}"
        basis.append(text)
    return pd.DataFrame({"symbol": list(symbols), **found, "volume": volume, "basis": basis})


def cost_curve(terms: pd.DataFrame, unit_value: Floats, quantity: Floats, rules: LiquidationRules) -> CostCurve:
    """Cost of trading up to a quantity of each symbol.

    Parameters
    ----------
    terms : m rows of `trading_terms`.
    unit_value : (m,) value of one unit at the mark, base currency, >= 0.
    quantity : (m,) most that may be traded, >= 0.
    rules : knots of participation.
    """
    volume, impact = terms["volume"].to_numpy(np.float64), terms["impact"].to_numpy(np.float64)
    spread = unit_value * terms["spread"].to_numpy(np.float64) / 2.0
    symbol: list[int] = []
    width: list[float] = []
    slope: list[float] = []
    for m in range(len(terms)):
        if not volume[m] > 0:
            ends, slopes = [np.inf], [impact[m] * np.sqrt(rules.participation_without_volume)]
        else:
            ends, slopes = _chords(volume[m], quantity[m], impact[m], rules.participation_knots)
        symbol += [m] * len(ends)
        width += np.diff([0.0, *ends]).tolist()
        slope += [float(spread[m] + unit_value[m] * s) for s in slopes]
    return CostCurve(np.array(symbol, dtype=np.int64), np.array(width), np.array(slope), spread)


def _chords(volume: float, quantity: float, impact: float, knots: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """Ends of the slices of one symbol and the impact a unit of value in each; the last slice has no end."""
    inner = [k * volume for k in knots if k * volume < quantity]
    last = max(quantity, knots[0] * volume)
    points = np.array([0.0, *inner, last])
    cost = impact * points**1.5 / np.sqrt(volume)
    slopes = np.diff(cost) / np.diff(points)
    return [*inner, np.inf], slopes.tolist()


def _by_class(asset_class: pd.Series, table: Mapping[str, float]) -> Floats:
    return np.asarray(asset_class.map(dict(table)).fillna(table[DEFAULT]), dtype=np.float64)


def _rejected(rejected_rows: pd.DataFrame) -> dict[str, str]:
    """What was rejected of the file of liquidity, by symbol, in words."""
    found: dict[str, str] = {}
    rows = rejected_rows[rejected_rows["source"].astype(str).str.split(".").str[0] == FILE]
    for source, number, raw in rows[["source", "row_number", "raw"]].itertuples(index=False, name=None):
        cells = json.loads(raw) if isinstance(raw, str) else raw
        name = str(cells.get("symbol") or "").strip() if isinstance(cells, Mapping) else ""
        found[name] = f"{source} row {number} was rejected"
    return found
