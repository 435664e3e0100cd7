"""Contracts of the input files: one declarative pandera schema each, which validates and documents.

Belongs here: what a row of each file must look like. Not here: reading files, rules that compare files.
"""

from margin_pipeline.landing.contracts.books import PORTFOLIOS, POSITIONS
from margin_pipeline.landing.contracts.contract import FileContract
from margin_pipeline.landing.contracts.crif import CRIF
from margin_pipeline.landing.contracts.derivatives import NETTING_SETS, OTC_TRADES
from margin_pipeline.landing.contracts.entities import ENTITY_FIGURES, EXPOSURES
from margin_pipeline.landing.contracts.margin_terms import FUTURES_MARGINS, HOUSE_MARGINS, MARGIN_RATES, MARGIN_SCHEDULES
from margin_pipeline.landing.contracts.market import DIVIDENDS, FX_RATES, PRICES, RATES, STRATEGY_RETURNS
from margin_pipeline.landing.contracts.reference import INSTRUMENTS
from margin_pipeline.landing.contracts.span import RISK_ARRAYS, SPAN_PARAMETERS
from margin_pipeline.landing.contracts.statements import BROKER_MARGINS
from margin_pipeline.landing.contracts.stress import STRESS_SCENARIOS
from margin_pipeline.landing.contracts.treasury import COLLATERAL, COLLATERAL_ELIGIBILITY, COLLATERAL_REQUIREMENTS, LIQUIDITY

CONTRACTS: dict[str, FileContract] = {
    contract.name: contract
    for contract in (
        PORTFOLIOS,
        INSTRUMENTS,
        POSITIONS,
        PRICES,
        FX_RATES,
        RATES,
        DIVIDENDS,
        FUTURES_MARGINS,
        MARGIN_SCHEDULES,
        MARGIN_RATES,
        HOUSE_MARGINS,
        BROKER_MARGINS,
        STRESS_SCENARIOS,
        RISK_ARRAYS,
        SPAN_PARAMETERS,
        STRATEGY_RETURNS,
        ENTITY_FIGURES,
        EXPOSURES,
        NETTING_SETS,
        OTC_TRADES,
        CRIF,
        LIQUIDITY,
        COLLATERAL,
        COLLATERAL_REQUIREMENTS,
        COLLATERAL_ELIGIBILITY,
    )
}
"""Contract of every file, by name: required ones first, each after those it is checked against."""

REQUIRED_FILES: tuple[str, ...] = tuple(name for name, contract in CONTRACTS.items() if contract.required)

__all__ = ["CONTRACTS", "REQUIRED_FILES", "FileContract"]
