"""From judgements and the alerts that stand to what is raised and cleared.

Belongs here: the comparison. Not here: what the figures say (`margin`, `book`, `results`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from margin_pipeline.decisions.alerts.judgement import Judgement
from margin_pipeline.decisions.alerts.margin import margin_judgements

RAISED_COLUMNS = ["as_of", "calculation_id", "portfolio_id", "kind", "subject", "severity", "threshold", "episode", "observed", "message"]
CLEARED_COLUMNS = ["as_of", "portfolio_id", "kind", "subject", "threshold", "episode"]

AlertKey = tuple[str, str, str, float]
"""Portfolio, kind, subject, threshold."""


@dataclass(frozen=True)
class AlertChanges:
    """What an evaluation changes.

    Attributes
    ----------
    raised : alerts to add: as_of, calculation_id, portfolio_id, kind, subject, severity, threshold, episode, observed (None: no figure),
        message.
    cleared : open alerts to close: as_of, portfolio_id, kind, subject, threshold, episode.
    """

    raised: pd.DataFrame
    cleared: pd.DataFrame


def evaluate(
    portfolio_margins: pd.DataFrame,
    open_alerts: pd.DataFrame,
    last_episodes: pd.DataFrame,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    calculation_id: int | None,
    others: Sequence[Judgement] = (),
) -> AlertChanges:
    """Alerts to raise and to clear.

    Parameters
    ----------
    portfolio_margins : table of this name; rows with is_governing count.
    open_alerts : alerts not cleared yet: portfolio_id, kind, subject, threshold, episode.
    last_episodes : newest episode by portfolio_id, kind, subject, threshold.
    thresholds : utilization thresholds `warning`, `critical`, `emergency` and `hysteresis`, fractions.
    as_of, calculation_id : what the figures are of.
    others : judgements on kinds besides utilization, equity and missing data.

    Returns
    -------
    Changes, ordered by portfolio, kind, subject and threshold. The same figures on the changed state give no further change.

    Notes
    -----
    Each threshold is an alert of its own: escalation raises the next while the lower ones stay. A kind or portfolio without a judgement
    keeps its alerts, because nothing is known of them.
    """
    judged = [*margin_judgements(portfolio_margins, thresholds, as_of), *others]
    return compare(judged, open_alerts, last_episodes, as_of, calculation_id)


def compare(
    judgements: Sequence[Judgement], open_alerts: pd.DataFrame, last_episodes: pd.DataFrame, as_of: dt.date, calculation_id: int | None
) -> AlertChanges:
    """What judgements change on the alerts that stand; parameters as of `evaluate`."""
    standing = {_key(row): int(row["episode"]) for row in open_alerts.to_dict("records")}
    episodes = {_key(row): int(row["episode"]) for row in last_episodes.to_dict("records")}
    open_of: dict[tuple[str, str], list[AlertKey]] = {}
    for key in sorted(standing):
        open_of.setdefault(key[:2], []).append(key)
    raised: list[tuple[Any, ...]] = []
    cleared: list[tuple[Any, ...]] = []
    for judged in judgements:
        place = (judged.portfolio_id, judged.kind)
        for condition in judged.conditions:
            key = (*place, condition.subject, condition.threshold)
            if key not in standing:
                episode = episodes.get(key, 0) + 1
                figures = (condition.severity, condition.threshold, episode, condition.observed, condition.message)
                raised.append((as_of, calculation_id, *place, condition.subject, *figures))
        for key in open_of.get(place, []):
            if judged.is_over(key[2], key[3]):
                cleared.append((as_of, *key, standing[key]))
    return AlertChanges(_ordered(raised, RAISED_COLUMNS), _ordered(cleared, CLEARED_COLUMNS))


def _key(row: Mapping[Any, Any]) -> AlertKey:
    return str(row["portfolio_id"]), str(row["kind"]), str(row.get("subject", "")), float(row["threshold"])


def _ordered(rows: list[tuple[Any, ...]], columns: list[str]) -> pd.DataFrame:
    at = [columns.index(name) for name in ("portfolio_id", "kind", "subject", "threshold")]
    return pd.DataFrame(sorted(rows, key=lambda row: tuple(row[i] for i in at)), columns=columns, dtype=object)
