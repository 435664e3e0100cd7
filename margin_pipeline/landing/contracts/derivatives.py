"""Contracts of uncleared and cleared derivatives: netting sets and trades.

Belongs here: their columns, ranges and units. Not here: sensitivities (`crif`), the regimes that read them (regulation).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import boolean, currency, date, number, text
from margin_pipeline.landing.contracts.contract import FileContract

OF_ROW = "currency of the row"
OTC_ASSET_CLASSES = ("interest_rate", "fx", "credit", "equity", "commodity")
COUNTERPARTY_TYPES = (
    "financial",
    "non_financial",
    "non_financial_above_clearing_threshold",
    "sovereign",
    "central_bank",
    "multilateral_development_bank",
    "central_counterparty",
    "exempt",
)

NETTING_SETS = FileContract(
    name="netting_sets",
    table="netting_sets",
    description="One netting set of uncleared derivatives.",
    key=("netting_set_id",),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "netting_set_id": text("Identity of the netting set.", required=True),
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "counterparty": text("Name of the counterparty."),
            "margined": boolean("Whether variation margin is exchanged."),
            "threshold": number("Variation margin threshold.", "base currency", at_least=0),
            "minimum_transfer_amount": number("Least amount that is called.", "base currency", at_least=0),
            "net_independent_collateral": number("Net independent collateral amount.", "base currency"),
            "margin_period_of_risk_days": number("Margin period of risk.", "business days", above=0),
            "im_model": text("Agreed model of initial margin.", allowed=("simm", "schedule"), case="lower"),
            "regime": text(
                "Regime of uncleared margin that applies: us_prudential, cftc, emir, uk, mas. Empty: by the portfolio's jurisdiction and"
                " entity type.",
                case="lower",
            ),
            "is_cleared": boolean("Whether a central counterparty stands between the parties.", default_note="false"),
            "variation_margin": number("Net variation margin held; negative: given.", "base currency"),
            "initial_margin_held": number("Initial margin collected from the counterparty.", "base currency", at_least=0),
            "initial_margin_posted": number("Initial margin given to the counterparty.", "base currency", at_least=0),
            "initial_margin_threshold": number(
                "Agreed threshold of initial margin. Empty: the greatest that the regime allows.", "base currency", at_least=0
            ),
            "counterparty_type": text("What the counterparty is to uncleared margin.", allowed=COUNTERPARTY_TYPES, case="lower"),
            "counterparty_average_notional": number(
                "Average aggregate notional amount of uncleared derivatives of the counterparty's group.", "base currency", at_least=0
            ),
            "counterparty_class": text("Basel exposure class of the counterparty, as in exposures.", case="lower"),
            "counterparty_rating": text("External rating of the counterparty. Empty: unrated."),
            "counterparty_sector": text("Sector of the counterparty for credit valuation adjustment (Basel MAR50).", case="lower"),
        }
    ),
)

OTC_TRADES = FileContract(
    name="otc_trades",
    table="otc_trades",
    description="One uncleared derivative.",
    key=("trade_id",),
    schema=pa.DataFrameSchema(
        {
            "trade_id": text("Identity of the trade.", required=True),
            "netting_set_id": text("Netting set, as in netting_sets.", required=True),
            "asset_class": text("Asset class.", required=True, allowed=OTC_ASSET_CLASSES, case="lower"),
            "instrument_type": text("swap, forward, option, cds, cds_index, …", case="lower"),
            "direction": text(
                "long gains when the primary risk factor rises: rates, credit spreads (protection bought), prices, currency against"
                " second_currency.",
                allowed=("long", "short"),
                case="lower",
            ),
            "notional": number(
                "Notional; its side is the direction. Equity and commodity: current price x units.", OF_ROW, required=True, at_least=0
            ),
            "currency": currency("Currency of notional and market value.", required=True),
            "second_currency": currency("Other currency of an exchange-rate or cross-currency trade."),
            "reference": text("Reference entity, index, rate or commodity."),
            "sub_class": text("Rating, sector, commodity type, index or single."),
            "start_date": date("First day."),
            "maturity": date("Last day.", required=True),
            "market_value": number("Present value to the portfolio.", OF_ROW),
            "option_type": text("Kind of option.", allowed=("call", "put"), case="lower"),
            "option_position": text("bought or sold.", case="lower"),
            "strike": number("Exercise price or rate.", "as quoted"),
            "underlying_price": number("Price or rate of the underlying.", "as quoted"),
            "exercise_date": date("Last exercise day."),
            "underlying_start": date("First day of the underlying period."),
            "underlying_end": date("Last day of the underlying period."),
            "next_reset_date": date("Next day on which the trade is settled so that its value becomes zero."),
            "settlement": text("How it is settled at its end.", allowed=("physical", "cash"), case="lower"),
            "second_notional": number("Notional in the second currency.", "second currency", at_least=0),
            "attachment": number("Attachment point of a tranche.", "fraction", at_least=0, at_most=1),
            "detachment": number("Detachment point of a tranche.", "fraction", at_least=0, at_most=1),
            "is_hedge": boolean("Whether it reduces risks of commercial or treasury activity (EMIR article 10(3)).", default_note="false"),
        }
    ),
)
