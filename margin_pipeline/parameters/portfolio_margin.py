"""Rules of risk-based margin in force on a date, as a frozen record.

Belongs here: reading and checking portfolio_margin.yaml. Not here: computing a requirement (`margin.scenario`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin_pipeline.parameters.reader import ParameterError, in_force

OTHERWISE = "equity"
"""Range of what has no breadth."""


@dataclass(frozen=True)
class PortfolioMarginRules:
    """Rules of risk-based margin; meanings stand in portfolio_margin.yaml.

    Attributes
    ----------
    label : file and version.
    points_a_side : valuation points on each side of the price.
    ranges : by breadth, greatest relative move down (negative) and up (positive).
    minimum_a_unit : dollars for each unit of an option contract's multiplier.
    product_groups : by product group, part of gains that offsets losses of other class groups, in [0, 1].
    minimum_equity_usd, minimum_equity_reference : least equity of an eligible account, US dollars, and its rule.
    account_types : accounts that have the method.
    asset_classes : asset classes that it margins.
    reference : rule.
    """

    label: str
    points_a_side: int
    ranges: Mapping[str, tuple[float, float]]
    minimum_a_unit: float
    product_groups: Mapping[str, float]
    minimum_equity_usd: float
    minimum_equity_reference: str
    account_types: tuple[str, ...]
    asset_classes: tuple[str, ...]
    reference: str

    def __post_init__(self) -> None:
        """Refuse rules that no requirement can follow from."""
        if self.points_a_side < 1 or OTHERWISE not in self.ranges:
            raise ParameterError(f"{self.label}: needs at least one point a side, and a range of {OTHERWISE}")
        if not all(-1 <= down < 0 < up for down, up in self.ranges.values()):
            raise ParameterError(f"{self.label}: a range is a move down in [-1, 0) and a move up above 0")
        if not all(0 <= offset <= 1 for offset in self.product_groups.values()) or self.minimum_a_unit < 0:
            raise ParameterError(f"{self.label}: offsets must be in [0, 1] and minimum_a_unit at least 0")

    @property
    def steps(self) -> npt.NDArray[np.float64]:
        """(2 points a side,) parts of the range down (negative) and up, ascending: -1, -4/5, …, -1/5, 1/5, …, 1."""
        side = np.arange(1, self.points_a_side + 1) / self.points_a_side
        return np.concatenate([-side[::-1], side])

    def moves(self, down: npt.ArrayLike, up: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, 2 points a side) relative moves for ranges `down` (n,) and `up` (n,), ascending."""
        low, high = np.asarray(down, dtype=np.float64)[:, None], np.asarray(up, dtype=np.float64)[:, None]
        return np.where(self.steps < 0, -self.steps * low, self.steps * high)


def portfolio_margin_rules(as_of: dt.date) -> PortfolioMarginRules:
    """Rules of risk-based margin in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("portfolio_margin", as_of)
    v = found.values
    return PortfolioMarginRules(
        label=found.label,
        points_a_side=int(v["points_a_side"]),
        ranges={str(breadth): (float(down), float(up)) for breadth, (down, up) in v["ranges"].items()},
        minimum_a_unit=float(v["minimum_a_unit"]),
        product_groups={str(name): float(offset) for name, offset in v["product_groups"].items()},
        minimum_equity_usd=float(v["minimum_equity_usd"]),
        minimum_equity_reference=str(v["minimum_equity_reference"]),
        account_types=tuple(str(a) for a in v["account_types"]),
        asset_classes=tuple(str(a) for a in v["asset_classes"]),
        reference=str(v["reference"]),
    )
