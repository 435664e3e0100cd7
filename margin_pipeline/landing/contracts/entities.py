"""Contracts of what regulation asks about the entity behind a portfolio: figures, exposures, netting sets, uncleared trades.

Belongs here: their columns, ranges and units. Not here: the regimes that read them (regulation).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import boolean, currency, date, number, text
from margin_pipeline.landing.contracts.contract import FileContract

OF_ROW = "currency of the row"
OTC_ASSET_CLASSES = ("interest_rate", "fx", "credit", "equity", "commodity")


def _row_currency() -> pa.Column:
    return currency("Currency of the amount.", default_note="base currency of the portfolio")


ENTITY_FIGURES = FileContract(
    name="entity_figures",
    table="entity_figures",
    description="One capital or other figure of the entity behind a portfolio.",
    key=("portfolio_id", "figure"),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "figure": text(
                "cet1, tier1, total_capital, other_leverage_exposure, hqla, net_outflows_30d, net_capital, aggregate_indebtedness,"
                " aggregate_debits, aana, average_notional_<class>, …",
                required=True,
                case="lower",
            ),
            "value": number("Amount.", OF_ROW, required=True),
            "currency": _row_currency(),
        }
    ),
)

EXPOSURES = FileContract(
    name="exposures",
    table="exposures",
    description="One credit exposure of the entity behind a portfolio.",
    key=("portfolio_id", "exposure_id"),
    known_portfolio=True,
    schema=pa.DataFrameSchema(
        {
            "portfolio_id": text("Portfolio, as in portfolios.", required=True),
            "exposure_id": text("Identity of the exposure.", required=True),
            "exposure_class": text("Basel exposure class: sovereign, bank, corporate, …", required=True, case="lower"),
            "rating": text("External rating. Empty: unrated."),
            "amount": number("Exposure value.", OF_ROW, required=True, at_least=0),
            "currency": _row_currency(),
            "maturity": date("Last day of the exposure."),
        }
    ),
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
            "regime": text("Regime of uncleared margin that applies.", case="lower"),
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
            "direction": text("Side that is held.", allowed=("long", "short"), case="lower"),
            "notional": number("Notional; its side is the direction.", OF_ROW, required=True, at_least=0),
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
        }
    ),
)
