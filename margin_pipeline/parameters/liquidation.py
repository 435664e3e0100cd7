"""What liquidation plans aim at and what trading costs, in force on a date, as a frozen record.

Belongs here: reading liquidation.yaml. Not here: plans, programs (`decisions`), liquidity of symbols (the file of that name).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force
from margin_pipeline.parameters.rule_version import RuleVersion

DEFAULT = "default"


@dataclass(frozen=True)
class LiquidationRules:
    """Target and cost model of liquidation plans.

    Attributes
    ----------
    version : parameter file and version.
    target_utilization : utilization that a plan brings a portfolio down to, fraction.
    spread_bps : bid-ask spread by asset class where none is given, basis points of the mark.
    impact : fraction of value that trading a day's volume costs beside the spread, by asset class.
    lot_size : least quantity that trades, by asset class; 0: any.
    participation_knots : ends of the slices in which impact is linear, fractions of a day's volume, ascending.
    participation_without_volume : participation that is charged where no volume is given.
    relative_gap : distance from the proven bound at which the relaxed plan, rounded up to whole steps, is taken, fraction of the cost.
    integer_gap : distance at which the integer program stops otherwise.
    exact_up_to : blocks that may differ in a better plan up to which the integer program is asked.
    node_limit : branches after which it stops with what it has.
    rounds : how often a plan is held against the recomputed margin and adjusted.
    """

    version: RuleVersion
    target_utilization: float
    spread_bps: Mapping[str, float]
    impact: Mapping[str, float]
    lot_size: Mapping[str, float]
    participation_knots: tuple[float, ...]
    participation_without_volume: float
    relative_gap: float
    integer_gap: float
    exact_up_to: int
    node_limit: int
    rounds: int


def liquidation_rules(as_of: dt.date) -> LiquidationRules:
    """Rules of liquidation plans in force on a date.

    Raises
    ------
    ParameterError : no version in force, a table without `default`, or knots that do not ascend from above 0.
    """
    found = in_force("liquidation", as_of)
    v = found.values
    knots = tuple(float(k) for k in v["participation_knots"])
    if not knots or list(knots) != sorted({0.0, *knots} - {0.0}):
        raise ParameterError(f"{found.label}: participation_knots must ascend from above 0")
    return LiquidationRules(
        version=RuleVersion(found.label, found.effective_date),
        target_utilization=float(v["target_utilization"]),
        spread_bps=_by_class(found.label, "spread_bps", v),
        impact=_by_class(found.label, "impact", v),
        lot_size=_by_class(found.label, "lot_size", v),
        participation_knots=knots,
        participation_without_volume=float(v["participation_without_volume"]),
        relative_gap=float(v["relative_gap"]),
        integer_gap=float(v["integer_gap"]),
        exact_up_to=int(v["exact_up_to"]),
        node_limit=int(v["node_limit"]),
        rounds=int(v["rounds"]),
    )


def _by_class(label: str, name: str, values: Mapping[str, Any]) -> dict[str, float]:
    table = {str(asset_class): float(figure) for asset_class, figure in values[name].items()}
    if DEFAULT not in table or min(table.values()) < 0:
        raise ParameterError(f"{label}: {name} needs a {DEFAULT}, and no figure below 0")
    return table
