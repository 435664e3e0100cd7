"""Clearing and registration thresholds in force on a date, as frozen records.

Belongs here: reading clearing_thresholds.yaml. Not here: comparing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class ClearingRegime:
    """Thresholds of one regime.

    Attributes
    ----------
    applies : whether anything is in force.
    currency : currency of the thresholds.
    figure : entity figure that is compared, with `_<class>` at its end except for `all`.
    entity_types : to whom it applies; empty: everybody.
    thresholds : amount by class; `all`: one over all classes.
    financial_have_threshold : whether financial counterparties are free below their thresholds; else they clear whatever their amounts.
    one_class_is_all_for : counterparties (financial, non_financial) that clear every class once they exceed the threshold of one.
    reference : rule and article.
    """

    applies: bool
    currency: str
    figure: str
    entity_types: frozenset[str]
    thresholds: Mapping[str, float]
    financial_have_threshold: bool
    one_class_is_all_for: frozenset[str]
    reference: str


@dataclass(frozen=True)
class ClearingRules:
    """Regimes by name, and the version they are of."""

    version: RuleVersion
    regimes: Mapping[str, ClearingRegime]


def clearing_rules(as_of: dt.date) -> ClearingRules:
    """Thresholds in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("clearing_thresholds", as_of)
    regimes = {
        str(name): ClearingRegime(
            applies=bool(v["applies"]),
            currency=str(v["currency"]),
            figure=str(v["figure"]),
            entity_types=frozenset(v["entity_types"]),
            thresholds={str(k): float(x) for k, x in v["thresholds"].items()},
            financial_have_threshold=bool(v["financial_have_threshold"]),
            one_class_is_all_for=frozenset(v["one_class_is_all_for"]),
            reference=str(v["reference"]),
        )
        for name, v in found.values["regimes"].items()
    }
    return ClearingRules(RuleVersion(found.label, found.effective_date), regimes)
