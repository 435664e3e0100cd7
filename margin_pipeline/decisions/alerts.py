"""When an alert is raised, escalated and cleared.

Belongs here: the rules, from figures and the alerts that stand to the changes. Not here: storing alerts (`storage.alerts`), telling people.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

UTILIZATION, MISSING_DATA, EQUITY = "utilization", "missing_data", "equity"
SEVERITIES = ("warning", "critical", "emergency")
"""Severity of a crossed utilization threshold, which bears the same name."""
RAISED_COLUMNS = ["as_of", "calculation_id", "portfolio_id", "kind", "severity", "threshold", "episode", "observed", "message"]
CLEARED_COLUMNS = ["as_of", "portfolio_id", "kind", "threshold", "episode"]
LONGEST_LIST = 300

AlertKey = tuple[str, str, float]
"""Portfolio, kind, threshold."""


@dataclass(frozen=True)
class AlertChanges:
    """What an evaluation changes.

    Attributes
    ----------
    raised : alerts to add: as_of, calculation_id, portfolio_id, kind, severity, threshold, episode, observed (None: no figure), message.
    cleared : open alerts to close: as_of, portfolio_id, kind, threshold, episode.
    """

    raised: pd.DataFrame
    cleared: pd.DataFrame


@dataclass(frozen=True)
class _Condition:
    """An alert that should stand, if it does not stand already."""

    kind: str
    threshold: float
    severity: str
    observed: float | None
    message: str


def evaluate(
    portfolio_margins: pd.DataFrame,
    open_alerts: pd.DataFrame,
    last_episodes: pd.DataFrame,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    calculation_id: int | None,
) -> AlertChanges:
    """Alerts to raise and to clear for the governing method of each portfolio.

    Parameters
    ----------
    portfolio_margins : table of this name; rows with is_governing count.
    open_alerts : alerts not cleared yet: portfolio_id, kind, threshold, episode.
    last_episodes : newest episode by portfolio_id, kind, threshold.
    thresholds : utilization thresholds `warning`, `critical`, `emergency` and `hysteresis`, fractions.
    as_of, calculation_id : what the figures are of.

    Returns
    -------
    Changes, ordered by portfolio, kind and threshold. The same figures on the changed state give no further change.

    Notes
    -----
    Each utilization threshold is an alert of its own: escalation raises the next while the lower ones stay. It clears when utilization is
    below threshold - hysteresis. An undetermined portfolio raises missing_data and leaves all its other alerts as they are, because
    nothing is known of them. A liquidatable one raises equity. Alerts of portfolios without a governing row stay as they are.
    """
    standing = {_key(row): int(row["episode"]) for row in open_alerts.to_dict("records")}
    episodes = {_key(row): int(row["episode"]) for row in last_episodes.to_dict("records")}
    raised: list[dict[str, Any]] = []
    cleared: list[dict[str, Any]] = []
    governing = portfolio_margins[portfolio_margins["is_governing"].astype(bool)].sort_values("portfolio_id", kind="stable")
    open_of: dict[str, list[AlertKey]] = {}
    for key in sorted(standing):
        open_of.setdefault(key[0], []).append(key)
    for row in governing.to_dict("records"):
        portfolio_id = str(row["portfolio_id"])
        for condition in sorted(_conditions(row, thresholds, as_of), key=lambda c: (c.kind, c.threshold)):
            key = (portfolio_id, condition.kind, condition.threshold)
            if key not in standing:
                episode = max(episodes.get(key, 0), standing.get(key, 0)) + 1
                raised.append(_raised(condition, portfolio_id, episode, as_of, calculation_id))
        for key in open_of.get(portfolio_id, []):
            if _is_over(key, row, thresholds):
                cleared.append(dict(zip(CLEARED_COLUMNS, (as_of, *key, standing[key]), strict=True)))
    return AlertChanges(
        pd.DataFrame(raised, columns=RAISED_COLUMNS, dtype=object), pd.DataFrame(cleared, columns=CLEARED_COLUMNS, dtype=object)
    )


def _key(row: Mapping[Any, Any]) -> AlertKey:
    return str(row["portfolio_id"]), str(row["kind"]), float(row["threshold"])


def _raised(condition: _Condition, portfolio_id: str, episode: int, as_of: dt.date, calculation_id: int | None) -> dict[str, Any]:
    return {
        "as_of": as_of,
        "calculation_id": calculation_id,
        "portfolio_id": portfolio_id,
        "kind": condition.kind,
        "severity": condition.severity,
        "threshold": condition.threshold,
        "episode": episode,
        "observed": condition.observed,
        "message": condition.message,
    }


def _is_undetermined(row: Mapping[Any, Any]) -> bool:
    """Whether nothing is known: no utilization counts as that too, whatever the status says."""
    return bool(row["status"] == "undetermined" or pd.isna(row["utilization"]))


def _conditions(row: Mapping[Any, Any], thresholds: Mapping[str, float], as_of: dt.date) -> Iterator[_Condition]:
    """Alerts that the figures of one portfolio call for."""
    if _is_undetermined(row):
        yield _Condition(MISSING_DATA, 0.0, "critical", None, _undetermined_message(row, as_of))
        return
    utilization = float(row["utilization"])
    for name in SEVERITIES:
        if utilization >= thresholds[name]:
            yield _Condition(UTILIZATION, float(thresholds[name]), name, utilization, _utilization_message(row, thresholds[name], as_of))
    if row["status"] == "liquidatable":
        yield _Condition(EQUITY, 0.0, "emergency", float(row["excess"]), _equity_message(row, as_of))


def _is_over(key: AlertKey, row: Mapping[Any, Any], thresholds: Mapping[str, float]) -> bool:
    """Whether the figures end an alert of the portfolio; kinds that this evaluation does not watch never end here."""
    _, kind, threshold = key
    if _is_undetermined(row):
        return False
    if kind == UTILIZATION:
        return float(row["utilization"]) < threshold - thresholds["hysteresis"]
    if kind == EQUITY:
        return bool(row["status"] != "liquidatable")
    return kind == MISSING_DATA


def _utilization_message(row: Mapping[Any, Any], threshold: float, as_of: dt.date) -> str:
    utilization = float(row["utilization"])
    used = f"{utilization:.1%}" if np.isfinite(utilization) else "more than all"
    return (
        f"{row['portfolio_id']}: {used} of margin equity is used on {as_of}, at or above {threshold * 100:g}% ({_figures(row)}); "
        "see margin.strategy_risk for the strategies that hold the margin"
    )


def _equity_message(row: Mapping[Any, Any], as_of: dt.date) -> str:
    return (
        f"{row['portfolio_id']}: liquidatable on {as_of}, margin equity does not cover the maintenance margin ({_figures(row)}); "
        "see margin.position_margins for what to close, or add equity"
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
