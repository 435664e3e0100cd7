"""A bank with tables of the date for tests of the Basel rules: columns of the landing contracts, all that is not said left empty.

Belongs here: building frames. Not here: expected figures.
"""

import datetime as dt

import pandas as pd

from margin_pipeline.landing.contracts.columns import DTYPES
from margin_pipeline.landing.contracts.derivatives import NETTING_SETS, OTC_TRADES
from margin_pipeline.landing.contracts.entities import ENTITY_FIGURES, EXPOSURES
from margin_pipeline.regulation import basel
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import table

BEFORE_2023, IN_2023, IN_2028 = dt.date(2022, 12, 28), dt.date(2023, 6, 30), dt.date(2028, 6, 30)
CAPITAL = {
    "cet1": 60.0, "tier1": 75.0, "total_capital": 100.0, "other_leverage_exposure": 500.0, "countercyclical_buffer_rate": 0.0,
    "hqla": 120.0, "net_outflows_30d": 100.0, "available_stable_funding": 900.0, "required_stable_funding": 750.0,
}  # fmt: skip
BOOK = [
    {"exposure_class": "sovereign", "rating": "AA", "amount": 500.0},
    {"exposure_class": "bank", "rating": "A-", "amount": 200.0},
    {"exposure_class": "corporate", "rating": "BBB", "amount": 300.0},
    {"exposure_class": "corporate", "amount": 100.0},
    {"exposure_class": "retail", "amount": 400.0},
]
BEFORE_2023_ASSETS = 500 * 0.0 + 200 * 0.5 + 300 * 1.0 + 100 * 1.0 + 400 * 0.75
IN_2023_ASSETS = 200 * 0.3 + 300 * 0.75 + 100 * 1.0 + 400 * 0.75
GREEKS = [
    "portfolio_id", "strategy", "symbol", "is_option", "implied_volatility", "dollar_delta", "dollar_gamma", "dollar_vega", "missing",
]  # fmt: skip
POSITIONS = ["portfolio_id", "strategy", "symbol", "quantity", "market_value", "notional", "currency", "asset_class"]
INSTRUMENTS = [
    "symbol", "asset_class", "underlying", "currency", "exchange", "sector", "rating", "modified_duration", "expiry", "breadth",
    "leverage_factor", "is_inverse",
]  # fmt: skip


def frame(contract, rows, **defaults):
    """Rows with the columns and types of a landing contract; what is not said is empty."""
    kinds = {name: column.metadata["kind"] for name, column in contract.schema.columns.items()}
    columns = {name: pd.Series([{**defaults, **row}.get(name) for row in rows], dtype=DTYPES[kind]) for name, kind in kinds.items()}
    return pd.DataFrame(columns)


def exposures(rows, currency="USD"):
    numbered = [{"exposure_id": f"E{i}", **row} for i, row in enumerate(rows)]
    return frame(EXPOSURES, numbered, portfolio_id="BANK", currency=currency)


def netting_sets(rows):
    given = {"portfolio_id": "BANK", "counterparty_class": "bank", "counterparty_rating": "A", "counterparty_sector": "financials"}
    return frame(NETTING_SETS, rows, **given)


def trades(rows):
    numbered = [{"trade_id": f"T{i}", **row} for i, row in enumerate(rows)]
    return frame(OTC_TRADES, numbered, asset_class="interest_rate", direction="long", currency="USD", market_value=0.0)


def sa_ccr(rows):
    """Rows of sa_ccr_netting_sets: netting set, exposure at default and, where they matter, value, add_on and missing."""
    columns = ["portfolio_id", "netting_set_id", "exposure_at_default", "value", "add_on", "missing"]
    return pd.DataFrame([{"portfolio_id": "BANK", **row} for row in rows], columns=columns).astype(
        {"exposure_at_default": float, "value": float, "add_on": float, "missing": "str"}
    )


def portfolio(currency="USD", entity_type="bank", portfolio_id="BANK"):
    row = {"portfolio_id": [portfolio_id], "account_type": ["otc"], "equity": [0.0], "base_currency": [currency]}
    return pd.DataFrame(row | {"entity_type": pd.Series([entity_type], dtype="str")})


def positions(rows):
    given = {"portfolio_id": "BANK", "strategy": "trading", "quantity": 1.0, "currency": "USD"}
    found = pd.DataFrame([{**given, **row} for row in rows], columns=POSITIONS)
    found["notional"] = found["notional"].fillna(found["market_value"])
    return found.astype({"market_value": float, "notional": float, "quantity": float})


def instruments(rows):
    found = pd.DataFrame([{"currency": "USD", "leverage_factor": 1.0, **row} for row in rows], columns=INSTRUMENTS)
    return found.astype({"leverage_factor": float, "modified_duration": float, "is_inverse": "boolean", "expiry": "datetime64[us]"})


def greeks(rows):
    found = pd.DataFrame([{"portfolio_id": "BANK", "strategy": "trading", **row} for row in rows], columns=GREEKS)
    return found.astype(dict.fromkeys(GREEKS[4:8], float))


EMPTY = {
    "netting_sets": netting_sets([]), "otc_trades": trades([]), "sa_ccr_netting_sets": sa_ccr([]), "positions": positions([]),
    "instruments": instruments([]), "position_greeks": greeks([]),
}  # fmt: skip


def frames(capital=CAPITAL, book=BOOK, currency="USD", portfolios=None, **others):
    """Tables of a bank; those that are not given are empty."""
    rows = [{"portfolio_id": "BANK", "figure": name, "value": value, "currency": currency} for name, value in capital.items()]
    own = {
        "portfolios": portfolio() if portfolios is None else portfolios,
        "entity_figures": frame(ENTITY_FIGURES, rows),
        "exposures": exposures(book, currency),
    }
    return {**EMPTY, **own, **others}


def fx_rates(as_of):
    return pd.DataFrame({"date": pd.Timestamp(as_of), "currency": ["EUR", "GBP"], "usd_rate": [1.1, 1.25]})


def assets_of(as_of=IN_2023, **given):
    """Table of risk-weighted assets."""
    return basel.risk_weighted_assets(**frames(**given), fx_rates=fx_rates(as_of), as_of=as_of)


def lines_of(as_of=BEFORE_2023, scope="entity", **given):
    """Lines of a bank by line item."""
    tables = frames(**given)
    fx = fx_rates(as_of)
    tables["risk_weighted_assets"] = basel.risk_weighted_assets(**tables, fx_rates=fx, as_of=as_of)
    found = table(basel.lines(RegulatoryInputs(as_of, tables, fx)))
    return found[found["scope"] == scope].set_index("line_item")
