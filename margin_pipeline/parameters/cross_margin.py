"""Values of cross margin in force on a date, as a frozen record.

Belongs here: reading and checking cross_margin.yaml. Not here: computing offsets (`margin.cross_margin`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import ParameterError, in_force

CONDITIONS = ("none", "different_sector", "matched_duration")
BASES = ("both", "smaller")


@dataclass(frozen=True)
class ClassBenefit:
    """An offset that two asset classes get where correlation alone does not earn one.

    Attributes
    ----------
    kind : name of the benefit.
    classes : the two classes of the pair.
    rate : fraction of the basis.
    basis : "both" (sum of the two matched margins) or "smaller" (the smaller one).
    condition : "none", "different_sector" or "matched_duration".
    """

    kind: str
    classes: tuple[str, str]
    rate: float
    basis: str
    condition: str


@dataclass(frozen=True)
class CrossMarginRules:
    """Rules of cross margin in force on one date; meanings stand in cross_margin.yaml.

    Attributes
    ----------
    label : file and version.
    threshold, class_threshold : least s of an offset by correlation, of a class benefit.
    hedge_ratio_tolerance : None or the largest relative difference of the two beta-adjusted exposures.
    net_floor : least net requirement, fraction of the stand-alone requirement.
    all_pairs_up_to : up to so many pairs the program sees all of them.
    proven_share : beyond, the least proven share of the best saving to be content with.
    partners_per_symbol, seed : partners of each symbol that a program sees at first, and the seed that spreads equally good ones.
    duration_tolerance_years : durations no further apart are matched.
    account_types, asset_classes : accounts and instruments that take part.
    class_of : class of benefit by asset class.
    class_benefits : the class benefits.
    """

    label: str
    threshold: float
    class_threshold: float
    hedge_ratio_tolerance: float | None
    net_floor: float
    all_pairs_up_to: int
    proven_share: float
    partners_per_symbol: int
    seed: int
    duration_tolerance_years: float
    account_types: frozenset[str]
    asset_classes: frozenset[str]
    class_of: Mapping[str, str]
    class_benefits: tuple[ClassBenefit, ...]

    def __post_init__(self) -> None:
        """Refuse values that would grant what the method must never grant."""
        if not 0 < self.class_threshold <= self.threshold <= 1:
            raise ParameterError(f"{self.label}: thresholds must satisfy 0 < class_threshold <= threshold <= 1")
        if not 0 <= self.net_floor <= 1 or self.partners_per_symbol < 1:
            raise ParameterError(f"{self.label}: net_floor must be in [0, 1] and partners_per_symbol at least 1")
        if not 0 <= self.proven_share <= 1:
            raise ParameterError(f"{self.label}: proven_share must be in [0, 1]")
        for benefit in self.class_benefits:
            if not 0 <= benefit.rate <= 1 or benefit.basis not in BASES or benefit.condition not in CONDITIONS:
                raise ParameterError(f"{self.label}: {benefit.kind} has an unknown basis or condition, or a rate outside [0, 1]")


def cross_margin_rules(as_of: dt.date) -> CrossMarginRules:
    """Rules of cross margin in force on a date.

    Raises
    ------
    ParameterError : no version in force, or values that cannot be used.
    """
    found = in_force("cross_margin", as_of)
    v = found.values
    return CrossMarginRules(
        label=found.label,
        threshold=float(v["threshold"]),
        class_threshold=float(v["class_threshold"]),
        hedge_ratio_tolerance=None if v["hedge_ratio_tolerance"] is None else float(v["hedge_ratio_tolerance"]),
        net_floor=float(v["net_floor"]),
        all_pairs_up_to=int(v["all_pairs_up_to"]),
        proven_share=float(v["proven_share"]),
        partners_per_symbol=int(v["partners_per_symbol"]),
        seed=int(v["seed"]),
        duration_tolerance_years=float(v["duration_tolerance_years"]),
        account_types=frozenset(v["account_types"]),
        asset_classes=frozenset(v["asset_classes"]),
        class_of=dict(v["class_of"]),
        class_benefits=tuple(_class_benefit(kind, given) for kind, given in v["class_benefits"].items()),
    )


def _class_benefit(kind: str, given: Mapping[str, Any]) -> ClassBenefit:
    first, second = given["classes"]
    return ClassBenefit(kind, (str(first), str(second)), float(given["rate"]), str(given["basis"]), str(given["condition"]))
