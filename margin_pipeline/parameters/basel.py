"""Capital and leverage rules in force on a date, as a frozen record.

Belongs here: reading basel.yaml. Not here: computing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class BaselRules:
    """Capital and leverage minimums, and risk weights of the standardised approach.

    Attributes
    ----------
    version : parameter file and version.
    minimum_* : least ratio, fraction; None: not in force yet.
    conservation_buffer : fraction of risk-weighted assets; None: not in force yet.
    risk_weights : by exposure class: a fraction, or one by rating bucket.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_cet1_ratio: float | None
    minimum_tier1_ratio: float | None
    minimum_total_capital_ratio: float | None
    conservation_buffer: float | None
    minimum_leverage_ratio: float | None
    risk_weights: Mapping[str, float | Mapping[str, float]]
    capital_reference: str
    buffer_reference: str
    leverage_reference: str
    credit_risk_reference: str


def basel_rules(as_of: dt.date) -> BaselRules:
    """Capital and leverage rules in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("basel", as_of)
    v = found.values

    def minimum(name: str) -> float | None:
        return None if v[name] is None else float(v[name])

    weights: dict[str, float | Mapping[str, float]] = {
        str(name): {str(bucket): float(w) for bucket, w in given.items()} if isinstance(given, dict) else float(given)
        for name, given in v["risk_weights"].items()
    }
    return BaselRules(
        version=RuleVersion(found.label, found.effective_date),
        minimum_cet1_ratio=minimum("minimum_cet1_ratio"),
        minimum_tier1_ratio=minimum("minimum_tier1_ratio"),
        minimum_total_capital_ratio=minimum("minimum_total_capital_ratio"),
        conservation_buffer=minimum("conservation_buffer"),
        minimum_leverage_ratio=minimum("minimum_leverage_ratio"),
        risk_weights=weights,
        capital_reference=str(v["capital_reference"]),
        buffer_reference=str(v["buffer_reference"]),
        leverage_reference=str(v["leverage_reference"]),
        credit_risk_reference=str(v["credit_risk_reference"]),
    )
