"""What each risk type of a CRIF says: its qualifier, buckets, tenors and sub-curves, and how its names are spelt.

Belongs here: the vocabulary of ISDA's risk data standards. Not here: the contract of the file (`crif`), weights and correlations.
"""

from __future__ import annotations

from dataclasses import dataclass

TENORS = ("2w", "1m", "3m", "6m", "1y", "2y", "3y", "5y", "10y", "15y", "20y", "30y")
CREDIT_TENORS = ("1y", "2y", "3y", "5y", "10y")
SUB_CURVES = ("OIS", "Libor1m", "Libor3m", "Libor6m", "Libor12m", "Prime", "Municipal")
CURRENCY_BUCKETS = ("1", "2", "3", "")
TWELVE_BUCKETS = (*(str(n) for n in range(1, 13)), "Residual")
COMMODITY_BUCKETS = tuple(str(n) for n in range(1, 18))
NON_QUALIFYING_BUCKETS = ("1", "2", "Residual")

PRODUCT_CLASSES = ("RatesFX", "Credit", "Equity", "Commodity")
"""Product classes of SIMM: nothing is netted between them."""
SCHEDULE_CLASSES = ("Rates", "FX", "Credit", "Equity", "Commodity", "Other")
"""Product classes of trades under the schedule."""
IM_MODELS = ("SIMM", "Schedule")

REGULATIONS = (
    "AMFQ", "APRA", "BACEN", "BANX", "CFTC", "ESA", "Excluded", "FINMA", "HKMA", "JFSA", "KFSC", "MAS", "NONREG", "OJK", "OSFI", "RBI",
    "SANT", "SEC", "SEC-unseg", "SFC", "UK", "USPR",
)  # fmt: skip
"""Regulations under which initial margin is collected or posted; NONREG: by agreement; Excluded: not at all."""


@dataclass(frozen=True)
class RiskType:
    """What a row of a risk type must hold.

    Attributes
    ----------
    qualifier : currency, currency_pair, name, product_class, or empty text: it may be empty.
    buckets : buckets it may be in; None: the column is not looked at.
    label1 : tenors it may have; None: not looked at.
    label2 : sub-curves it may have; None: not looked at.
    """

    qualifier: str
    buckets: tuple[str, ...] | None = None
    label1: tuple[str, ...] | None = None
    label2: tuple[str, ...] | None = None


RISK_TYPES: dict[str, RiskType] = {
    "Risk_IRCurve": RiskType("currency", CURRENCY_BUCKETS, TENORS, SUB_CURVES),
    "Risk_Inflation": RiskType("currency"),
    "Risk_XCcyBasis": RiskType("currency"),
    "Risk_IRVol": RiskType("currency", label1=TENORS),
    "Risk_InflationVol": RiskType("currency", label1=TENORS),
    "Risk_CreditQ": RiskType("name", TWELVE_BUCKETS, CREDIT_TENORS, ("", "Sec")),
    "Risk_CreditNonQ": RiskType("name", NON_QUALIFYING_BUCKETS, CREDIT_TENORS),
    "Risk_BaseCorr": RiskType("name"),
    "Risk_CreditVol": RiskType("name", TWELVE_BUCKETS, CREDIT_TENORS),
    "Risk_CreditVolNonQ": RiskType("name", NON_QUALIFYING_BUCKETS, CREDIT_TENORS),
    "Risk_Equity": RiskType("name", TWELVE_BUCKETS),
    "Risk_EquityVol": RiskType("name", TWELVE_BUCKETS, TENORS),
    "Risk_Commodity": RiskType("name", COMMODITY_BUCKETS),
    "Risk_CommodityVol": RiskType("name", COMMODITY_BUCKETS, TENORS),
    "Risk_FX": RiskType("currency"),
    "Risk_FXVol": RiskType("currency_pair", label1=TENORS),
    "Param_ProductClassMultiplier": RiskType("product_class"),
    "Param_AddOnNotionalFactor": RiskType("name"),
    "Param_AddOnFixedAmount": RiskType(""),
    "Notional": RiskType(""),
    "PV": RiskType(""),
}
FACTORS = ("Param_ProductClassMultiplier", "Param_AddOnNotionalFactor")
"""Risk types whose amount is a number and no money."""
NOT_NEGATIVE = ("Param_AddOnNotionalFactor", "Param_AddOnFixedAmount", "Notional")
SENSITIVITIES = tuple(name for name in RISK_TYPES if name.startswith("Risk_"))


def spelling(names: tuple[str, ...]) -> dict[str, str]:
    """Names by their lower case, so that any case is understood."""
    return {name.lower(): name for name in names}
