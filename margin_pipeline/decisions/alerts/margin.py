"""Alerts about the governing margin of each portfolio: utilization, equity, missing data.

Belongs here: their conditions and messages. Not here: other kinds (`book`, `results`), which alerts stand (`evaluation`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.decisions.alerts.judgement import Condition, Judgement, always, below

UTILIZATION, MISSING_DATA, EQUITY = "utilization", "missing_data", "equity"
SEVERITIES = ("warning", "critical", "emergency")
"""Severity of a crossed utilization threshold, which bears the same name."""
LONGEST_LIST = 300


def margin_judgements(portfolio_margins: pd.DataFrame, thresholds: Mapping[str, float], as_of: dt.date) -> Iterator[Judgement]:
    """Judgements on utilization, equity and missing data by the governing method of each portfolio, ordered by portfolio.

    Notes
    -----
    A utilization alert clears when utilization is below threshold - hysteresis. An undetermined portfolio raises missing_data and leaves
    its other alerts as they are, because nothing is known of them. A liquidatable one raises equity. A portfolio without a governing row
    is not judged.
    """
    governing = portfolio_margins[portfolio_margins["is_governing"].astype(bool)].sort_values("portfolio_id", kind="stable")
    for row in governing.to_dict("records"):
        name = str(row["portfolio_id"])
        if _is_undetermined(row):
            lacking = Condition(0.0, "critical", None, _undetermined_message(row, as_of))
            yield Judgement(name, MISSING_DATA, (lacking,), always(False))
            continue
        yield Judgement(name, MISSING_DATA, (), always(True))
        yield _utilization(name, row, thresholds, as_of)
        is_short = bool(row["status"] == "liquidatable")
        short = Condition(0.0, "emergency", float(row["excess"]), _equity_message(row, as_of))
        yield Judgement(name, EQUITY, (short,) if is_short else (), always(not is_short))


def _utilization(name: str, row: Mapping[Any, Any], thresholds: Mapping[str, float], as_of: dt.date) -> Judgement:
    utilization = float(row["utilization"])
    crossed = tuple(
        Condition(float(thresholds[level]), level, utilization, _utilization_message(row, thresholds, level, as_of))
        for level in SEVERITIES
        if utilization >= thresholds[level]
    )
    return Judgement(name, UTILIZATION, crossed, below({"": utilization}, thresholds["hysteresis"]))


def _is_undetermined(row: Mapping[Any, Any]) -> bool:
    """Whether nothing is known: no utilization counts as that too, whatever the status says."""
    return bool(row["status"] == "undetermined" or pd.isna(row["utilization"]))


def _utilization_message(row: Mapping[Any, Any], thresholds: Mapping[str, float], level: str, as_of: dt.date) -> str:
    utilization, threshold, target = float(row["utilization"]), thresholds[level], thresholds["warning"]
    more = float(row["maintenance_margin"]) / target - float(row["margin_equity"])
    used = f"{utilization:.1%}" if np.isfinite(utilization) else "more than all"
    return (
        f"{row['portfolio_id']}: {used} of margin equity is used on {as_of}, at or above {threshold * 100:g}% ({_figures(row)}); "
        f"{more:,.0f} more equity brings it to {target * 100:g}%; see margin.liquidation_plans for the trades that do, "
        "margin.strategy_risk for the strategies that hold the margin"
    )


def _equity_message(row: Mapping[Any, Any], as_of: dt.date) -> str:
    return (
        f"{row['portfolio_id']}: liquidatable on {as_of}, margin equity does not cover the maintenance margin ({_figures(row)}); "
        f"add at least {-float(row['excess']):,.0f} of equity, or see margin.liquidation_plans for what to close"
    )


def _undetermined_message(row: Mapping[Any, Any], as_of: dt.date) -> str:
    return (
        f"{row['portfolio_id']}: margin cannot be determined on {as_of} ({row['method']}); missing: {_missing(row['missing'])}; "
        "see margin.portfolio_margins and margin.rejected_rows"
    )


def _figures(row: Mapping[Any, Any]) -> str:
    return (
        f"{row['method']}: maintenance margin {float(row['maintenance_margin']):,.0f}, margin equity {float(row['margin_equity']):,.0f}, "
        f"excess {float(row['excess']):,.0f}"
    )


def _missing(value: Any) -> str:
    """What is missing, on one line of bearable length; takes a list or its JSON text."""
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, list) or not value:
        return "not said"
    text = " ".join("; ".join(str(item) for item in value).split())
    return text if len(text) <= LONGEST_LIST else f"{text[:LONGEST_LIST]}… ({len(value)} in all)"
