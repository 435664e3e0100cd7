"""From losses of positions to requirements of class groups and product groups.

Belongs here: netting, offsets, minimums and who carries them. Not here: how losses come about (`losses`), tables of portfolios.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.margin.explain import json_objects
from margin_pipeline.margin.scenario.losses import KEY, PositionLosses
from margin_pipeline.parameters.portfolio_margin import PortfolioMarginRules

Floats = npt.NDArray[Any]
Integers = npt.NDArray[Any]

CLASS_COLUMNS = [
    "portfolio_id", "class_group", "product_group", "move_down", "move_up", "greatest_loss", "worst_scenario", "contracts",
    "contract_minimum", "maintenance_margin", "price_moves", "losses", "missing", "explanation",
]  # fmt: skip
GROUP_COLUMNS = [
    "portfolio_id", "product_group", "gain_offset", "greatest_loss", "worst_scenario", "contract_minimum", "minimum_binds",
    "class_margin", "maintenance_margin", "missing",
]  # fmt: skip
POSITION_COLUMNS = [*KEY, "class_group", "product_group", "loss", "maintenance_margin"]


@dataclass(frozen=True)
class Requirements:
    """Requirements, base currency, amounts empty where something is missing.

    Attributes
    ----------
    classes : one row a portfolio and class group, `CLASS_COLUMNS`: what it needs on its own, and its losses at all points.
    groups : one row a portfolio and product group, `GROUP_COLUMNS`: what counts.
    positions : one row a position, `POSITION_COLUMNS`: its loss at the point that decides, and its part of the requirement.
    """

    classes: pd.DataFrame
    groups: pd.DataFrame
    positions: pd.DataFrame


def requirements(found: PositionLosses, rules: PortfolioMarginRules) -> Requirements:
    """Requirements of every portfolio's class groups and product groups.

    Notes
    -----
    With l(c, x) the loss of class group c at point x, p the offset of the product group and m(c) the sum of minimums, the requirement of a
    product group is max(max over x of Σ_c [max(l, 0) − p·max(−l, 0)], Σ_c m(c)). The bracket is convex and grows in proportion to the
    book, so merging two books never needs more than both. Minimums are of net contracts; that of a long is never above its value. At the
    deciding point a position carries its loss, times p where its class group gains; where the minimum decides, its part of the minimum.
    """
    rows = found.positions
    class_of, classes = _numbered(rows, ["portfolio_id", "class_group"])
    group_of_class, groups = _numbered(
        classes.assign(product_group=_first(rows["product_group"], class_of)), ["portfolio_id", "product_group"]
    )
    class_loss = _sums(found.losses, class_of, len(classes))
    minimum_of_position = _minimums(rows)
    class_minimum = _sums(minimum_of_position[:, None], class_of, len(classes))[:, 0]
    gain_offset = groups["product_group"].map(dict(rules.product_groups)).fillna(0.0).to_numpy(np.float64)
    weight_of_gain = gain_offset[group_of_class][:, None]
    counted = np.maximum(class_loss, 0.0) - weight_of_gain * np.maximum(-class_loss, 0.0)
    group_loss = _sums(counted, group_of_class, len(groups))
    missing = _missing(found.missing, class_of, len(classes))
    group_missing = _missing(missing, group_of_class, len(groups))
    class_table = _class_table(found, rows, classes, class_of, class_loss, class_minimum, missing, rules)
    group_minimum = _sums(class_minimum[:, None], group_of_class, len(groups))[:, 0]
    worst = _worst(group_loss)
    greatest = np.take_along_axis(group_loss, worst[:, None], axis=1)[:, 0] if len(groups) else np.zeros(0)
    required = np.maximum(np.maximum(greatest, group_minimum), 0.0)
    unknown = pd.notna(group_missing)
    binds = (group_minimum > greatest) & ~unknown
    group_table = groups.assign(
        gain_offset=gain_offset,
        greatest_loss=np.where(unknown, np.nan, greatest),
        worst_scenario=pd.array(np.where(unknown, -1, worst + 1), dtype="Int64"),
        contract_minimum=np.where(unknown, np.nan, group_minimum),
        minimum_binds=binds,
        class_margin=_sums(class_table["maintenance_margin"].to_numpy(np.float64)[:, None], group_of_class, len(groups))[:, 0],
        maintenance_margin=np.where(unknown, np.nan, required),
        missing=pd.Series(group_missing, dtype=object),
    )
    group_table["worst_scenario"] = group_table["worst_scenario"].mask(unknown)
    shares = _shares(found, class_of, group_of_class, class_loss, weight_of_gain[:, 0], worst, binds, minimum_of_position, required)
    position_table = rows[[*KEY, "class_group", "product_group"]].assign(
        loss=np.take_along_axis(found.losses, worst[group_of_class[class_of]][:, None], axis=1)[:, 0] if len(rows) else np.zeros(0),
        maintenance_margin=np.where(unknown[group_of_class[class_of]], np.nan, shares),
    )
    return Requirements(class_table, group_table[GROUP_COLUMNS], position_table[POSITION_COLUMNS])


def _numbered(frame: pd.DataFrame, key: list[str]) -> tuple[Integers, pd.DataFrame]:
    """Number of each row's key, and the keys in order."""
    grouped = frame.groupby(key, sort=True)
    keys = grouped.size().reset_index()[key].astype("str")
    return grouped.ngroup().to_numpy(dtype=np.int64), keys


def _first(values: pd.Series, number: Integers) -> npt.NDArray[np.object_]:
    found = np.empty(int(number.max(initial=-1)) + 1, dtype=object)
    found[number[::-1]] = values.to_numpy(object)[::-1]
    return found


def _sums(values: Floats, number: Integers, count: int) -> Floats:
    """(count, k) sums of rows by number, always in the order of the rows."""
    sums = np.zeros((count, values.shape[1]))
    for column in range(values.shape[1]):
        sums[:, column] = np.bincount(number, values[:, column], minlength=count)
    return sums


def _worst(losses: Floats) -> Integers:
    """Point of the greatest loss; of equal ones the first."""
    return np.nan_to_num(losses, nan=-np.inf).argmax(axis=1) if len(losses) else np.zeros(0, dtype=np.int64)


def _minimums(rows: pd.DataFrame) -> Floats:
    """Minimum of each position: its part of what the net contracts of its series need."""
    sized = pd.DataFrame(
        {
            "portfolio_id": rows["portfolio_id"],
            "symbol": rows["symbol"],
            "net": rows["quantity"],
            "gross": rows["quantity"].abs(),
            "value": rows["value"],
        }
    )
    total = sized.groupby(["portfolio_id", "symbol"], sort=False)[["net", "gross", "value"]].transform("sum")
    net, gross = total["net"].to_numpy(np.float64), total["gross"].to_numpy(np.float64)
    net = np.where(np.abs(net) <= 1e-9 * gross, 0.0, net)
    needed = np.abs(net) * rows["minimum_a_contract"].to_numpy(np.float64)
    capped = np.where(net > 0, np.minimum(needed, np.maximum(total["value"].to_numpy(np.float64), 0.0)), needed)
    part = np.divide(np.abs(rows["quantity"].to_numpy(np.float64)), gross, out=np.zeros(len(rows)), where=gross > 0)
    return np.where(rows["is_option"].to_numpy(dtype=bool), capped * part, 0.0)


def _missing(reasons: npt.NDArray[np.object_], number: Integers, count: int) -> npt.NDArray[np.object_]:
    """Reasons of each number joined, each once, ordered; None where there is none."""
    found = np.full(count, None, dtype=object)
    for row in np.flatnonzero(pd.notna(reasons)):
        known = set(str(found[number[row]]).split("; ")) if found[number[row]] is not None else set()
        found[number[row]] = "; ".join(sorted(known | set(str(reasons[row]).split("; "))))
    return found


def _class_table(
    found: PositionLosses,
    rows: pd.DataFrame,
    classes: pd.DataFrame,
    class_of: Integers,
    class_loss: Floats,
    class_minimum: Floats,
    missing: npt.NDArray[np.object_],
    rules: PortfolioMarginRules,
) -> pd.DataFrame:
    count = len(classes)
    unknown = pd.notna(missing)
    worst = _worst(class_loss)
    greatest = np.take_along_axis(class_loss, worst[:, None], axis=1)[:, 0] if count else np.zeros(0)
    moves = np.zeros((count, found.moves.shape[1]))
    moves[class_of] = found.moves
    contracts = np.bincount(class_of, np.where(rows["is_option"], rows["quantity"].abs(), 0.0), minlength=count)
    required = np.maximum(np.maximum(greatest, class_minimum), 0.0)
    table = classes.assign(
        product_group=_first(rows["product_group"], class_of),
        move_down=moves[:, 0] if count else np.zeros(0),
        move_up=moves[:, -1] if count else np.zeros(0),
        greatest_loss=np.where(unknown, np.nan, greatest),
        worst_scenario=pd.Series(pd.array(worst + 1, dtype="Int64")).mask(unknown),
        contracts=contracts,
        contract_minimum=np.where(unknown, np.nan, class_minimum),
        maintenance_margin=np.where(unknown, np.nan, required),
        price_moves=pd.Series(list(moves), dtype=object),
        losses=pd.Series([None if gap else row for row, gap in zip(class_loss, unknown, strict=True)], dtype=object),
        missing=pd.Series(missing, dtype=object),
    )
    table["explanation"] = json_objects(
        count,
        {
            "rule": f"{rules.reference}: greatest loss over {len(rules.steps)} points, or {rules.minimum_a_unit:g} a unit of contracts",
            "parameters": rules.label,
            "worst_move": np.where(unknown, np.nan, moves[np.arange(count), worst] if count else np.zeros(0)),
            "greatest_loss": table["greatest_loss"].to_numpy(np.float64),
            "contract_minimum": table["contract_minimum"].to_numpy(np.float64),
            "minimum_binds": (class_minimum > greatest) & ~unknown,
            "house_rate": _widest(rows["house_rate"], class_of, count),
        },
    ).to_numpy(object)
    return table[CLASS_COLUMNS]


def _widest(values: pd.Series, number: Integers, count: int) -> Floats:
    found = np.zeros(count)
    np.maximum.at(found, number, values.to_numpy(np.float64))
    return np.where(found > 0, found, np.nan)


def _shares(
    found: PositionLosses,
    class_of: Integers,
    group_of_class: Integers,
    class_loss: Floats,
    weight_of_gain: Floats,
    worst: Integers,
    binds: npt.NDArray[np.bool_],
    minimum: Floats,
    required: Floats,
) -> Floats:
    """Part of each position in the requirement of its product group; they add up to it."""
    if not len(class_of):
        return np.zeros(0)
    point = worst[group_of_class]
    at_worst = np.take_along_axis(class_loss, point[:, None], axis=1)[:, 0]
    weight = np.where(at_worst >= 0, 1.0, weight_of_gain)[class_of]
    group = group_of_class[class_of]
    own = np.take_along_axis(found.losses, worst[group][:, None], axis=1)[:, 0]
    return np.where(binds[group], minimum, np.where(required[group] > 0, weight * own, 0.0))
