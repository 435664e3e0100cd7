"""Inputs of entities for the tests of entity-level rules: portfolios, their figures, netting sets, derivatives and stocks."""

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.regulation.inputs import RegulatoryInputs

AS_OF = dt.date(2022, 12, 28)
FX = pd.DataFrame(
    {"date": pd.to_datetime(["2022-12-28"] * 2), "currency": ["EUR", "SGD"], "usd_rate": [1.25, 0.75]},
)
SET_COLUMNS = ["portfolio_id", "netting_set_id", "is_cleared", "variation_margin", "initial_margin_posted"]
TRADE_COLUMNS = ["trade_id", "netting_set_id", "asset_class", "notional", "currency", "is_hedge", "market_value"]


def entity(*portfolios, as_of=AS_OF, fx=FX):
    """Inputs of portfolios, each a mapping.

    Its keys: portfolio_id, jurisdiction, entity_type, figures {name: value or (value, currency)}, sets (one netting set), trades
    [(asset_class, notional, currency, is_hedge, market_value)] of that set, collateral {column of netting_sets: value}, positions
    [(symbol, asset_class, market_value)].
    """
    rows, figures, sets, trades, positions = [], [], [], [], []
    for number, given in enumerate(portfolios):
        name = given.get("portfolio_id", f"P{number}")
        rows.append(
            {
                "portfolio_id": name,
                "account_type": given.get("account_type", "otc"),
                "equity": given.get("equity", 1e6),
                "base_currency": given.get("base_currency", "USD"),
                "jurisdiction": given.get("jurisdiction"),
                "entity_type": given.get("entity_type"),
            }
        )
        for figure, value in given.get("figures", {}).items():
            amount, currency = value if isinstance(value, tuple) else (value, "USD")
            figures.append((name, figure, float(amount), currency))
        if given.get("sets"):
            held = {"is_cleared": None, "variation_margin": np.nan, "initial_margin_posted": np.nan, **given.get("collateral", {})}
            sets.append({"portfolio_id": name, "netting_set_id": f"NS-{name}", **held})
        trades += [(f"T{n}-{name}", f"NS-{name}", *trade) for n, trade in enumerate(given.get("trades", ()))]
        positions += [(name, *position) for position in given.get("positions", ())]
    frames = {
        "portfolios": pd.DataFrame(rows).astype({"jurisdiction": "str", "entity_type": "str"}),
        "entity_figures": pd.DataFrame(figures, columns=["portfolio_id", "figure", "value", "currency"]),
        "netting_sets": pd.DataFrame(sets, columns=SET_COLUMNS),
        "otc_trades": pd.DataFrame(trades, columns=TRADE_COLUMNS),
        "positions": pd.DataFrame(positions, columns=["portfolio_id", "symbol", "asset_class", "market_value"]),
    }
    return RegulatoryInputs(as_of, frames, fx)


def by_item(lines, regime, portfolio="P0"):
    """Lines of a portfolio under a regime by item."""
    return {line.line_item: line for line in lines if line.regime == regime and line.portfolio_id == portfolio}
