"""Intermediate figures of a group's requirement, so that a person can follow the arithmetic.

Belongs here: inputs and figures of one unit of a group, instrument currency. Not here: the requirement itself (`structures`), prose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from margin_pipeline.margin.structures import COMPOSITES, STRUCTURES, UNIVERSAL_SPREAD, LegTable, single_amounts, universal_loss
from margin_pipeline.margin.structures.candidates import LIMITED_RISK
from margin_pipeline.margin.structures.catalogue import CALL, LONG, PUT, SECURITIES, SHORT
from margin_pipeline.margin.structures.leg_table import Array

if TYPE_CHECKING:
    from margin_pipeline.margin.grouping.assembly import Groups

REQUIREMENT = {
    **{s.name: s.requirement for s in STRUCTURES},
    **dict.fromkeys((s.name for s in COMPOSITES), "sum_of_parts"),
    UNIVERSAL_SPREAD: "maximum_loss",
    "naked_call": "naked",
    "naked_put": "naked",
}


def details(table: LegTable, groups: Groups) -> list[dict[str, Any] | None]:
    """Figures of one unit of every group that has options in it; None for others and for a long option on its own."""
    short, alone = _short_figures(table), single_amounts(table).maintenance
    starts, sizes = groups.start[:-1].tolist(), np.diff(groups.start).tolist()
    found: list[dict[str, Any] | None] = []
    for g, (name, start, size) in enumerate(zip(groups.structure.tolist(), starts, sizes, strict=True)):
        requirement = REQUIREMENT.get(name)
        if requirement is None:
            found.append(None)
            continue
        leg = groups.leg[start : start + size]
        quantity = groups.quantity[start : start + size] / groups.units[g]
        figures: dict[str, Any] = {"inputs": _inputs(table, leg, quantity)}
        if requirement in LIMITED_RISK:
            price, loss = universal_loss(table, leg, quantity)
            figures["loss_by_price"] = np.stack([price, loss], axis=1).tolist()
        elif requirement == "naked":
            figures |= short(int(leg[0]))
        elif requirement == "short_put_and_call":
            figures["sides"] = [{"symbol": table.symbol[k], **short(k)} for k in leg.tolist()]
        elif requirement == "sum_of_parts":
            figures["parts"] = groups.parts[g]
        elif requirement != "long_options":
            figures |= _with_security(table, alone, leg, quantity)
        found.append(figures)
    return found


def _inputs(table: LegTable, leg: Array, quantity: Array) -> list[dict[str, Any]]:
    rows = []
    for k, contracts in zip(leg.tolist(), quantity.tolist(), strict=True):
        row = {"symbol": table.symbol[k], "quantity": contracts, "price": float(table.price[k])}
        if table.kind[k] in (CALL, PUT):
            row |= {
                "type": "call" if table.kind[k] == CALL else "put",
                "strike": float(table.strike[k]),
                "expiry": str(np.datetime64(int(table.expiry[k]), "D")),
                "multiplier": float(table.multiplier[k]),
            }
        rows.append(row)
    return rows


def _short_figures(table: LegTable) -> Any:
    """Function of a leg: the terms of a short option's requirement, money of one contract."""
    call, rates = table.kind == CALL, table.options
    out = np.maximum(np.where(call, table.strike - table.spot, table.spot - table.strike), 0.0) * table.multiplier
    percentage = table.rate * table.leverage * table.spot * table.multiplier - out
    least = rates.minimum_rate * table.leverage * np.where(call, table.spot, table.strike) * table.multiplier
    premium = table.price * table.multiplier
    ruled = premium + np.maximum(percentage, least)

    def figures(leg: int) -> dict[str, Any]:
        if table.cash_account[leg]:
            return {"exercise_value": float(table.strike[leg] * table.multiplier[leg])}
        house = float(table.house_maintenance[leg])
        binds = "house" if house > ruled[leg] else "percentage" if percentage[leg] >= least[leg] else "minimum"
        return {
            "premium": float(premium[leg]),
            "rate": float(table.rate[leg] * table.leverage[leg]),
            "out_of_the_money": float(out[leg]),
            "percentage_less_out_of_the_money": float(percentage[leg]),
            "minimum": float(least[leg]),
            "binding": binds,
            **({"house": house} if house > 0 else {}),
        }

    return figures


def _with_security(table: LegTable, alone: Array, leg: Array, quantity: Array) -> dict[str, Any]:
    """Figures of stock, or what stands for it, with options; `alone` is what a unit of each leg needs on its own."""
    security, options = int(leg[0]), leg[1:].tolist()
    figures: dict[str, Any] = {
        "security_value": float(abs(quantity[0]) * table.price[security]),
        "security_maintenance_alone": float(abs(quantity[0]) * alone[security]),
    }
    for k in options:
        side = "short" if table.side[k] == SHORT else "long"
        kind = "call" if table.kind[k] == CALL else "put"
        distance = float((table.spot[k] - table.strike[k]) * table.size[k]) * (1.0 if kind == "call" else -1.0)
        figures[f"{side}_{kind}_exercise_value"] = float(table.strike[k] * table.size[k])
        figures[f"{side}_{kind}_in_the_money"] = max(distance, 0.0)
        if table.side[k] == LONG:
            figures[f"{side}_{kind}_out_of_the_money"] = max(-distance, 0.0)
    if table.kind[security] in SECURITIES and table.house_maintenance[security] > 0:
        figures["house"] = float(abs(quantity[0]) * table.house_maintenance[security])
    return figures
