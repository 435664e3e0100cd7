"""The liquidation plan of a portfolio, for people and programs.

Belongs here: layout and wording of one plan. Not here: finding it (`decisions.liquidation_plan`).
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
from typing import Any, TextIO

from margin_pipeline.decisions.liquidation_tables import LiquidationPlans
from margin_pipeline.reports.layout import columns, figure, money, percent, records, wrapped

MOST_TOLD = 5
NO_COST = 0.005
"""Costs below are none, base currency."""
HEADER = ("", "trade", "of", "cost", "margin released", "cost by")
SAID = {
    "verified": "Margin was computed again after the trades, by the stages of the chain: the target is met.",
    "infeasible": "Everything that can be closed is closed, and it is not enough.",
    "not_needed": "Utilization is at the target or below: nothing has to be traded.",
    "undetermined": "Utilization is not known, so no plan can be made.",
}


def show(found: LiquidationPlans, as_of: dt.date, currency: str, form: str, out: TextIO) -> None:
    """Print the plan of one portfolio as text, CSV (one row a trade) or JSON (everything).

    Parameters
    ----------
    found : plans of one portfolio: one summary and its trades.
    as_of, currency : date and base currency of all amounts.
    form : table, csv or json.
    """
    (summary,) = records(found.summaries)
    trades = records(found.plans)
    if form == "json":
        for row in (summary, *trades):
            row.update({name: json.loads(row[name]) for name in ("explanation", "missing", "groups") if isinstance(row.get(name), str)})
        json.dump(
            {"as_of": as_of.isoformat(), "currency": currency, **summary, "trades": trades},
            out,
            ensure_ascii=False,
            indent=1,
            allow_nan=False,
        )
        out.write("\n")
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["as_of", *found.plans.columns])
        writer.writerows([as_of, *("" if cell is None else cell for cell in row.values())] for row in trades)
    else:
        out.write("\n".join(text(summary, trades, as_of, currency)) + "\n")


def text(summary: dict[str, Any], trades: list[dict[str, Any]], as_of: dt.date, currency: str) -> list[str]:
    """The plan as lines."""
    target = percent(summary["target_utilization"])
    lines = [
        f"{summary['portfolio_id']} on {as_of}, least cost down to {target} under {summary['method']} ({currency}; nothing is written)"
    ]
    lines += ["", *wrapped(SAID[summary["plan_status"]])]
    names = (
        ("utilization", "utilization", _percent),
        ("maintenance margin", "maintenance", money),
        ("margin equity", "margin_equity", money),
    )
    rows = [(label, shown(summary[f"{name}_before"]), shown(summary[f"{name}_after"])) for label, name, shown in names]
    if summary["plan_status"] in ("verified", "infeasible"):
        lines += ["", *columns(rows, right=[1, 2], header=("", "before", "after"))]
        lines += ["", *_worth(summary)]
    else:
        lines += ["", *columns([row[:2] for row in rows], right=[1])]
    if trades:
        lines += ["", "Trades (quantity; at the mark)", *columns([_trade(row) for row in trades], right=[1, 2, 3, 4], header=HEADER)]
    return lines + _reasons(summary)


def _trade(row: dict[str, Any]) -> tuple[str, ...]:
    place = f"{row['strategy']} {row['symbol']}"
    figures = (f"{row['trade_quantity']:+,.6f}".rstrip("0").rstrip("."), figure(row["quantity_before"]))
    parts, by_default, _ = str(row["cost_basis"]).partition(" by default of ")
    return (place, *figures, money(row["cost"]), money(row["margin_released"]), f"default {parts}" if by_default else parts)


def _worth(summary: dict[str, Any]) -> list[str]:
    said = [f"It costs {money(summary['cost'])} of spread and market impact"]
    if summary["gap"] is not None and summary["cost"] > NO_COST:
        said.append(f", at most {summary['gap']:.2%} above the least possible".replace("%", " %"))
    if summary["equity_dual"]:
        said.append(f"; each further unit of equity would save {summary['equity_dual']:.4g} of that")
    return wrapped("".join(said) + ".")


def _reasons(summary: dict[str, Any]) -> list[str]:
    explanation = json.loads(summary["explanation"])
    lines: list[str] = []
    if summary["missing"]:
        lines += ["", *wrapped("; ".join(json.loads(summary["missing"])[:MOST_TOLD]), "missing: ")]
    if remains := explanation.get("remains"):
        needed = remains["equity_needed"]
        if needed is not None and needed > 0:
            lines += ["", *wrapped(f"Beyond the trades it takes {money(needed)} more of margin equity.")]
    for note in explanation.get("notes", []):
        lines += ["", *wrapped(f"{note[:1].upper()}{note[1:]}.")]
    kept = [str(item["reason"]) for item in explanation.get("cannot_be_closed", [])]
    if kept:
        more = [f"and {len(kept) - MOST_TOLD} more"] * (len(kept) > MOST_TOLD)
        lines += ["", *wrapped("; ".join([*kept[:MOST_TOLD], *more]), "cannot be closed: ")]
    return lines


def _percent(value: float | None) -> str:
    return percent(math.nan if value is None else math.inf if value == "Infinity" else value)
