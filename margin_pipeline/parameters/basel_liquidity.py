"""Minimums of the liquidity ratios in force on a date, as a frozen record.

Belongs here: reading basel_liquidity.yaml. Not here: the ratios (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class LiquidityRules:
    """Minimums of the liquidity ratios.

    Attributes
    ----------
    version : parameter file and version.
    minimum_* : least ratio, fraction; None: not in force yet.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_coverage_ratio: float | None
    minimum_stable_funding_ratio: float | None
    coverage_reference: str
    stable_funding_reference: str


def liquidity_rules(as_of: dt.date) -> LiquidityRules:
    """Minimums in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("basel_liquidity", as_of)
    v = found.values

    def minimum(name: str) -> float | None:
        return None if v[name] is None else float(v[name])

    return LiquidityRules(
        RuleVersion(found.label, found.effective_date),
        minimum("minimum_coverage_ratio"),
        minimum("minimum_stable_funding_ratio"),
        str(v["coverage_reference"]),
        str(v["stable_funding_reference"]),
    )
