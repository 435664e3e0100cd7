"""Rejected input rows that a margin would have depended on.

Belongs here: which portfolio a rejected row concerns, and for which methods. Not here: why rows are rejected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

EXPIRED = "expired"
"""Reasons that begin so concern contracts that are no more."""


def rejected_inputs(rejected_rows: pd.DataFrame, netting_set_margins: pd.DataFrame) -> dict[str, dict[str, list[str]]]:
    """Rejected rows by what they concern.

    Parameters
    ----------
    rejected_rows : columns source, row_number, reason, portfolio_id, raw.
    netting_set_margins : columns netting_set_id, portfolio_id; tells whose a rejected trade is.

    Returns
    -------
    {"positions": {portfolio: reasons}, "otc": {portfolio: reasons}}; a reason reads "positions.csv row 17: ...". Rows of expired
    contracts, and rows that name no known portfolio, are left out.
    """
    owner = dict(zip(netting_set_margins["netting_set_id"], netting_set_margins["portfolio_id"], strict=True))
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    found: dict[str, dict[str, list[str]]] = {"positions": {}, "otc": {}}
    for source, row_number, reason, portfolio_id, raw in rejected_rows[columns].itertuples(index=False, name=None):
        name = str(source).split(".")[0]
        concerns = {"positions": "positions", "netting_sets": "otc", "otc_trades": "otc"}.get(name)
        if concerns is None or str(reason).startswith(EXPIRED):
            continue
        portfolio = _netting_set_owner(raw, owner) if name == "otc_trades" and pd.isna(portfolio_id) else portfolio_id
        if portfolio is not None and not pd.isna(portfolio):
            found[concerns].setdefault(str(portfolio), []).append(f"{source} row {row_number}: {reason}")
    return found


def _netting_set_owner(raw: Any, owner: Mapping[Any, Any]) -> Any:
    """Portfolio of the netting set that a rejected trade names; None where it names none that is known."""
    cells = json.loads(raw) if isinstance(raw, str) else raw
    return owner.get(cells.get("netting_set_id")) if isinstance(cells, Mapping) else None
