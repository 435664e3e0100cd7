"""Rejected input rows that a margin would have depended on.

Belongs here: which portfolio a rejected row concerns, and for which methods. Not here: why rows are rejected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from margin_pipeline.margin.models.overlay import EXEMPT_ACCOUNTS
from margin_pipeline.margin.valuation import SECURITY_OPTIONS

EXPIRED = "expired"
"""Reasons that begin so concern contracts that are no more."""

SOURCES = {"positions": "positions", "house_margins": "positions", "netting_sets": "otc", "otc_trades": "otc", "crif": "otc"}
"""What rows of a file concern, by its name."""


def rejected_inputs(
    rejected_rows: pd.DataFrame, netting_set_margins: pd.DataFrame, positions: pd.DataFrame, portfolios: pd.DataFrame
) -> dict[str, dict[str, list[str]]]:
    """Rejected rows by what they concern.

    Parameters
    ----------
    rejected_rows : columns source, row_number, reason, portfolio_id, raw.
    netting_set_margins : columns netting_set_id, portfolio_id; tells whose a rejected trade or sensitivity is.
    positions, portfolios : frames of the tables; tell whom a rejected house rate would have concerned.

    Returns
    -------
    {"positions": {portfolio: reasons}, "otc": {portfolio: reasons}}; a reason reads "positions.csv row 17: ...". Rows of expired
    contracts, and rows that name no known portfolio, are left out.

    Notes
    -----
    A house rate that was rejected may have been above the rule: portfolios that hold what it names have no known margin.
    """
    owner = dict(zip(netting_set_margins["netting_set_id"], netting_set_margins["portfolio_id"], strict=True))
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    found: dict[str, dict[str, list[str]]] = {"positions": {}, "otc": {}}
    for source, row_number, reason, portfolio_id, raw in rejected_rows[columns].itertuples(index=False, name=None):
        name = str(source).split(".")[0]
        concerns = SOURCES.get(name)
        if concerns is None or str(reason).startswith(EXPIRED):
            continue
        named: list[Any] = [portfolio_id]
        if name == "house_margins":
            named = _held_by(_cells(raw), positions, portfolios)
        elif name in ("otc_trades", "crif") and pd.isna(portfolio_id):
            named = [owner.get(_cells(raw).get("netting_set_id"))]
        for portfolio in named:
            if portfolio is not None and not pd.isna(portfolio):
                found[concerns].setdefault(str(portfolio), []).append(f"{source} row {row_number}: {reason}")
    return found


def _cells(raw: Any) -> Mapping[str, Any]:
    """Cells of a rejected row by column, as far as the line could be parsed."""
    cells = json.loads(raw) if isinstance(raw, str) else raw
    return cells if isinstance(cells, Mapping) else {}


def _held_by(cells: Mapping[str, Any], positions: pd.DataFrame, portfolios: pd.DataFrame) -> list[Any]:
    """Portfolios with positions that a house rate of this row would have been asked of."""
    symbol, asset_class = (str(cells.get(name) or "").strip() for name in ("symbol", "asset_class"))
    exempt = portfolios.loc[portfolios["account_type"].isin(EXEMPT_ACCOUNTS), "portfolio_id"]
    paid = (positions["quantity"] > 0) & positions["asset_class"].isin(SECURITY_OPTIONS)
    named = (positions["symbol"] == symbol) | (positions["asset_class"] == asset_class.lower())
    asked = named & (positions["quantity"] != 0) & ~paid & ~positions["portfolio_id"].isin(exempt)
    return sorted(positions.loc[asked, "portfolio_id"].unique())
