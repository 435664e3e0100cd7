"""Scenario margin in plain text: class groups with their worst points, product groups, what is not covered.

Belongs here: wording of those parts of a document of `explanation`. Not here: the rest of it (`explanation_text`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from margin_pipeline.reports.layout import columns, figure, money, percent, section, wrapped


def scenario_lines(found: Mapping[str, Any], in_full: bool) -> list[str]:
    """Sections on scenario margin; nothing where the account has none."""
    of_classes = [*_class_groups(found), *(_points(found) if in_full else []), *_product_groups(found), *_eligibility(found)]
    return [*of_classes, *_futures_groups(found), *(_scenarios(found) if in_full else [])]


def _class_groups(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            row["class_group"],
            f"{percent(row['move_down'])} to {percent(row['move_up'])}",
            money(row["greatest_loss"]),
            "-" if row["worst_scenario"] is None else percent(row["points"][int(row["worst_scenario"]) - 1]["price_move"]),
            money(row["contract_minimum"]),
            money(row["maintenance_margin"]),
            "; ".join(row["missing"] or []),
        )
        for row in found["class_groups"]
    ]
    header = (
        "class group",
        "range",
        "greatest loss",
        "at",
        "of contracts",
        "on its own",
        "missing" if any(row[-1] for row in rows) else "",
    )
    return section("Class groups (portfolio_margin)", columns(rows, [2, 3, 4, 5], header) if rows else [])


def _points(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (row["class_group"], percent(point["price_move"]), money(point["loss"])) for row in found["class_groups"] for point in row["points"]
    ]
    return section("Loss at each valuation point", columns(rows, [1, 2], ("class group", "move", "loss")) if rows else [])


def _product_groups(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            row["product_group"],
            percent(row["gain_offset"]),
            money(row["class_margin"]),
            money(row["maintenance_margin"]),
            "the minimum of its contracts" if row["minimum_binds"] else f"the loss at point {figure(row['worst_scenario'])}",
        )
        for row in found["product_groups"]
        if row["maintenance_margin"] is not None and (row["gain_offset"] or row["minimum_binds"])
    ]
    header = ("product group", "of gains counted", "classes apart", "together", "what decides")
    return section("Product groups with an offset or a minimum", columns(rows, [1, 2, 3], header) if rows else [])


def _eligibility(found: Mapping[str, Any]) -> list[str]:
    lines = [line for row in found["eligibility"] for line in wrapped(f"{row['symbol'] or 'account'}: {row['note']}", "  ", indent=4)]
    return section("What portfolio margin does not cover", lines)


def _futures_groups(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            row["class_group"],
            money(row["scan_risk"]),
            figure(row["worst_scenario"]),
            money(_sum(row, "intra_commodity_charge", "delivery_charge")),
            money(row["inter_commodity_credit"]),
            money(row["short_option_minimum"]),
            money(row["maintenance_margin"]),
            "; ".join(row["missing"] or []),
        )
        for row in found["futures_groups"]
    ]
    header = (
        "class group",
        "scan risk",
        "scenario",
        "charges",
        "credit",
        "minimum",
        "margin",
        "missing" if any(r[-1] for r in rows) else "",
    )
    return section("Futures by scenarios (SPAN-style)", columns(rows, [1, 2, 3, 4, 5, 6], header) if rows else [])


def _sum(row: Mapping[str, Any], *names: str) -> float | None:
    amounts = [row[name] for name in names]
    return None if None in amounts else float(sum(amounts))


def _scenarios(found: Mapping[str, Any]) -> list[str]:
    rows = [
        (row["class_group"], str(number), f"{point['price_move']:+.2f}", f"{point['volatility_move']:+.0f}", money(point["loss"]))
        for row in found["futures_groups"]
        for number, point in enumerate(row["points"], start=1)
    ]
    header = ("class group", "scenario", "price, ranges", "volatility, ranges", "loss")
    return section("Loss in each scenario", columns(rows, [1, 2, 3, 4], header) if rows else [])
