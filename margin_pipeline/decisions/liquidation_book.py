"""What can be closed of a portfolio: whole groups unit by unit, other positions by lots.

Belongs here: blocks that are closed together, their steps, and how a block's trades fall on positions. Not here: what closing does to
margin (`liquidation_model`), what it costs (`trading_cost`), which blocks are closed (`liquidation_program`).

Stock and options in `strategy_groups` are closed by units of their group, all legs together, so that no short leg is left naked. Positions
outside groups are blocks of their own. A block is closed in steps that are whole lots of every leg; the odd rest goes with the last step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
ROUNDING = 1e-9


@dataclass(frozen=True)
class Blocks:
    """J blocks with E entries, one a leg.

    Attributes
    ----------
    group_id : (J,) group of strategy_groups, None for a position of its own.
    group : (J,) row of the portfolio's strategy_groups, -1 for a position of its own.
    units : (J,) units held.
    step, rest : (J,) units that are closed at a time, and what is left after the last whole step; step 0: any part.
    block, symbol : (E,) block of each entry, and number of its symbol.
    quantity : (E,) signed quantity of the leg in one unit.
    rows : of each block the positions that its entries may be taken from: (E,) lists, the first ones first.
    kept : blocks that cannot be closed: what they are and why.
    """

    group_id: list[str | None]
    group: Integers
    units: Floats
    step: Floats
    rest: Floats
    block: Integers
    symbol: Integers
    quantity: Floats
    rows: list[list[int]]
    kept: list[dict[str, str]]

    def __len__(self) -> int:
        return len(self.units)

    @property
    def steps(self) -> Floats:
        """(J,) whole steps that can be closed; NaN where any part can."""
        with np.errstate(divide="ignore", invalid="ignore"):
            whole = np.floor(self.units / self.step + ROUNDING)
        return np.where(self.step > 0, whole, np.nan)


@dataclass
class _Draft:
    """Blocks while they are collected."""

    group_id: list[str | None]
    group: list[int]
    units: list[float]
    step: list[float]
    legs: list[list[tuple[int, float, list[int]]]]
    kept: list[dict[str, str]]

    def add(self, group_id: str | None, group: int, units: float, step: float, legs: list[tuple[int, float, list[int]]]) -> None:
        self.group_id.append(group_id)
        self.group.append(group)
        self.units.append(units)
        self.step.append(step)
        self.legs.append(legs)


def find_blocks(positions: pd.DataFrame, groups: pd.DataFrame, symbols: pd.DataFrame) -> Blocks:
    """Blocks of one portfolio.

    Parameters
    ----------
    positions : its rows of positions, index 0 to n - 1, ordered by strategy and symbol.
    groups : its rows of strategy_groups, index 0 to g - 1; none where the account does not group.
    symbols : m symbols that it holds, with lot and `obstacle`, why a symbol cannot be traded (missing where it can).

    Notes
    -----
    A group trades the net quantity of a series, which is taken from strategies on the side of the net, the largest position first, as a
    trade without a strategy is (`trades`). Other positions are closed where they stand.
    """
    number = {str(symbol): place for place, symbol in enumerate(symbols["symbol"])}
    lot, obstacle = symbols["lot"].to_numpy(np.float64), symbols["obstacle"].to_numpy(object)
    draft = _Draft([], [], [], [], [], [])
    grouped: set[str] = set()
    held = _held(positions)
    for row, (group_id, structure, units, text) in enumerate(
        groups[["group_id", "structure", "units", "legs"]].itertuples(index=False, name=None)
    ):
        legs = [(str(leg["symbol"]), float(leg["quantity"])) for leg in (json.loads(text) if isinstance(text, str) else text)]
        grouped.update(symbol for symbol, _ in legs)
        open_legs = [(number[symbol], quantity / units, held.get((symbol, quantity > 0), [])) for symbol, quantity in legs if quantity != 0]
        lacking = [str(obstacle[m]) for m, _, _ in open_legs if obstacle[m] is not None]
        if lacking:
            draft.kept.append({"group_id": str(group_id), "structure": str(structure), "reason": "; ".join(sorted(set(lacking)))})
        elif open_legs:
            step = unit_step([abs(q) for _, q, _ in open_legs], [float(lot[m]) for m, _, _ in open_legs])
            draft.add(str(group_id), row, float(units), step, open_legs)
    for row, (symbol, quantity) in enumerate(positions[["symbol", "quantity"]].itertuples(index=False, name=None)):
        if symbol in grouped or quantity == 0:
            continue
        m = number[str(symbol)]
        if obstacle[m] is not None:
            draft.kept.append({"symbol": str(symbol), "strategy": str(positions["strategy"][row]), "reason": str(obstacle[m])})
        else:
            draft.add(None, -1, abs(float(quantity)), float(lot[m]), [(m, math.copysign(1.0, quantity), [row])])
    return _finished(draft)


def _held(positions: pd.DataFrame) -> dict[tuple[str, bool], list[int]]:
    """Rows of positions by symbol and side (long), the largest first, then by strategy."""
    found: dict[tuple[str, bool], list[tuple[float, str, int]]] = {}
    for row, (strategy, symbol, quantity) in enumerate(positions[["strategy", "symbol", "quantity"]].itertuples(index=False, name=None)):
        if quantity != 0:
            found.setdefault((str(symbol), quantity > 0), []).append((-abs(quantity), str(strategy), row))
    return {key: [row for _, _, row in sorted(rows)] for key, rows in found.items()}


def unit_step(quantities: Sequence[float], lots: Sequence[float]) -> float:
    """Least number of units whose legs are all whole lots; 0: any part of a unit, where the lots allow it.

    Parameters
    ----------
    quantities : quantity of each leg in one unit, > 0.
    lots : lot of each leg, 0: any quantity.

    Notes
    -----
    A group of several legs is closed in whole units at least. Where its legs are no whole numbers (shares that stand for an index), the
    units themselves are the steps.
    """
    if len(quantities) == 1:
        return lots[0] / quantities[0]
    step = 1
    for quantity, lot in zip(quantities, lots, strict=True):
        if lot <= 0:
            continue
        if any(abs(x - round(x)) > ROUNDING or round(x) == 0 for x in (quantity, lot)):
            return 1.0
        step = math.lcm(step, round(lot) // math.gcd(round(lot), round(quantity)))
    return float(step)


def _finished(draft: _Draft) -> Blocks:
    units, step = np.array(draft.units), np.array(draft.step)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(step > 0, units - np.floor(units / step + ROUNDING) * step, 0.0)
    rest = np.where(rest > ROUNDING * np.maximum(units, 1.0), rest, 0.0)
    entries = [(block, *leg) for block, legs in enumerate(draft.legs) for leg in legs]
    return Blocks(
        draft.group_id,
        np.array(draft.group, dtype=np.int64),
        units,
        step,
        rest,
        np.array([block for block, _, _, _ in entries], dtype=np.int64),
        np.array([m for _, m, _, _ in entries], dtype=np.int64),
        np.array([q for _, _, q, _ in entries], dtype=np.float64),
        [rows for _, _, _, rows in entries],
        draft.kept,
    )


@dataclass(frozen=True)
class Pieces:
    """What closing blocks takes from positions: one piece an entry and position.

    Attributes
    ----------
    row : (p,) position.
    entry : (p,) entry of the blocks.
    quantity : (p,) signed quantity that is traded.
    """

    row: Integers
    entry: Integers
    quantity: Floats


def pieces(blocks: Blocks, closed: Floats, positions: pd.DataFrame) -> Pieces:
    """Trades of positions that close units of blocks.

    Parameters
    ----------
    blocks : blocks.
    closed : (J,) units that are closed.
    positions : as in `find_blocks`.
    """
    left: dict[int, float] = {}
    held = positions["quantity"].to_numpy(np.float64)
    found: list[tuple[int, int, float]] = []
    wanted = np.abs(blocks.quantity) * closed[blocks.block]
    for entry in np.flatnonzero(wanted > 0).tolist():
        rest = float(wanted[entry])
        for row in blocks.rows[entry]:
            here = left.get(row, abs(float(held[row])))
            taken = min(rest, here)
            # What sums of fractions leave is no quantity.
            if here - taken <= ROUNDING * abs(held[row]):
                taken = here
            if taken <= 0:
                continue
            left[row] = here - taken
            found.append((row, entry, -math.copysign(taken, held[row])))
            rest -= taken
            if rest <= ROUNDING * wanted[entry]:
                break
    columns: Any = tuple(zip(*found, strict=True)) if found else ((), (), ())
    return Pieces(np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=np.int64), np.array(columns[2], dtype=np.float64))
