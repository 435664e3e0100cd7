"""What trades would do, for people and programs.

Belongs here: layout and wording of margin before and after. Not here: computing any of it (`decisions.what_if`).
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from collections.abc import Sequence
from typing import Any, TextIO

import pandas as pd

from margin_pipeline.decisions.what_if import WhatIf
from margin_pipeline.reports.layout import columns, figure, money, percent, records, words, wrapped

AMOUNTS = ("initial_margin", "maintenance_margin", "margin_equity", "excess", "available_to_open")
MOST_REASONS = 5
TOLERANCE = 1e-9
"""Part of a margin by which two runs of the same arithmetic may differ."""


def show(found: WhatIf, portfolio_id: str, as_of: dt.date, currency: str, remarks: Sequence[str], form: str, out: TextIO) -> None:
    """Print as text, CSV (one row a method) or JSON (everything).

    Parameters
    ----------
    portfolio_id, as_of, currency : whose margin it is, of which date, in which currency.
    remarks : sentences that a person should read with it.
    form : table, csv or json.
    """
    if form == "json":
        whole = {"portfolio_id": portfolio_id, "as_of": as_of.isoformat(), "currency": currency, "remarks": list(remarks)}
        frames = {name: records(getattr(found, name)) for name in ("trades", "margins", "components", "groups", "positions")}
        json.dump({**whole, **frames}, out, ensure_ascii=False, indent=1, allow_nan=False)
        out.write("\n")
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        rows = records(found.margins)
        writer.writerow(["portfolio_id", "as_of", *found.margins.columns])
        for row in rows:
            cells = ("; ".join(cell) if isinstance(cell, list) else "" if cell is None else cell for cell in row.values())
            writer.writerow([portfolio_id, as_of, *cells])
    else:
        out.write("\n".join(text(found, portfolio_id, as_of, currency, remarks)) + "\n")


def remarks(found: WhatIf, published: pd.DataFrame, code_version: str) -> list[str]:
    """Sentences on what is compared: money, and figures that are not those published.

    Parameters
    ----------
    published : the portfolio's rows of margin.portfolio_margins.
    code_version : version of the code that made them.
    """
    said = ["Trades are at the mark: cash and the value of positions change by opposite amounts, so equity stays, less a fee."]
    both = found.margins.merge(published[["method", "maintenance_margin", "excess"]], on="method", how="outer")
    before = both[["maintenance_margin_before", "excess_before"]].to_numpy(dtype=float)
    now = both[["maintenance_margin", "excess"]].to_numpy(dtype=float)
    scale = both[["maintenance_margin", "equity_before"]].abs().max(axis=1).fillna(1.0).to_numpy(dtype=float)[:, None]
    differs = (abs(before - now) > TOLERANCE * scale) | (pd.isna(before) != pd.isna(now))
    names = both.loc[differs.any(axis=1), "method"]
    if len(names):
        said.append(
            f"Before is not what is published for {', '.join(names)}: that was computed by version {code_version}; "
            "run the date again to publish what this version computes."
        )
    return said


def text(found: WhatIf, portfolio_id: str, as_of: dt.date, currency: str, remarks: Sequence[str]) -> list[str]:
    """The comparison as lines."""
    lines = [f"{portfolio_id} on {as_of}, what if ({currency}; nothing is written)"]
    lines += columns(
        [
            (row.symbol, f"{figure(row.quantity)} at {figure(row.price)} {row.currency}", _cost(row.cost))
            for row in found.trades.itertuples(index=False)
        ],
        right=[],
    )
    for row in found.margins.to_dict("records"):
        lines += ["", *_method(row)]
    lines += _changed("Groups that change (units; maintenance)", [_group(row) for row in found.groups.to_dict("records")])
    lines += _changed(
        "Positions that change (quantity; maintenance on its own)", [_position(row) for row in found.positions.to_dict("records")]
    )
    return [*lines, "", *(line for remark in remarks for line in wrapped(remark))]


def _cost(value: float) -> str:
    if math.isnan(value):
        return "its cost is not known"
    return f"{'costs' if value > 0 else 'brings'} {money(abs(value))}" if value else "costs nothing at the mark"


def _method(row: dict[str, Any]) -> list[str]:
    title = f"{row['method']}{' (governs)' if row['is_governing'] else ''}"
    figures = [
        (words(name), *(money(row[f"{name}_{side}"]) for side in ("before", "after")), _signed(row[f"{name}_change"])) for name in AMOUNTS
    ]
    used = [percent(row[f"utilization_{side}"]) for side in ("before", "after")]
    states = [("utilization", *used, ""), ("status", row["status_before"], row["status_after"], "")]
    lines = columns([*figures, *states], right=[1, 2, 3], header=(title, "before", "after", "change"), indent=0)
    for side in ("before", "after"):
        reasons = row[f"missing_{side}"]
        more = [f"and {len(reasons) - MOST_REASONS} more"] * (len(reasons) > MOST_REASONS)
        lines += wrapped("; ".join([*reasons[:MOST_REASONS], *more]), f"  missing {side}: ") if reasons else []
    return lines


def _group(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        words(row["structure"]),
        f"{figure(row['units_before'])} -> {figure(row['units_after'])}",
        money(row["maintenance_margin_before"]),
        money(row["maintenance_margin_after"]),
        _signed(row["maintenance_margin_change"]),
        row["legs_a_unit"],
    )


def _position(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{row['strategy']} {row['symbol']}",
        f"{figure(row['quantity_before'])} -> {figure(row['quantity_after'])}",
        money(row["maintenance_margin_before"]),
        money(row["maintenance_margin_after"]),
        _signed(row["maintenance_margin_change"]),
        "",
    )


def _changed(title: str, rows: list[tuple[str, ...]]) -> list[str]:
    header = ("", "before -> after", "before", "after", "change", "legs of a unit" if any(row[-1] for row in rows) else "")
    return ["", title, *(columns(rows, right=[1, 2, 3, 4], header=header) if rows else ["  none"])]


def _signed(change: float) -> str:
    return money(change) if math.isnan(change) or change <= 0 else f"+{money(change)}"
