"""Version of ISDA SIMM in force on a date, and the one that is computed, as a frozen record.

Belongs here: reading simm.yaml. Not here: computing (`regulation`), risk weights (the engine has them).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class SimmRules:
    """SIMM on one date.

    Attributes
    ----------
    version : parameter file and version of SIMM in force.
    name : version of SIMM in force, as ISDA calls it.
    computed_version : version that is computed: the one in force, where the engine has it.
    applies_from : first day of the requirement; before it lines do not apply.
    margin_period_of_risk_days : horizon, business days.
    calculation_currency : currency whose exchange-rate risk bears no margin.
    currencies : currencies that the engine knows.
    reference : rule and paragraph.
    """

    version: RuleVersion
    name: str
    computed_version: str
    applies_from: dt.date
    margin_period_of_risk_days: int
    calculation_currency: str
    currencies: frozenset[str]
    reference: str


def simm_rules(as_of: dt.date) -> SimmRules:
    """SIMM on a business date, whose close the version is used for.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("simm", as_of)
    v = found.values
    return SimmRules(
        version=RuleVersion(found.label, found.effective_date),
        name=found.version,
        computed_version=str(v["computed_version"]),
        applies_from=v["applies_from"],
        margin_period_of_risk_days=int(v["margin_period_of_risk_days"]),
        calculation_currency=str(v["calculation_currency"]),
        currencies=frozenset(str(code) for code in v["currencies"]),
        reference=str(v["reference"]),
    )
