"""Rules of capital for market risk in force on a date, as a frozen record.

Belongs here: reading basel_market_risk.yaml. Not here: computing with them (`regulation`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass

from margin_pipeline.parameters.basel import Steps, steps
from margin_pipeline.parameters.reader import in_force
from margin_pipeline.parameters.rule_version import RuleVersion


@dataclass(frozen=True)
class DurationLadder:
    """Bands of modified duration and what is disallowed of offsets between them.

    Attributes
    ----------
    greatest : (n,) greatest modified duration of each band (included), years, ascending; the last is infinite.
    zone : (n,) zone of each band: 0, 1 or 2.
    yield_change : (n,) assumed change of yield, fraction.
    vertical : fraction of the offset within a band.
    within_zone : (3,) fraction of the offset between bands of a zone.
    adjacent, distant : fraction of the offset between neighbouring zones, and between the first and the third.
    """

    greatest: tuple[float, ...]
    zone: tuple[int, ...]
    yield_change: tuple[float, ...]
    vertical: float
    within_zone: tuple[float, float, float]
    adjacent: float
    distant: float


@dataclass(frozen=True)
class MarketRiskRules:
    """Weights of the simple method of market risk.

    Attributes
    ----------
    version : parameter file and version.
    is_in_force : whether there is a requirement at all.
    scaling : by risk class, what its capital is multiplied with.
    equity_general, equity_specific, index_specific, fx, commodity_net, commodity_gross : fractions of positions.
    volatility_shift : relative change of volatility of the vega requirement.
    crypto : risk weight of a cryptoasset; None: there is no rule yet.
    ladder : of interest rates.
    debt_specific : by kind of issuer (government, other) and rating bucket: a fraction, or one by residual maturity in months.
    government_sectors : sectors of issuers that are governments.
    market_of : country by exchange.
    *reference : rule and paragraph.
    """

    version: RuleVersion
    is_in_force: bool
    scaling: Mapping[str, float]
    equity_general: float
    equity_specific: float
    index_specific: float
    fx: float
    commodity_net: float
    commodity_gross: float
    volatility_shift: float
    crypto: float | None
    ladder: DurationLadder
    debt_specific: Mapping[str, Mapping[str, Steps]]
    government_sectors: frozenset[str]
    market_of: Mapping[str, str]
    reference: str
    crypto_reference: str


def market_risk_rules(as_of: dt.date) -> MarketRiskRules:
    """Rules of capital for market risk in force on a date.

    Raises
    ------
    ParameterError : no version in force.
    """
    found = in_force("basel_market_risk", as_of)
    v = found.values
    fractions = ("equity_general", "equity_specific", "index_specific", "fx", "commodity_net", "commodity_gross", "volatility_shift")
    bands = v["duration_bands"]
    zones = [float(share) for share in v["zone_disallowance"]]
    ladder = DurationLadder(
        tuple(math.inf if band[0] is None else float(band[0]) for band in bands),
        tuple(int(band[1]) - 1 for band in bands),
        tuple(float(band[2]) for band in bands),
        float(v["vertical_disallowance"]),
        (zones[0], zones[1], zones[2]),
        float(v["adjacent_disallowance"]),
        float(v["distant_disallowance"]),
    )
    return MarketRiskRules(
        version=RuleVersion(found.label, found.effective_date),
        is_in_force=bool(v["is_in_force"]),
        scaling={str(name): float(factor) for name, factor in v["scaling"].items()},
        **{name: float(v[name]) for name in fractions},
        crypto=None if v["crypto"] is None else float(v["crypto"]),
        ladder=ladder,
        debt_specific={
            str(kind): {str(b): steps(w if isinstance(w, list) else [[None, w]]) for b, w in row.items()}
            for kind, row in v["debt_specific"].items()
        },
        government_sectors=frozenset(str(name) for name in v["government_sectors"]),
        market_of={str(mic): str(country) for country, mics in v["markets"].items() for mic in mics},
        reference=str(v["reference"]),
        crypto_reference=str(v["crypto_reference"]),
    )
