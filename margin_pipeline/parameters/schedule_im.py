"""Standardised initial margin schedule in force on a date, as a frozen record.

Belongs here: reading schedule_im.yaml. Not here: computing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class ScheduleRules:
    """Standardised initial margin schedule.

    Attributes
    ----------
    version : parameter file and version.
    applies_from : first day of the requirement; before it lines do not apply.
    gross_weight, net_to_gross_weight : the 0.4 and 0.6 of the formula.
    ratio_without_gross_cost : net-to-gross ratio when the gross replacement cost is zero.
    maturity_years : upper ends of all maturity buckets but the last, included, whole years.
    rates : fraction of notional by product class, one a bucket.
    cross_currency_types : instrument types that are cross-currency swaps.
    exempt_when_physical : instrument types of exchange-rate trades that are exempt where they are settled physically.
    reference, simm_reference : rule and paragraph.
    """

    version: RuleVersion
    applies_from: dt.date
    gross_weight: float
    net_to_gross_weight: float
    ratio_without_gross_cost: float
    maturity_years: tuple[int, ...]
    rates: Mapping[str, tuple[float, ...]]
    cross_currency_types: frozenset[str]
    exempt_when_physical: frozenset[str]
    reference: str
    simm_reference: str


def schedule_rules(as_of: dt.date) -> ScheduleRules:
    """Standardised initial margin schedule in force on a date.

    Raises
    ------
    ParameterError : no version in force, or a class without one rate a maturity bucket.
    """
    found = in_force("schedule_im", as_of)
    v = found.values
    rates = {str(name): tuple(float(r) for r in row) for name, row in v["rates"].items()}
    for name, row in rates.items():
        if len(row) != len(v["maturity_years"]) + 1:
            raise ParameterError(f"{found.label}: class {name} needs one rate for each maturity bucket")
    return ScheduleRules(
        version=RuleVersion(found.label, found.effective_date),
        applies_from=v["applies_from"],
        gross_weight=float(v["gross_weight"]),
        net_to_gross_weight=float(v["net_to_gross_weight"]),
        ratio_without_gross_cost=float(v["ratio_without_gross_cost"]),
        maturity_years=tuple(int(y) for y in v["maturity_years"]),
        rates=rates,
        cross_currency_types=frozenset(v["cross_currency_types"]),
        exempt_when_physical=frozenset(v["exempt_when_physical"]),
        reference=str(v["reference"]),
        simm_reference=str(v["simm_reference"]),
    )
