"""Inputs of one entity for the tests of entity-level rules: a portfolio, its figures, and whether it has netting sets."""

import datetime as dt

import pandas as pd

from margin_pipeline.regulation.inputs import RegulatoryInputs

AS_OF = dt.date(2022, 12, 28)
FX = pd.DataFrame(
    {"date": pd.to_datetime(["2022-12-28"] * 2), "currency": ["EUR", "SGD"], "usd_rate": [1.25, 0.75]},
)


def entity(*portfolios, as_of=AS_OF, fx=FX):
    """Inputs of portfolios, each a mapping: portfolio_id, jurisdiction, entity_type, figures {name: value or (value, currency)}, sets."""
    rows, figures, sets = [], [], []
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
            sets.append((name, f"NS-{name}"))
    frames = {
        "portfolios": pd.DataFrame(rows).astype({"jurisdiction": "str", "entity_type": "str"}),
        "entity_figures": pd.DataFrame(figures, columns=["portfolio_id", "figure", "value", "currency"]),
        "netting_sets": pd.DataFrame(sets, columns=["portfolio_id", "netting_set_id"]),
    }
    return RegulatoryInputs(as_of, frames, fx)


def by_item(lines, regime, portfolio="P0"):
    """Lines of a portfolio under a regime by item."""
    return {line.line_item: line for line in lines if line.regime == regime and line.portfolio_id == portfolio}
