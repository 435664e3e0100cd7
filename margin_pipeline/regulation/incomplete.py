"""Rejected input rows that a regulatory figure would have depended on: what they make unknown.

Belongs here: which netting sets and lines a rejected row concerns. Not here: why rows are rejected (landing), margins of portfolios.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.regulation.line import RegulatoryLine

EXPIRED = "expired"
"""Reasons that begin so concern contracts that are no more."""
REASONS_SHOWN = 3

OVER_THE_COUNTER = frozenset({"sa_ccr", "simm", "schedule_im", "us_prudential", "cftc", "emir", "uk", "mas"})
CONCERNED: Mapping[str, frozenset[str]] = {
    "netting_sets": OVER_THE_COUNTER | {"basel"},
    "exposures": frozenset({"basel"}),
    "entity_figures": frozenset({"basel", "emir", "uk", "mas", "cftc", "us_prudential", "sec_15c3_1"}),
}
"""Regimes whose lines depend on a file beyond single netting sets."""


def incomplete_sets(rejected_rows: pd.DataFrame, netting_sets: pd.DataFrame) -> dict[str, str]:
    """Netting sets of which a trade was rejected, with the reasons; matured trades do not count.

    Parameters
    ----------
    rejected_rows : columns source, row_number, reason, raw.
    netting_sets : accepted ones.
    """
    known = set(netting_sets["netting_set_id"].astype(str))
    found: dict[str, list[str]] = {}
    for name, _, reason, cells in _rejections(rejected_rows):
        set_id = str(cells.get("netting_set_id") or "").strip()
        if name == "otc_trades" and set_id in known:
            found.setdefault(set_id, []).append(reason)
    return {set_id: _shortened(reasons) for set_id, reasons in sorted(found.items())}


def with_unknown_trades(
    otc_trades: pd.DataFrame, incomplete: Mapping[str, str], netting_sets: pd.DataFrame, as_of: dt.date
) -> pd.DataFrame:
    """The trades, and one of which nothing is known for each incomplete netting set: no sum over it has a value.

    Parameters
    ----------
    otc_trades : accepted trades.
    incomplete : as `incomplete_sets` gives it.
    netting_sets : accepted ones.
    as_of : business date.
    """
    if not incomplete:
        return otc_trades
    stubs = pd.DataFrame(
        {
            "trade_id": list(incomplete.values()),
            "netting_set_id": list(incomplete),
            "asset_class": "interest_rate",
            "notional": np.nan,
            "currency": "USD",
            "maturity": pd.Timestamp(as_of),
            "market_value": np.nan,
        }
    )
    empty = stubs.reindex(columns=otc_trades.columns).astype(otc_trades.dtypes.to_dict())
    return pd.concat([otc_trades, empty], ignore_index=True)


def void(table: pd.DataFrame, incomplete: Mapping[str, str], figures: Sequence[str]) -> pd.DataFrame:
    """A table by netting set without the figures of incomplete ones; its column `missing` says why."""
    hit = table["netting_set_id"].isin(list(incomplete))
    if not hit.any():
        return table
    reasons = table.loc[hit, "netting_set_id"].map(dict(incomplete)).astype(object)
    before = table.loc[hit, "missing"]
    found = table.copy()
    found[list(figures)] = found[list(figures)].mask(hit)
    found["missing"] = found["missing"].astype(object)
    found.loc[hit, "missing"] = [reason if pd.isna(old) else f"{old}; {reason}" for reason, old in zip(reasons, before, strict=True)]
    return found.astype({"missing": "str"})


def withheld(lines: Sequence[RegulatoryLine], rejected_rows: pd.DataFrame, firm: str) -> list[RegulatoryLine]:
    """The lines; those that a rejected row of their portfolio might have changed are undetermined, and so are those of the firm.

    Parameters
    ----------
    lines : lines of all portfolios.
    rejected_rows : columns source, row_number, reason, portfolio_id, raw.
    firm : portfolio_id of lines of the firm.

    Notes
    -----
    Lines of a single netting set are made of what is known of it, and a breach stays a breach: neither is withheld.
    """
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, portfolio, reason, _ in _rejections(rejected_rows):
        for regime in CONCERNED.get(name, ()) if portfolio is not None else ():
            for concerned in (portfolio, firm):
                reasons.setdefault((str(concerned), regime), []).append(reason)
    return [_withheld(line, reasons.get((line.portfolio_id, line.regime))) for line in lines]


def _withheld(line: RegulatoryLine, reasons: list[str] | None) -> RegulatoryLine:
    if not reasons or line.netting_set_id or line.status not in ("pass", "information"):
        return line
    return dataclasses.replace(line, value=None, status="undetermined", reason=_shortened(reasons))


def _rejections(rejected_rows: pd.DataFrame) -> Iterator[tuple[str, Any, str, Mapping[str, Any]]]:
    """File, portfolio, reason and cells of every rejected row that is not of an ended contract, each row once, in a fixed order."""
    columns = ["source", "row_number", "reason", "portfolio_id", "raw"]
    rows = rejected_rows.sort_values(["source", "row_number", "reason"], kind="stable").drop_duplicates(["source", "row_number"])
    for source, row_number, reason, portfolio, raw in rows[columns].itertuples(index=False, name=None):
        if not str(reason).startswith(EXPIRED):
            cells = json.loads(raw) if isinstance(raw, str) else raw
            owner = None if portfolio is None or pd.isna(portfolio) else str(portfolio)
            yield str(source).split(".")[0], owner, f"{source} row {row_number}: {reason}", cells if isinstance(cells, Mapping) else {}


def _shortened(found: Sequence[str]) -> str:
    more = len(found) - REASONS_SHOWN
    return "; ".join(found[:REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
