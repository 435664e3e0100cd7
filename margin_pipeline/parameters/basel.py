"""Capital and leverage rules in force on a date, as a frozen record.

Belongs here: reading basel.yaml. Not here: computing with them (`regulation`), CVA, market risk and liquidity (modules of their own).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion

ByBucket = Mapping[str, float]
"""Weight by rating bucket."""
Steps = tuple[tuple[float, float], ...]
"""Greatest argument (included) and value of each row, ascending; the last argument is infinite."""


@dataclass(frozen=True)
class PropertyCap:
    """Weight of a loan on property that the borrower repays: up to `loan_to_value` at most `risk_weight`, else that of the borrower.

    Attributes
    ----------
    borrower_class : exposure class that the borrower is taken for.
    """

    loan_to_value: float
    risk_weight: float
    borrower_class: str


@dataclass(frozen=True)
class BaselRules:
    """Capital and leverage minimums, buffers, output floor, and risk weights of the standardised approach.

    Attributes
    ----------
    version : parameter file and version.
    minimum_* : least ratio, fraction; None: not in force yet.
    conservation_buffer : fraction of risk-weighted assets; None: not in force yet.
    greatest_countercyclical_buffer : most of the countercyclical rate that applies during its phase-in; None: all of it.
    leverage_derivative_factor : what replacement cost and potential future exposure are multiplied with in the leverage exposure; None:
        derivatives are in other_leverage_exposure.
    output_floor : fraction of standardised risk-weighted assets below which internal models may not go; None: not in force yet.
    cleared_risk_weight : of trades with a qualifying central counterparty.
    risk_weights : by exposure class: a fraction, or one by rating bucket; None: Basel II is not in force yet.
    short_term_risk_weights : by exposure class, of claims with an original maturity of three months or less, by rating bucket.
    loan_to_value_risk_weights : by exposure class, rows of loan to value.
    property_caps : by exposure class.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_cet1_ratio: float | None
    minimum_tier1_ratio: float | None
    minimum_total_capital_ratio: float | None
    conservation_buffer: float | None
    greatest_countercyclical_buffer: float | None
    minimum_leverage_ratio: float | None
    leverage_derivative_factor: float | None
    output_floor: float | None
    cleared_risk_weight: float | None
    risk_weights: Mapping[str, float | ByBucket] | None
    short_term_risk_weights: Mapping[str, ByBucket]
    loan_to_value_risk_weights: Mapping[str, Steps]
    property_caps: Mapping[str, PropertyCap]
    capital_reference: str
    buffer_reference: str
    combined_buffer_reference: str
    distribution_reference: str
    leverage_reference: str
    credit_risk_reference: str
    counterparty_risk_reference: str
    operational_risk_reference: str
    total_reference: str
    output_floor_reference: str


def basel_rules(as_of: dt.date) -> BaselRules:
    """Capital and leverage rules in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("basel", as_of)
    v = found.values
    numbers = (
        "minimum_cet1_ratio", "minimum_tier1_ratio", "minimum_total_capital_ratio", "conservation_buffer",
        "greatest_countercyclical_buffer", "minimum_leverage_ratio", "leverage_derivative_factor", "output_floor", "cleared_risk_weight",
    )  # fmt: skip
    given: dict[str, Any] = {name: None if v[name] is None else float(v[name]) for name in numbers}
    given |= {name: str(text) for name, text in v.items() if name.endswith("_reference")}
    return BaselRules(
        version=RuleVersion(found.label, found.effective_date),
        risk_weights=None if v["risk_weights"] is None else {str(c): _weights(row) for c, row in v["risk_weights"].items()},
        short_term_risk_weights={str(c): _by_bucket(row) for c, row in v["short_term_risk_weights"].items()},
        loan_to_value_risk_weights={str(c): steps(rows) for c, rows in v["loan_to_value_risk_weights"].items()},
        property_caps={
            str(c): PropertyCap(float(cap["loan_to_value"]), float(cap["risk_weight"]), str(cap["borrower_class"]))
            for c, cap in v["property_caps"].items()
        },
        **given,
    )


def steps(rows: list[list[float | None]]) -> Steps:
    """Rows of greatest argument and value as they stand in a file, where null is infinite."""
    return tuple((math.inf if greatest is None else float(greatest), float(str(value))) for greatest, value in rows)


def _weights(given: Any) -> float | ByBucket:
    return _by_bucket(given) if isinstance(given, dict) else float(given)


def _by_bucket(given: Mapping[Any, Any]) -> ByBucket:
    return {str(bucket): float(weight) for bucket, weight in given.items()}
