"""Sensitivities of the sample's macro fund under SIMM; all invented.

Belongs here: the invented figures. Not here: the trades behind them (`derivatives`), the model (regulation).
"""

from __future__ import annotations

from collections.abc import Mapping

NETTING_SET = "NS_MACRO"
COLUMNS = (
    "TradeID", "PortfolioID", "ProductClass", "RiskType", "Qualifier", "Bucket", "Label1", "Label2", "AmountCurrency", "Amount",
    "AmountUSD", "IMModel",
)  # fmt: skip
IR = ("RatesFX", "Risk_IRCurve")
Sensitivity = tuple[str, str, str, str, str, str, str, str, float]
SENSITIVITIES: tuple[Sensitivity, ...] = (
    # A payer swap in dollars, hedged in part by the short end.
    ("T11", *IR, "USD", "1", "2y", "OIS", "USD", -4_200.0),
    ("T11", *IR, "USD", "1", "3y", "OIS", "USD", -6_900.0),
    ("T11", *IR, "USD", "1", "5y", "OIS", "USD", -18_400.0),
    ("T11", *IR, "USD", "1", "10y", "OIS", "USD", 71_300.0),
    ("T11", *IR, "USD", "1", "10y", "Libor3m", "USD", 3_150.0),
    ("T11", *IR, "USD", "1", "30y", "OIS", "USD", 2_480.0),
    # A basis swap of two euro tenors.
    ("T12", *IR, "EUR", "1", "1y", "Libor3m", "EUR", -5_600.0),
    ("T12", *IR, "EUR", "1", "5y", "Libor3m", "EUR", -39_800.0),
    ("T12", *IR, "EUR", "1", "5y", "Libor6m", "EUR", 38_900.0),
    ("T12", *IR, "EUR", "1", "10y", "OIS", "EUR", 1_240.0),
    # A cross-currency swap, an inflation swap, yen and Turkish rates.
    ("T16", *IR, "GBP", "1", "5y", "OIS", "USD", 10_500.0),
    ("T16", "RatesFX", "Risk_XCcyBasis", "GBP", "", "", "", "USD", 11_900.0),
    ("T16", "RatesFX", "Risk_FX", "GBP", "", "", "", "USD", -96_000.0),
    ("T17", "RatesFX", "Risk_Inflation", "USD", "", "", "", "USD", 9_300.0),
    ("T17", *IR, "USD", "1", "10y", "OIS", "USD", -8_850.0),
    ("T18", *IR, "JPY", "2", "10y", "OIS", "USD", -14_600.0),
    ("T19", *IR, "TRY", "3", "1y", "OIS", "USD", -640.0),
    # Swaptions and a cap: vega in volatility-weighted form.
    ("T20", "RatesFX", "Risk_IRVol", "USD", "", "1y", "", "USD", 128_000.0),
    ("T20", "RatesFX", "Risk_IRVol", "USD", "", "5y", "", "USD", -46_500.0),
    ("T20", *IR, "USD", "1", "5y", "OIS", "USD", 12_600.0),
    ("T21", "RatesFX", "Risk_IRVol", "EUR", "", "2y", "", "EUR", 58_000.0),
    ("T21", "RatesFX", "Risk_InflationVol", "USD", "", "5y", "", "USD", -7_200.0),
    # Exchange-rate forwards and options.
    ("T13", "RatesFX", "Risk_FX", "JPY", "", "", "", "USD", -415_000.0),
    ("T22", "RatesFX", "Risk_FX", "EUR", "", "", "", "USD", 268_000.0),
    ("T22", "RatesFX", "Risk_FXVol", "EURUSD", "", "3m", "", "USD", 19_400.0),
    ("T22", "RatesFX", "Risk_FXVol", "EURUSD", "", "1y", "", "USD", -6_100.0),
    ("T23", "RatesFX", "Risk_FX", "BRL", "", "", "", "USD", 31_000.0),
    ("T23", "RatesFX", "Risk_FXVol", "USDBRL", "", "6m", "", "USD", 4_700.0),
    # Equity options and swaps.
    ("T14", "Equity", "Risk_Equity", "SP500", "11", "", "", "USD", 142_000.0),
    ("T14", "Equity", "Risk_EquityVol", "SP500", "11", "6m", "", "USD", 23_800.0),
    ("T14", "Equity", "Risk_EquityVol", "SP500", "11", "1y", "", "USD", 9_600.0),
    ("T24", "Equity", "Risk_Equity", "MSFT", "8", "", "", "USD", -58_000.0),
    ("T24", "Equity", "Risk_Equity", "JPM", "8", "", "", "USD", 41_500.0),
    ("T24", "Equity", "Risk_Equity", "XOM", "7", "", "", "USD", 27_300.0),
    ("T25", "Equity", "Risk_EquityVol", "VIX", "12", "3m", "", "USD", 3_900.0),
    ("T25", "Equity", "Risk_Equity", "VIX", "12", "", "", "USD", 12_700.0),
    # Credit: single names, an index, an option on it, a securitisation.
    ("T15", "Credit", "Risk_CreditQ", "BAC", "2", "5y", "", "USD", -21_600.0),
    ("T15", "Credit", "Risk_CreditQ", "BAC", "2", "3y", "", "USD", 2_100.0),
    ("T26", "Credit", "Risk_CreditQ", "F", "10", "5y", "", "USD", 7_400.0),
    ("T26", "Credit", "Risk_CreditVol", "F", "10", "5y", "", "USD", 11_200.0),
    ("T27", "Credit", "Risk_BaseCorr", "CDX IG", "", "", "", "USD", 16_800.0),
    ("T28", "Credit", "Risk_CreditNonQ", "CMBX AAA", "1", "5y", "", "USD", -1_150.0),
    # Commodities.
    ("T29", "Commodity", "Risk_Commodity", "WTI", "2", "", "", "USD", 64_000.0),
    ("T29", "Commodity", "Risk_CommodityVol", "WTI", "2", "6m", "", "USD", 8_300.0),
    ("T30", "Commodity", "Risk_Commodity", "Gold", "12", "", "", "USD", -37_500.0),
    # Add-ons agreed with the dealer.
    ("", "", "Param_ProductClassMultiplier", "Equity", "", "", "", "", 1.1),
    ("", "", "Param_AddOnNotionalFactor", "Autocallables", "", "", "", "", 2.0),
    ("T31", "", "Notional", "Autocallables", "", "", "", "USD", 12_000_000.0),
    ("", "", "Param_AddOnFixedAmount", "", "", "", "", "USD", 150_000.0),
)
"""Trade, product class, risk type, qualifier, bucket, label 1, label 2, currency of the amount, amount: for a rise of 1 basis point, 1 %
or 1 percentage point of volatility, by risk type."""


def crif_rows() -> list[Mapping[str, object]]:
    """Rows of crif.csv by ISDA's column names; amounts that are not in dollars are left to the day's rate."""
    return [
        dict(zip(COLUMNS, (trade, NETTING_SET, *rest, currency, amount, amount if currency == "USD" else "", "SIMM"), strict=True))
        for trade, *rest, currency, amount in SENSITIVITIES
    ]
