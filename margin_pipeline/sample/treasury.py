"""Liquidity of the sample's symbols, and collateral of its derivatives accounts; all invented.

Belongs here: the invented rows. Not here: plans, allocations (`decisions`).
"""

from __future__ import annotations

LIQUIDITY_COLUMNS = ("symbol", "average_daily_volume", "spread_bps", "lot_size")
LIQUIDITY = (
    ("AAPL", 76_000_000, 1, 1),
    ("AMD", 55_000_000, 2, 1),
    ("BAC", 33_000_000, 3, 1),
    ("MSFT", 27_000_000, 1, 1),
    ("JPM", 9_500_000, 2, 1),
    ("KO", 12_500_000, 2, 1),
    ("PFE", 19_000_000, 2, 1),
    ("XOM", 16_000_000, 2, 1),
    ("RRC", 4_100_000, 6, 100),
    ("BBY", 2_300_000, 4, 1),
    ("MTUM", 640_000, 4, 1),
    ("VLUE", 480_000, 6, 1),
    ("SIZE", 21_000, 14, 1),
    ("ESH3", 1_450_000, 0.7, 1),
    ("MESH3", 1_050_000, 0.7, 1),
    ("ESH3230217C4100", 900, 120, 1),
    ("SP500230120P3600", 2_600, 180, 1),
    ("SP500230120C4150", 3_100, 150, 1),
    ("BTCPERP", 28_000, 2, 0.001),
    ("ETHPERP", 310_000, 3, 0.01),
)
"""Symbols without a row trade at the defaults of liquidation.yaml."""

COLLATERAL_COLUMNS = ("portfolio_id", "asset", "asset_type", "issuer", "currency", "market_value", "carry_cost")
COLLATERAL = (
    ("BANK", "CASH_USD", "cash", "", "USD", 9_000_000, 0.0430),
    ("BANK", "CASH_EUR", "cash", "", "EUR", 4_000_000, 0.0200),
    ("BANK", "UST_2025", "government_bond", "US Treasury", "USD", 14_000_000, 0.0035),
    ("BANK", "UST_2032", "government_bond", "US Treasury", "USD", 6_000_000, 0.0060),
    ("BANK", "BUND_2032", "government_bond", "Germany", "EUR", 5_000_000, 0.0045),
    ("BANK", "CORP_AIR_2027", "corporate_bond", "Airline Three", "USD", 3_000_000, 0.0020),
    ("BANK", "CORP_OIL_2029", "corporate_bond", "Oil Five", "USD", 4_000_000, 0.0025),
    ("BANK", "EQ_INDEX_BASKET", "equity", "Fund Six", "USD", 5_000_000, 0.0015),
    ("MACRO", "CASH_EUR", "cash", "", "EUR", 3_500_000, 0.0200),
    ("MACRO", "BUND_2027", "government_bond", "Germany", "EUR", 6_000_000, 0.0030),
    ("MACRO", "UST_2025", "government_bond", "US Treasury", "USD", 2_500_000, 0.0025),
    ("MACRO", "OAT_2030", "government_bond", "France", "EUR", 2_000_000, 0.0028),
)

REQUIREMENT_COLUMNS = ("requirement_id", "portfolio_id", "amount", "currency")
REQUIREMENTS = (
    ("NS_DEALER_IM", "BANK", 11_000_000, "USD"),
    ("NS_FUND_IM", "BANK", 3_200_000, "USD"),
    ("CCP_IM", "BANK", 6_500_000, "USD"),
    ("NS_MACRO_IM", "MACRO", 8_200_000, "EUR"),
    ("NS_MACRO_VM", "MACRO", 4_900_000, "EUR"),
)
"""MACRO cannot cover all of what it has to: variation margin is asked in cash."""

ELIGIBILITY_COLUMNS = ("requirement_id", "asset_type", "haircut", "fx_haircut", "concentration_limit")
ELIGIBILITY = (
    ("NS_DEALER_IM", "cash", 0.00, 0.08, ""),
    ("NS_DEALER_IM", "government_bond", 0.02, 0.08, ""),
    ("NS_DEALER_IM", "corporate_bond", 0.08, 0.08, 0.15),
    ("NS_DEALER_IM", "equity", 0.15, 0.08, 0.10),
    ("NS_FUND_IM", "cash", 0.00, 0.08, ""),
    ("NS_FUND_IM", "government_bond", 0.04, 0.08, 0.50),
    ("NS_FUND_IM", "corporate_bond", 0.08, 0.08, 0.40),
    ("CCP_IM", "cash", 0.00, 0.05, ""),
    ("CCP_IM", "government_bond", 0.03, 0.05, ""),
    ("NS_MACRO_IM", "cash", 0.00, 0.08, ""),
    ("NS_MACRO_IM", "government_bond", 0.02, 0.08, 0.60),
    ("NS_MACRO_VM", "cash", 0.00, 0.08, ""),
)
