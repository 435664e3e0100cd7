"""Contracts of what trading and collateral decisions ask: liquidity of symbols, assets, requirements and what is eligible for them.

Belongs here: their columns, ranges and units. Not here: plans and allocations (`decisions`).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import currency, number, text
from margin_pipeline.landing.contracts.contract import FileContract

OF_ROW = "currency of the row"
BASE_CURRENCY = "base currency of the portfolio"

LIQUIDITY = FileContract(
    name="liquidity",
    table="liquidity",
    description="What trading one symbol costs.",
    key=("symbol",),
    schema=pa.DataFrameSchema(
        {
            "symbol": text("Symbol, as in instruments; others are not used.", required=True),
            "average_daily_volume": number(
                "Quantity that trades on an average day; 0: it does not trade, so that nothing of it can be closed. Empty: the impact of"
                " liquidation.yaml.",
                "units or contracts a day",
                at_least=0,
            ),
            "spread_bps": number(
                "Bid-ask spread; half of it is the cost of a trade. Empty: the spread of the asset class in liquidation.yaml.",
                "basis points of the mark",
                at_least=0,
            ),
            "lot_size": number(
                "Quantity in multiples of which the symbol trades; a position is closed with its odd rest. 0: any quantity. Empty: the lot"
                " of the asset class in liquidation.yaml.",
                "units or contracts",
                at_least=0,
            ),
        }
    ),
)

COLLATERAL = FileContract(
    name="collateral",
    table="collateral",
    description="One asset that a portfolio can give as collateral.",
    key=("portfolio_id", "asset"),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "asset": text("Identity of the asset.", required=True),
            "asset_type": text(
                "Type that eligibility goes by: cash, government_bond, corporate_bond, equity, …", required=True, case="lower"
            ),
            "issuer": text("Who issued it; concentration limits go by it. Empty: nobody that counts, as for cash."),
            "currency": currency("Currency of the asset and of its value.", default_note=BASE_CURRENCY),
            "market_value": number("Value that is free to be given.", OF_ROW, required=True, at_least=0),
            "carry_cost": number("What giving it costs a year, of its market value; negative: it earns.", "fraction a year", required=True),
        }
    ),
)

COLLATERAL_REQUIREMENTS = FileContract(
    name="collateral_requirements",
    table="collateral_requirements",
    description="One requirement that a portfolio covers with collateral.",
    key=("requirement_id",),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "requirement_id": text("Identity of the requirement.", required=True),
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "amount": number("What is to be covered, after haircuts.", OF_ROW, required=True, at_least=0),
            "currency": currency("Currency of the amount; collateral in another one takes fx_haircut.", default_note=BASE_CURRENCY),
        }
    ),
)

COLLATERAL_ELIGIBILITY = FileContract(
    name="collateral_eligibility",
    table="collateral_eligibility",
    description="One type of asset that a requirement accepts; types without a row are not accepted.",
    key=("requirement_id", "asset_type"),
    schema=pa.DataFrameSchema(
        {
            "requirement_id": text("Requirement, as in collateral_requirements.", required=True),
            "asset_type": text("Type of asset, as in collateral.", required=True, case="lower"),
            "haircut": number("Part of the market value that does not count.", "fraction", required=True, at_least=0, at_most=1),
            "fx_haircut": number(
                "Further part that does not count of an asset in another currency than the requirement's. Empty: such assets are not"
                " accepted.",
                "fraction",
                at_least=0,
                at_most=1,
            ),
            "concentration_limit": number(
                "Most that assets of the type, and those of any one issuer among them, may cover of the requirement, after haircuts."
                " Empty: no limit.",
                "fraction of the requirement",
                at_least=0,
                at_most=1,
            ),
        }
    ),
)
