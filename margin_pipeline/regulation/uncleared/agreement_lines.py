"""Agreements held against what a regime of uncleared margin allows, as regulatory lines.

Belongs here: thresholds, minimum transfer amounts and missing agreements. Not here: calls (`lines`), the greatest amounts (`parameters`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from margin_pipeline.parameters.rule_version import RuleVersion
from margin_pipeline.parameters.uncleared_margin import MarginRegime
from margin_pipeline.regulation.line import RegulatoryLine, at_least, known
from margin_pipeline.regulation.uncleared.book import flag

Row = Mapping[Any, Any]
WITHOUT = "netting_sets_without_variation_margin"


def lines(
    portfolio: Row, regime: MarginRegime, sets: Sequence[Row], calls: Sequence[Row], rate: float, version: RuleVersion
) -> list[RegulatoryLine]:
    """Lines of one portfolio under one regime, amounts in the currency of the regime.

    Parameters
    ----------
    portfolio : row of portfolios.
    regime : the regime.
    sets : its uncleared netting sets under the regime.
    calls : rows of uncleared_margin_calls of these sets.
    rate : currency of the regime for one unit of the base currency, NaN where unknown.
    version : parameter set of the regime.

    Returns
    -------
    minimum_transfer_amount and initial_margin_threshold (the greatest sum agreed with one counterparty, at most what the regime allows),
    variation_margin_threshold (the greatest agreed, at most zero), netting_sets_without_variation_margin (a number, at most zero). Only
    netting sets count of which it is not certain that they are out of scope.
    """
    initial, variation = _not_excluded(sets, calls, "initial"), _not_excluded(sets, calls, "variation")
    either = [row for row in sets if row in initial or row in variation]
    agreed = [row for row in initial if not math.isnan(row["initial_margin_threshold"])]
    silent = (regime.initial_margin_threshold, {"agreed": "nothing: the greatest that the regime allows"})
    greatest = max((_amount(row, "threshold") for row in variation), default=0.0)
    without = sorted(str(row["netting_set_id"]) for row in variation if not flag(row["margined"]))
    transfer = _greatest_sum(either, "minimum_transfer_amount", rate)
    threshold = _greatest_sum(agreed, "initial_margin_threshold", rate) if agreed else silent
    exposed = (0.0 if greatest == 0.0 else greatest * rate, {"agreed_in_base_currency": greatest})
    items = (
        ("minimum_transfer_amount", regime.transfer_reference, either, "variation", regime.minimum_transfer_amount, transfer),
        ("initial_margin_threshold", regime.threshold_reference, initial, "initial", regime.initial_margin_threshold, threshold),
        ("variation_margin_threshold", regime.variation_reference, variation, "variation", 0.0, exposed),
        (WITHOUT, regime.variation_reference, variation, "variation", 0.0, (float(len(without)), {"netting_sets": without[:20]})),
    )
    name, found = str(portfolio["portfolio_id"]), []
    for item, reference, counted, kind, limit, (amount, details) in items:
        unit = "count" if item == WITHOUT else regime.currency
        if not counted:
            why = _why_none(calls, kind)
            found.append(RegulatoryLine(name, "portfolio", regime.name, item, unit, "not_applicable", reference, version, reason=why))
            continue
        status, value = at_least(limit, known(amount)), known(amount)
        reason = f"exchange rate of {portfolio['base_currency']} to {regime.currency}" if status == "undetermined" else None
        found.append(
            RegulatoryLine(
                name, "portfolio", regime.name, item, unit, status, reference, version, value=value, limit_value=limit, reason=reason,
                inputs=details,
            )
        )  # fmt: skip
    return found


def _not_excluded(sets: Sequence[Row], calls: Sequence[Row], kind: str) -> list[Row]:
    """Netting sets that are in scope of a kind of margin or of which that cannot be told."""
    excluded = {str(c["netting_set_id"]) for c in calls if c["kind"] == kind and flag(c["in_scope"]) is False}
    return [row for row in sets if str(row["netting_set_id"]) not in excluded]


def _why_none(calls: Sequence[Row], kind: str) -> str:
    reasons = sorted({str(c["scope_reason"]) for c in calls if c["kind"] == kind and flag(c["in_scope"]) is False})
    return reasons[0] + (f"; and {len(reasons) - 1} more" if len(reasons) > 1 else "") if reasons else "no netting set is in scope"


def _greatest_sum(sets: Sequence[Row], column: str, rate: float) -> tuple[float, dict[str, Any]]:
    """Greatest sum agreed with one counterparty in the currency of the regime, and with whom; zero needs no exchange rate."""
    sums: dict[str, float] = {}
    for row in sets:
        name = str(row["counterparty"]) or f"netting set {row['netting_set_id']}"
        sums[name] = sums.get(name, 0.0) + _amount(row, column)
    name = min(sums, key=lambda key: (-sums[key], key), default="")
    total = sums.get(name, 0.0)
    return (0.0 if total == 0.0 else total * rate), {"counterparty": name, "agreed_in_base_currency": total}


def _amount(row: Row, column: str) -> float:
    """An agreed amount; nothing agreed is zero (ISDA Credit Support Annex)."""
    return 0.0 if math.isnan(row[column]) else float(row[column])
