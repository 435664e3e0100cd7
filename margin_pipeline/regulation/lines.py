"""All regulatory lines of a date.

Belongs here: which regimes there are and to whom each is asked. Not here: their rules (a module each), dated values (`parameters`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.regulation import ScheduleRules, basel_rules, finra_rules, schedule_rules
from margin_pipeline.regulation.basel import bank_figures, basel_lines
from margin_pipeline.regulation.finra import finra_lines
from margin_pipeline.regulation.line import RegulatoryLine, known, table

NO_NETTING_SET = "no netting set of uncleared derivatives"


def regulatory_lines(
    portfolios: pd.DataFrame,
    portfolio_margins: pd.DataFrame,
    components: pd.DataFrame,
    netting_set_margins: pd.DataFrame,
    entity_figures: pd.DataFrame,
    exposures: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Lines of every portfolio under every regime; what does not apply says why, what is missing is never a pass.

    Parameters
    ----------
    portfolios, portfolio_margins, netting_set_margins, entity_figures, exposures : tables of these names.
    components : table portfolio_margin_components; the margin of each part goes into the inputs of the maintenance line.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.regulatory_lines, ordered by portfolio, scope, regime, line item, netting set and side.
    """
    finra, basel, schedule = finra_rules(as_of), basel_rules(as_of), schedule_rules(as_of)
    rates = usd_rates(fx_rates, as_of)
    margins = _by_portfolio(portfolio_margins)
    parts = _by_portfolio(components)
    netting_sets = _by_portfolio(netting_set_margins)
    lines: list[RegulatoryLine] = []
    for portfolio in portfolios.sort_values("portfolio_id", kind="stable").to_dict("records"):
        name = str(portfolio["portfolio_id"])
        by_method = {str(row["method"]): row for row in margins.get(name, [])}
        base = str(portfolio["base_currency"])
        usd_to_base = 1.0 if base == "USD" else 1.0 / float(rates.get(base, np.nan))
        lines += _with_components(finra_lines(portfolio, by_method, usd_to_base, finra, as_of), parts.get(name, []))
        figures = None
        if str(portfolio["entity_type"]) == "bank":
            own = entity_figures[entity_figures["portfolio_id"] == name], exposures[exposures["portfolio_id"] == name]
            figures = bank_figures(portfolio, *own, rates, basel)
        lines += basel_lines(portfolio, figures, basel)
        lines += schedule_lines(portfolio, netting_sets.get(name, []), schedule, as_of)
    return table(lines)


def schedule_lines(
    portfolio: Mapping[Any, Any], netting_sets: list[dict[Any, Any]], rules: ScheduleRules, as_of: dt.date
) -> list[RegulatoryLine]:
    """Initial margin of each netting set and side, for information; another agreed model has an undetermined line.

    Parameters
    ----------
    portfolio : row of portfolios.
    netting_sets : its rows of netting_set_margins.
    rules : schedule in force.
    as_of : business date.
    """
    name, base = str(portfolio["portfolio_id"]), str(portfolio["base_currency"])

    def line(regime: str, status: str, reference: str, **rest: Any) -> RegulatoryLine:
        return RegulatoryLine(name, "portfolio", regime, "initial_margin", base, status, reference, rules.version, **rest)

    if not netting_sets:
        return [line("schedule_im", "not_applicable", rules.reference, reason=NO_NETTING_SET)]
    lines = []
    for row in netting_sets:
        regime = "simm" if row["model"] == "simm" else "schedule_im"
        reference = rules.simm_reference if regime == "simm" else rules.reference
        place = {"netting_set_id": str(row["netting_set_id"]), "side": str(row["side"])}
        if as_of < rules.applies_from:
            lines.append(line(regime, "not_applicable", reference, reason=f"the requirement starts on {rules.applies_from}", **place))
            continue
        value = known(row["initial_margin"])
        inputs = {
            "gross_margin": known(row["gross_margin"]),
            "net_to_gross_ratio": known(row["net_to_gross_ratio"]),
            "explanation": json.loads(row["explanation"]) if isinstance(row["explanation"], str) else row["explanation"],
        }
        reason = None if value is not None else str(row["missing"])
        status = "undetermined" if value is None else "information"
        lines.append(line(regime, status, reference, value=value, reason=reason, inputs=inputs, **place))
    return lines


def _by_portfolio(frame: pd.DataFrame) -> dict[str, list[dict[Any, Any]]]:
    rows: dict[str, list[dict[Any, Any]]] = {}
    for row in frame.to_dict("records"):
        rows.setdefault(str(row["portfolio_id"]), []).append(row)
    return rows


def _with_components(lines: list[RegulatoryLine], components: list[dict[Any, Any]]) -> list[RegulatoryLine]:
    """The lines, with the parts of the margin that they are about among their inputs."""
    completed = []
    for line in lines:
        column = {"maintenance_margin": "maintenance_margin", "initial_margin": "initial_margin"}.get(line.line_item)
        method = line.inputs.get("method")
        parts = {str(row["component"]): known(row[column]) for row in components if column and row["method"] == method}
        completed.append(dataclasses.replace(line, inputs={**line.inputs, "components": dict(sorted(parts.items()))}) if parts else line)
    return completed
