"""How haircuts and concentration limits of collateral are read, in force on a date, as a frozen record.

Belongs here: reading collateral.yaml. Not here: haircuts and limits themselves (file collateral_eligibility), allocation (`decisions`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class CollateralRules:
    """Reading of the terms of collateral.

    Attributes
    ----------
    version : parameter file and version.
    limit_of_type : whether a concentration limit caps its asset type as a whole.
    limit_of_issuer : whether it caps each issuer.
    haircuts_add : whether the haircut for another currency is added to the asset's (else the remaining fractions multiply).
    """

    version: RuleVersion
    limit_of_type: bool
    limit_of_issuer: bool
    haircuts_add: bool


def collateral_rules(as_of: dt.date) -> CollateralRules:
    """Rules of collateral in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("collateral", as_of)
    v = found.values
    return CollateralRules(
        RuleVersion(found.label, found.effective_date), bool(v["limit_of_type"]), bool(v["limit_of_issuer"]), bool(v["haircuts_add"])
    )
