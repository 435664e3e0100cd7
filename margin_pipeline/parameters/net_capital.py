"""Net capital rule of broker-dealers in force on a date, as a frozen record.

Belongs here: reading net_capital.yaml. Not here: computing with it (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class NetCapitalRules:
    """Net capital rule.

    Attributes
    ----------
    version : parameter file and version.
    minimum_dollars : least net capital, US dollars, of a firm that carries customers.
    indebtedness_multiple, indebtedness_multiple_first_year : greatest aggregate indebtedness over net capital.
    debits_share : least net capital over aggregate debits, fraction.
    notice_* : from where on the regulator is to be told.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_dollars: float
    indebtedness_multiple: float
    indebtedness_multiple_first_year: float
    debits_share: float
    notice_indebtedness_multiple: float
    notice_debits_share: float
    notice_minimum_multiple: float
    minimum_reference: str
    indebtedness_reference: str
    debits_reference: str
    notice_reference: str


def net_capital_rules(as_of: dt.date) -> NetCapitalRules:
    """Rule in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("net_capital", as_of)
    values = {name: str(v) if name.endswith("_reference") else float(v) for name, v in found.values.items()}
    return NetCapitalRules(version=RuleVersion(found.label, found.effective_date), **values)  # type: ignore[arg-type]
