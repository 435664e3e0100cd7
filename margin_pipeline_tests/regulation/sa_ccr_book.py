"""Netting sets and trades for tests of SA-CCR: columns of the landing contracts, all that is not said left empty.

Belongs here: building frames, and the trades of the published examples with dates. Not here: expected figures.
"""

import datetime as dt

import pandas as pd

from margin_pipeline.landing.contracts.columns import DTYPES
from margin_pipeline.landing.contracts.derivatives import NETTING_SETS, OTC_TRADES
from margin_pipeline.regulation.sa_ccr.tables import sa_ccr_tables

AS_OF = dt.date(2022, 3, 15)
"""Valuation date of the published examples here: they state years, and these dates are whole years and months away."""
IN = {
    "9m": "2022-12-15", "1y": "2023-03-15", "2y": "2024-03-15", "3y": "2025-03-15", "4y": "2026-03-15", "5y": "2027-03-15",
    "6y": "2028-03-15", "10y": "2032-03-15", "11y": "2033-03-15",
}  # fmt: skip
SWAP = {"asset_class": "interest_rate", "instrument_type": "swap", "start_date": "2021-03-15"}
CDS = {"asset_class": "credit", "instrument_type": "cds", "notional": 10_000}
FORWARD = {"asset_class": "commodity", "instrument_type": "forward"}

EXAMPLE_1 = [
    {**SWAP, "notional": 10_000, "direction": "long", "maturity": IN["10y"], "market_value": 30},
    {**SWAP, "notional": 10_000, "direction": "short", "maturity": IN["4y"], "market_value": -20},
    {
        "asset_class": "interest_rate", "instrument_type": "swaption", "notional": 5_000, "currency": "EUR", "option_type": "put",
        "option_position": "bought", "underlying_price": 0.06, "strike": 0.05, "exercise_date": IN["1y"], "underlying_start": IN["1y"],
        "underlying_end": IN["11y"], "maturity": IN["11y"], "settlement": "physical", "market_value": 50,
    },
]  # fmt: skip
EXAMPLE_2 = [
    {**CDS, "reference": "Firm A", "sub_class": "AA", "direction": "long", "maturity": IN["3y"], "market_value": 20},
    {**CDS, "reference": "Firm B", "sub_class": "BBB", "direction": "short", "maturity": IN["6y"], "market_value": -40, "currency": "EUR"},
    {**CDS, "reference": "CDX.IG", "sub_class": "ig", "instrument_type": "cds_index", "direction": "long", "maturity": IN["5y"]},
]
EXAMPLE_3 = [
    {**FORWARD, "reference": "WTI", "sub_class": "crude oil", "direction": "long", "maturity": IN["9m"], "notional": 10_000,
     "market_value": -50},
    {**FORWARD, "reference": "Brent", "sub_class": "crude oil", "direction": "short", "maturity": IN["2y"], "notional": 20_000,
     "market_value": -30},
    {**FORWARD, "reference": "silver", "sub_class": "silver", "direction": "long", "maturity": IN["5y"], "notional": 10_000,
     "market_value": 100},
]  # fmt: skip
MARGINED_EXAMPLE = {
    "margined": True, "threshold": 0, "minimum_transfer_amount": 5, "net_independent_collateral": 150, "variation_margin": 50,
    "margin_period_of_risk_days": 14,
}  # fmt: skip
"""Example 5: collateral of 200, of which 50 variation margin, called weekly: 10 + 5 - 1 days."""


def frame(contract, rows):
    """Frame of a landed table with all its columns, from rows that say some of them."""
    columns = {}
    for name in contract.columns:
        kind = contract.metadata(name)["kind"]
        values = [row.get(name) for row in rows]
        series = pd.Series(values, dtype=object)
        columns[name] = pd.to_datetime(series).astype("datetime64[us]") if kind == "date" else series.astype(DTYPES[kind])
    return pd.DataFrame(columns)


def trades_frame(trades):
    """Frame of otc_trades: set NS, US dollars, market value 0 and ids T0, T1, … where a trade does not say."""
    defaults = {"netting_set_id": "NS", "currency": "USD", "market_value": 0.0}
    return frame(OTC_TRADES, [{**defaults, "trade_id": f"T{number:03d}", **trade} for number, trade in enumerate(trades)])


def sets_frame(sets):
    """Frame of netting_sets: set NS of portfolio P where one does not say."""
    return frame(NETTING_SETS, [{"netting_set_id": "NS", "portfolio_id": "P", **row} for row in sets])


def tables(trades, sets=({},), base="USD", fx=(("EUR", 1.0),), as_of=AS_OF):
    """The three tables; rates are dollars for one unit."""
    rates = pd.DataFrame({"date": pd.Timestamp(as_of), "currency": [c for c, _ in fx], "usd_rate": [float(r) for _, r in fx]})
    owners = sorted({row.get("portfolio_id", "P") for row in sets})
    portfolios = pd.DataFrame({"portfolio_id": owners, "base_currency": base})
    otc_trades = trades if isinstance(trades, pd.DataFrame) else trades_frame(trades)
    return sa_ccr_tables(sets_frame(sets), otc_trades, portfolios, rates, as_of)


def one_set(trades, terms=None, **rest):
    """Row of the only netting set."""
    return tables(trades, ({} if terms is None else terms,), **rest)[2].iloc[0]


def one_trade(trade, **rest):
    """Row of the only trade."""
    return tables([trade], **rest)[0].iloc[0]
