"""Rules of capital for credit valuation adjustment in force on a date, as a frozen record.

Belongs here: reading basel_cva.yaml. Not here: computing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class CvaRules:
    """Formula and risk weights of capital for credit valuation adjustment.

    Attributes
    ----------
    version : parameter file and version.
    weights_by : rating (bucket) or sector (and whether investment grade); None: no requirement yet.
    correlation : of the credit spreads of two counterparties.
    scalar : what the aggregated amount is multiplied with to be capital.
    alpha : what exposure at default is divided by.
    discount_rate : of the supervisory discount factor.
    maturity_floor_years : least effective maturity of a netting set.
    rating_weights : by rating bucket; empty where sectors decide.
    sector_weights : by sector, then investment_grade or other; empty where ratings decide.
    sector_of : sector of the rule by name of a sector.
    reference : rule and paragraph.
    """

    version: RuleVersion
    weights_by: str | None
    correlation: float
    scalar: float
    alpha: float
    discount_rate: float
    maturity_floor_years: float
    rating_weights: Mapping[str, float]
    sector_weights: Mapping[str, Mapping[str, float]]
    sector_of: Mapping[str, str]
    reference: str


def cva_rules(as_of: dt.date) -> CvaRules:
    """Rules of capital for credit valuation adjustment in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("basel_cva", as_of)
    v = found.values
    by = None if v["weights_by"] is None else str(v["weights_by"])
    return CvaRules(
        version=RuleVersion(found.label, found.effective_date),
        weights_by=by,
        correlation=float(v["correlation"]),
        scalar=float(v["scalar"]),
        alpha=float(v["alpha"]),
        discount_rate=float(v["discount_rate"]),
        maturity_floor_years=float(v["maturity_floor_years"]),
        rating_weights={str(b): float(w) for b, w in v["risk_weights"].items()} if by == "rating" else {},
        sector_weights={str(s): {str(q): float(w) for q, w in row.items()} for s, row in v["risk_weights"].items()}
        if by == "sector"
        else {},
        sector_of={str(name): str(sector) for sector, names in v["sectors"].items() for name in names},
        reference=str(v["reference"]),
    )
