"""Books of netting sets for the tests of uncleared margin: one portfolio, as many netting sets as a case asks for."""

import datetime as dt

import numpy as np
import pandas as pd

from margin_pipeline.regulation.uncleared.calls import uncleared_margin_calls

AS_OF = dt.date(2022, 12, 28)
BILLION, MILLION = 1e9, 1e6
FX = [("EUR", 1.0625), ("SGD", 0.74), ("GBP", 1.2)]
DEFAULTS = {
    "portfolio_id": "P", "counterparty": "Dealer", "margined": True, "threshold": 0.0, "minimum_transfer_amount": 0.0,
    "im_model": "schedule", "regime": "emir", "is_cleared": None, "variation_margin": 0.0, "initial_margin_held": 0.0,
    "initial_margin_posted": 0.0, "initial_margin_threshold": np.nan, "counterparty_type": "financial",
    "counterparty_average_notional": 100 * BILLION, "value": 0.0, "call": 0.0, "post": 0.0, "notional": 0.0, "currency": None,
}  # fmt: skip
TEXTS = ("counterparty", "regime", "im_model", "counterparty_type")


def frames(*netting_sets, as_of=AS_OF, base="EUR", jurisdiction="EU", entity_type="bank", aana=100 * BILLION, aana_currency="EUR", fx=FX):
    """Input frames of one portfolio P; each netting set is a mapping over `DEFAULTS`, with value and initial margins of its own."""
    rows = [{**DEFAULTS, "netting_set_id": f"NS{n + 1}", **given} for n, given in enumerate(netting_sets)]
    sets = pd.DataFrame(rows, columns=["netting_set_id", *DEFAULTS])
    for column in TEXTS:
        sets[column] = sets[column].astype("str")
    trades = pd.DataFrame(
        {
            "trade_id": [f"T-{row['netting_set_id']}" for row in rows],
            "netting_set_id": [row["netting_set_id"] for row in rows],
            "currency": [row["currency"] or base for row in rows],
            "notional": [float(row["notional"]) for row in rows],
            "market_value": [float(row["value"]) for row in rows],
        }
    ).astype({"trade_id": "str", "netting_set_id": "str", "currency": "str"})
    margins = pd.DataFrame(
        [
            ("P", row["netting_set_id"], row["im_model"] or "schedule", side, row[side],
             f"model of {row['netting_set_id']}" if np.isnan(row[side]) else None)
            for row in rows for side in ("call", "post")
        ],
        columns=["portfolio_id", "netting_set_id", "model", "side", "initial_margin", "missing"],
    ).astype({"missing": "str", "initial_margin": float})  # fmt: skip
    portfolios = pd.DataFrame(
        {"portfolio_id": ["P"], "base_currency": [base], "jurisdiction": pd.Series([jurisdiction], dtype="str"),
         "entity_type": pd.Series([entity_type], dtype="str")}
    )  # fmt: skip
    figures = pd.DataFrame(
        [] if aana is None else [("P", "aana", float(aana), aana_currency)], columns=["portfolio_id", "figure", "value", "currency"]
    )
    rates = pd.DataFrame([(pd.Timestamp(as_of), *rate) for rate in fx], columns=["date", "currency", "usd_rate"])
    return {
        "netting_sets": sets.drop(columns=["value", "call", "post", "notional", "currency"]), "otc_trades": trades,
        "netting_set_margins": margins, "portfolios": portfolios, "entity_figures": figures, "fx_rates": rates,
    }  # fmt: skip


def calls(*netting_sets, as_of=AS_OF, **keywords):
    """Calls, indexed by netting set ('' for the counterparty), kind and side."""
    found = uncleared_margin_calls(**frames(*netting_sets, as_of=as_of, **keywords), as_of=as_of)
    return found.set_index(["netting_set_id", "kind", "side"]).sort_index()
