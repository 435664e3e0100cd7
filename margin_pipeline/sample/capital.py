"""Capital figures and credit exposures of the sample's regulated entities; all invented.

Belongs here: the invented figures. Not here: derivatives (`derivatives`), ratios, risk weights (regulation).
"""

from __future__ import annotations

ENTITY_FIGURES = (
    ("BANK", "cet1", 242_000_000, "USD"),
    ("BANK", "tier1", 265_000_000, "USD"),
    ("BANK", "total_capital", 301_000_000, "USD"),
    ("BANK", "other_leverage_exposure", 1_150_000_000, "USD"),
    ("BANK", "operational_risk_rwa", 118_000_000, "USD"),
    ("BANK", "countercyclical_buffer_rate", 0.0025, "USD"),
    ("BANK", "hqla", 460_000_000, "USD"),
    ("BANK", "net_outflows_30d", 385_000_000, "USD"),
    ("BANK", "available_stable_funding", 1_980_000_000, "USD"),
    ("BANK", "required_stable_funding", 1_740_000_000, "USD"),
    ("BANK", "aana", 61_000_000_000, "USD"),
    ("BANK", "swap_dealing_notional", 1_900_000_000, "USD"),
    ("BANK", "swap_dealing_notional_special_entities", 14_000_000, "USD"),
    ("BROKER", "net_capital", 6_100_000, "USD"),
    ("BROKER", "aggregate_indebtedness", 41_000_000, "USD"),
    ("BROKER", "aggregate_debits", 88_000_000, "USD"),
    ("MACRO", "aana", 9_200_000_000, "EUR"),
    ("MACRO", "average_notional_interest_rate", 3_350_000_000, "EUR"),
    ("MACRO", "average_notional_fx", 1_240_000_000, "EUR"),
    ("MACRO", "average_notional_credit", 410_000_000, "EUR"),
    ("MACRO", "average_notional_equity", 620_000_000, "EUR"),
    ("MACRO", "average_notional_commodity", 180_000_000, "EUR"),
)
"""portfolio_id, figure, value, currency."""

EXPOSURES = (
    ("BANK", "E01", "sovereign", "AA", 820_000_000, "USD", "2027-06-30", ""),
    ("BANK", "E02", "bank", "A", 310_000_000, "USD", "2023-09-29", ""),
    ("BANK", "E03", "corporate", "BBB", 640_000_000, "USD", "2026-03-31", ""),
    ("BANK", "E04", "corporate", "", 260_000_000, "USD", "2025-12-15", ""),
    ("BANK", "E05", "retail", "", 280_000_000, "USD", "2024-12-31", ""),
    ("BANK", "E06", "sovereign", "AAA", 150_000_000, "EUR", "2032-02-15", ""),
    ("BANK", "E07", "residential_mortgage", "", 190_000_000, "USD", "2047-08-31", 0.62),
)
"""portfolio_id, exposure_id, exposure_class, rating, amount, currency, maturity, loan_to_value."""
