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
    minimum_dollars : least net capital, US dollars, of a firm that carries customers under the aggregate indebtedness standard.
    alternative_minimum_dollars : the same under the alternative standard.
    least_minimum_dollars : least minimum that any firm can have, US dollars.
    indebtedness_multiple, indebtedness_multiple_first_year : greatest aggregate indebtedness over net capital.
    debits_share : least net capital over aggregate debits, fraction.
    notice_* : from where on the regulator is to be told.
    withdrawal_* : what has to be left after equity capital is withdrawn.
    equity_haircut : deduction from equity securities, fraction of the greater of the long and the short side; None: not known then.
    equity_haircut_hedged_part : part of the greater side up to which the other side needs none, fraction.
    futures_minimum_dollars : least adjusted net capital of a futures commission merchant, US dollars.
    futures_risk_margin_share : the same over the risk margin of its customers, fraction; None: no such rule yet.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_dollars: float
    alternative_minimum_dollars: float
    least_minimum_dollars: float
    indebtedness_multiple: float
    indebtedness_multiple_first_year: float
    debits_share: float
    notice_indebtedness_multiple: float
    notice_debits_share: float
    notice_minimum_multiple: float
    withdrawal_indebtedness_multiple: float
    withdrawal_debits_share: float
    withdrawal_minimum_multiple: float
    equity_haircut: float | None
    equity_haircut_hedged_part: float | None
    futures_minimum_dollars: float
    futures_risk_margin_share: float | None
    minimum_reference: str
    indebtedness_reference: str
    debits_reference: str
    notice_reference: str
    withdrawal_reference: str
    haircut_reference: str
    futures_reference: str


def net_capital_rules(as_of: dt.date) -> NetCapitalRules:
    """Rule in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("net_capital", as_of)
    values = {name: str(v) if name.endswith("_reference") else None if v is None else float(v) for name, v in found.values.items()}
    return NetCapitalRules(version=RuleVersion(found.label, found.effective_date), **values)  # type: ignore[arg-type]
