"""Initial margin of netting sets as regulatory lines, by the model that each has agreed on.

Belongs here: the lines. Not here: the margins (`schedule_im` and the other models), thresholds and calls.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from margin_pipeline.parameters.schedule_im import ScheduleRules, schedule_rules
from margin_pipeline.parameters.simm import simm_rules
from margin_pipeline.regulation.inputs import RegulatoryInputs
from margin_pipeline.regulation.line import RegulatoryLine, known

NO_NETTING_SET = "no netting set of uncleared derivatives"


def lines(inputs: RegulatoryInputs) -> list[RegulatoryLine]:
    """Initial margin lines of every portfolio."""
    rules = schedule_rules(inputs.as_of)
    return [
        line
        for portfolio in inputs.portfolios
        for line in initial_margin_lines(
            portfolio, inputs.of_portfolio("netting_set_margins", str(portfolio["portfolio_id"])), rules, inputs.as_of
        )
    ]


def initial_margin_lines(
    portfolio: Mapping[Any, Any], netting_sets: list[dict[Any, Any]], rules: ScheduleRules, as_of: dt.date
) -> list[RegulatoryLine]:
    """Initial margin of each netting set and side by its agreed model, for information; one without a margin is undetermined.

    Parameters
    ----------
    portfolio : row of portfolios.
    netting_sets : its rows of netting_set_margins.
    rules : schedule in force.
    as_of : business date.
    """
    name, base = str(portfolio["portfolio_id"]), str(portfolio["base_currency"])

    simm = simm_rules(as_of)

    def line(regime: str, status: str, **rest: Any) -> RegulatoryLine:
        reference, version = (simm.reference, simm.version) if regime == "simm" else (rules.reference, rules.version)
        return RegulatoryLine(name, "portfolio", regime, "initial_margin", base, status, reference, version, **rest)

    if not netting_sets:
        return [line("schedule_im", "not_applicable", reason=NO_NETTING_SET)]
    lines = []
    for row in netting_sets:
        regime = "simm" if row["model"] == "simm" else "schedule_im"
        place = {"netting_set_id": str(row["netting_set_id"]), "side": str(row["side"])}
        if as_of < rules.applies_from:
            lines.append(line(regime, "not_applicable", reason=f"the requirement starts on {rules.applies_from}", **place))
            continue
        value = known(row["initial_margin"])
        inputs = {
            "gross_margin": known(row["gross_margin"]),
            "net_to_gross_ratio": known(row["net_to_gross_ratio"]),
            "explanation": json.loads(row["explanation"]) if isinstance(row["explanation"], str) else row["explanation"],
        }
        reason = None if value is not None else str(row["missing"])
        status = "undetermined" if value is None else "information"
        lines.append(line(regime, status, value=value, reason=reason, inputs=inputs, **place))
    return lines
