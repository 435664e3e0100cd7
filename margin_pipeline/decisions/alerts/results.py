"""Alerts about results: stress tests that fail, regulatory limits that are broken, forecasts of a breach.

Belongs here: their conditions and messages. Not here: the tests and limits themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

from margin_pipeline.decisions.alerts.judgement import EVERY_PORTFOLIO, Condition, Judgement, always, below
from margin_pipeline.parameters.alerts import AlertRules

STRESS, REGULATORY_LIMIT, FORECAST = "stress", "regulatory_limit", "forecast"
SCENARIOS_SHOWN = 4


def failed_stress(stress_results: pd.DataFrame, as_of: dt.date) -> Iterator[Judgement]:
    """Portfolios whose governing method fails scenarios; observed is how many.

    Notes
    -----
    A portfolio with an undetermined scenario keeps its alert, but a failure among the others raises one.
    """
    governing = stress_results[stress_results["is_governing"].astype(bool)]
    for portfolio_id, rows in governing.groupby("portfolio_id", sort=True):
        failed = sorted(rows.loc[rows["passed"].eq(False).fillna(False), "scenario"].astype(str))
        undetermined = bool(rows["passed"].isna().any())
        found: tuple[Condition, ...] = ()
        if failed:
            more = f" and {len(failed) - SCENARIOS_SHOWN} more" if len(failed) > SCENARIOS_SHOWN else ""
            message = (
                f"{portfolio_id}: {len(failed)} of {len(rows)} stress scenarios fail on {as_of}:"
                f" {', '.join(failed[:SCENARIOS_SHOWN])}{more}; see margin.stress_results"
            )
            found = (Condition(0.0, "warning", float(len(failed)), message),)
        yield Judgement(str(portfolio_id), STRESS, found, always(not failed and not undetermined))


def broken_limits(regulatory_lines: pd.DataFrame, portfolios: pd.DataFrame, as_of: dt.date) -> Iterator[Judgement]:
    """Regulatory lines in breach, an alert a line; one that becomes undetermined keeps its alert."""
    key = ["regime", "scope", "line_item", "netting_set_id", "side"]
    named = regulatory_lines.assign(
        portfolio_id=regulatory_lines["portfolio_id"].astype(str).where(regulatory_lines["portfolio_id"] != "", EVERY_PORTFOLIO),
        subject=regulatory_lines[key].astype(str).agg("/".join, axis=1) if len(regulatory_lines) else "",
    )
    for portfolio_id in sorted({EVERY_PORTFOLIO, *portfolios["portfolio_id"].astype(str)}):
        own = named[named["portfolio_id"] == portfolio_id].sort_values("subject", kind="stable")
        open_lines = frozenset(own.loc[own["status"].isin(["breach", "undetermined"]), "subject"])
        found = tuple(
            Condition(float(row["limit_value"]), "critical", float(row["value"]), _limit_message(row, as_of), str(row["subject"]))
            for row in own[own["status"] == "breach"].to_dict("records")
        )
        limits = {condition.subject: condition.threshold for condition in found}
        yield Judgement(portfolio_id, REGULATORY_LIMIT, found, _is_mended(open_lines, limits))


def likely_breaches(margin_forecasts: pd.DataFrame, rules: AlertRules) -> Iterator[Judgement]:
    """Thresholds of utilization that are likely to be crossed soon.

    Parameters
    ----------
    margin_forecasts : table of this name: portfolio_id, horizon_minutes, threshold, breach_probability, expected_utilization.
    rules : horizon and probabilities in force.

    Notes
    -----
    A threshold that is crossed already is an alert of utilization, not of the forecast. One without a probability is not judged.
    """
    rows = margin_forecasts[margin_forecasts["horizon_minutes"] == rules.forecast_horizon_minutes]
    for portfolio_id, own in rows.groupby("portfolio_id", sort=True):
        if own["breach_probability"].isna().any():
            continue
        known = own[["threshold", "breach_probability"]].itertuples(index=False, name=None)
        probability = {f"{threshold:g}": float(value) for threshold, value in known if value < 1}
        found = tuple(
            Condition(limit, severity, value, _forecast_message(str(portfolio_id), subject, value, rules), subject)
            for subject, value in sorted(probability.items())
            for severity, limit in rules.forecast_probability.items()
            if value >= limit
        )
        yield Judgement(str(portfolio_id), FORECAST, found, below(probability, rules.forecast_hysteresis))


def _is_mended(open_lines: frozenset[str], limits: Mapping[str, float]) -> Callable[[str, float], bool]:
    """A line ends its alert once it is neither in breach nor undetermined; one whose limit has changed is another alert."""

    def is_over(subject: str, threshold: float) -> bool:
        return subject not in open_lines or limits.get(subject, threshold) != threshold

    return is_over


def _limit_message(row: Mapping[Any, Any], as_of: dt.date) -> str:
    who = "firm" if row["portfolio_id"] == EVERY_PORTFOLIO else row["portfolio_id"]
    place = " ".join(str(row[name]) for name in ("line_item", "netting_set_id", "side") if row[name])
    figures = (row["value"], row["limit_value"])
    shown = " against ".join(f"{x:.4f}" if row["unit"] == "ratio" else f"{x:,.0f} {row['unit']}" for x in figures)
    return f"{who}: {place} is in breach on {as_of}: {shown} ({row['reference']}); see margin.regulatory_lines"


def _forecast_message(portfolio_id: str, threshold: str, probability: float, rules: AlertRules) -> str:
    return (
        f"{portfolio_id}: utilization reaches {float(threshold):.0%} within {rules.forecast_horizon_minutes} minutes with a probability of"
        f" {probability:.0%}; see margin.margin_forecasts"
    )
