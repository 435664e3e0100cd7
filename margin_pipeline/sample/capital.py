"""Capital figures, credit exposures and uncleared derivatives of the sample's bank; all invented.

Belongs here: the invented figures. Not here: ratios, risk weights, margin (regulation).
"""

from __future__ import annotations

ENTITY_FIGURES = (
    ("BANK", "cet1", 182_000_000, "USD"),
    ("BANK", "tier1", 205_000_000, "USD"),
    ("BANK", "total_capital", 236_000_000, "USD"),
    ("BANK", "other_leverage_exposure", 1_150_000_000, "USD"),
)
"""portfolio_id, figure, value, currency."""

EXPOSURES = (
    ("BANK", "E01", "sovereign", "AA", 820_000_000, "USD", "2027-06-30"),
    ("BANK", "E02", "bank", "A", 310_000_000, "USD", "2023-09-29"),
    ("BANK", "E03", "corporate", "BBB", 640_000_000, "USD", "2026-03-31"),
    ("BANK", "E04", "corporate", "", 260_000_000, "USD", "2025-12-15"),
    ("BANK", "E05", "retail", "", 280_000_000, "USD", "2024-12-31"),
    ("BANK", "E06", "sovereign", "AAA", 150_000_000, "EUR", "2032-02-15"),
)
"""portfolio_id, exposure_id, exposure_class, rating, amount, currency, maturity."""

NETTING_SETS = (
    ("NS_DEALER", "BANK", "Dealer One", "true", "0", "500000", "0", "10", "schedule", "us_prudential"),
    ("NS_FUND", "BANK", "Pension Fund Two", "true", "0", "500000", "0", "10", "schedule", "us_prudential"),
)
"""netting_set_id, portfolio_id, counterparty, margined, threshold, minimum_transfer_amount, net_independent_collateral,
margin_period_of_risk_days, im_model, regime."""

OTC_TRADES = (
    ("T01", "NS_DEALER", "interest_rate", "swap", "long", 250_000_000, "USD", "", "", "2021-05-10", "2026-05-11", 6_150_000),
    ("T02", "NS_DEALER", "interest_rate", "swap", "short", 120_000_000, "EUR", "", "", "2020-03-16", "2030-03-18", -4_480_000),
    ("T03", "NS_DEALER", "fx", "forward", "long", 80_000_000, "EUR", "USD", "", "2022-09-20", "2023-03-21", 1_240_000),
    ("T04", "NS_DEALER", "equity", "swap", "short", 30_000_000, "USD", "", "SP500", "2022-06-21", "2023-06-20", 950_000),
    ("T05", "NS_FUND", "credit", "cds", "long", 60_000_000, "USD", "", "corporate index", "2022-03-21", "2027-03-22", -820_000),
    ("T06", "NS_FUND", "interest_rate", "swap", "short", 90_000_000, "USD", "", "", "2022-02-01", "2024-02-01", -1_730_000),
    ("T07", "NS_FUND", "commodity", "forward", "long", 15_000_000, "USD", "", "crude oil", "2022-10-03", "2023-10-02", 410_000),
)
"""trade_id, netting_set_id, asset_class, instrument_type, direction, notional, currency, second_currency, reference,
start_date, maturity, market_value."""
