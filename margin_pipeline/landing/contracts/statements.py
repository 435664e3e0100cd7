"""Contract of what others say about the portfolios: the margin that a broker asks.

Belongs here: columns, ranges and units. Not here: comparing it with ours (margin.reconciliation).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import number, row_rule, text
from margin_pipeline.landing.contracts.contract import FileContract

BASE_CURRENCY = "base currency"

BROKER_MARGINS = FileContract(
    name="broker_margins",
    table="broker_margins",
    description="What the broker asks for a portfolio, or for one symbol of it.",
    key=("portfolio_id", "symbol"),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "symbol": text(
                "Instrument, in our symbols; one that the portfolio does not hold is reported. Empty: the whole portfolio.", default=""
            ),
            "initial_margin": number("Initial margin. Empty: the broker does not say.", BASE_CURRENCY, at_least=0),
            "maintenance_margin": number("Maintenance margin. Empty: the broker does not say.", BASE_CURRENCY, at_least=0),
        },
        checks=[
            row_rule(
                "maintenance_margin",
                "a row gives an initial or a maintenance margin",
                lambda f: f["initial_margin"].notna() | f["maintenance_margin"].notna(),
            )
        ],
    ),
)
