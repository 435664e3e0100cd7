"""Margin: under every method, what it is made of, what costs most, beside the broker's, over dates.

Belongs here: sections on margin. Not here: risk, regulation.
"""

from __future__ import annotations

import json
from typing import Any

from margin_pipeline.reports.document.charts import GREY, Item, Mark, bars, course
from margin_pipeline.reports.document.model import Block, Column, Figure, Section, limited, table
from margin_pipeline.reports.report_data import COSTS, ReportData
from margin_pipeline.reports.report_text import amount, bare, day, is_known, number, share, status, text, words
from margin_pipeline.reports.sections.tables import Explained, explained

MOST_COSTS = 20
MOST_LEGS = 6
TREND_ROWS = 12


def methods(data: ReportData, portfolio_id: str) -> Section:
    """Margin under every method that applies, its components, and why the others do not."""
    rows = sorted(data.of("portfolio_margins", portfolio_id), key=lambda row: not row["is_governing"])
    currency = data.portfolio(portfolio_id)["base_currency"]
    blocks: list[Block] = [_method_bars(rows, currency), _method_table(rows, currency), _components(data, portfolio_id, currency)]
    notes = data.of("portfolio_method_notes", portfolio_id)
    columns = (Column("Method"), Column("Why it has no figure"))
    blocks.append(table("Methods that do not apply", columns, [(words(note["method"]), str(note["reason"])) for note in notes]))
    if broker := data.of("margin_reconciliation", portfolio_id):
        blocks.append(_broker(broker, currency))
    return Section("Margin by method", "margin", tuple(blocks))


def _method_bars(rows: list[dict[str, Any]], currency: str) -> Figure:
    items, said = [], []
    for row in rows:
        known = is_known(row["maintenance_margin"])
        shown = amount(row["maintenance_margin"], row["missing"]).text if known else "undetermined"
        governs = bool(row["is_governing"])
        items.append(
            Item(words(row["method"]), row["maintenance_margin"] if known else None, shown + " (governs)" * governs, is_outlined=governs)
        )
        said.append(f"{words(row['method'])} {shown}{' (governs)' if governs else ''}")
    alternative = f"Maintenance margin in {currency}: {'; '.join(said)}." if said else "No method has a row."
    return Figure(f"Maintenance margin by method, {currency}", alternative, bars(items))


def _method_table(rows: list[dict[str, Any]], currency: str) -> Block:
    columns = (
        Column("Method"), Column("Maintenance margin", is_number=True), Column("Initial margin", is_number=True),
        Column("Margin equity", is_number=True), Column("Excess", is_number=True), Column("Utilization", is_number=True), Column("Status"),
    )  # fmt: skip
    shown = [
        Explained(
            (
                words(row["method"]) + (" (governs)" if row["is_governing"] else ""), bare(amount(row["maintenance_margin"])),
                bare(amount(row["initial_margin"])), bare(amount(row["margin_equity"])), bare(amount(row["excess"])),
                bare(share(row["utilization"])), status(row["status"]),
            ),
            row["missing"],
        )
        for row in rows
    ]  # fmt: skip
    where = "margin.portfolio_margins"
    return explained(
        f"Margin under every method, {currency}", columns, shown, most=len(rows), where=where, empty=f"No method has a row in {where}."
    )


def _components(data: ReportData, portfolio_id: str, currency: str) -> Block:
    columns = (
        Column("Method"),
        Column("Component"),
        Column("Maintenance margin", is_number=True),
        Column("Initial margin", is_number=True),
    )
    governing = (data.governing(portfolio_id) or {}).get("method")
    parts = sorted(data.of("portfolio_margin_components", portfolio_id), key=lambda row: row["method"] != governing)
    rows = [
        (words(row["method"]), words(row["component"]), amount(row["maintenance_margin"]), amount(row["initial_margin"])) for row in parts
    ]
    note = "Components of a method add up to its margin; offsets are negative."
    return table(f"What the margin is made of, {currency}", columns, rows, note=note, empty="No method has components: none is determined.")


def _broker(rows: list[dict[str, Any]], currency: str) -> Block:
    columns = (
        Column("Symbol"), Column("Margin"), Column("Ours", is_number=True), Column("Broker's", is_number=True),
        Column("Difference", is_number=True), Column("Verdict"), Column("Explanation", weight=2.0),
    )  # fmt: skip
    shown = [
        (
            text(row["symbol"], "whole portfolio"), words(row["measure"]), amount(row["ours"], row["missing"]),
            amount(row["broker"], row["missing"]), amount(row["difference"], row["missing"]), status(row["status"]),
            _explained(row["explanation"]),
        )
        for row in rows
    ]  # fmt: skip
    return table(f"Beside the broker's margin, {currency}", columns, shown)


def _explained(explanation: Any) -> str:
    try:
        found = json.loads(explanation)
    except (TypeError, ValueError):
        return text(explanation, "none is recorded")
    return text(found.get("text") if isinstance(found, dict) else found, "none is recorded")


def costs(data: ReportData, portfolio_id: str) -> Section:
    """What the governing margin is spent on, the dearest first."""
    currency = data.portfolio(portfolio_id)["base_currency"]
    missing = (data.governing(portfolio_id) or {}).get("missing")
    rows = [
        (
            words(row["item"]), text(row["underlying"], "none"), legs(row["legs"]),
            amount(row["maintenance_margin"], "an input of the item is missing; margin-pipeline explain names it"),
            share(row["margin_share"], missing or "nothing is required"),
        )
        for row in data.of(COSTS, portfolio_id)
    ]  # fmt: skip
    columns = (
        Column("Item"), Column("Underlying or set"), Column("Held", weight=2.0), Column(f"Maintenance margin, {currency}", is_number=True),
        Column("Share of the margin", is_number=True),
    )  # fmt: skip
    kept, note = limited(rows, MOST_COSTS, f"margin.{COSTS}")
    empty = "Nothing is listed: the method that governs is not made of positions."
    return Section("What costs most", "costs", (table("Items by margin, the dearest first", columns, kept, note=note, empty=empty),))


def legs(found: Any) -> str:
    """Symbols and quantities of a group, in words."""
    if not is_known(found):
        return "see the table of the netting set"
    held = json.loads(found) if isinstance(found, str) else list(found)
    named = [f"{number(leg['quantity']).text} {leg['symbol']}" for leg in held]
    more = [f"and {len(named) - MOST_LEGS} more"] if len(named) > MOST_LEGS else []
    return ", ".join([*named[:MOST_LEGS], *more]) or "nothing"


def trend(data: ReportData, portfolio_id: str) -> Section:
    """Utilization and margin over the dates that were published when this calculation was."""
    rows = data.of("history", portfolio_id)
    currency = data.portfolio(portfolio_id)["base_currency"]
    columns = (
        Column("Date"), Column("Method"), Column(f"Maintenance margin, {currency}", is_number=True),
        Column(f"Margin equity, {currency}", is_number=True), Column("Utilization", is_number=True), Column("Status"),
    )  # fmt: skip
    shown = [
        Explained(
            (
                day(row["as_of"]), words(row["method"]), bare(amount(row["maintenance_margin"])), bare(amount(row["margin_equity"])),
                bare(share(row["utilization"])), status(row["status"]),
            ),
            row["missing"],
        )
        for row in reversed(rows)
    ]  # fmt: skip
    is_drawn = sum(is_known(row["utilization"]) for row in rows) > 1
    blocks: list[Block] = [_trend_figure(data, rows)] if is_drawn else []
    caption, where = "Governing margin by date, the newest first", "margin.portfolio_margins"
    blocks.append(explained(caption, columns, shown, most=TREND_ROWS, where=where, empty="No date has a governing margin."))
    return Section("Trend", "trend", tuple(blocks))


def _trend_figure(data: ReportData, rows: list[dict[str, Any]]) -> Figure:
    values = [row["utilization"] if is_known(row["utilization"]) else None for row in rows]
    said = [share(value).text if value is not None else "undetermined" for value in values]
    shown = [_point(value) for value in values]
    limits = data.calculation["settings"].get("thresholds", {})
    marks = [Mark(limits[name], f"{name} {share(limits[name], digits=0).text}") for name in ("warning", "emergency") if name in limits]
    dates = [day(row["as_of"]) for row in rows]
    newest = list(zip(dates, said, strict=True))[-TREND_ROWS:]
    alternative = "Utilization: " + "; ".join(f"{date} {value}" for date, value in newest) + "."
    return Figure("Utilization by date", alternative, course(dates, values, shown, marks))


def _point(value: float | None) -> str:
    if value is None:
        return "undetermined"
    return share(value).text if value != float("inf") else "no bound"


def firm_utilization(data: ReportData) -> Figure:
    """Utilization of all portfolios side by side."""
    items, said = [], []
    for portfolio_id in data.portfolio_ids:
        row = data.governing(portfolio_id)
        known = row is not None and is_known(row["utilization"])
        shown = _point(row["utilization"] if row and known else None)
        state = words(row["status"]) if row else "undetermined"
        beside = shown if shown == state else f"{shown}, {state}"
        items.append(Item(portfolio_id, row["utilization"] if row and known else None, beside, fill="#2f6db5" if known else GREY))
        said.append(f"{portfolio_id} {beside}")
    limits = data.calculation["settings"].get("thresholds", {})
    marks = [Mark(limits[name], share(limits[name], digits=0).text) for name in ("warning", "emergency") if name in limits]
    return Figure(
        "Utilization by portfolio; dashed: the limits of warning and emergency", f"Utilization: {'; '.join(said)}.", bars(items, marks)
    )
