"""Contracts of the files that describe what is held: portfolios and positions.

Belongs here: their columns, ranges and defaults. Not here: rules that need another file (cross-checks), adding up repeated positions.
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import currency, number, text
from margin_pipeline.landing.contracts.contract import FileContract

ACCOUNT_TYPES = ("cash", "reg_t", "portfolio_margin", "futures", "crypto_cross", "crypto_isolated", "otc")
JURISDICTIONS = ("US", "EU", "UK", "SG")

PORTFOLIOS = FileContract(
    name="portfolios",
    table="portfolios",
    description="One portfolio (account) of the date.",
    key=("portfolio_id",),
    required=True,
    may_be_empty=False,
    schema=pa.DataFrameSchema(
        {
            "portfolio_id": text("Identity of the portfolio.", required=True),
            "account_type": text("Which rules govern.", required=True, allowed=ACCOUNT_TYPES, case="lower"),
            "equity": number("Net liquidation value; may be negative.", "base currency", required=True),
            "base_currency": currency("Currency in which the portfolio is reported.", default="USD"),
            "jurisdiction": text("Whose rules apply to the entity.", allowed=JURISDICTIONS, case="upper"),
            "entity_type": text("hedge_fund, bank, broker_dealer, …", case="lower"),
        }
    ),
)

POSITIONS = FileContract(
    name="positions",
    table="position_records",
    description="One position of a strategy in an instrument.",
    key=("portfolio_id", "strategy", "symbol"),
    required=True,
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "strategy": text("Strategy that holds the position.", required=True),
            "symbol": text("Instrument, as in instruments.", required=True),
            "quantity": number("Units or contracts, short negative.", "units", required=True),
            "price": number(
                "Mark of this position; 0 for options only. Empty: the close of the day.", "instrument currency a unit", at_least=0
            ),
            "entry_price": number("Price paid or received.", "instrument currency a unit", at_least=0),
            "isolated_wallet": number("Collateral that backs this position alone.", "base currency", at_least=0),
        }
    ),
)
