"""Where listed positions stand among the risk factors of SIMM, as a frozen record.

Belongs here: reading listed_sensitivities.yaml. Not here: sensitivities (`regulation`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.reader import in_force


@dataclass(frozen=True)
class ListedTerms:
    """Buckets and vertices.

    Attributes
    ----------
    equity_buckets : bucket of a sector in developed markets; emerging ones have the bucket `emerging_below` less.
    developed_currencies : currencies of developed markets.
    fund_bucket, volatility_bucket : indices, funds and ETFs; indices of volatility, which are named in `volatility_indices`.
    commodity_buckets : by root, class group or symbol; any other is in `other_commodity_bucket`.
    tenor_days : days of each vertex, ascending.
    sub_curve : sub-curve of bonds.
    """

    equity_buckets: Mapping[str, int]
    emerging_below: int
    developed_currencies: frozenset[str]
    fund_bucket: int
    volatility_bucket: int
    volatility_indices: frozenset[str]
    commodity_buckets: Mapping[str, int]
    other_commodity_bucket: int
    tenor_days: Mapping[str, float]
    sub_curve: str


def listed_terms(as_of: dt.date) -> ListedTerms:
    """Buckets and vertices on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    v = in_force("listed_sensitivities", as_of).values
    return ListedTerms(
        equity_buckets={str(name): int(bucket) for name, bucket in v["equity_buckets"].items()},
        emerging_below=int(v["emerging_below"]),
        developed_currencies=frozenset(str(code) for code in v["developed_currencies"]),
        fund_bucket=int(v["fund_bucket"]),
        volatility_bucket=int(v["volatility_bucket"]),
        volatility_indices=frozenset(str(name) for name in v["volatility_indices"]),
        commodity_buckets={str(name): int(bucket) for name, bucket in v["commodity_buckets"].items()},
        other_commodity_bucket=int(v["other_commodity_bucket"]),
        tenor_days=dict(sorted(((str(t), float(d)) for t, d in v["tenor_days"].items()), key=lambda pair: pair[1])),
        sub_curve=str(v["sub_curve"]),
    )
