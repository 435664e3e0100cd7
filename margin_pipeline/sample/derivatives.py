"""Netting sets and uncleared trades of the sample's bank and macro fund; all invented.

Belongs here: the invented figures. Not here: sensitivities (`crif`), the rules that read them (regulation).
"""

from __future__ import annotations

from collections.abc import Mapping

NETTING_SETS: tuple[Mapping[str, object], ...] = (
    {
        "netting_set_id": "NS_DEALER", "portfolio_id": "BANK", "counterparty": "Dealer One", "margined": "true", "threshold": 0,
        "minimum_transfer_amount": 500_000, "net_independent_collateral": 0, "margin_period_of_risk_days": 10, "im_model": "schedule",
        "regime": "us_prudential", "variation_margin": 1_500_000, "initial_margin_held": 0, "initial_margin_posted": 0,
        "counterparty_type": "financial", "counterparty_average_notional": 840_000_000_000, "counterparty_class": "bank",
        "counterparty_rating": "A+", "counterparty_sector": "financials",
    },
    {
        "netting_set_id": "NS_FUND", "portfolio_id": "BANK", "counterparty": "Pension Fund Two", "margined": "true", "threshold": 0,
        "minimum_transfer_amount": 500_000, "net_independent_collateral": 0, "margin_period_of_risk_days": 10, "im_model": "schedule",
        "regime": "us_prudential", "variation_margin": -1_950_000, "initial_margin_held": 0, "initial_margin_posted": 0,
        "counterparty_type": "financial", "counterparty_average_notional": 12_500_000_000, "counterparty_class": "corporate",
        "counterparty_rating": "AA-", "counterparty_sector": "financials",
    },
    {
        "netting_set_id": "NS_CLIENT", "portfolio_id": "BANK", "counterparty": "Airline Three", "margined": "false",
        "net_independent_collateral": 750_000, "im_model": "schedule", "regime": "us_prudential", "variation_margin": 0,
        "initial_margin_held": 0, "initial_margin_posted": 0, "counterparty_type": "non_financial",
        "counterparty_average_notional": 900_000_000, "counterparty_class": "corporate", "counterparty_rating": "BB",
        "counterparty_sector": "transportation",
    },
    {
        "netting_set_id": "NS_MACRO", "portfolio_id": "MACRO", "counterparty": "Dealer Four", "margined": "true", "threshold": 0,
        "minimum_transfer_amount": 400_000, "net_independent_collateral": 0, "margin_period_of_risk_days": 10, "im_model": "simm",
        "regime": "emir", "variation_margin": 2_600_000, "initial_margin_held": 2_900_000, "initial_margin_posted": 3_100_000,
        "initial_margin_threshold": 10_000_000, "counterparty_type": "financial", "counterparty_average_notional": 610_000_000_000,
        "counterparty_class": "bank", "counterparty_rating": "A", "counterparty_sector": "financials",
    },
)  # fmt: skip
"""Netting sets by column of the file; what is left out is empty."""

OTC_TRADES: tuple[Mapping[str, object], ...] = (
    {
        "trade_id": "T01", "netting_set_id": "NS_DEALER", "asset_class": "interest_rate", "instrument_type": "swap", "direction": "long",
        "notional": 250_000_000, "currency": "USD", "start_date": "2021-05-10", "maturity": "2026-05-11", "market_value": 6_150_000,
    },
    {
        "trade_id": "T02", "netting_set_id": "NS_DEALER", "asset_class": "interest_rate", "instrument_type": "swap", "direction": "short",
        "notional": 120_000_000, "currency": "EUR", "start_date": "2020-03-16", "maturity": "2030-03-18", "market_value": -4_480_000,
    },
    {
        "trade_id": "T03", "netting_set_id": "NS_DEALER", "asset_class": "fx", "instrument_type": "forward", "direction": "long",
        "notional": 80_000_000, "currency": "EUR", "second_currency": "USD", "second_notional": 83_600_000, "start_date": "2022-09-20",
        "maturity": "2023-03-21", "market_value": 1_240_000, "settlement": "physical",
    },
    {
        "trade_id": "T04", "netting_set_id": "NS_DEALER", "asset_class": "equity", "instrument_type": "swap", "direction": "short",
        "notional": 30_000_000, "currency": "USD", "reference": "SP500", "sub_class": "index", "start_date": "2022-06-21",
        "maturity": "2023-06-20", "market_value": 950_000,
    },
    {
        "trade_id": "T05", "netting_set_id": "NS_FUND", "asset_class": "credit", "instrument_type": "cds_index", "direction": "long",
        "notional": 60_000_000, "currency": "USD", "reference": "North American investment grade", "sub_class": "ig",
        "start_date": "2022-03-21", "maturity": "2027-12-20", "market_value": -820_000,
    },
    {
        "trade_id": "T06", "netting_set_id": "NS_FUND", "asset_class": "interest_rate", "instrument_type": "swap", "direction": "short",
        "notional": 90_000_000, "currency": "USD", "start_date": "2022-02-01", "maturity": "2024-02-01", "market_value": -1_730_000,
    },
    {
        "trade_id": "T07", "netting_set_id": "NS_FUND", "asset_class": "commodity", "instrument_type": "forward", "direction": "long",
        "notional": 15_000_000, "currency": "USD", "reference": "WTI", "sub_class": "crude oil", "start_date": "2022-10-03",
        "maturity": "2023-10-02", "market_value": 410_000,
    },
    {
        "trade_id": "T08", "netting_set_id": "NS_CLIENT", "asset_class": "commodity", "instrument_type": "swap", "direction": "short",
        "notional": 22_000_000, "currency": "USD", "reference": "jet fuel", "sub_class": "refined products", "start_date": "2022-07-01",
        "maturity": "2023-12-29", "market_value": 1_320_000,
    },
    {
        "trade_id": "T09", "netting_set_id": "NS_CLIENT", "asset_class": "fx", "instrument_type": "option", "direction": "short",
        "notional": 40_000_000, "currency": "EUR", "second_currency": "USD", "start_date": "2022-11-15", "maturity": "2023-05-17",
        "market_value": -610_000, "option_type": "call", "option_position": "sold", "strike": 1.09, "underlying_price": 1.062,
        "exercise_date": "2023-05-15",
    },
    {
        "trade_id": "T10", "netting_set_id": "NS_CLIENT", "asset_class": "interest_rate", "instrument_type": "swaption",
        "direction": "long", "notional": 50_000_000, "currency": "USD", "start_date": "2022-10-17", "maturity": "2028-10-17",
        "market_value": 980_000, "option_type": "call", "option_position": "bought", "strike": 0.0375, "underlying_price": 0.0352,
        "exercise_date": "2023-10-17", "underlying_start": "2023-10-17", "underlying_end": "2028-10-17",
    },
    {
        "trade_id": "T11", "netting_set_id": "NS_MACRO", "asset_class": "interest_rate", "instrument_type": "swap", "direction": "short",
        "notional": 310_000_000, "currency": "EUR", "start_date": "2022-01-20", "maturity": "2032-01-20", "market_value": -3_700_000,
    },
    {
        "trade_id": "T12", "netting_set_id": "NS_MACRO", "asset_class": "interest_rate", "instrument_type": "basis_swap",
        "direction": "long", "notional": 180_000_000, "currency": "EUR", "reference": "EURIBOR 3M against 6M",
        "start_date": "2022-04-04", "maturity": "2027-04-05", "market_value": 240_000,
    },
    {
        "trade_id": "T13", "netting_set_id": "NS_MACRO", "asset_class": "fx", "instrument_type": "forward", "direction": "short",
        "notional": 95_000_000, "currency": "USD", "second_currency": "EUR", "second_notional": 92_400_000, "start_date": "2022-09-28",
        "maturity": "2023-09-28", "market_value": 4_100_000, "settlement": "cash",
    },
    {
        "trade_id": "T14", "netting_set_id": "NS_MACRO", "asset_class": "equity", "instrument_type": "option", "direction": "long",
        "notional": 26_000_000, "currency": "EUR", "reference": "European index", "sub_class": "index", "start_date": "2022-12-05",
        "maturity": "2023-06-16", "market_value": 1_150_000, "option_type": "put", "option_position": "bought", "strike": 3700,
        "underlying_price": 3809, "exercise_date": "2023-06-16",
    },
    {
        "trade_id": "T15", "netting_set_id": "NS_MACRO", "asset_class": "credit", "instrument_type": "cds", "direction": "short",
        "notional": 35_000_000, "currency": "EUR", "reference": "European utility", "sub_class": "BBB", "start_date": "2022-09-20",
        "maturity": "2027-12-20", "market_value": 620_000,
    },
)  # fmt: skip
"""Trades by column of the file; what is left out is empty."""
