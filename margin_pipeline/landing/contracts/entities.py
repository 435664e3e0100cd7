"""Contracts of what regulation asks about the entity behind a portfolio: figures and credit exposures.

Belongs here: their columns, ranges and units. Not here: derivatives (`derivatives`), the regimes that read them (regulation).
"""

from __future__ import annotations

import pandera.pandas as pa

from margin_pipeline.landing.contracts.columns import boolean, currency, date, number, text
from margin_pipeline.landing.contracts.contract import FileContract

OF_ROW = "currency of the row"


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
                "cet1, tier1, total_capital, other_leverage_exposure, other_leverage_exposure_includes_derivatives (1: yes),"
                " credit_risk_rwa_other, market_risk_rwa_other, operational_risk_rwa, internal_model_rwa, countercyclical_buffer_rate,"
                " systemic_buffer_rate, hqla, net_outflows_30d, available_stable_funding, required_stable_funding, net_capital,"
                " aggregate_indebtedness, aggregate_debits, minimum_net_capital, first_year, alternative_standard (1: yes),"
                " portfolio_margin_minimum_equity, aana, average_notional_<class>, least_quarterly_notional, swap_dealing_notional, …;"
                " docs/regulation.md says which line needs which.",
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
            "loan_to_value": number("Loan over value of the property it is secured on.", "fraction", at_least=0),
            "is_short_term": boolean("Whether the original maturity is three months or less."),
        }
    ),
)
