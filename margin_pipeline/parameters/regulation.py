"""Values of the regulatory regimes in force on a date, as frozen records.

Belongs here: reading schedule_im.yaml, finra.yaml and basel.yaml. Not here: computing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import ParameterError, in_force


@dataclass(frozen=True)
class RuleVersion:
    """Which version of which parameter file a line was computed with."""

    label: str
    effective_date: dt.date


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
    reference: str
    simm_reference: str


@dataclass(frozen=True)
class FinraRules:
    """Minimum equity and maintenance of margin accounts.

    Attributes
    ----------
    version : parameter file and version.
    minimum_equity_usd : US dollars.
    account_types, jurisdictions : accounts that the rules apply to.
    portfolio_margin_applies_from : first day on which customers could have portfolio margin.
    *_reference : rule and paragraph of each line.
    """

    version: RuleVersion
    minimum_equity_usd: float
    account_types: frozenset[str]
    jurisdictions: frozenset[str]
    portfolio_margin_applies_from: dt.date
    minimum_equity_reference: str
    maintenance_reference: str
    portfolio_margin_reference: str
    initial_reference: str


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
        reference=str(v["reference"]),
        simm_reference=str(v["simm_reference"]),
    )


def finra_rules(as_of: dt.date) -> FinraRules:
    """Rules of margin accounts in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("finra", as_of)
    v = found.values
    return FinraRules(
        version=RuleVersion(found.label, found.effective_date),
        minimum_equity_usd=float(v["minimum_equity_usd"]),
        account_types=frozenset(v["account_types"]),
        jurisdictions=frozenset(v["jurisdictions"]),
        portfolio_margin_applies_from=v["portfolio_margin_applies_from"],
        minimum_equity_reference=str(v["minimum_equity_reference"]),
        maintenance_reference=str(v["maintenance_reference"]),
        portfolio_margin_reference=str(v["portfolio_margin_reference"]),
        initial_reference=str(v["initial_reference"]),
    )


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
